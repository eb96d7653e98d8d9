package questioner

import (
	"fmt"
	"maps"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// A rate counts how often an interval held the reference's answer.
type rate struct{ held, of int }

// unlikely is the false-positive rate of one check.
const unlikely = 1e-9

var confidences = []float64{0.5, 0.9, 0.95, 0.99}

// What is shown, and both ends of its interval at any confidence, are in the range
// that public facts allow, and in order.
func TestEstimatesStayInTheirRange(t *testing.T) {
	var mu sync.Mutex
	failures := 0
	each(seeds(400, 5000), func(seed uint64) {
		q := drawPlainQuestion(seed)
		r, problem := q.release(t)
		for i, cell := range r.cells {
			for j, c := range q.columns {
				if wrong := q.inRange(c, cell[j]); wrong != "" && problem == "" {
					problem = fmt.Sprintf("group %d: %+v %s", r.keys[i], c, wrong)
				}
			}
		}
		mu.Lock()
		defer mu.Unlock()
		if problem == "" {
			return
		}
		if failures++; failures <= 5 {
			t.Errorf("-question %d: %s\n%s", seed, problem, q)
		}
	})
	if failures > 5 {
		t.Errorf("and %d more", failures-5)
	}
}

// With noise, intervals hold the reference's answers at their rate, and nothing
// that is shown is out of the range that public facts allow.
//
// Of one release, one number of each kind is looked at, chosen before it is
// released: so the trials of one rate are independent, and the probability that
// an interval of the stated confidence fails the exact binomial test is below
// 1e-9 for each rate. Intervals at 50 % of counts and sums must also be narrow:
// at most 58 % of them hold the answer where neither the grid nor an end of the
// range is near.
func TestIntervalsHoldTheAnswersAtTheirRate(t *testing.T) {
	var mu sync.Mutex
	rates := map[string]*rate{}
	narrow := map[string]*rate{}
	failures := 0
	each(seeds(1500, 30_000), func(seed uint64) {
		q := drawPlainQuestion(seed)
		trials, problem := q.trials(t, rand.New(rand.NewPCG(seed, 11)))
		mu.Lock()
		defer mu.Unlock()
		if problem != "" {
			if failures++; failures <= 5 {
				t.Errorf("-question %d: %s\n%s", seed, problem, q)
			}
			return
		}
		for _, trial := range trials {
			trial.count(rates, fmt.Sprintf("%s %v %v", trial.what, trial.noise, trial.confidence))
			if trial.narrow {
				trial.count(narrow, fmt.Sprintf("%s %v", trial.what, trial.noise))
			}
		}
	})
	if failures > 5 {
		t.Errorf("and %d more", failures-5)
	}
	for _, name := range slices.Sorted(maps.Keys(rates)) {
		r := rates[name]
		var confidence float64
		fmt.Sscan(name[strings.LastIndex(name, " "):], &confidence)
		t.Logf("%-32s %5.1f %% of %d", name, 100*float64(r.held)/float64(r.of), r.of)
		if atMost(r.held, r.of, confidence) < unlikely {
			t.Errorf("%s: %d of %d intervals hold the answer", name, r.held, r.of)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(narrow)) {
		r := narrow[name]
		t.Logf("%-32s %5.1f %% of %d, nothing near", name+" 0.5", 100*float64(r.held)/float64(r.of), r.of)
		if atMost(r.of-r.held, r.of, 1-0.58) < unlikely {
			t.Errorf("%s: %d of %d intervals at 50 %% hold the answer, which is too many", name, r.held, r.of)
		}
	}
}

// A trial is one interval of one release.
type trial struct {
	what, noise  string
	confidence   float64
	held, narrow bool
}

func (tr trial) count(rates map[string]*rate, name string) {
	if rates[name] == nil {
		rates[name] = new(rate)
	}
	rates[name].of++
	if tr.held {
		rates[name].held++
	}
}

// drawPlainQuestion draws a question whose caps cut nothing and whose groups are
// known, with a loss of any size.
func drawPlainQuestion(seed uint64) *question {
	q := drawQuestion(seed)
	d := draw{rand.New(rand.NewPCG(seed, 13))}
	if q.keyed && q.given == nil {
		q.given = d.Perm(everyType[q.types].keyCount())
	}
	q.fitCaps()
	size := pick(d, 0.1, 1, 5, 20, 50)
	q.loss = pick[dp.Loss](d, dp.Pure{Epsilon: size}, dp.Approx{Epsilon: size, Delta: 1e-6}, dp.Concentrated{Rho: size * size / 20})
	return q
}

// release asks once, with noise. A question that cannot be planned has no cells.
func (q *question) release(t *testing.T) (r release, problem string) {
	p, err := everyType[q.types].plan(q)
	if err != nil {
		if refusable(err) {
			return r, ""
		}
		return r, err.Error()
	}
	r, err = p.run(t.Context(), &purse{})
	if err != nil {
		return r, err.Error()
	}
	if problem := q.readGrids(r); problem != "" {
		return release{}, problem
	}
	return r, ""
}

// trials releases the answers once, and looks at one of each kind, in one group.
func (q *question) trials(t *testing.T, rng *rand.Rand) (trials []trial, problem string) {
	places := rng.Perm(len(q.columns))
	group := rng.IntN(max(len(q.given), 1))
	confidence := confidences[rng.IntN(len(confidences))]
	r, problem := q.release(t)
	if problem != "" || r.cells == nil {
		return nil, problem
	}
	keys := q.released(nil)
	if !slices.Equal(keys, r.keys) {
		return nil, fmt.Sprintf("groups are %v, must be %v", r.keys, keys)
	}
	groups := q.groups(q.wanted())
	seen := map[string]bool{}
	for _, j := range places {
		c := q.columns[j]
		exact := q.answer(c, groups[keys[group]])
		if seen[c.what] || exact == nil {
			continue
		}
		seen[c.what] = true
		trials = append(trials, q.trial(c, r.cells[group][j], exact, r.receipt.Noise, confidence))
	}
	return trials, ""
}

// trial looks at one number.
func (q *question) trial(c column, got shown, exact *big.Rat, noise string, confidence float64) trial {
	truth := as(got.value, exact)
	if c.what == "deviation" {
		truth = root(exact)
	}
	low, high := got.interval(confidence)
	return trial{
		what: c.what, noise: noise, confidence: confidence,
		held:   !less(truth, low) && !less(high, truth),
		narrow: confidence == 0.5 && q.far(c, exact, got.stdDev),
	}
}

// far reports whether noise is much more than a step of the grid, and the answer
// far from the ends of its range.
func (q *question) far(c column, exact *big.Rat, stdDev float64) bool {
	step := big.NewRat(1, 1)
	switch {
	case c.what == "sum":
		step = q.values[c.value].grid
	case c.value >= 0:
		return false
	}
	noise := new(big.Rat).SetFloat64(stdDev)
	if noise == nil || new(big.Rat).Quo(noise, step).Cmp(big.NewRat(5, 1)) < 0 {
		return false
	}
	margin := new(big.Rat).Mul(noise, big.NewRat(4, 1))
	low, high := q.limits(c)
	return (low == nil || new(big.Rat).Sub(exact, low).Cmp(margin) > 0) && (high == nil || new(big.Rat).Sub(high, exact).Cmp(margin) > 0)
}

// atMost returns the probability of at most k successes in n trials.
func atMost(k, n int, p float64) float64 {
	sum := 0.0
	for i := range k + 1 {
		sum += math.Exp(logChoose(n, i) + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return sum
}

func logChoose(n, k int) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return a - b - c
}

// Where all of many rows have one value and noise is small, the intervals of
// quantiles say that value. A unit moves a rank by at most 100 rows, the nearest other
// value is 180 rows off, and at these losses that has a probability below 1e-20.
func TestIntervalsOfQuantilesAreNarrow(t *testing.T) {
	for _, loss := range []dp.Loss{dp.Pure{Epsilon: 500}, dp.Approx{Epsilon: 500, Delta: 1e-9}, dp.Concentrated{Rho: 50_000}} {
		for _, several := range []bool{false, true} {
			q := &question{types: 0, loss: loss, maxKeys: 1, maxRows: 100, values: []spec{{name: "v", lower: int64(0), upper: int64(100), step: int64(1)}}}
			for _, rank := range []float64{0.5, 0.4, 0.6} {
				q.columns = append(q.columns, column{what: "quantile", rank: rank})
			}
			for i := 0; several && i < 40; i++ { // which are found in another way
				q.columns = append(q.columns, column{what: "quantile", rank: 0.305 + 0.01*float64(i)})
			}
			for i := range 600 {
				q.facts = append(q.facts, fact{unit: i % 6, values: []any{int64(30)}})
			}
			r, problem := q.release(t)
			if problem != "" {
				t.Fatal(problem)
			}
			for j, c := range q.columns {
				for _, confidence := range []float64{0.5, 0.95, 0.99} {
					got := r.cells[0][j]
					low, high := got.interval(confidence)
					if got.value != any(int64(30)) || less(low, int64(29)) || less(int64(31), high) {
						t.Errorf("%v: the quantile %v of six hundred times 30 is %v, and at %v %v to %v", loss, c.rank, got.value, confidence, low, high)
					}
				}
			}
		}
	}
}
