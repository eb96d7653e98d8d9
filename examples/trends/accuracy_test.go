package main

import (
	"context"
	"flag"
	"io"
	"math"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
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

func (openPurse) Kept(context.Context, dp.Charge) ([]byte, error) { return nil, nil }

// A score compares what was released of a quantity with the exact values.
type score struct {
	errors  []float64
	covered int
	cells   int
}

// collected asks the question of some flags, and sums up what counts of the rows.
func collected(t *testing.T, args ...string) (*options, *question, *aggregate.Partial[slot]) {
	t.Helper()
	o, err := parse(args)
	if err != nil {
		t.Fatal(err)
	}
	q, err := o.ask()
	if err != nil {
		t.Fatal(err)
	}
	in, err := o.open(t.Context(), nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	part, err := q.plan.Collect(t.Context(), in.rows)
	if err != nil {
		t.Fatal(err)
	}
	return o, q, part
}

// released adds noise and pays nobody.
func (q *question) released(t *testing.T, part *aggregate.Partial[slot]) *aggregate.Release[slot] {
	t.Helper()
	r, err := q.plan.Release(t.Context(), openPurse{}, aggregate.Request{Key: "k", Purpose: "test"}, part)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// measure releases the question of some flags many times.
func measure(t *testing.T, n int, args ...string) ([]quantity, []score) {
	t.Helper()
	o, q, part := collected(t, args...)
	o.Truth = true
	exact, err := o.exact()
	if err != nil {
		t.Fatal(err)
	}
	scores := make([]score, len(q.quantities))
	for range n {
		for s, cell := range q.released(t, part).All() {
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
// values: in 94 to 99 % of all cells over 200 runs, and nearly that over fewer.
//
// Six quantities are read from two independent measures, of which one answers four of
// them and one two. So the share over n independent cells per quantity would have a standard
// deviation of √(16+4)/6·√(0.05·0.95/n); months share the noise on the number of customers, for
// which it is taken twice. The share is 0.955 on average, and the test fails 6.7 deviations
// below, which has a probability below 1e-10.
func TestAccuracyOfIntervalsIsWhatTheySay(t *testing.T) {
	quantities, scores := measure(t, runs200(), "-max-rows", "100", "-upper", "7000", "-step", "0.01")
	covered, cells := 0, 0
	for i, s := range scores {
		t.Logf("%-10s %-16s covered %.1f %% of %d", quantities[i].Name, quantities[i].Label, 100*s.coverage(), s.cells)
		covered, cells = covered+s.covered, cells+s.cells
	}
	deviation := 2 * math.Sqrt(20) / 6 * math.Sqrt(0.05*0.95/float64(scores[0].cells))
	low, high := 0.955-6.7*deviation, 0.99
	if !*long {
		high = 1
	}
	if share := float64(covered) / float64(cells); !(share >= low && share <= high) {
		t.Errorf("intervals cover %.1f %% of %d cells, must be %.1f to %.1f %%", 100*share, cells, 100*low, 100*high)
	}
}

// With the report's own caps and bounds, what the caps cut off counts as error.
func TestAccuracyWithTheReportsOwnCaps(t *testing.T) {
	quantities, scores := measure(t, runs200())
	for i, s := range scores {
		t.Logf("%-16s median relative error %4.1f %%, intervals contain the exact value in %.1f %%", quantities[i].Name, 100*median(s.errors), 100*s.coverage())
	}
	if e := median(scores[0].errors); !(e < 0.015) {
		t.Errorf("median relative error of active customers is %.3f, must be below 0.015", e)
	}
	for i, most := range map[int]float64{1: 0.034, 2: 0.049, 3: 0.047, 4: 0.036, 5: 0.105} {
		if e := median(scores[i].errors); *long && !(e < most) {
			t.Errorf("median relative error of %s is %.3f, must be below %v", quantities[i].Name, e, most)
		}
	}
}

// All changes of a report that are called sure are right together: in no more
// reports is any of them wrong than a chance of 5 % allows, at a probability of
// 1e-9 that this test fails by chance. Those that are likely are wrong more often,
// and the test says how often.
func TestSureChangesAreRightTogether(t *testing.T) {
	o, q, part := collected(t)
	var before *report
	t.Run("before noise", func(t *testing.T) {
		dptest.NoNoise(t)
		before = reportOf(t, o, q, part)
	})
	wrong, doubtful, sure, n := 0, 0, 0, runs200()/2
	for range n {
		s, w, d := compared(reportOf(t, o, q, part), before)
		sure += s
		wrong, doubtful = wrong+min(w, 1), doubtful+min(w+d, 1)
	}
	t.Logf("of %d reports %d have a sure change that is wrong, %d one that is sure or likely; %.1f changes are sure", n, wrong, doubtful, float64(sure)/float64(n))
	if most := worstOf(n, 1-single, 1e-9); wrong > most {
		t.Errorf("%d of %d reports have a sure change that is wrong, at most %d may", wrong, n, most)
	}
	if sure < 5*n {
		t.Errorf("%d changes of %d reports are sure; there are more that no noise hides", sure, n)
	}
}

func reportOf(t *testing.T, o *options, q *question, part *aggregate.Partial[slot]) *report {
	t.Helper()
	r, err := o.report(q, q.released(t, part), balance{}, false)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// compared counts the sure changes, those of them that are wrong, and the likely
// ones that are.
func compared(r, before *report) (sure, wrong, doubtful int) {
	for g := range r.Groups {
		for n, c := range r.Groups[g].Rows {
			for i, change := range c.Changes {
				truth := before.Groups[g].Rows[n].Figures[i].Value - before.Groups[g].Rows[n-1].Figures[i].Value
				v := change.Verdict
				against := (v == rose || v == perhapsRose) && !(truth > 0) || (v == fell || v == perhapsFell) && !(truth < 0)
				switch {
				case v.sure() && against:
					wrong++
				case against:
					doubtful++
				}
				if v.sure() {
					sure++
				}
			}
		}
	}
	return sure, wrong, doubtful
}

// worstOf returns how many of n events of a probability there are at most, but for
// a chance.
func worstOf(n int, probability, chance float64) int {
	d := distuv.Binomial{N: float64(n), P: probability}
	k := 0
	for k < n && d.Survival(float64(k)) > chance {
		k++
	}
	return k
}
