package aggregate

import (
	"encoding/json"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

type stay struct {
	who, where int
	x          float64
}

// wards returns a plan of so many groups that a unit may all be in: units and, if there
// are values, the sum and the mean of one value and the sum of another.
func wards(t *testing.T, groups int, values bool, loss dp.Loss) *Plan[stay, int, int] {
	t.Helper()
	q := &Query[stay, int, int]{
		Dataset: "stays", UnitName: "patient", MaxGroups: groups, MaxRowsPerGroup: 1,
		Unit: func(s stay) int { return s.who }, Group: func(s stay) int { return s.where },
	}
	for g := range groups {
		q.Groups = append(q.Groups, g)
	}
	of := func(name string) *Value[float64] {
		return PerUnit(q, name, func(s stay) float64 { return s.x }, Bounds[float64]{Lower: 0, Upper: 8, Step: 0.5})
	}
	days := of("days")
	columns := []AnyColumn{q.Units(), days.Sum(), days.Mean(), of("nights").Sum()}
	if !values {
		columns = columns[:1]
	}
	p, err := q.Plan(loss, columns...)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.measures) != 1 || p.measures[0].joint == nil || p.measures[0].joint.centre == nil {
		t.Fatalf("%v: the numbers are not counted from their middle", p)
	}
	return p
}

// inAll is so many units with a value in every group.
func inAll(groups int, xs ...float64) (rows []stay) {
	for who, x := range xs {
		for g := range groups {
			rows = append(rows, stay{who, g, x})
		}
	}
	return rows
}

// A4, B17: a unit that is in all groups, and one that is in one, among others, move what
// is released by no more than is claimed. Two mistakes are refuted: the number of units
// without noise, and counts that nothing is taken from.
func TestNumbersFromTheirMiddleHideEveryUnit(t *testing.T) {
	claim := dp.Approx{Epsilon: 0.5, Delta: 0.1} // which the noise is tight for
	right := func(p *Plan[stay, int, int], session *core.Session, g group, draws map[*measure]int64) Cell {
		cell, _ := p.noisyCell(session, g, draws)
		return cell
	}
	bare := func(p *Plan[stay, int, int], session *core.Session, g group, _ map[*measure]int64) Cell {
		return right(p, session, g, nil)
	}
	uncentred := func(p *Plan[stay, int, int], session *core.Session, g group, draws map[*measure]int64) Cell {
		j := p.measures[0].joint
		g.sums = slices.Clone(g.sums)
		g.sums[0] = g.sums[0].Add(exact.Mul(j.centre.take, g.sums[j.people()].Clamp()))
		return right(p, session, g, draws)
	}
	type step func(*Plan[stay, int, int], *core.Session, group, map[*measure]int64) Cell
	release := func(p *Plan[stay, int, int], rows []stay, noisy step) func() dptest.Sample {
		all, people := p.collectedFor(t, rows), p.measures[0].joint.people()
		return func() (s dptest.Sample) {
			core.InSession(func(session *core.Session) {
				draws := p.drawCommon(session)
				for key, g := range all.each() {
					numbers := noisy(p, session, g, draws).Noisy()
					if key > 0 {
						numbers = numbers[:people] // what is common is the same again
					}
					s.Numbers = append(s.Numbers, numbers...)
				}
			})
			return s
		}
	}
	others := []stay{{5, 0, 3}, {6, 1, 8}}
	trial := dptest.Trial{Claim: claim, Runs: 1200, Alpha: 1e-9}
	p := wards(t, 8, true, claim)
	for _, unit := range [][]stay{inAll(8, 8), inAll(8, 0), {{0, 3, 8}}} {
		dptest.Audit(t, trial, release(p, others, right), release(p, slices.Concat(others, unit), right))
	}
	p = wards(t, 32, false, claim)
	unit := slices.Concat(others, inAll(32, 0))
	dptest.Audit(t, trial, release(p, others, right), release(p, unit, right))
	trial.Runs = 5000
	for name, wrong := range map[string]step{"bare": bare, "uncentred": uncentred} {
		if r := trial.Run(release(p, others, wrong), release(p, unit, wrong)); !r.Refuted {
			t.Errorf("%s: the claim is not refuted: %v", name, r)
		}
	}
}

// What is released is unbiased and as wide as its price, intervals hold, totals over groups
// too, whose noise on the number of units is common, and so do means.
func TestNumbersFromTheirMiddleAreReadBackAsTheyWere(t *testing.T) {
	const groups, draws = 6, 400
	p := wards(t, groups, true, dp.Concentrated{Rho: 0.5})
	var rows []stay
	truth := [4]float64{}
	for who := range ManyRecords {
		x := 0.5 * float64(who%13)
		rows = append(rows, inAll(groups, x)...)
		for g := range groups {
			rows[len(rows)-1-g].who = who
		}
		truth = [4]float64{ManyRecords, truth[1] + x, 0, truth[3] + x}
	}
	truth[2] = truth[1] / truth[0]
	all := p.collectedFor(t, rows)
	var squares [4]float64
	var held, totals [4]int
	inside := func(e estimate, want float64) bool {
		lo, hi := e.interval(0.95)
		low, _ := lo.Float64()
		high, _ := hi.Float64()
		return low <= want && want <= high
	}
	for range draws {
		cells := noisyCells(p.compiled, all)
		for k, want := range truth {
			for _, cell := range cells {
				e := cell.estimate(p.answers[k])
				value, _ := e.value.Float64()
				squares[k] += (value - want) * (value - want) / (groups * draws)
				if inside(e, want) {
					held[k]++
				}
			}
			if k != 2 && inside(together(cells, p.answers[k]), groups*want) {
				totals[k]++
			}
		}
	}
	// Of 400 draws, with groups that share noise, a standard deviation is within 0.2 and a
	// share of 95 % within 0.885 and 0.99, but for 1e-9.
	for k, price := range p.Prices() {
		if ratio := math.Sqrt(squares[k]) / price.StdDev; ratio < 0.8 || ratio > 1.2 {
			t.Errorf("%s strays by %.3f of what its price says", price.Column, ratio)
		}
		if share := float64(held[k]) / (groups * draws); share < 0.885 || share > 0.99 {
			t.Errorf("%s: intervals hold %.3f of the time", price.Column, share)
		}
		if share := float64(totals[k]) / draws; k != 2 && (share < 0.885 || share > 0.99) {
			t.Errorf("%s: intervals of totals hold %.3f of the time", price.Column, share)
		}
	}
}

// The more groups a unit may be in, of those that are given, the more is gained, and
// nothing is lost where it may be in few: a count of 32 groups has 0.6 of the noise.
func TestCountsFromTheirMiddleHaveLessNoise(t *testing.T) {
	for _, c := range []struct {
		groups, most int
		less         float64
	}{{1, 1, 1}, {32, 1, 1}, {32, 8, 1}, {32, 32, 0.595}, {18, 18, 0.62}, {200, 200, 0.54}} {
		q := &Query[stay, int, int]{
			Dataset: "stays", UnitName: "patient", MaxGroups: c.most, MaxRowsPerGroup: 1,
			Unit: func(s stay) int { return s.who }, Group: func(s stay) int { return s.where },
		}
		for g := range c.groups {
			q.Groups = append(q.Groups, g)
		}
		p, err := q.Plan(dp.Concentrated{Rho: 0.5}, q.Units())
		if err != nil {
			t.Fatal(err)
		}
		alone := p
		if p.earlier != nil {
			alone = p.earlier
		}
		if got := p.Prices()[0].StdDev / alone.Prices()[0].StdDev; got > c.less {
			t.Errorf("%d of %d groups: the noise is %.3f of what it is one by one, want at most %v", c.most, c.groups, got, c.less)
		}
	}
}

// Differences of two groups hold as often as they say, though the groups share noise: of
// counts and sums no oftener, and they are narrower than with noise of their own. Means
// are on both sides of the middle of their bounds.
func TestChangesAllowForNoiseThatGroupsShare(t *testing.T) {
	const groups, draws = 6, 600
	p := wards(t, groups, true, dp.Concentrated{Rho: 0.5})
	var rows []stay
	for who := range 600 {
		for g := range groups {
			rows = append(rows, stay{who, g, 8 * float64(g%2)})
		}
	}
	all := p.collectedFor(t, rows)
	units := Column[int64]{p.answers[0].column}
	sum, mean := Column[float64]{p.answers[1].column}, Column[float64]{p.answers[2].column}
	held := map[string]int{}
	for range draws {
		cells := noisyCells(p.compiled, all)
		a, b := cells[2], cells[3]
		for name, c := range map[string]struct {
			e, alone dp.Estimate[float64]
			want     float64
		}{
			"units": {units.Change(a, b), units.Of(b).Minus(units.Of(a)), 0},
			"sum":   {sum.Change(a, b), sum.Of(b).Minus(sum.Of(a)), 4800},
			"mean":  {mean.Change(a, b), mean.Of(b).Minus(mean.Of(a)), 8},
		} {
			if lo, hi := c.e.Interval(0.95); lo <= c.want && c.want <= hi {
				held[name]++
			}
			if name != "mean" && !(c.e.StdDev < c.alone.StdDev) {
				t.Fatalf("%s: the noise of a change is %v, and without what is common %v", name, c.e.StdDev, c.alone.StdDev)
			}
		}
		// Means on one side of the middle are pushed to the same side by what they share.
		if one, other := mean.Of(cells[1]).StdDev, mean.Of(b).StdDev; mean.Change(cells[1], b).StdDev != math.Hypot(one, other) {
			t.Fatalf("the noise of a change is %v, of means on one side with %v and %v", mean.Change(cells[1], b).StdDev, one, other)
		}
		others := noisyCells(p.compiled, all)
		if e := units.Change(a, others[3]); e.StdDev != units.Of(others[3]).Minus(units.Of(a)).StdDev {
			t.Fatal("cells of two releases are taken to share noise")
		}
	}
	for name, n := range held { // at 95 %, 600 draws are within 0.895 and 0.99 but for 1e-9
		if share := float64(n) / draws; share < 0.895 || share > 0.99 && name != "mean" {
			t.Errorf("%s: intervals hold %.3f of the time", name, share)
		}
	}
}

// What was paid for is read by its receipt, with its middle; and what no release can have
// is an error: nothing taken, and groups that disagree about what they have in common.
func TestNumbersFromTheirMiddleAreReadByTheirReceipt(t *testing.T) {
	today := wards(t, 6, true, dp.Concentrated{Rho: 0.5})
	other := WithTwiceTheNoise(today)
	text := written(other, other.Charge(Request{Key: "k", Purpose: "p"}), other.collectedFor(t, inAll(6, slices.Repeat([]float64{3}, 400)...)))
	readAlike(t, other.compiled, today.compiled, text)
	last := func(s *stored) *ReceiptNumber {
		numbers := s.Receipt.Measures[0].Numbers
		return &numbers[len(numbers)-1]
	}
	for name, c := range map[string]struct {
		change func(*stored)
		says   string
	}{
		"nothing is taken":  {func(s *stored) { last(s).Times = 0 }, "its centre is"},
		"too much is taken": {func(s *stored) { last(s).Times = mostCentre + 1 }, "its centre is"},
		"another name":      {func(s *stored) { last(s).Name = "x" }, "is not asked for"},
		"other people":      {func(s *stored) { s.Groups[1].Sums[3] = big.NewInt(0) }, errNotCommon.Error()},
	} {
		var s stored
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatal(err)
		}
		c.change(&s)
		bad, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decode[int](today.compiled, bad); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: the error is %v, must say %q", name, err, c.says)
		}
	}
}
