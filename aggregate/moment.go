package aggregate

import (
	"math"
	"math/big"

	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/search"
)

// A moment holds the noisy parts of a value in records, for estimates that are
// not linear in them. Positions are the parts' values on [-1, 1], from the lower end
// of the grid to the upper one.
type moment struct {
	law         *core.Law
	unit        float64    // noise of one draw, in records
	parts       []*big.Rat // exactly
	near        []float64  // parts, nearly, for intervals
	ones        weighing   // of the parts in the count
	positions   weighing   // in the sum of positions
	squares     weighing   // and of their squares, where a variance is asked for
	middle, arm *big.Rat   // value = middle + arm·position
	bounds      span       // of the value
}

// A weighing is weights of parts: exactly, and nearly.
type weighing struct {
	exact []*big.Rat
	near  []float64
}

func newWeighing(weights []*big.Rat) weighing {
	w := weighing{exact: weights}
	for _, x := range weights {
		near, _ := x.Float64()
		w.near = append(w.near, near)
	}
	return w
}

// wholes weighs parts with whole numbers.
func wholes(weights ...int64) weighing {
	var all []*big.Rat
	for _, w := range weights {
		all = append(all, big.NewRat(w, 1))
	}
	return newWeighing(all)
}

func (cell Cell) moment(a answer) moment { return a.moment(partsOf(a.measure, cell.sums())) }

// moment returns the moment of some noisy sums, or without sums what is the same in all
// cells.
func (a answer) moment(sums []*big.Int) moment {
	m, on, size := a.measure, a.on(), a.partSize()
	unit, _ := size.Float64()
	arm := new(big.Rat).Mul(on.grid.Step, big.NewRat(on.grid.Cells, 2))
	o := moment{law: m.law, unit: 1 / unit, arm: arm, middle: new(big.Rat).Add(on.grid.Lower, arm), bounds: on.valueSpan()}
	for _, sum := range sums {
		part := new(big.Rat).Quo(new(big.Rat).SetInt(sum), size)
		near, _ := part.Float64()
		o.parts, o.near = append(o.parts, part), append(o.near, near)
	}
	o.weigh(m, a.value, size)
	return o
}

// partSize returns what a record of the count is in the noisy sums.
func (a answer) partSize() *big.Rat {
	if j := a.measure.joint; j != nil {
		return big.NewRat(j.times[0], 1)
	}
	return a.measure.recordSize()
}

// weigh sets the weights of the parts.
func (o *moment) weigh(m *measure, v *value, size *big.Rat) {
	switch {
	case m.joint != nil:
		ones, positions := m.joint.countWeights(), m.joint.positionWeights(v)
		for i := range ones {
			ones[i].Mul(ones[i], size)
			positions[i].Mul(positions[i], size)
		}
		o.ones, o.positions = newWeighing(ones), newWeighing(positions)
	case m.parts() == 2:
		o.ones, o.positions = wholes(1, 1), wholes(-1, 1)
	case o.law.Family == core.Laplace:
		o.ones, o.positions, o.squares = wholes(1, 1, 1), wholes(-1, 0, 1), wholes(1, -1, 1)
	default:
		o.ones, o.positions, o.squares = wholes(1, 1, 1), wholes(-1, 0, 1), wholes(1, 0, 1)
	}
}

// weighted returns Σ weightᵢ·partᵢ, exactly.
func (o moment) weighted(weights weighing) *big.Rat {
	sum := new(big.Rat)
	for i, p := range o.parts {
		sum.Add(sum, new(big.Rat).Mul(weights.exact[i], p))
	}
	return sum
}

func (o moment) count() *big.Rat { return o.weighted(o.ones) }

// scaled returns weights of parts as weights of draws.
func (o moment) scaled(weights []float64) []float64 {
	scaled := make([]float64, len(weights))
	for i, w := range weights {
		scaled[i] = w * o.unit
	}
	return scaled
}

// hidden reports whether the count is no more than the noise that it may be, so that
// it is the number of no known records, and what is divided by it has no value.
func (o moment) hidden(noise float64) bool {
	if core.Noiseless() {
		noise = 0
	}
	n, _ := o.count().Float64()
	return !(n > noise)
}

// countNoise returns how large the noise of the count can be, for a mean to be known.
func (o moment) countNoise() float64 { return o.law.Combined(0.95, o.scaled(o.ones.near)...) }

// position returns the mean position, in [-1, 1], and 0 where the noisy count is
// not positive.
func (o moment) position() float64 {
	n := o.count()
	if n.Sign() <= 0 {
		return 0
	}
	at, _ := new(big.Rat).Quo(o.weighted(o.positions), n).Float64()
	return min(max(at, -1), 1)
}

// excess returns Σ partᵢ·(positionᵢ - at): 0 where at is the mean position.
func (o moment) excess(at float64) float64 {
	sum := 0.0
	for i, p := range o.near {
		sum += p * (o.positions.near[i] - at*o.ones.near[i])
	}
	return sum
}

// shifted returns the weights of the parts in excess(at).
func (o moment) shifted(at float64) []float64 {
	return shifted(make([]float64, len(o.positions.near)), o.positions.near, o.ones.near, at)
}

func shifted(to, positions, ones []float64, at float64) []float64 {
	for i, p := range positions {
		to[i] = p - float64(at*ones[i])
	}
	return to
}

// reach returns how large the noise of excess(at) can be, at a confidence.
func (o moment) reach(at, confidence float64) float64 {
	return o.law.Combined(confidence, o.scaled(o.shifted(at))...)
}

// mean estimates the mean of a value: the exact quotient of the noisy sums. Its
// interval is Fieller's: all means that the noise does not refute (Fieller 1954).
// It is unknown if the 95 % interval of the count holds 0.
func (cell Cell) mean(a answer) estimate {
	o := cell.moment(a)
	at := o.position()
	arm, _ := o.arm.Float64()
	n, _ := o.count().Float64()
	e := estimate{
		value:   new(big.Rat).Set(o.middle),
		stdDev:  min(arm*o.law.CombinedStdDev(o.scaled(o.shifted(at))...)/max(n, o.unit), arm),
		within:  o.bounds,
		unknown: o.hidden(o.countNoise()),
		interval: func(confidence float64) (lo, hi *big.Rat) {
			return o.at(o.edge(at, -1, confidence)), o.at(o.edge(at, 1, confidence))
		},
	}
	if count := o.count(); count.Sign() > 0 {
		position := new(big.Rat).Quo(o.weighted(o.positions), count)
		e.value.Add(e.value, position.Mul(position, o.arm))
	}
	return e
}

// at returns the value at a position.
func (o moment) at(position float64) *big.Rat {
	v := exact.Float(position)
	return v.Add(v.Mul(v, o.arm), o.middle)
}

// edge returns the mean position between at and end that the noise just does not
// refute. The refuted positions beside an end are an interval, because |excess|
// is linear there and its reach is convex.
func (o moment) edge(at, end, confidence float64) float64 {
	if !(confidence < 1) {
		return end
	}
	refuted := func(p float64) bool { return math.Abs(o.excess(p)) > o.reach(p, confidence) }
	return search.Quotient(at, end, search.Absolute(math.Abs(end-at)*0x1p-50), refuted)
}

// variance estimates the population variance of a value. The interval is by
// linearisation (the delta method), which needs a count that is clearly positive:
// without one the variance is unknown.
func (cell Cell) variance(a answer) estimate {
	o := cell.moment(a)
	noise := 4 * o.unit * o.law.StdDev() * math.Sqrt(float64(len(o.parts)))
	arm2 := new(big.Rat).Mul(o.arm, o.arm)
	v := o.positionVariance()
	near, _ := v.Float64()
	gradient := o.scaled(o.gradient(near))
	area, _ := arm2.Float64()
	n, _ := o.count().Float64()
	return estimate{
		value: v.Mul(v, arm2), stdDev: min(area*o.law.CombinedStdDev(gradient...), area), within: o.varianceSpan(), unknown: o.hidden(noise),
		interval: func(confidence float64) (lo, hi *big.Rat) {
			if !(n > noise) || !(confidence < 1) {
				return o.varianceSpan().least, o.varianceSpan().most
			}
			half := exact.Float(area * o.law.Combined(confidence, gradient...))
			return new(big.Rat).Sub(v, half), new(big.Rat).Add(v, half)
		},
	}
}

// varianceSpan returns what the bounds of a value allow its variance to be: at most
// the square of half their distance (Popoviciu 1935).
func (o moment) varianceSpan() span {
	half := new(big.Rat).Sub(o.bounds.most, o.bounds.least)
	half.Quo(half, big.NewRat(2, 1))
	return span{new(big.Rat), half.Mul(half, half)}
}

// positionVariance returns the variance of the positions, exactly, and that of a
// uniform one where the noisy count is not positive.
func (o moment) positionVariance() *big.Rat {
	n := o.count()
	if n.Sign() <= 0 {
		return big.NewRat(1, 3)
	}
	mean := new(big.Rat).Quo(o.weighted(o.positions), n)
	square := new(big.Rat).Quo(o.weighted(o.squares), n)
	return square.Sub(square, mean.Mul(mean, mean))
}

// gradient returns how the variance of positions changes with each part.
func (o moment) gradient(variance float64) []float64 {
	n, _ := o.count().Float64()
	at := o.position()
	v := min(max(variance, 0), 1)
	gradient := make([]float64, len(o.parts))
	for i, p := range o.positions.near {
		gradient[i] = (o.squares.near[i] - 2*at*(p-at) - at*at - v) / max(n, o.unit)
	}
	return gradient
}

// squareRoot turns the estimate of a variance into that of a standard deviation.
func (e estimate) squareRoot() estimate {
	e = e.limited()
	value := root(e.value)
	near, _ := value.Float64()
	variances := e.interval
	e.value, e.stdDev = value, min(e.stdDev/(2*max(near, math.SmallestNonzeroFloat64)), math.Sqrt(e.stdDev))
	e.within = span{root(e.within.least), root(e.within.most)}
	e.interval = func(confidence float64) (lo, hi *big.Rat) {
		l, h := variances(confidence)
		return root(l), root(h)
	}
	return e
}

// root returns the square root of x, to the nearest float.
func root(x *big.Rat) *big.Rat {
	f := new(big.Float).SetPrec(200).SetRat(x)
	nearest, _ := f.Sqrt(f).Float64()
	return exact.Float(nearest)
}
