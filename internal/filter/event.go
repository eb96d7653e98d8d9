package filter

import (
	"math"
	"math/big"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/pld"
)

// eventPart prices all uses of one event.
func eventPart(e dp.Event, orders []float64) Part {
	p, times := scalarPart(e, orders)
	if e.Delta != nil {
		p.delta = e.Delta
	}
	p.times(new(big.Rat).SetInt(times))
	return p
}

// scalarPart returns the price of one draw and how many of them there are. Why
// a vector is as many draws as it has coordinates that change:
// docs/proofs/accounting-vector.md.
func scalarPart(e dp.Event, orders []float64) (Part, *big.Int) {
	uses := big.NewInt(int64(Uses(e)))
	draws := new(big.Int).Mul(uses, big.NewInt(max(e.Sensitivity.L0, 1)))
	switch e.Mechanism {
	case dp.DiscreteLaplace:
		p := purePart(Ratio(e), orders)
		p.lower(pld.DiscreteLaplace(exact.FloatDown(e.Scale), shiftUp(e)).Renyi, orders)
		return p, draws
	case dp.Laplace:
		p := purePart(Ratio(e), orders)
		p.lower(pld.Laplace(exact.FloatUp(Ratio(e))).Renyi, orders)
		return p, draws
	case dp.DiscreteLaplaceVector, dp.CubeNorm:
		l1 := new(big.Rat).SetInt64(e.Sensitivity.L0)
		return purePart(l1.Mul(l1, Ratio(e)), orders), uses
	case dp.Gaussian, dp.DiscreteGaussian:
		return gaussianPart(e, orders), uses
	case dp.TruncatedGeometric, dp.PermuteAndFlip:
		return purePart(e.Epsilon, orders), uses
	case dp.BoundedRange:
		return boundedRangePart(e.Epsilon, orders), uses
	case dp.AboveThreshold:
		return aboveThresholdPart(e, orders), uses
	case dp.Declared:
		return declaredPart(e, orders), uses
	}
	return noPart(orders), uses // Threshold: nothing but δ
}

// Uses returns how many independent uses an event is of. All answers of an AboveThreshold
// are one.
func Uses(e dp.Event) int {
	if e.Mechanism == dp.AboveThreshold {
		return 1
	}
	return e.Count
}

// OneUse returns what is known of one use of an event: its ε and ρ, nil if they
// have no bound, and its μ², +Inf if it has none.
func OneUse(e dp.Event) (epsilon, rho *big.Rat, mu2 float64) {
	p, _ := scalarPart(e, nil)
	return p.pure, p.rho, p.mu2
}

// Ratio returns LInf/Scale.
func Ratio(e dp.Event) *big.Rat {
	r := new(big.Rat).SetInt64(e.Sensitivity.LInf)
	return r.Quo(r, e.Scale)
}

// shiftUp returns LInf. From 2⁵³ on, a float may be a little more.
func shiftUp(e dp.Event) float64 { return exact.FloatUp(new(big.Rat).SetInt64(e.Sensitivity.LInf)) }

// gaussianPart prices one use: ρ = ‖Δ‖₂²/(2·Scale²), for the continuous and for
// the discrete law (Canonne, Kamath, Steinke 2020, Theorem 4).
func gaussianPart(e dp.Event, orders []float64) Part {
	rho := halfSquare(Ratio(e))
	rho.Mul(rho, new(big.Rat).SetInt64(e.Sensitivity.L0))
	p := rhoPart(rho, orders)
	p.mu2 = gaussianMu2(e, exact.FloatUp(new(big.Rat).Add(rho, rho)))
	return p
}

// boundedRangePart is ε²/8-zCDP (Cesar, Rogers 2021, Lemma 3.4) beside ε-DP.
func boundedRangePart(epsilon *big.Rat, orders []float64) Part {
	p := purePart(epsilon, orders)
	p.rho = new(big.Rat).Mul(halfSquare(epsilon), big.NewRat(1, 4))
	p.lower(pld.BoundedRange(exact.FloatUp(epsilon)).Renyi, orders)
	return p
}

// aboveThresholdPart is ε-DP and, with ε₂ = L0·LInf/Scale, of bounded range ε + ε₂:
// docs/proofs/alerts.md, theorem 2.
func aboveThresholdPart(e dp.Event, orders []float64) Part {
	p := purePart(e.Epsilon, orders)
	width := new(big.Rat).SetInt64(e.Sensitivity.L0)
	width.Mul(width, Ratio(e)).Add(width, e.Epsilon)
	ranged := boundedRangePart(width, orders)
	if ranged.rho.Cmp(p.rho) < 0 {
		p.rho = ranged.rho
	}
	for i, r := range ranged.renyi {
		p.renyi[i] = math.Min(p.renyi[i], r)
	}
	return p
}

// declaredPart has every property that was declared, up to one event of
// probability δ. With a δ, ε and ρ need not hold up to the same event, and ε is
// taken.
func declaredPart(e dp.Event, orders []float64) Part {
	switch {
	case e.Epsilon == nil && e.Rho == nil:
		return noPart(orders)
	case e.Epsilon == nil:
		return rhoPart(e.Rho, orders)
	case e.Rho == nil || e.Delta != nil:
		return purePart(e.Epsilon, orders)
	}
	p := purePart(e.Epsilon, orders)
	p.lower(pld.Zcdp(exact.FloatUp(e.Rho)).Renyi, orders)
	if e.Rho.Cmp(p.rho) < 0 {
		p.rho = e.Rho
	}
	return p
}
