package budget

import (
	"fmt"
	"math"
	"math/big"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/pld"
)

// A price is what a charge costs under every rule. There are two ways to see a
// charge: as the loss that it declares, and as the events that it consists of.
// Each is a complete description, and a filter uses one of them per charge.
type price struct {
	loss     dp.Loss
	declared part
	events   part
	covered  bool // the declared loss holds for the events
}

// A part is a mechanism, up to an event of probability delta, that has all of
// the given properties at once. What is nil or infinite it does not have.
type part struct {
	way   way
	delta *big.Rat  // never nil
	pure  *big.Rat  // ε, or nil
	rho   *big.Rat  // ρ of zCDP, or nil
	mu2   float64   // μ² of GDP, or +Inf
	renyi []float64 // divergence at each of the orders of the account, or +Inf
}

// A way is how a filter took a charge. It is stored with the decision.
type way string

const (
	refused    way = ""
	byLoss     way = "loss"     // ε and δ that were declared, by basic composition
	byDeclared way = "declared" // the declared loss, as a mechanism of the worst kind
	byEvents   way = "events"
	byPlan     way = "plan" // drawn from what was reserved
)

var (
	zero = new(big.Rat)
	one  = big.NewRat(1, 1)
	half = big.NewRat(1, 2)
)

// priceOf prices a checked charge.
func priceOf(c *dp.Charge, orders []float64) *price {
	p := &price{loss: c.Loss, declared: lossPart(c.Loss, orders), events: noPart(orders)}
	for _, e := range c.Events {
		p.events.add(eventPart(e, orders))
	}
	p.events.way = byEvents
	p.covered = planFits(c, &p.events)
	return p
}

// noPart costs nothing.
func noPart(orders []float64) part {
	return part{delta: zero, pure: zero, rho: zero, renyi: make([]float64, len(orders))}
}

// lossPart is the worst mechanism that has the loss.
func lossPart(l dp.Loss, orders []float64) part {
	p := noPart(orders)
	switch l := l.(type) {
	case dp.Pure:
		p = purePart(l.Exact(), orders)
	case dp.Approx:
		epsilon, delta := l.Exact()
		p = purePart(epsilon, orders)
		p.delta = delta
	case dp.Concentrated:
		p = rhoPart(l.Exact(), orders)
	}
	p.way = byDeclared
	return p
}

// purePart is randomised response with ε, which is the worst of all ε-private
// mechanisms (Kairouz, Oh, Viswanath 2017, Theorem 3.3).
func purePart(epsilon *big.Rat, orders []float64) part {
	e := exact.FloatUp(epsilon)
	mu := pureMu(e)
	p := part{delta: zero, pure: epsilon, rho: halfSquare(epsilon), mu2: up(mu * mu)}
	for _, a := range orders {
		p.renyi = append(p.renyi, renyiPure(e, a))
	}
	return p
}

// rhoPart is all that is known of ρ-zCDP.
func rhoPart(rho *big.Rat, orders []float64) part {
	p := part{delta: zero, rho: rho, mu2: math.Inf(1)}
	r := exact.FloatUp(rho)
	for _, a := range orders {
		p.renyi = append(p.renyi, up(a*r))
	}
	return p
}

// eventPart prices all uses of one event.
func eventPart(e dp.Event, orders []float64) part {
	p, times := scalarPart(e, orders)
	if e.Delta != nil {
		p.delta = e.Delta
	}
	p.times(new(big.Rat).SetInt(times))
	p.tidy()
	return p
}

// scalarPart returns the price of one draw and how many of them there are. Why
// a vector is as many draws as it has coordinates that change:
// docs/proofs/accounting-vector.md.
func scalarPart(e dp.Event, orders []float64) (part, *big.Int) {
	uses := big.NewInt(int64(e.Count))
	draws := new(big.Int).Mul(uses, big.NewInt(max(e.Sensitivity.L0, 1)))
	switch e.Mechanism {
	case dp.DiscreteLaplace:
		p := purePart(ratio(e), orders)
		p.lower(pld.DiscreteLaplace(exact.FloatDown(e.Scale), shiftUp(e)).Renyi, orders)
		return p, draws
	case dp.Laplace:
		p := purePart(ratio(e), orders)
		p.lower(pld.Laplace(exact.FloatUp(ratio(e))).Renyi, orders)
		return p, draws
	case dp.DiscreteLaplaceVector:
		l1 := new(big.Rat).SetInt64(e.Sensitivity.L0)
		return purePart(l1.Mul(l1, ratio(e)), orders), uses
	case dp.Gaussian, dp.DiscreteGaussian:
		return gaussianPart(e, orders), uses
	case dp.TruncatedGeometric:
		return purePart(e.Epsilon, orders), uses
	case dp.BoundedRange:
		return boundedRangePart(e.Epsilon, orders), uses
	case dp.Declared:
		return declaredPart(e, orders), uses
	}
	return noPart(orders), uses // Threshold: nothing but δ
}

// ratio returns LInf/Scale.
func ratio(e dp.Event) *big.Rat {
	r := new(big.Rat).SetInt64(e.Sensitivity.LInf)
	return r.Quo(r, e.Scale)
}

// shiftUp returns LInf. From 2⁵³ on, a float may be a little more.
func shiftUp(e dp.Event) float64 { return exact.FloatUp(new(big.Rat).SetInt64(e.Sensitivity.LInf)) }

// gaussianPart prices one use: ρ = ‖Δ‖₂²/(2·Scale²), for the continuous and for
// the discrete law (Canonne, Kamath, Steinke 2020, Theorem 4).
func gaussianPart(e dp.Event, orders []float64) part {
	rho := halfSquare(ratio(e))
	rho.Mul(rho, new(big.Rat).SetInt64(e.Sensitivity.L0))
	p := rhoPart(rho, orders)
	p.mu2 = gaussianMu2(e, exact.FloatUp(new(big.Rat).Add(rho, rho)))
	return p
}

// boundedRangePart is ε²/8-zCDP (Cesar, Rogers 2021, Lemma 3.4) beside ε-DP.
func boundedRangePart(epsilon *big.Rat, orders []float64) part {
	p := purePart(epsilon, orders)
	p.rho = new(big.Rat).Mul(halfSquare(epsilon), big.NewRat(1, 4))
	p.lower(pld.BoundedRange(exact.FloatUp(epsilon)).Renyi, orders)
	return p
}

// declaredPart has every property that was declared, up to one event of
// probability δ. With a δ, ε and ρ need not hold up to the same event, and ε is
// taken.
func declaredPart(e dp.Event, orders []float64) part {
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

// lower replaces divergences by another valid bound where that is smaller.
func (p *part) lower(bound func(order float64) float64, orders []float64) {
	for i, a := range orders {
		p.renyi[i] = math.Min(p.renyi[i], bound(a))
	}
}

// add composes p with q.
func (p *part) add(q part) {
	p.delta = sum(p.delta, q.delta)
	p.pure = sum(p.pure, q.pure)
	p.rho = sum(p.rho, q.rho)
	p.mu2 = addUp(p.mu2, q.mu2)
	for i := range p.renyi {
		p.renyi[i] = addUp(p.renyi[i], q.renyi[i])
	}
}

// times composes p with itself, n copies in all.
func (p *part) times(n *big.Rat) {
	p.delta, p.pure, p.rho = product(p.delta, n), product(p.pure, n), product(p.rho, n)
	f := exact.FloatUp(n)
	p.mu2 = up(p.mu2 * f)
	for i, r := range p.renyi {
		p.renyi[i] = up(r * f)
	}
}

// tidy rounds up what is not a decimal of a sensible length, so that sums of
// many quotients stay short.
func (p *part) tidy() { p.delta, p.pure, p.rho = tidy(p.delta), tidy(p.pure), tidy(p.rho) }

var tidyUnit = new(big.Int).Exp(big.NewInt(10), big.NewInt(400), nil)

// tidy returns x if it is a multiple of 10⁻⁴⁰⁰, as every decimal of a float64
// is, and else the next multiple of 10⁻⁴⁰.
func tidy(x *big.Rat) *big.Rat {
	if x == nil || new(big.Int).Rem(tidyUnit, x.Denom()).Sign() == 0 {
		return x
	}
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(40), nil)
	n := new(big.Int).Mul(x.Num(), unit)
	n.Add(n, x.Denom()).Sub(n, big.NewInt(1)).Quo(n, x.Denom())
	return new(big.Rat).SetFrac(n, unit)
}

// sum adds what both have; a nil has no bound.
func sum(a, b *big.Rat) *big.Rat {
	switch {
	case a == nil || b == nil:
		return nil
	case a.Sign() == 0:
		return b
	case b.Sign() == 0:
		return a
	}
	return new(big.Rat).Add(a, b)
}

func product(a, n *big.Rat) *big.Rat {
	if a == nil {
		return nil
	}
	return new(big.Rat).Mul(a, n)
}

func halfSquare(x *big.Rat) *big.Rat {
	y := new(big.Rat).Mul(x, x)
	return y.Mul(y, half)
}

// checkCharge returns every reason why the account cannot read the charge.
func (t *Terms) checkCharge(c *dp.Charge) []error {
	errs := []error{c.Check()}
	if c.Dataset != t.Dataset {
		errs = append(errs, fmt.Errorf("budget: Charge.Dataset is %q, and the account is of %q", c.Dataset, t.Dataset))
	}
	if t.Unit != "" && c.Unit != t.Unit {
		errs = append(errs, fmt.Errorf("budget: Charge.Unit is %q, and the account protects %q", c.Unit, t.Unit))
	}
	for _, f := range []struct{ name, value string }{
		{"Unit", c.Unit}, {"Purpose", c.Purpose}, {"Key", c.Key}, {"Plan", c.Plan}, {"Analyst", c.Analyst},
	} {
		errs = append(errs, text("Charge."+f.name, f.value))
	}
	for _, p := range c.Periods {
		errs = append(errs, name("a period in Charge.Periods", p))
	}
	return errs
}
