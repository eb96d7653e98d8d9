package filter

import (
	"math"
	"slices"
	"strconv"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// LargestFit returns a loss of the kind of asked, or one without δ, that every
// filter takes. It is the largest up to rounding.
func (s *Setup) LargestFit(asked dp.Loss, filters []Filter) dp.Loss {
	fit := asked
	for _, f := range filters {
		if fit = smaller(fit, f); fit == nil {
			return nil
		}
	}
	for shrink := 0x1p-52; shrink < 1 && fit != nil; shrink *= 4 {
		if s.fitsAll(fit, filters) {
			return fit
		}
		fit = scaled(fit, 1-shrink)
	}
	return nil
}

func (s *Setup) fitsAll(l dp.Loss, filters []Filter) bool {
	p := lossPrice(l, s.orders)
	return !slices.ContainsFunc(filters, func(f Filter) bool { return f.Decide(p) == Refused })
}

// lossPrice is the price of a charge of which only the loss is known.
func lossPrice(l dp.Loss, orders []float64) *Price {
	p := lossPart(l, orders)
	return &Price{loss: l, declared: p, events: p}
}

// smaller returns the loss l cut down to what a filter has left, or nil if
// nothing is.
func smaller(l dp.Loss, f Filter) dp.Loss {
	if f.Limit() == nil {
		return l
	}
	if parts := dp.PartsOf(l); parts.Rho > 0 {
		rho, delta := f.leftRho()
		parts.Rho, parts.Delta = math.Min(parts.Rho, exact.DecimalDown(rho)), math.Min(parts.Delta, exact.DecimalDown(delta))
		if !(parts.Rho > 0) {
			return nil
		}
		return parts.Loss()
	}
	epsilon, delta := pair(f.Left())
	e, d := pair(l)
	return pairLoss(math.Min(e, epsilon), math.Min(d, delta))
}

// pair returns ε and δ of a loss. A ρ is read as the ε of the pure loss that
// has it, ε²/2.
func pair(l dp.Loss) (epsilon, delta float64) {
	parts := dp.PartsOf(l)
	if parts.Rho > 0 {
		return down(math.Sqrt(2 * parts.Rho)), parts.Delta
	}
	return parts.Epsilon, parts.Delta
}

func pairLoss(epsilon, delta float64) dp.Loss {
	if !(epsilon > 0) {
		return nil
	}
	return dp.Parts{Epsilon: epsilon, Delta: max(delta, 0)}.Loss()
}

// scaled returns the loss with ε or ρ multiplied by f, and the same δ.
func scaled(l dp.Loss, f float64) dp.Loss {
	parts := dp.PartsOf(l)
	parts.Epsilon *= f
	parts.Rho *= f
	return parts.Loss()
}

// sixDigits rounds a number that is a bound anyway to six digits, up or down.
func sixDigits(x float64, up bool) float64 {
	if x == 0 || math.IsInf(x, 0) {
		return x
	}
	y := x
	for step := 0.0; step < 12; step++ { // the nearest, or one beyond it, which is up to 1e-5 away
		f := 1 - step*1e-6
		if up {
			f = 1 + step*1e-6
		}
		var err error
		if y, err = strconv.ParseFloat(strconv.FormatFloat(x*f, 'e', 5, 64), 64); err != nil {
			return x
		}
		if up && y >= x || !up && y <= x {
			return y
		}
	}
	return x
}
