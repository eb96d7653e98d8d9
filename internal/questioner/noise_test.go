package questioner

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// Noise is as large as what a unit can change asks for at the plan's loss, worked
// out here from the bounds and the caps alone; it is no larger either.
//
// A question about one value is one vector of sums per group. Its parts are, of a
// record with value x between L and U, in steps: the value itself; or its distances
// from both bounds, which add up to U-L; or a basis of the quadratics, whose norm is
// (U-L)². So a record has the norm max(|L|, |U|), U-L or (U-L)², a unit has as many
// records as rows (or one) in as many groups as the caps say, and noise is Laplace
// of scale groups·records·norm/ε, or Gaussian of √groups·records·norm/√(2ρ).
func TestNoiseIsThatOfTheSensitivity(t *testing.T) {
	for _, seed := range seeds(300, 5000) {
		q := drawSingle(seed)
		r, problem := q.release(t)
		if problem != "" {
			t.Fatalf("-question %d: %s\n%s", seed, problem, q)
		}
		if r.cells == nil {
			continue
		}
		vectors, problem := q.vectors(r)
		if problem != "" {
			t.Fatalf("-question %d: %s\n%s", seed, problem, q)
		}
		for j, c := range q.columns {
			want := q.noiseOf(c)
			for _, v := range vectors { // one, counted from its middle
				want = q.deviationOf(v, c)
			}
			if got := r.cells[0][j].stdDev; want > 0 && math.Abs(got/want-1) > 1e-6 {
				t.Errorf("-question %d: the noise of %+v has standard deviation %v, must have %v\n%s", seed, c, got, want, q)
			}
		}
		if problem := q.levels(r); problem != "" {
			t.Errorf("-question %d: %s\n%s", seed, problem, q)
		}
		if t.Failed() {
			return
		}
	}
}

// drawSingle draws a question that is answered by one measure.
func drawSingle(seed uint64) *question {
	d := draw{rand.New(rand.NewPCG(seed, 19))}
	q := drawPlainQuestion(seed)
	q.facts = nil
	q.maxKeys, q.maxRows = 1+d.IntN(20), 1+d.IntN(50)
	size := pick(d, 0.01, 0.1, 0.5, 1, 3)
	q.loss = pick[dp.Loss](d, dp.Pure{Epsilon: size}, dp.Concentrated{Rho: size})
	q.values = []spec{d.spec(0)}
	q.columns = nil
	for _, what := range pick(d, []string{"count"}, []string{"units"}, []string{"sum"}, []string{"mean", "sum"}, []string{"variance", "sum"}, []string{"deviation", "sum"}, []string{"quantile"}, []string{"distinct"}) {
		c := column{what: what, rank: 0.5}
		if what == "count" || what == "units" {
			c.value = -1
			q.values = nil
		}
		if what == "distinct" {
			most := 1 + d.IntN(40)
			q.values = []spec{{name: "v", lower: int64(0), upper: int64(9), step: int64(1)}, {name: "kinds", perUnit: true, lower: int64(0), upper: int64(most), step: int64(1), distinct: &distinct{0, most}}}
			c.value = 1
		}
		if what == "sum" && !summable(&q.values[0]) {
			continue
		}
		q.columns = append(q.columns, c)
	}
	if q.columns != nil && q.columns[0].what == "quantile" && d.chance(0.5) { // so many that they are read from a tree
		for i := range 40 {
			q.columns = append(q.columns, column{what: "quantile", rank: float64(i+1) / 100})
		}
	}
	if what := q.columns; len(what) == 0 {
		q.columns = []column{{what: "mean"}}
	}
	if w := q.columns[0].what; w == "mean" || w == "variance" || w == "deviation" { // the counts behind them
		q.columns = append(q.columns, column{what: map[bool]string{false: "count", true: "units"}[q.values[0].perUnit], value: -1})
	}
	return q
}

// noiseOf returns the standard deviation of the noise of a count or a sum, and 0
// for what is not linear in it.
func (q *question) noiseOf(c column) float64 {
	records := float64(q.maxRows)
	if q.columns[0].what == "distinct" { // at most so many of a unit, and no more than it has rows
		return q.deviation(min(records, float64(q.values[1].distinct.most)))
	}
	if q.columns[0].what == "units" || q.columns[0].value >= 0 && q.values[0].perUnit {
		records = 1
	}
	var weights []float64 // of the parts, in what is asked, for parts of norm 1
	norm := 1.0           // in steps
	switch first := q.columns[0].what; {
	case c.what != "sum" && c.value >= 0:
		return 0
	case first == "count" || first == "units":
		weights = []float64{1}
	case first == "sum":
		largest := math.Max(math.Abs(q.values[0].inSteps(true)), math.Abs(q.values[0].inSteps(false)))
		step, _ := q.values[0].grid.Float64()
		norm, weights = largest, []float64{largest * step}
	default:
		norm, weights = q.moments(first, c)
	}
	sum := 0.0
	for _, w := range weights {
		sum += w * w
	}
	return math.Sqrt(sum) * q.deviation(records*norm) / norm
}

// moments returns the norm of a record of the parts of a mean or a variance, and
// what a part alone stands for: of sums the value at L, U or between, of counts 1.
func (q *question) moments(first string, c column) (norm float64, weights []float64) {
	step, _ := q.values[0].grid.Float64()
	low, high := q.values[0].inSteps(false), q.values[0].inSteps(true)
	norm, weights = high-low, []float64{low * step, high * step}
	if first != "mean" {
		norm, weights = norm*norm, []float64{low * step, (low + high) / 2 * step, high * step}
	}
	if c.what != "sum" {
		for i := range weights {
			weights[i] = 1
		}
	}
	return norm, weights
}

// end returns an end of the grid, in steps: the bound rounded outward.
func (s *spec) end(upper bool) *big.Int {
	if upper {
		return ceil(new(big.Rat).Quo(written(s.upper), s.grid))
	}
	return floor(new(big.Rat).Quo(written(s.lower), s.grid))
}

func (s *spec) inSteps(upper bool) float64 {
	f, _ := new(big.Rat).SetInt(s.end(upper)).Float64()
	return f
}

// deviation returns the standard deviation of one part, for a change of so many
// steps in each of so many groups as a unit can be in.
func (q *question) deviation(change float64) float64 {
	groups := float64(q.groupsOfUnit())
	switch l := q.loss.(type) {
	case dp.Pure:
		scale := groups * change / l.Epsilon
		return 1 / (math.Sqrt2 * math.Sinh(1/(2*scale))) // discrete Laplace: 2q/(1-q)², q = e^(-1/scale)
	case dp.Concentrated:
		return math.Sqrt(groups) * change / math.Sqrt(2*l.Rho)
	}
	panic("no such loss")
}

// groupsOfUnit returns how many groups a unit can be in.
func (q *question) groupsOfUnit() int {
	switch {
	case !q.keyed:
		return 1
	case q.given != nil:
		return min(q.maxKeys, len(q.given))
	}
	return q.maxKeys
}

// levels checks that a tree of counts is charged for each of its levels: of more
// points than a node has children, there are at least two.
func (q *question) levels(r release) string {
	for _, m := range r.receipt.Measures {
		if q.columns[0].what != "quantile" || strings.HasSuffix(m.Name, "ends of intervals") || m.Mechanism == dp.BoundedRange {
			continue
		}
		points := q.values[0].inSteps(true) - q.values[0].inSteps(false) + 1
		if least := int64(min(q.maxKeys, max(len(q.given), 1))) * 2; points > 16 && m.Sensitivity.L0 < least {
			return fmt.Sprintf("a unit moves %d counts of %v points, must be at least %d", m.Sensitivity.L0, points, least)
		}
	}
	return ""
}

// The noise of columns that are read from a vector is that of the vector's change, which
// the reference works out for every vector of every question.
func TestNoiseOfVectorsIsThatOfTheirSensitivity(t *testing.T) {
	all := seeds(150, 3000)
	found := map[dp.Mechanism]int{}
	for _, seed := range all {
		q := drawVector(seed)
		r, problem := q.release(t)
		vectors, wrong := q.vectors(r)
		if problem += wrong; problem != "" {
			t.Fatalf("-question %d: %s\n%s", seed, problem, q)
		}
		for _, v := range vectors {
			found[v.Mechanism]++
			for j, c := range q.columns {
				want := q.deviationOf(v, c)
				if got := r.cells[0][j].stdDev; want > 0 && math.Abs(got/want-1) > 1e-6 {
					t.Fatalf("-question %d: the noise of %+v has standard deviation %v, must have %v\n%s", seed, c, got, want, q)
				}
			}
		}
	}
	if t.Logf("%v of %d questions", found, len(all)); *one == 0 && (len(found) != 2 || min(found[dp.CubeNorm], found[dp.DiscreteGaussian]) < len(all)/10) {
		t.Errorf("%d questions have vectors %v, must be a tenth of either noise at least", len(all), found)
	}
}

// A step that is too fine for the noise is refused by its name; and if the noise is so
// large that a value could have but one step, the plan is.
func TestStepsThatNoiseForbidsAreRefused(t *testing.T) {
	for _, test := range []struct {
		epsilon float64
		step    float64
		want    string
	}{
		{1e-4, 1e-9, "step is 0.000000, too fine for noise of this size"},
		{1.2e-12, 0, "needs noise of more than its bounds"}, // 2^39.6 steps: one would do, two do not
	} {
		q := &question{loss: dp.Pure{Epsilon: test.epsilon}, maxKeys: 1, maxRows: 1, values: []spec{{name: "v", lower: 0.0, upper: 1.0, step: test.step}}}
		q.columns = []column{{what: "mean"}}
		if _, err := everyType[0].plan(q); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("a step of %v at ε = %v: %v, must say %q", test.step, test.epsilon, err, test.want)
		}
	}
}
