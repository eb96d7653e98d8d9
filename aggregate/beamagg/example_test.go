package beamagg_test

import (
	"context"
	"crypto/hpke"
	"crypto/rand"
	"fmt"
	"log"
	"os"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/aggregate/beamagg"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

// A Ride is a row of a bicycle hire.
type Ride struct {
	Rider   int64
	City    string
	Minutes float64
}

var rides *aggregate.Plan[Ride, int64, string]

// Every program that runs the pipeline has the plan under its name: the one that starts it, and
// workers.
func init() {
	q := &aggregate.Query[Ride, int64, string]{
		Dataset: "rides", UnitName: "rider", MaxGroups: 2, MaxRowsPerGroup: 3, Groups: []string{"Bern", "Graz", "Lyon"},
		Unit: func(r Ride) int64 { return r.Rider }, Group: func(r Ride) string { return r.City },
	}
	minutes := aggregate.PerRow(q, "minutes", func(r Ride) float64 { return r.Minutes }, aggregate.Bounds[float64]{Upper: 60})
	var err error
	if rides, err = q.Plan(dp.Pure{Epsilon: 1}, q.Count(), q.Units(), minutes.Mean()); err == nil {
		err = beamagg.Register("rides", rides)
	}
	if err != nil {
		log.Fatal(err)
	}
	register.Function2x0(ride)
	register.Emitter1[Ride]()
}

// ride makes a row up; a pipeline has a source in its place.
func ride(i int, emit func(Ride)) {
	emit(Ride{int64(i % 40), []string{"Bern", "Graz", "Lyon"}[i%7%3], float64(i * 31 % 90)})
}

func Example() {
	ctx := context.Background()
	account, err := budget.Create(ctx, budget.Memory(), budget.Terms{Dataset: "rides", Unit: "rider", Limit: dp.Pure{Epsilon: 1}})
	if err != nil {
		log.Fatal(err)
	}
	folder, err := os.MkdirTemp("", "parts")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	os.Setenv("RIDES_SECRET", rand.Text()+rand.Text()) // where workers find it too

	release, err := rides.RunFrom(ctx, account, aggregate.Request{Key: "May", Purpose: "report"}, func(ctx context.Context, p *aggregate.Plan[Ride, int64, string]) (*aggregate.Partial[string], error) {
		key, err := hpke.MLKEM768X25519().GenerateKey()
		if err != nil {
			return nil, err
		}
		job := beamagg.Job{Shards: 8, Secret: "env:RIDES_SECRET", Key: key.PublicKey(), Folder: folder}
		pipeline, s := beam.NewPipelineWithRoot()
		rows := beam.ParDo(s, ride, beam.CreateList(s, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}))
		if err := beamagg.Collect(s, p, job, rows); err != nil {
			return nil, err
		}
		if _, err := prism.Execute(ctx, pipeline); err != nil {
			return nil, err
		}
		return beamagg.Open(ctx, p, job, key)
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(release)
	for city := range release.All() {
		fmt.Println(city, "and its numbers")
	}
	// Output:
	// rides: 3 groups of 3 columns, ε=1
	// Bern and its numbers
	// Graz and its numbers
	// Lyon and its numbers
}
