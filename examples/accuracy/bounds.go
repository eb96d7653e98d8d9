package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strconv"
	"text/tabwriter"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/purse"
)

// A market is spendings in several groups, of which the sums are asked.
type market struct {
	name   string
	rows   []spending
	groups []string
	most   int // groups of a unit
	above  func(bound float64) map[string]float64
}

// markets are the data sets of which bounds are found: what customers of the embedded shop spent in
// each month, and two laws with tails that fall faster and slower.
func markets() ([]*market, error) {
	shop, err := monthly()
	if err != nil {
		return nil, err
	}
	return []*market{
		newMarket("purchases by month", shop),
		newMarket("lognormal in 12 groups", scattered(20_000, 12, 3, func(r *rand.Rand) float64 { return math.Exp(3 + 1.2*r.NormFloat64()) })),
		newMarket("Pareto in 24 groups", scattered(20_000, 24, 3, func(r *rand.Rand) float64 { return 5 / math.Sqrt(1-r.Float64()) })),
	}, nil
}

// scattered returns spendings of units in up to most of some groups.
func scattered(units, groups, most int, law func(*rand.Rand) float64) (rows []spending) {
	r := rand.New(rand.NewPCG(uint64(units), uint64(groups)))
	for u := range units {
		for _, g := range r.Perm(groups)[:1+r.IntN(most)] {
			rows = append(rows, spending{strconv.Itoa(u), strconv.Itoa(g), law(r)})
		}
	}
	return rows
}

func newMarket(name string, rows []spending) *market {
	type place struct{ unit, group string }
	totals, in, seen := map[place]float64{}, map[string]int{}, map[string]bool{}
	m := &market{name: name, rows: rows}
	for _, r := range rows {
		if !seen[r.group] {
			seen[r.group] = true
			m.groups = append(m.groups, r.group)
		}
		at := place{r.unit, r.group}
		if _, there := totals[at]; !there {
			in[r.unit]++
			m.most = max(m.most, in[r.unit])
		}
		totals[at] += r.amount
	}
	m.above = func(bound float64) map[string]float64 {
		off := map[string]float64{}
		for at, total := range totals {
			off[at.group] += max(total-bound, 0)
		}
		return off
	}
	return m
}

// query asks what units spend, with caps that cut off nothing.
func (m *market) query() *aggregate.Query[spending, string, string] {
	return &aggregate.Query[spending, string, string]{
		Dataset: "market", UnitName: "customer", Groups: m.groups, MaxGroups: m.most, MaxRowsPerGroup: math.MaxInt,
		Unit: func(s spending) string { return s.unit }, Group: func(s spending) string { return s.group },
	}
}

func spent(q *aggregate.Query[spending, string, string], b aggregate.Bounds[float64]) *aggregate.Value[float64] {
	return aggregate.PerUnit(q, "spent", func(s spending) float64 { return s.amount }, b)
}

// noise returns the standard deviation of the noise on a sum with a bound.
func (m *market) noise(loss dp.Loss, bound float64) (float64, error) {
	q := m.query()
	plan, err := q.Plan(loss, spent(q, aggregate.Bounds[float64]{Upper: bound}).Sum())
	if err != nil {
		return 0, err
	}
	return plan.Prices()[0].StdDev, nil
}

// error returns the root mean square error of the sums of all groups: of what the bound cuts off, and of
// noise, both as they are and not as they were drawn.
func (m *market) error(loss dp.Loss, bound float64) (float64, error) {
	noise, err := m.noise(loss, bound)
	squares := 0.0
	for _, off := range m.above(bound) {
		squares += off * off
	}
	return math.Sqrt(squares/float64(len(m.groups)) + noise*noise), err
}

// best returns the bound with the least error, of an eighth of an octave, and its error.
func (m *market) best(loss dp.Loss) (bound, least float64, err error) {
	least = math.Inf(1)
	for eighth := 0; eighth < 8*14; eighth++ {
		at := math.Exp2(float64(eighth) / 8)
		e, err := m.error(loss, at)
		if err != nil {
			return 0, 0, err
		}
		if e < least {
			bound, least = at, e
		}
	}
	return bound, least, nil
}

// widest is all that is known of what a customer spends in a month.
const widest = 1e6

// searchShare is the part of ε that pays for finding bounds.
const searchShare = 0.05

// A bargain is what bounds that were found cost, beside the best that there are.
type bargain struct {
	best, least, greatest float64 // bounds: the best, and those that were found
	ratio                 float64 // of the errors, the root of the mean square of all runs
	refused               int     // runs of which the votes were too few
}

// search finds bounds with a part of ε, several times, and compares sums that get the rest with those
// that get all of it and have the best bounds.
func (o *options) search(ctx context.Context, m *market, epsilon float64) (b bargain, err error) {
	rest := dp.Approx{Epsilon: (1 - searchShare) * epsilon, Delta: o.Delta}
	best, least, err := m.best(dp.Approx{Epsilon: epsilon, Delta: o.Delta})
	if err != nil {
		return b, err
	}
	b = bargain{best: best, least: math.Inf(1)}
	q := m.query()
	find, err := aggregate.FindBounds(q, spent(q, aggregate.Bounds[float64]{Upper: widest}), dp.Pure{Epsilon: searchShare * epsilon})
	if err != nil {
		return b, err
	}
	wide, err := m.noise(rest, 1000)
	if err != nil {
		return b, err
	}
	squares := 0.0
	for range o.Runs {
		found, err := find.Run(ctx, purse.Free{}, aggregate.Request{Key: "run", Purpose: "accuracy"}, aggregate.Slice(m.rows))
		if err != nil {
			return b, err
		}
		bounds, ok := found.For(m.records(), wide/1000)
		if !ok {
			b.refused++
			continue
		}
		e, err := m.error(rest, bounds.Upper)
		if err != nil {
			return b, err
		}
		squares += e * e / (least * least)
		b.least, b.greatest = min(b.least, bounds.Upper), max(b.greatest, bounds.Upper)
	}
	b.ratio = math.Sqrt(squares / float64(max(o.Runs-b.refused, 1)))
	return b, nil
}

// records returns how many units a group has in the mean. Who asks knows it from an earlier report.
func (m *market) records() float64 {
	type place struct{ unit, group string }
	there := map[place]bool{}
	for _, r := range m.rows {
		there[place{r.unit, r.group}] = true
	}
	return float64(len(there)) / float64(len(m.groups))
}

// bounds prints what finding bounds costs.
func (o *options) bounds(ctx context.Context, w io.Writer) error {
	all, err := markets()
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "Error of sums in groups whose bounds %v %% of ε found, as a share of those with the best bounds and all of ε, which\n"+
		"nobody knows: root mean square over the groups, of what bounds cut off and noise, δ = %v, %d runs.\n\n", 100*searchShare, o.Delta, o.Runs)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "ε\tdata\tbest bound\tbounds found\terror\ttoo few votes\t")
	for _, epsilon := range o.Epsilons {
		for _, m := range all {
			b, err := o.search(ctx, m, epsilon)
			if err != nil {
				return fmt.Errorf("ε = %v, %s: %w", epsilon, m.name, err)
			}
			fmt.Fprintf(t, "%v\t%s\t%.0f\t%.0f to %.0f\t%.2f\t%d\t\n", epsilon, m.name, b.best, b.least, b.greatest, b.ratio, b.refused)
		}
	}
	return t.Flush()
}
