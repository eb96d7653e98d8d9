package aggregate

import (
	"math/big"

	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// estimate computes a column from the noisy sums of a cell.
func (cell Cell) estimate(a answer) estimate {
	e := cell.read(a)
	e.sources = func() []any { return cell.sources(a) }
	return e
}

func (cell Cell) read(a answer) estimate {
	switch a.kind {
	case kindCount, kindUnits, kindSum, kindDistinct:
		return cell.linear(a)
	case kindMean:
		return cell.mean(a)
	case kindVariance:
		return cell.variance(a)
	case kindStdDev:
		return cell.variance(a).squareRoot()
	}
	return a.measure.quantile(cell.ranks()[a.measure.rank+a.index])
}

// linear estimates Σ wᵢ·partᵢ, in records. It is unbiased, and its interval is that
// of the noise; but for the number of units that selected its group, which is too
// high on average among the groups that are shown, and has an interval for that.
func (cell Cell) linear(a answer) estimate { return together([]Cell{cell}, a) }

// together adds up an answer that is linear in the noise over cells of one plan.
func together(cells []Cell, a answer) estimate {
	law := a.measure.law
	var floats []float64
	value := new(big.Rat)
	people := 0.0
	for _, cell := range cells {
		each, weights := cell.weighted(a)
		value.Add(value, each)
		if j := a.measure.joint; j != nil && j.centre != nil {
			people += weights[j.people()] // one number, and one draw, for all cells
			weights = weights[:j.people()]
		}
		floats = append(floats, weights...)
	}
	if people != 0 {
		floats = append(floats, people)
	}
	interval := func(confidence float64) (lo, hi *big.Rat) {
		half := exact.Float(law.Combined(confidence, floats...))
		if half == nil {
			return nil, nil
		}
		lo, hi = new(big.Rat).Sub(value, half), new(big.Rat).Add(value, half)
		if end := lowerEnds(cells, a, confidence); end != nil && end.Cmp(lo) < 0 {
			lo = end
		}
		return lo, hi
	}
	return estimate{value: value, stdDev: law.CombinedStdDev(floats...), interval: interval, within: a.within, linear: true, sources: func() []any { return sourcesOf(cells, a) }}
}

func sourcesOf(cells []Cell, a answer) (all []any) {
	for _, cell := range cells {
		all = append(all, cell.sources(a)...)
	}
	return all
}

// weighted returns the sum of the noisy parts of an answer, and their weights.
func (cell Cell) weighted(a answer) (value *big.Rat, floats []float64) {
	recordSize := a.measure.recordSize()
	value = new(big.Rat)
	floats = make([]float64, len(a.weights))
	for i, sum := range partsOf(a.measure, cell.sums()) {
		w := new(big.Rat).Quo(a.weights[i], recordSize)
		floats[i], _ = w.Float64()
		value.Add(value, w.Mul(w, new(big.Rat).SetInt(sum)))
	}
	return value, floats
}

// quantile reads a quantile that was found at the release. Its interval is the
// kept one of the next higher confidence, and the bounds above all of them. It is
// unknown if every value that the bounds allow is in the 95 % interval.
func (m *measure) quantile(r ranked) estimate {
	value := func(point int64) *big.Rat { return m.grid.Value(big.NewRat(point, 1)) }
	if len(r.Lows) == 0 {
		return withoutInterval(value(r.Point), m.valueSpan())
	}
	low, _ := value(r.Lows[stdDevAt]).Float64()
	high, _ := value(r.Highs[stdDevAt]).Float64()
	e := estimate{value: value(r.Point), stdDev: (high - low) / 2, within: m.valueSpan()}
	e.interval = func(confidence float64) (lo, hi *big.Rat) {
		for i, c := range ladder {
			if confidence <= c {
				return value(r.Lows[i]), value(r.Highs[i])
			}
		}
		return nil, nil
	}
	lo, hi := e.interval(ladder[unknownAt])
	e.unknown = !core.Noiseless() && lo.Cmp(e.within.least) <= 0 && hi.Cmp(e.within.most) >= 0 && lo.Cmp(hi) < 0
	return e
}

// Which of the confidences of the ladder say how far a quantile is off, and that nothing is
// known of it.
const (
	stdDevAt  = 1
	unknownAt = 4
)

// withoutInterval is an estimate for whose interval nothing was paid. It is
// anywhere within its range for all that was released.
func withoutInterval(value *big.Rat, within span) estimate {
	width, _ := new(big.Rat).Sub(within.most, within.least).Float64()
	return estimate{value: value, stdDev: width / 2, within: within, interval: func(float64) (lo, hi *big.Rat) { return nil, nil }}
}
