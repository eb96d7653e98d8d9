package main

import (
	"context"
	"flag"
	"math"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
)

var long = flag.Bool("long", false, "measure coverage and accuracy over 200 runs")

// runs is how often the embedded data is reported: every run takes new noise.
func runs200() int {
	if *long {
		return 200
	}
	return 20
}

// An open purse pays for everything and keeps nothing.
type openPurse struct{}

func (openPurse) Afford(context.Context, dp.Charge) error { return nil }

func (openPurse) Spend(context.Context, dp.Charge) (dp.Payment, error) { return dp.Payment{}, nil }

func (openPurse) Keep(_ context.Context, _ dp.Charge, release []byte) ([]byte, error) {
	return release, nil
}

// A score compares what was released of a quantity with the exact values.
type score struct {
	errors  []float64
	covered int
	cells   int
}

// measure releases the question of some flags many times.
func measure(t *testing.T, n int, args ...string) ([]quantity, []score) {
	t.Helper()
	o, err := parse(args)
	if err != nil {
		t.Fatal(err)
	}
	q, err := o.ask()
	if err != nil {
		t.Fatal(err)
	}
	o.Truth = true
	exact, err := o.exact()
	if err != nil {
		t.Fatal(err)
	}
	in, err := o.open(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	table, err := newTable(o, in)
	if err != nil {
		t.Fatal(err)
	}
	part, err := q.plan.Collect(t.Context(), table.rows())
	if err != nil {
		t.Fatal(err)
	}
	scores := make([]score, len(q.quantities))
	for range n {
		r, err := q.plan.Release(t.Context(), openPurse{}, aggregate.Request{Key: "k", Purpose: "test"}, part)
		if err != nil {
			t.Fatal(err)
		}
		for s, cell := range r.All() {
			for i, quantity := range q.quantities {
				scores[i].add(quantity.of(cell), quantity.exact(exact[s]))
			}
		}
	}
	return q.quantities, scores
}

func (s *score) add(f figure, exact float64) {
	s.cells++
	if f.Low <= exact && exact <= f.High {
		s.covered++
	}
	s.errors = append(s.errors, math.Abs(f.Value-exact)/exact)
}

func (s *score) coverage() float64 { return float64(s.covered) / float64(s.cells) }

// With caps and bounds that cut nothing, the 95 % intervals contain the exact
// values: in 94 to 99 % of all cells over 200 runs. The cells of a run share no
// noise, so over 200 runs of 18 cells a share of 0.95 has a standard deviation of
// 0.0036 per quantity.
func TestAccuracyCoverage(t *testing.T) {
	quantities, scores := measure(t, runs200(), "-max-rows", "100", "-upper", "7000", "-step", "0.01")
	covered, cells := 0, 0
	for i, s := range scores {
		t.Logf("%-10s %-16s covered %.1f %% of %d", quantities[i].Name, quantities[i].Label, 100*s.coverage(), s.cells)
		covered, cells = covered+s.covered, cells+s.cells
	}
	if share := float64(covered) / float64(cells); !(share >= 0.94 && share <= 0.99) {
		t.Errorf("intervals cover %.1f %% of %d cells, must be 94 to 99 %%", 100*share, cells)
	}
}

// With the report's own caps and bounds, what the caps cut off counts as error.
func TestAccuracyDefaults(t *testing.T) {
	quantities, scores := measure(t, runs200())
	for i, s := range scores {
		t.Logf("%-16s median relative error %4.1f %%, intervals contain the exact value in %.1f %%", quantities[i].Name, 100*median(s.errors), 100*s.coverage())
	}
	if e := median(scores[0].errors); !(e < 0.03) {
		t.Errorf("median relative error of active customers is %.3f, must be below 0.03", e)
	}
	if e := median(scores[2].errors); *long && !(e < 0.05) {
		t.Errorf("median relative error of monthly revenue is %.3f, must be below 0.05", e)
	}
}
