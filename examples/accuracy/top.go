package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/purse"
)

// The groups of which the largest are asked for: the i-th has 1000/i of 2000 units, and a unit may be in
// all of them.
const topGroups, topUnits, topLargest = 2000, 2000, 1000

// A recall says which share of the largest groups is found: by the plan, and by as many draws of ε/k
// each, which is what there is without a better composition.
type recall struct {
	k             int
	ours, peeling float64
	how           string
}

// topRows are the rows of Zipf's law.
func topRows() (rows []row) {
	for g := range topGroups {
		for u := range topLargest / (g + 1) {
			rows = append(rows, row{int32((u + g) % topUnits), int32(g)})
		}
	}
	return rows
}

// recallOf draws the k largest groups so many times, in both ways.
func recallOf(ctx context.Context, k, runs int, epsilon, delta float64) (recall, error) {
	q := &aggregate.Query[row, int32, int32]{
		Dataset: "accuracy", UnitName: "unit", Unit: func(r row) int32 { return r.unit }, Group: func(r row) int32 { return r.group },
		MaxGroups: topGroups, MaxRowsPerGroup: 1,
	}
	scores := make([]int64, topGroups)
	for g := range topGroups {
		q.Groups = append(q.Groups, int32(g))
		scores[g] = int64(topLargest / (g + 1))
	}
	plan, err := q.PlanTop(dp.Approx{Epsilon: epsilon, Delta: delta}, k, q.Units())
	if err != nil {
		return recall{}, err
	}
	peeling, err := dp.CalibrateChoice(dp.Pure{Epsilon: epsilon}, k, 1)
	if err != nil {
		return recall{}, err
	}
	part, err := plan.Collect(ctx, aggregate.Slice(topRows()))
	if err != nil {
		return recall{}, err
	}
	r := recall{k: k, how: string(plan.Prices()[0].Mechanism)}
	least, each := scores[k-1], 1/float64(k*runs)
	for range runs {
		release, err := plan.Release(ctx, purse.Free{}, aggregate.Request{Key: "run", Purpose: "accuracy"}, part)
		if err != nil {
			return recall{}, err
		}
		for group := range release.All() {
			if scores[group] >= least {
				r.ours += each
			}
		}
		for _, group := range peeling.Among(scores) {
			if scores[group] >= least {
				r.peeling += each
			}
		}
	}
	return r, nil
}

// tops prints how many of the largest groups are found.
func (o *options) tops(ctx context.Context, to io.Writer) error {
	fmt.Fprintf(to, "the largest of %d groups, the i-th of %d/i of %d units, ε = 1, δ = %v, %d draws: which share is found\n\n", topGroups, topLargest, topUnits, o.Delta, o.Runs)
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "k\tby the plan\tpeeling of ε/k\ttimes\thow")
	for _, k := range []int{1, 10, 50} {
		r, err := recallOf(ctx, k, o.Runs, 1, o.Delta)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%d\t%.3f\t%.3f\t%.2f\t%s\n", k, r.ours, r.peeling, r.ours/r.peeling, r.how)
	}
	return w.Flush()
}
