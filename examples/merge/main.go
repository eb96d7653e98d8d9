// Merge collects the rows of two shards apart, and releases them as one: each
// shard sums up in its own place, and noise is added once.
//
//	go run ./examples/merge
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

// A ride is a row of a bicycle hire. All rides of one rider are in one shard: a
// unit in two shards could contribute twice of what the caps allow.
type ride struct {
	Rider uint64
	City  string
}

// shard makes the rows of one half of the riders up.
func shard(half uint64) (rows []ride) {
	for rider := half; rider < 2000; rider += 2 {
		rows = append(rows, ride{rider, []string{"Bern", "Graz"}[rider%3%2]})
	}
	return rows
}

func query() *aggregate.Query[ride, uint64, string] {
	return &aggregate.Query[ride, uint64, string]{
		Dataset: "rides", UnitName: "rider", GroupName: "city",
		Unit:      func(r ride) uint64 { return r.Rider },
		Group:     func(r ride) string { return r.City },
		MaxGroups: 2, MaxRowsPerGroup: 5, Groups: []string{"Bern", "Graz"},
	}
}

// collect sums up both shards. What they return is private, and prints as nothing.
func collect(ctx context.Context, plan *aggregate.Plan[ride, uint64, string]) (parts []*aggregate.Partial[string], err error) {
	for half := range uint64(2) {
		part, err := plan.Collect(ctx, aggregate.Slice(shard(half)))
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	return parts, nil
}

func report(ctx context.Context, w io.Writer) error {
	q := query()
	riders := q.Units()
	plan, err1 := q.Plan(dp.Pure{Epsilon: 1}, riders)
	account, err2 := budget.Create(ctx, budget.Memory(), budget.Terms{
		Dataset: "rides", Unit: "rider", Limit: dp.Pure{Epsilon: 1}})
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	parts, err := collect(ctx, plan)
	if err != nil {
		return err
	}
	fmt.Fprintln(w, "collected", parts[0], "and", parts[1])
	release, err := plan.Release(ctx, account, aggregate.Request{Key: "May", Purpose: "report"}, parts...)
	if err != nil {
		return err
	}
	fmt.Fprintln(w, "released", release)
	for city, cell := range release.All() {
		fmt.Fprintln(w, city, riders.Of(cell))
	}
	return nil
}

func main() {
	if err := report(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}
