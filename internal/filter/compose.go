package filter

import (
	"math"
	"math/big"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/pld"
)

// Compose adds the events of a charge to a composition.
func Compose(whole *pld.Composition, c *dp.Charge) {
	for _, e := range c.Events {
		addEvent(whole, e)
	}
}

func addEvent(whole *pld.Composition, e dp.Event) {
	switch e.Mechanism {
	case dp.DiscreteLaplace:
		whole.Add(pld.DiscreteLaplace(exact.FloatDown(e.Scale), shiftUp(e)), Draws(e))
	case dp.Laplace:
		whole.Add(pld.Laplace(exact.FloatUp(Ratio(e))), Draws(e))
	case dp.Gaussian, dp.DiscreteGaussian:
		addGaussian(whole, e)
	case dp.BoundedRange:
		whole.Add(pld.BoundedRange(exact.FloatUp(e.Epsilon)), e.Count)
	default:
		addDeclared(whole, e)
	}
}

// addGaussian prefers the continuous law, which is one mechanism whatever the
// number of coordinates.
func addGaussian(whole *pld.Composition, e dp.Event) {
	if mu2 := gaussianPart(e, nil).mu2; !math.IsInf(mu2, 1) {
		whole.Add(pld.Gaussian(Up(math.Sqrt(mu2))), e.Count)
		return
	}
	whole.Add(pld.DiscreteGaussian(exact.FloatDown(e.Scale), shiftUp(e)), Draws(e))
}

// addDeclared is for events of which nothing but a loss is known: an ε, a ρ, or both.
func addDeclared(whole *pld.Composition, e dp.Event) {
	p, _ := scalarPart(e, nil)
	if e.Delta != nil {
		whole.Add(pld.Threshold(exact.FloatUp(e.Delta)), Uses(e))
	}
	switch {
	case p.pure != nil:
		whole.Add(pld.PureZcdp(exact.FloatUp(p.pure), exact.FloatUp(p.rho)), Uses(e))
	default:
		whole.Add(pld.Zcdp(exact.FloatUp(p.rho)), Uses(e))
	}
}

// Draws returns how many numbers noise is added to, with a bound that costs
// everything where it does not fit.
func Draws(e dp.Event) int {
	n := new(big.Int).Mul(big.NewInt(int64(Uses(e))), big.NewInt(e.Sensitivity.L0))
	if !n.IsInt64() || n.Int64() > math.MaxInt {
		return math.MinInt // a Composition refuses a negative count
	}
	return int(n.Int64())
}
