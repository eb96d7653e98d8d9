package aggregate

import (
	"fmt"
	"math"
	"math/big"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/core"
)

type reading struct {
	who, where int
	x          []float64
}

// many returns a query and columns: units, and sums of so many values with some bounds.
func many(values int, perUnit bool, low, high float64) (*Query[reading, int, int], []AnyColumn) {
	q := &Query[reading, int, int]{
		Dataset: "readings", UnitName: "meter", MaxGroups: 2, MaxRowsPerGroup: 3, Groups: []int{0, 1, 2},
		Unit: func(r reading) int { return r.who }, Group: func(r reading) int { return r.where },
	}
	columns := []AnyColumn{q.Count()}
	per := PerRow[float64, reading, int, int]
	if perUnit {
		columns, per = []AnyColumn{q.Units()}, PerUnit[float64, reading, int, int]
	}
	for i := range values {
		v := per(q, fmt.Sprint("v", i), func(r reading) float64 { return r.x[i] }, Bounds[float64]{Lower: low, Upper: high, Step: 0.25})
		columns = append(columns, v.Sum())
	}
	return q, columns
}

// The law of several numbers, added up over all draws: a plan of two sums and a count on
// grids of few steps, whose noise is replaced by a narrow cube so that all draws can be
// run. Neighbours are as near as the event says, and no nearer at the worst of them; with
// numbers that are multiplied once more than said they are not.
func TestSeveralNumbersKeepTheirClaimExactly(t *testing.T) {
	law := func(j *joint, scale int64, points ...[]int64) distribution {
		m := &measure{form: formJoint, joint: j}
		var err error
		if m.law, err = core.NewCube(m.parts(), big.NewRat(scale, 1)); err != nil {
			t.Fatal(err)
		}
		c := &compiled{calibration: calibration{family: core.Laplace, measures: []*measure{m}}, sums: m.parts()}
		g := c.newGroup()
		for _, p := range points {
			j.record(func(i int) int64 { return p[i] }, g.sums)
		}
		d, total := distribution{}, 0.0
		const far = 9
		for a := int64(-far); a <= far; a++ {
			for b := int64(-far); b <= far; b++ {
				for e := int64(-far); e <= far; e++ {
					session := core.Scripted(func(_ *core.Law, dst []int64) { dst[0], dst[1], dst[2] = a, b, e })
					cell, _ := c.noisyCell(session, g, nil)
					p := math.Exp(-float64(max(a, -a, b, -b, e, -e)) / float64(scale))
					d[fmt.Sprint(cell.sums())] += p
					total += p
				}
			}
		}
		for output := range d {
			d[output] /= total
		}
		return d
	}
	_, columns := many(2, true, 0, 0.25) // two points each
	values := valuesOf([]column{columns[1].id(), columns[2].id()})
	of := func(times ...int64) *joint {
		j := &joint{perUnit: true, values: values, times: times, inputs: []int{0, 1}}
		for _, v := range values {
			g, err := v.chooseGrid([]form{formTotal}, big.NewRat(1, 1))
			if err != nil {
				t.Fatal(err)
			}
			j.grids = append(j.grids, g)
		}
		return j
	}
	// A record moves every number by 1 at most, so that scale 1 is ε = 1.
	worst := func(j *joint) float64 {
		most := 0.0
		for _, point := range [][]int64{{0, 0}, {1, 1}, {0, 1}} {
			a, b := law(j, 1, point, []int64{1, 0}), law(j, 1, []int64{1, 0})
			for output, p := range a {
				if q := b[output]; q > 0 && p > 1e-5 && q > 1e-5 {
					most = max(most, math.Abs(math.Log(p/q)))
				}
			}
		}
		return most
	}
	if got := worst(of(1, 1, 1)); got > 1+1e-9 || got < 1-1e-9 {
		t.Errorf("the largest ratio is e^%v, want e", got)
	}
	for _, times := range [][]int64{{2, 1, 1}, {1, 2, 1}, {1, 1, 2}} {
		if got := worst(of(times...)); got <= 1+1e-9 {
			t.Errorf("numbers times %v are as near as those times 1 1 1: e^%v", times, got)
		}
	}
}

// What is released is unbiased and as wide as its price, and intervals hold: for every
// family, kind of record and bounds. Of 120 draws of 4 numbers in 3 groups a standard
// deviation is within 0.3, and a share of 95 % above 0.9 (false alarms below 1e-9).
func TestSeveralNumbersAreReadBackAsTheyWere(t *testing.T) {
	for _, loss := range []dp.Loss{dp.Pure{Epsilon: 1}, dp.Concentrated{Rho: 0.5}} {
		for _, perUnit := range []bool{true, false} {
			for _, bounds := range [][2]float64{{0, 1}, {-3, 3}, {-7, 1}, {100, 103}} {
				if _, gaussian := loss.(dp.Concentrated); gaussian && bounds[0] == -bounds[1] {
					continue // the middle is 0, and there is nothing to gain
				}
				q, columns := many(3, perUnit, bounds[0], bounds[1])
				p, err := q.Plan(loss, columns...)
				if err != nil {
					t.Fatal(err)
				}
				if len(p.measures) != 1 || p.measures[0].joint == nil {
					t.Fatalf("%v, per unit %v, %v: there are %d measures", loss, perUnit, bounds, len(p.measures))
				}
				var rows []reading
				truth := map[int][4]float64{}
				for who := range 40 {
					x := []float64{bounds[0], bounds[1], bounds[0] + 0.25*float64(who%4)}
					rows = append(rows, reading{who, who % 3, x})
					at := truth[who%3]
					truth[who%3] = [4]float64{at[0] + 1, at[1] + x[0], at[2] + x[1], at[3] + x[2]}
				}
				groups := p.collectedFor(t, rows)
				const draws = 120
				var squares [4]float64
				held := 0
				for range draws {
					released, cells, _ := addNoise(t.Context(), p.compiled, groups)
					for i := range released {
						cell := Cell{cells, i}
						for k := range 4 {
							answer := p.answers[k]
							e := cell.estimate(answer)
							value, _ := e.value.Float64()
							lo, hi := e.interval(0.95)
							low, _ := lo.Float64()
							high, _ := hi.Float64()
							want := truth[released[i]][k]
							squares[k] += (value - want) * (value - want) / (3 * draws)
							if low <= want && want <= high {
								held++
							}
						}
					}
				}
				for k, price := range p.Prices() {
					if ratio := math.Sqrt(squares[k]) / price.StdDev; ratio < 0.7 || ratio > 1.3 {
						t.Errorf("%v, per unit %v, %v: %s strays by %.3f of what its price says", loss, perUnit, bounds, price.Column, ratio)
					}
				}
				if share := float64(held) / (12 * draws); share < 0.9 || share > 0.99 {
					t.Errorf("%v, per unit %v, %v: intervals hold %.3f of the time", loss, perUnit, bounds, share)
				}
			}
		}
	}
}

// One vector is taken where its columns have less noise, never where they have more, and
// never for columns of different weight or of values that have other columns too.
func TestAVectorIsTakenWhereItServes(t *testing.T) {
	for _, loss := range []dp.Loss{dp.Pure{Epsilon: 1}, dp.Concentrated{Rho: 0.5}, dp.Approx{Epsilon: 1, Delta: 1e-6}} {
		for _, values := range []int{1, 2, 10} {
			q, columns := many(values, true, 0, 1)
			p, err := q.Plan(loss, columns...)
			if err != nil {
				t.Fatal(err)
			}
			if p.earlier == nil {
				t.Fatalf("%v, %d values: what an earlier version would have drawn is not known", loss, values)
			}
			sum, before := 0.0, p.earlier.Prices()
			for i, price := range p.Prices() {
				sum += math.Log(price.StdDev / before[i].StdDev)
			}
			if sum >= 0 {
				t.Errorf("%v, %d values: the noise is wider by e^%v than without a vector", loss, values, sum)
			}
			columns[0] = Weighted{columns[0], 2}
			if p, err = q.Plan(loss, columns...); err != nil {
				t.Fatal(err)
			}
			for _, m := range p.measures {
				if m.joint != nil && m.law.Family == core.Cube && len(m.joint.answers) != values {
					t.Errorf("%v: a column of weight 2 is in a cube with others of weight 1", loss)
				}
			}
		}
		q, columns := many(1, true, -1, 1)
		v := columns[1].id().value
		p, err := q.Plan(loss, columns[1], (&Value[float64]{q, v}).Quantile(0.5))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range p.measures {
			if m.joint != nil && m.law.Family == core.Cube {
				t.Errorf("%v: a value with quantiles is in a cube", loss)
			}
		}
	}
}

// What is done with a column by itself is done with one that shares a vector: a forecast
// reads its value, and a total over groups has an interval that holds.
func TestColumnsOfAVectorAreForecastAndAddedUp(t *testing.T) {
	q, columns := many(3, true, 0, 8)
	p, err := q.Plan(dp.Pure{Epsilon: 1}, columns...)
	if err != nil {
		t.Fatal(err)
	}
	f, err := p.Forecast(Assumed{Units: 1000, Rows: 1, Means: map[string]float64{"v0": 3, "v2": 5}})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{1000, 3000, 4000, 5000} {
		if got := f.Columns[i]; math.Abs(got.Value-want) > 260 || got.PlusMinus < 1 {
			t.Errorf("%s: %v ± %v, want %v", got.Column, got.Value, got.PlusMinus, want)
		}
	}
	var rows []reading
	for who := range 30 {
		rows = append(rows, reading{who, who % 3, []float64{8, 0, 2}})
	}
	groups, held := p.collectedFor(t, rows), 0
	const draws = 1000
	for range draws {
		e := together(noisyCells(p.compiled, groups), p.answers[1])
		lo, hi := e.interval(0.95)
		if truth := big.NewRat(240, 1); lo.Cmp(truth) <= 0 && truth.Cmp(hi) <= 0 {
			held++
		}
	}
	if share := float64(held) / draws; share < 0.9 || share > 0.985 {
		t.Errorf("intervals of totals hold %.3f of the time", share)
	}
}
