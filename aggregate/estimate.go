package aggregate

import (
	"math"
	"math/big"
	"reflect"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/search"
)

// An estimate is what a cell says of a column, before it gets the column's type.
type estimate struct {
	value    *big.Rat
	stdDev   float64
	interval func(confidence float64) (lo, hi *big.Rat) // nil is unbounded
}

// estimate computes a column from the noisy sums of a cell.
func (cell Cell) estimate(c column) estimate {
	p := cell.plan
	switch c.kind {
	case kindCount, kindUnits:
		m := p.countMeasure(c.kind == kindUnits)
		return cell.linear(m, m.countWeights())
	case kindSum:
		m := p.moments(c.value)
		return cell.linear(m, m.sumWeights())
	case kindMean:
		return cell.mean(p.moments(c.value))
	case kindVariance:
		return cell.variance(p.moments(c.value))
	case kindStdDev:
		return cell.variance(p.moments(c.value)).squareRoot()
	}
	return cell.quantile(p.find(formRanks, c.value), c.rank)
}

// countMeasure returns the measure that counts rows, or units: one of its own,
// or the moments of a value.
func (c *compiled) countMeasure(units bool) *measure {
	own := formRows
	if units {
		own = formUnits
	}
	if m := c.find(own, nil); m != nil {
		return m
	}
	return c.moments(counter(c.columns, units))
}

// countWeights returns the weights of the parts whose sum is the count of
// records.
func (m *measure) countWeights() []*big.Rat {
	weights := make([]*big.Rat, m.parts())
	for i := range weights {
		weights[i] = big.NewRat(1, 1)
	}
	return weights
}

// sumWeights returns the weights of the parts whose sum is the sum of the value:
// the value at the points where a part alone is 1. (In Bernstein's basis a
// linear function has the same weights as in Lagrange's.)
func (m *measure) sumWeights() []*big.Rat {
	if m.form == formTotal {
		return []*big.Rat{m.grid.Step}
	}
	last := int64(m.parts() - 1)
	var weights []*big.Rat
	for i := range last + 1 {
		weights = append(weights, m.grid.Value(new(big.Rat).Mul(big.NewRat(i, last), big.NewRat(m.grid.Cells, 1))))
	}
	return weights
}

// unit returns what one record of norm 1 is in the noisy sums.
func (m *measure) unit() *big.Rat {
	return new(big.Rat).Mul(m.resolution(), new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), m.shift)))
}

// noisyParts returns the noisy sums of a measure.
func (cell Cell) noisyParts(m *measure) []*big.Int {
	part := 0
	for _, other := range cell.plan.measures {
		if other == m {
			return cell.sums[part : part+m.parts()]
		}
		part += other.parts()
	}
	panic("aggregate: internal error: a measure is not in its plan")
}

// linear estimates Σ wᵢ·partᵢ, in records. It is unbiased, and its interval is
// that of the noise.
func (cell Cell) linear(m *measure, weights []*big.Rat) estimate {
	unit := m.unit()
	value := new(big.Rat)
	floats := make([]float64, len(weights))
	for i, sum := range cell.noisyParts(m) {
		w := new(big.Rat).Quo(weights[i], unit)
		floats[i], _ = w.Float64()
		value.Add(value, w.Mul(w, new(big.Rat).SetInt(sum)))
	}
	return estimate{value, m.law.CombinedStdDev(floats...), func(confidence float64) (lo, hi *big.Rat) {
		half := exact.Float(m.law.Combined(confidence, floats...))
		if half == nil {
			return nil, nil
		}
		return new(big.Rat).Sub(value, half), new(big.Rat).Add(value, half)
	}}
}

// A moment holds the noisy parts of a value in records, for estimates that are
// not linear in them. Positions are the parts' values on [-1, 1].
type moment struct {
	law         *core.Law
	unit        float64 // noise of one draw, in records
	parts       []float64
	positions   []float64
	squares     []float64 // weights of the parts in the sum of squares
	middle, arm float64   // value = middle + arm·position
	low, high   float64   // bounds of the value
}

func (cell Cell) moment(m *measure) moment {
	unit, _ := m.unit().Float64()
	low, _ := m.grid.Lower.Float64()
	high, _ := m.grid.Value(big.NewRat(m.grid.Cells, 1)).Float64()
	o := moment{law: m.law, unit: 1 / unit, middle: (low + high) / 2, arm: (high - low) / 2, low: low, high: high}
	for _, sum := range cell.noisyParts(m) {
		part, _ := new(big.Rat).Quo(new(big.Rat).SetInt(sum), m.unit()).Float64()
		o.parts = append(o.parts, part)
	}
	o.positions, o.squares = []float64{-1, 1}, []float64{1, 1}
	if len(o.parts) == 3 {
		o.positions, o.squares = []float64{-1, 0, 1}, []float64{1, 0, 1}
		if m.law.Family == core.Laplace {
			o.squares[1] = -1
		}
	}
	return o
}

// excess returns Σ partᵢ·(positionᵢ - at): 0 where at is the mean position.
func (o moment) excess(at float64) float64 {
	sum := 0.0
	for i, p := range o.parts {
		sum += p * (o.positions[i] - at)
	}
	return sum
}

// reach returns how large the noise of excess(at) can be, at a confidence.
func (o moment) reach(at, confidence float64) float64 {
	weights := make([]float64, len(o.parts))
	for i, p := range o.positions {
		weights[i] = (p - at) * o.unit
	}
	return o.law.Combined(confidence, weights...)
}

func (o moment) count() float64 {
	n := 0.0
	for _, p := range o.parts {
		n += p
	}
	return n
}

// position returns the mean position, in [-1, 1], and 0 where the noisy count is
// not positive.
func (o moment) position() float64 {
	n := o.count()
	if !(n > 0) {
		return 0
	}
	return min(max(o.excess(0)/n, -1), 1)
}

// mean estimates the mean of a value. Its interval is Fieller's: all means that
// the noise does not refute (Fieller 1954), within the bounds.
func (cell Cell) mean(m *measure) estimate {
	o := cell.moment(m)
	at := o.position()
	n := max(o.count(), o.unit)
	weights := make([]float64, len(o.parts))
	for i, p := range o.positions {
		weights[i] = (p - at) * o.unit
	}
	return estimate{exact.Float(o.middle + o.arm*at), min(o.arm*o.law.CombinedStdDev(weights...)/n, o.arm),
		func(confidence float64) (lo, hi *big.Rat) {
			low := o.edge(at, -1, confidence)
			high := o.edge(at, 1, confidence)
			return exact.Float(max(o.middle+o.arm*low, o.low)), exact.Float(min(o.middle+o.arm*high, o.high))
		}}
}

// edge returns the mean position between at and end that the noise just does not
// refute. The refuted positions beside an end are an interval, because |excess|
// is linear there and its reach is convex.
func (o moment) edge(at, end, confidence float64) float64 {
	refuted := func(p float64) bool { return math.Abs(o.excess(p)) > o.reach(p, confidence) }
	if !(confidence < 1) || !refuted(end) {
		return end
	}
	if refuted(at) {
		return at
	}
	outside, _ := search.Edge(end, at, search.Absolute(math.Abs(end-at)*0x1p-50), refuted)
	return outside
}

// variance estimates the population variance of a value, within what its bounds
// allow. The interval is by linearisation (the delta method), and everything
// that the bounds allow where the count is not clearly positive.
func (cell Cell) variance(m *measure) estimate {
	o := cell.moment(m)
	n, at := o.count(), o.position()
	square := 0.0
	for i, p := range o.parts {
		square += o.squares[i] * p
	}
	largest := 1.0
	v := min(max(square/n-at*at, 0), largest)
	if !(n > 0) {
		v = largest / 3 // that of a uniform position
	}
	gradient := make([]float64, len(o.parts))
	for i, p := range o.positions {
		gradient[i] = (o.squares[i] - 2*at*(p-at) - at*at - v) * o.unit / max(n, o.unit)
	}
	arm2 := o.arm * o.arm
	clear := n > 4*o.unit*o.law.StdDev()*math.Sqrt(float64(len(o.parts)))
	return estimate{exact.Float(arm2 * v), min(arm2*o.law.CombinedStdDev(gradient...), arm2), func(confidence float64) (lo, hi *big.Rat) {
		if !clear || !(confidence < 1) {
			return new(big.Rat), exact.Float(arm2)
		}
		half := o.law.Combined(confidence, gradient...)
		return exact.Float(arm2 * max(v-half, 0)), exact.Float(arm2 * min(v+half, largest))
	}}
}

// squareRoot turns the estimate of a variance into that of a standard deviation.
func (e estimate) squareRoot() estimate {
	root := func(r *big.Rat) *big.Rat {
		f, _ := r.Float64()
		return exact.Float(math.Sqrt(f))
	}
	value := root(e.value)
	f, _ := value.Float64()
	return estimate{value, min(e.stdDev/(2*max(f, math.SmallestNonzeroFloat64)), math.Sqrt(e.stdDev)), func(confidence float64) (lo, hi *big.Rat) {
		l, h := e.interval(confidence)
		return root(l), root(h)
	}}
}

// quantile reads a quantile that was found at the release. Its interval is the
// kept one of the next higher confidence, and the bounds above all of them.
func (cell Cell) quantile(m *measure, rank float64) estimate {
	r := cell.rankedOf(m, rank)
	value := func(point int64) *big.Rat { return m.grid.Value(big.NewRat(point, 1)) }
	low, _ := value(r.Lows[1]).Float64()
	high, _ := value(r.Highs[1]).Float64()
	return estimate{value(r.Point), (high - low) / 2, func(confidence float64) (lo, hi *big.Rat) {
		for i, c := range ladder {
			if confidence <= c {
				return value(r.Lows[i]), value(r.Highs[i])
			}
		}
		return value(0), value(m.grid.Cells)
	}}
}

func (cell Cell) rankedOf(m *measure, rank float64) ranked {
	list := 0
	for _, other := range cell.plan.measures {
		if other == m {
			break
		}
		if other.form == formRanks {
			list++
		}
	}
	for i, r := range cell.plan.ranksOf(m.value) {
		if r == rank {
			return cell.ranks[list][i]
		}
	}
	panic("aggregate: internal error: a rank is not in its plan")
}

// typed gives an estimate the type of its column. Integers are rounded to
// nearest and never pass through a float.
func typed[T dp.Number](e estimate) dp.Estimate[T] {
	value := toNumber[T](e.value, 0)
	return dp.NewEstimate(value, e.stdDev, dp.Spread[T](typedSpread[T]{e, value}))
}

type typedSpread[T dp.Number] struct {
	estimate
	value T
}

// Interval implements dp.Spread.
func (s typedSpread[T]) Interval(confidence float64) (lo, hi T) {
	l, h := s.interval(confidence)
	if isInteger[T]() && new(big.Rat).Sub(s.estimate.value, ratOf(s.value)).Cmp(big.NewRat(1, 1)) > 0 {
		l = nil // the number is beyond T, and the released one is the end of T
	}
	if isInteger[T]() && new(big.Rat).Sub(ratOf(s.value), s.estimate.value).Cmp(big.NewRat(1, 1)) > 0 {
		h = nil
	}
	return min(toNumber[T](l, -1), s.value), max(toNumber[T](h, 1), s.value)
}

// toNumber converts r, and clamps to what T holds. A nil r is the end of T on
// the given side.
func toNumber[T dp.Number](r *big.Rat, side int) T {
	var x T
	v := reflect.ValueOf(&x).Elem()
	switch {
	case v.CanFloat() && r == nil:
		v.SetFloat(math.Inf(side))
	case v.CanFloat():
		f, _ := r.Float64()
		v.SetFloat(f)
	case v.CanInt():
		v.SetInt(clampBig(r, side, math.MinInt64>>(64-v.Type().Bits()), math.MaxInt64>>(64-v.Type().Bits())))
	default:
		bits := v.Type().Bits()
		if bits == 64 { // bounds of values are int64
			bits = 63
		}
		v.SetUint(uint64(clampBig(r, side, 0, 1<<bits-1)))
	}
	return x
}

// clampBig rounds r to the nearest integer in [lo, hi], halves up.
func clampBig(r *big.Rat, side int, lo, hi int64) int64 {
	if r == nil {
		if side < 0 {
			return lo
		}
		return hi
	}
	half := new(big.Rat).Add(r, big.NewRat(1, 2))
	i := new(big.Int).Div(half.Num(), half.Denom())
	switch {
	case i.Cmp(big.NewInt(lo)) < 0:
		return lo
	case i.Cmp(big.NewInt(hi)) > 0:
		return hi
	}
	return i.Int64()
}
