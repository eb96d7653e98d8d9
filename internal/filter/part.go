package filter

import (
	"math"
	"math/big"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// A Part is a mechanism, up to an event of probability delta, that has all of
// the given properties at once. What is nil or infinite it does not have.
type Part struct {
	way   Way
	delta *big.Rat  // never nil
	pure  *big.Rat  // ε, or nil
	rho   *big.Rat  // ρ of zCDP, or nil
	mu2   float64   // μ² of GDP, or +Inf
	renyi []float64 // divergence at each of the orders of the account, or +Inf
}

// noPart costs nothing.
func noPart(orders []float64) Part {
	return Part{delta: zero, pure: zero, rho: zero, renyi: make([]float64, len(orders))}
}

// lossPart is the worst mechanism that has the loss.
func lossPart(l dp.Loss, orders []float64) Part {
	epsilon, delta, rho := dp.PartsOf(l).Exact()
	if rho.Sign() > 0 {
		p := rhoPart(rho, orders)
		p.delta, p.way = delta, ByDeclared
		return p
	}
	p := purePart(epsilon, orders)
	p.delta, p.way = delta, ByDeclared
	return p
}

// purePart is randomised response with ε, which is the worst of all ε-private
// mechanisms (Kairouz, Oh, Viswanath 2017, Theorem 3.3).
func purePart(epsilon *big.Rat, orders []float64) Part {
	e := exact.FloatUp(epsilon)
	mu := pureMu(e)
	p := Part{delta: zero, pure: epsilon, rho: halfSquare(epsilon), mu2: Up(mu * mu)}
	for _, a := range orders {
		p.renyi = append(p.renyi, renyiPure(e, a))
	}
	return p
}

// rhoPart is all that is known of ρ-zCDP.
func rhoPart(rho *big.Rat, orders []float64) Part {
	p := Part{delta: zero, rho: rho, mu2: math.Inf(1)}
	r := exact.FloatUp(rho)
	for _, a := range orders {
		p.renyi = append(p.renyi, Up(a*r))
	}
	return p
}

// lower replaces divergences by another valid bound where that is smaller.
func (p *Part) lower(bound func(order float64) float64, orders []float64) {
	for i, a := range orders {
		p.renyi[i] = math.Min(p.renyi[i], bound(a))
	}
}

// add composes p with q.
func (p *Part) add(q Part) {
	p.delta = settle(sum(p.delta, q.delta))
	p.pure = settle(sum(p.pure, q.pure))
	p.rho = settle(sum(p.rho, q.rho))
	p.mu2 = addUp(p.mu2, q.mu2)
	for i := range p.renyi {
		p.renyi[i] = addUp(p.renyi[i], q.renyi[i])
	}
}

// times composes p with itself, n copies in all.
func (p *Part) times(n *big.Rat) {
	p.delta, p.pure, p.rho = product(p.delta, n), product(p.pure, n), product(p.rho, n)
	f := exact.FloatUp(n)
	p.mu2 = Up(p.mu2 * f)
	for i, r := range p.renyi {
		p.renyi[i] = Up(r * f)
	}
}
