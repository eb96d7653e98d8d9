// Shards makes one release of rows that many processes read. Rows are split by unit, each
// process collects one shard and leaves its part sealed in a folder, and whoever has the key
// opens the parts, pays, adds noise and releases. Processes may die, be started again, be slow or
// do the work of others twice: it changes nothing.
//
//	go run ./examples/shards
//
// An engine that runs a program over partitions does what drive.go does: it runs "shards work JOB" for each.
// Under Spark, which partitions rows itself, it is run by spark.py; spark.sh tries that.
package main

import (
	"context"
	"crypto/hpke"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

const shards = 4

// secretName is the variable that the secret is in: workers get its name in their job, and the secret
// from where they run.
const secretName = "SHARDS_SECRET"

// question is a plan and the columns that are read from its release.
type question struct {
	plan    *aggregate.Plan[ride, uint64, string]
	riders  aggregate.Column[int64]
	rides   aggregate.Column[int64]
	minutes aggregate.Column[float64]
}

// ask builds the question. Every process builds it anew; that it is the same one is checked by its
// fingerprint when parts are opened.
func ask() (q question, err error) {
	query := &aggregate.Query[ride, uint64, string]{
		Dataset: "rides", UnitName: "rider", GroupName: "city",
		Unit:      func(r ride) uint64 { return r.rider },
		Group:     func(r ride) string { return r.city },
		MaxGroups: 2, MaxRowsPerGroup: 3, Groups: cities,
	}
	minutes := aggregate.PerRow(query, "minutes", func(r ride) float64 { return r.minutes }, aggregate.Bounds[float64]{Lower: 0, Upper: 60})
	q.riders, q.rides, q.minutes = query.Units(), query.Count(), minutes.Mean()
	q.plan, err = query.Plan(dp.Pure{Epsilon: 1}, q.riders, q.rides, q.minutes)
	return q, err
}

// report splits rows, has them collected in a folder, and writes what is released.
func report(ctx context.Context, w io.Writer, folder string, rows []ride, start starter) error {
	q, err1 := ask()
	key, err2 := hpke.MLKEM768X25519().GenerateKey()
	account, err3 := budget.Create(ctx, budget.Memory(), budget.Terms{
		Dataset: "rides", Unit: "rider", Limit: dp.Pure{Epsilon: 1}})
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	if err := split(q, folder, rows); err != nil {
		return err
	}
	parts, err := drive(ctx, folder, key.PublicKey().Bytes(), start)
	if err != nil {
		return err
	}
	partial, err := q.plan.OpenParts(ctx, key, "env:"+secretName, parts, func(p aggregate.Part) (io.ReadCloser, error) {
		return os.Open(partFile(folder, p))
	})
	if err != nil {
		return err
	}
	defer partial.Wipe()
	return show(ctx, w, q, account, partial)
}

// show releases what was collected.
func show(ctx context.Context, w io.Writer, q question, account aggregate.Budget, partial *aggregate.Partial[string]) error {
	release, err := q.plan.Release(ctx, account, aggregate.Request{Key: "May", Purpose: "report"}, partial)
	if err != nil {
		return err
	}
	fmt.Fprintln(w, "released", release)
	for city, cell := range release.All() {
		fmt.Fprintln(w, city, q.riders.Of(cell), "riders", q.rides.Of(cell), "rides of", q.minutes.Of(cell), "minutes")
	}
	return nil
}

// partFile is where a part is: its digest is checked before it is opened.
func partFile(folder string, p aggregate.Part) string {
	return filepath.Join(folder, p.Digest+".sealed")
}

func run(ctx context.Context, args []string) error {
	if len(args) == 2 {
		switch args[0] {
		case "work":
			return work(ctx, os.Stdout, args[1])
		case "place":
			return place(os.Stdout, os.Stdin, args[1])
		case "pipe":
			return pipe(ctx, os.Stdout, os.Stdin, args[1])
		}
	}
	folder, err := os.MkdirTemp("", "shards")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if err := newSecret(); err != nil {
		return err
	}
	return report(ctx, os.Stdout, folder, madeUp(20_000), thisProgram)
}

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}
