package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/aggregate/rows"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/purse"
)

// A visit is a row of a file that may be looked at.
type visit struct {
	unit, group string
	value       float64
}

// forecast says what the accuracy of a report on a file would be: for each ε and
// cap, how far its numbers are from the exact ones, with what caps and bounds cut
// off.
func (o *options) forecast(ctx context.Context, w io.Writer) error {
	rows, err := o.readRows(ctx)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return fmt.Errorf("%s has no rows, so no report on it has an accuracy; give a file that has some", o.Rows)
	}
	exact := exactly(rows)
	fmt.Fprintf(w, "What a report on %s would be like: median relative error over %d groups and %d draws, with what caps and\n"+
		"bounds cut off, and in brackets how many of the 95 %% intervals contain the exact number. These are errors of\n"+
		"exact numbers: show them to nobody unless the rows are public or made up.\n\n", o.Rows, len(exact), o.Runs)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "ε\tgroups of a unit\t%s\t\n", strings.Join(o.reportColumns(), "\t"))
	for _, epsilon := range o.Epsilons {
		for _, cap := range o.MaxGroups {
			scores, err := o.tryCaps(ctx, rows, exact, epsilon, int(cap))
			if err != nil {
				return fmt.Errorf("ε = %v, %v groups of a unit: %w", epsilon, cap, err)
			}
			fmt.Fprintf(t, "%v\t%v\t%s\t\n", epsilon, cap, strings.Join(scores, "\t"))
		}
	}
	return t.Flush()
}

func (o *options) reportColumns() []string {
	names := []string{o.Unit + "s", "rows"}
	if o.Value != "" {
		names = append(names, "sum", "mean", "median", "95th percentile")
	}
	return names
}

// A record is what is read of a line.
type record struct {
	Unit  string
	Group string `rows:",asis"`
	Month rows.Date
	Value float64
}

// readRows reads the columns that flags name.
func (o *options) readRows(ctx context.Context) ([]visit, error) {
	files, err := rows.Files[record](ctx, rows.Options{
		Format:  rows.Format{Marks: []string{}}, // only a blank is missing
		Columns: map[string]string{"Unit": o.Unit, "Group": o.Group, "Month": o.Month, "Value": o.Value},
		Called: func(field string) string {
			if strings.HasPrefix(field, "Format.") {
				return field // there are no flags for these
			}
			return "-" + strings.ToLower(field)
		},
	}, o.Rows)
	if err != nil {
		return nil, err
	}
	var all []visit
	for l, err := range files[0] {
		if err != nil {
			return nil, err
		}
		group := l.Group
		if o.Month != "" {
			group = fmt.Sprintf("%04d-%02d", l.Month.Year, l.Month.Month)
		}
		all = append(all, visit{l.Unit, group, l.Value})
	}
	return all, nil
}

// An exact group is what the rows say without bounds, caps or noise: what each
// unit amounts to.
type exactGroup struct {
	rows   int
	totals map[string]float64
}

func exactly(rows []visit) map[string]*exactGroup {
	groups := map[string]*exactGroup{}
	for _, r := range rows {
		g := groups[r.group]
		if g == nil {
			g = &exactGroup{totals: map[string]float64{}}
			groups[r.group] = g
		}
		g.rows++
		g.totals[r.unit] += r.value
	}
	return groups
}

// figures returns the exact numbers of a group, in the order of reportColumns.
func (g *exactGroup) figures(values bool) []float64 {
	f := []float64{float64(len(g.totals)), float64(g.rows)}
	if !values {
		return f
	}
	sorted := slices.Sorted(maps.Values(g.totals))
	at := func(rank float64) float64 { return sorted[max(int(math.Ceil(rank*float64(len(sorted)))), 1)-1] }
	sum := total(sorted)
	return append(f, sum, sum/float64(len(sorted)), at(0.5), at(0.95))
}

// tryCaps draws a report several times and returns, for each column, its error
// and coverage as text.
func (o *options) tryCaps(ctx context.Context, rows []visit, exact map[string]*exactGroup, epsilon float64, maxKeys int) ([]string, error) {
	plan, read, err := o.report(slices.Sorted(maps.Keys(exact)), epsilon, maxKeys)
	if err != nil {
		return nil, err
	}
	part, err := plan.Collect(ctx, aggregate.Slice(rows))
	if err != nil {
		return nil, err
	}
	errs := make([][]float64, len(o.reportColumns()))
	covered := make([]int, len(errs))
	for range o.Runs {
		release, err := plan.Release(ctx, purse.Free{}, aggregate.Request{Key: "try", Purpose: "accuracy"}, part)
		if err != nil {
			return nil, err
		}
		for group, cell := range release.All() {
			truth := exact[group].figures(o.Value != "")
			for i, x := range read(cell) {
				errs[i] = append(errs[i], relative(x, truth[i]))
				if x.low <= truth[i] && truth[i] <= x.high {
					covered[i]++
				}
			}
		}
	}
	var texts []string
	for i, e := range errs {
		slices.Sort(e)
		texts = append(texts, fmt.Sprintf("%v %% (%.0f %%)", round(100*e[len(e)/2]), 100*float64(covered[i])/float64(len(e))))
	}
	return texts, nil
}

// relative returns the error of an answer as a share of the truth; all of it where
// the answer is unknown.
func relative(x answer, truth float64) float64 {
	if x.unknown {
		return 1
	}
	return math.Abs(x.value-truth) / max(math.Abs(truth), math.SmallestNonzeroFloat64)
}

type reportPlan = aggregate.Plan[visit, string, string]

func (o *options) report(groups []string, epsilon float64, maxKeys int) (*reportPlan, func(aggregate.Cell) []answer, error) {
	q := &aggregate.Query[visit, string, string]{
		Dataset: "rows", UnitName: cmp.Or(o.Unit, "unit"),
		Unit:   func(v visit) string { return v.unit },
		Group:  func(v visit) string { return v.group },
		Groups: groups, MaxGroups: maxKeys, MaxRowsPerGroup: o.MaxRows,
	}
	units, count := q.Units(), q.Count()
	columns := []aggregate.AnyColumn{units, count}
	readers := []func(aggregate.Cell) answer{reader(units), reader(count)}
	if o.Value != "" {
		v := aggregate.PerUnit(q, o.Value, func(v visit) float64 { return v.value }, aggregate.Bounds[float64]{Lower: o.Lower, Upper: o.Upper})
		for _, c := range []aggregate.Column[float64]{v.Sum(), v.Mean(), v.Quantile(0.5), v.Quantile(0.95)} {
			columns, readers = append(columns, c), append(readers, reader(c))
		}
	}
	plan, err := q.Plan(dp.Approx{Epsilon: epsilon, Delta: o.Delta}, columns...)
	return plan, func(cell aggregate.Cell) []answer {
		var answers []answer
		for _, r := range readers {
			answers = append(answers, r(cell))
		}
		return answers
	}, err
}
