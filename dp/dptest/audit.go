package dptest

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/search"
)

// A Sample is everything that one run of a mechanism shows to the world.
type Sample struct {
	// Numbers are what was released, in an order that is part of the release.
	// Runs may show different numbers of them.
	Numbers []float64

	// Tag is everything else: which groups there are, an error, a log line.
	Tag string
}

// A Trial says what is claimed and how hard it is attacked. Every field but
// Features is required.
type Trial struct {
	// Claim is what the mechanism is said to be. A [dp.Concentrated] claim is
	// judged through the (ε, δ) that it implies, at a few δ.
	Claim dp.Loss

	// Runs is how often either input is run, at most. At ε = 1.5 a scale that is
	// 10 % too small takes about 32,000; at ε = 1 one that is 30 % too small takes
	// 8,000, one of a half 2,000. Fewer than can refute a mechanism
	// without noise are refused: at Alpha 1e-6 that is 400 at ε = 1, 4,854 at ε = 5
	// and 982,579 at ε = 10.
	Runs int

	// Alpha bounds the probability that a claim that is true is refuted. It
	// covers all events, directions and looks of one Audit: audits add up.
	Alpha float64

	// Features are more numbers to look at, by name, besides those that every
	// audit looks at.
	Features map[string]func(Sample) float64
}

// A Result is what an [Audit] found.
type Result struct {
	Name    string // of the pair of inputs, if many are audited
	Refuted bool   // the claim is false, but for a probability of Alpha

	// EpsilonLowerBound is below the true ε at Delta, but for a probability of
	// Alpha: ln((p - Delta)/q), with p at least and q at most the probabilities of
	// one event under the two inputs. It is -Inf if nothing was seen.
	EpsilonLowerBound float64
	Delta             float64

	Claimed float64 // the ε that the claim implies at Delta
	Event   string  // what told the inputs apart best
	Runs    int     // of either input, until it was refuted or given up
}

// String says what was found in a line.
func (r Result) String() string {
	verdict := "not refuted"
	if r.Refuted {
		verdict = "refuted"
	}
	return fmt.Sprintf("%s: epsilon is at least %.3g at delta %g, claimed %.3g, by %s, in %d runs", verdict, r.EpsilonLowerBound, r.Delta, r.Claimed, r.Event, r.Runs)
}

// Audit tries to refute that a and b, the same mechanism on two neighbouring
// inputs, are as indistinguishable as is claimed, and fails t if it can. Both
// must draw fresh randomness each time; if they panic, so does Audit.
//
// A look runs both inputs: a quarter of the samples builds events, a quarter
// ranks them, and half judges the best six, in the direction they were built
// for, with exact bounds (Clopper, Pearson 1934) and a Bonferroni correction.
// There are up to three looks of growing size; each has samples of its own and
// a share of Alpha. So the bound is sound for every mechanism, whatever its law.
func Audit(t testing.TB, trial Trial, a, b func() Sample) Result {
	t.Helper()
	if err := trial.Check(); err != nil {
		t.Fatal(err)
	}
	r := trial.Run(a, b)
	if r.Refuted {
		t.Errorf("dptest: %v is %v", trial.Claim, r)
	}
	return r
}

// minRuns is the smallest look that is worth taking.
const minRuns = 400

// Check returns every mistake of the trial, joined. Too few runs are one: it says
// how many are enough.
func (trial Trial) Check() error {
	errs := []error{dp.CheckLoss(trial.Claim)}
	if !(trial.Alpha > 0 && trial.Alpha < 1) {
		errs = append(errs, fmt.Errorf("dptest: Trial.Alpha is %v, must be in (0, 1)", trial.Alpha))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if least := trial.leastRuns(); trial.Runs < least {
		return fmt.Errorf("dptest: Trial.Runs is %d; at Alpha %v that cannot refute %v, not even for a mechanism without noise; must be at least %d", trial.Runs, trial.Alpha, trial.Claim, least)
	}
	return nil
}

// leastRuns returns how many runs it takes to refute the claim for a mechanism
// whose answers always differ: an audit of fewer cannot fail, and is none. It grows
// with 1/Alpha as its logarithm and with ε as e^ε. Smaller mistakes take more runs.
//
// The claim and Alpha must be valid. It is at most 2^40.
func (trial Trial) leastRuns() int {
	sees := func(runs int64) bool { trial.Runs = int(runs); return trial.sees() }
	if sees(minRuns) {
		return minRuns
	}
	enough := int64(minRuns)
	for enough < 1<<40 && !sees(enough) {
		enough *= 2
	}
	enough, _ = search.Edge(enough, enough/2, nil, sees)
	return int(enough)
}

// sees reports whether the last look would refute the claim for a mechanism whose
// answers always differ.
func (trial Trial) sees() bool {
	looks := trial.looks()
	l := looks[len(looks)-1]
	judged := l.runs - 2*(l.runs/4)
	surely, hardly := low(judged, judged, l.each()), high(0, judged, l.each())
	for _, at := range points(trial.Claim) {
		if surely > at.delta && math.Log((surely-at.delta)/hardly) > at.epsilon {
			return true
		}
	}
	return false
}

// Run is [Audit] without a test: it takes looks until the claim is refuted, and
// returns what was found. The trial must pass its Check.
func (trial Trial) Run(a, b func() Sample) Result {
	best := Result{EpsilonLowerBound: math.Inf(-1), Event: "nothing"}
	runs := 0
	looks := trial.looks()
	for _, l := range looks {
		found := l.take(a, b)
		runs += l.runs
		if found.excess() > best.excess() || best.Claimed == 0 {
			best = found
		}
		best.Runs = runs
		if best.Refuted {
			break
		}
	}
	return best
}

// excess is what results are compared by.
func (r Result) excess() float64 { return r.EpsilonLowerBound - r.Claimed }

// looks splits the runs 1:4:16 and Alpha 1:1:2, leaving out looks that are too
// small to see anything. What is left out depends on Runs alone.
func (trial Trial) looks() []look {
	all := []look{
		{trial: trial, runs: trial.Runs / 21, alpha: trial.Alpha / 4},
		{trial: trial, runs: trial.Runs * 4 / 21, alpha: trial.Alpha / 4},
		{trial: trial, runs: trial.Runs * 16 / 21, alpha: trial.Alpha / 2},
	}
	const worthwhile = 2000
	switch {
	case all[0].runs >= worthwhile:
		return all
	case all[1].runs >= worthwhile:
		return []look{{trial, trial.Runs / 5, trial.Alpha / 4}, {trial, trial.Runs * 4 / 5, trial.Alpha * 3 / 4}}
	}
	return []look{{trial, trial.Runs, trial.Alpha}}
}
