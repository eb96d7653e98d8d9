package filter

import (
	"math/big"
	"sync/atomic"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/pld"
)

// basicFilter accepts while Σε ≤ ε and Σδ ≤ δ, of the losses that charges
// declare, in exact decimals (Rogers, Roth, Ullman, Vadhan 2016, Theorem 3.1).
type basicFilter struct {
	of             dp.Loss
	epsilon, delta *big.Rat // limit
	sumE, sumD     *big.Rat
	last           *atomic.Pointer[rhoCost] // shared by clones, of one limit
}

// A rhoCost is what a ρ adds under a limit.
type rhoCost struct {
	rho            float64
	epsilon, delta *big.Rat
}

func newBasic(l dp.Loss) *basicFilter {
	f := &basicFilter{sumE: zero, sumD: zero}
	f.setLimit(l)
	return f
}

func (f *basicFilter) setLimit(l dp.Loss) {
	f.of, f.last = l, new(atomic.Pointer[rhoCost])
	f.epsilon, f.delta = f.cost(l)
}

// cost returns what a loss adds. A dp.Concentrated becomes the (ε, δ) that it
// implies at a hundredth of the limit's δ, with its own δ beside it.
func (f *basicFilter) cost(l dp.Loss) (epsilon, delta *big.Rat) {
	parts := dp.PartsOf(l)
	if parts.Rho > 0 {
		epsilon, delta = f.costOfRho(dp.Concentrated{Rho: parts.Rho})
		return epsilon, sum(delta, exact.Decimal(parts.Delta))
	}
	epsilon, delta, _ = parts.Exact()
	return epsilon, delta
}

// costOf returns what a charge adds. Its price has the exact decimals already.
func (f *basicFilter) costOf(p *Price) (epsilon, delta *big.Rat) {
	if p.declared.pure != nil {
		return p.declared.pure, p.declared.delta
	}
	return f.cost(p.loss)
}

func (f *basicFilter) costOfRho(l dp.Concentrated) (epsilon, delta *big.Rat) {
	if f.delta.Sign() == 0 || f.of == nil {
		return nil, nil
	}
	if last := f.last.Load(); last != nil && last.rho == l.Rho { // an account sees few, many times
		return last.epsilon, last.delta
	}
	at := exact.DecimalDown(new(big.Rat).Mul(f.delta, big.NewRat(1, 100)))
	if a := l.Approx(at); a.Epsilon < 1e300 && at > 0 {
		epsilon, delta, _ = dp.PartsOf(a).Exact()
	}
	f.last.Store(&rhoCost{l.Rho, epsilon, delta})
	return epsilon, delta
}

func (f *basicFilter) Decide(p *Price) Way {
	if len(f.Binds(p)) > 0 {
		return Refused
	}
	return ByLoss
}

func (f *basicFilter) Binds(p *Price) []string {
	e, d := f.costOf(p)
	if e == nil {
		return []string{"delta"} // without one, or with one that is too small, ρ is no ε
	}
	var binds []string
	if sum(f.sumE, e).Cmp(f.epsilon) > 0 {
		binds = append(binds, "epsilon")
	}
	if sum(f.sumD, d).Cmp(f.delta) > 0 {
		binds = append(binds, "delta")
	}
	return binds
}

func (f *basicFilter) Add(p *Price, _ Way, n int64) {
	e, d := f.costOf(p)
	if e == nil { // a record of another engine; nothing fits after it
		e, d = f.epsilon, f.delta
	}
	if n != 1 {
		k := new(big.Rat).SetInt64(n)
		e, d = product(e, k), product(d, k)
	}
	f.sumE, f.sumD = sum(f.sumE, e), sum(f.sumD, d)
}

// count returns how many copies of a charge fit.
func (f *basicFilter) count(p *Price) *big.Int {
	e, d := f.costOf(p)
	if e == nil {
		return new(big.Int)
	}
	n := floorQuo(rest(f.epsilon, f.sumE), e)
	if d.Sign() > 0 {
		if m := floorQuo(rest(f.delta, f.sumD), d); m.Cmp(n) < 0 {
			n = m
		}
	}
	return n
}

func floorQuo(a, b *big.Rat) *big.Int {
	q := new(big.Rat).Quo(a, b)
	return new(big.Int).Quo(q.Num(), q.Denom())
}

// rest returns limit-sum, at least 0.
func rest(limit, sum *big.Rat) *big.Rat {
	r := new(big.Rat).Sub(limit, sum)
	if r.Sign() < 0 {
		return zero
	}
	return r
}

func (f *basicFilter) Clone() Filter { g := *f; return &g }

func (f *basicFilter) Raise(l dp.Loss) Filter {
	g := *f
	g.setLimit(l)
	return &g
}

func (f *basicFilter) Limit() dp.Loss { return f.of }
func (f *basicFilter) Spent() dp.Loss { return lossUp(f.sumE, f.sumD) }
func (f *basicFilter) Left() dp.Loss {
	return lossDown(rest(f.epsilon, f.sumE), rest(f.delta, f.sumD))
}

func (f *basicFilter) leftRho() (rho, delta *big.Rat) {
	at, left := new(big.Rat).Mul(f.delta, big.NewRat(1, 100)), rest(f.delta, f.sumD)
	if left.Cmp(at) < 0 || f.delta.Sign() == 0 {
		return zero, zero
	}
	return exact.Float(pld.RhoMax(exact.FloatDown(rest(f.epsilon, f.sumE)), exact.FloatDown(at))), rest(left, at)
}

func (f *basicFilter) Lacks(p *Price) string {
	if parts := dp.PartsOf(p.loss); parts != (dp.Parts{Epsilon: parts.Epsilon}) && f.delta.Sign() == 0 {
		return "its limit is a dp.Pure, which takes only charges that are dp.Pure"
	}
	return ""
}

// lossUp shows an amount that was spent.
func lossUp(epsilon, delta *big.Rat) dp.Loss {
	return dp.Parts{Epsilon: exact.DecimalUp(epsilon), Delta: exact.DecimalUp(delta)}.Loss()
}

// lossDown shows an amount that is left.
func lossDown(epsilon, delta *big.Rat) dp.Loss {
	return pairLoss(exact.DecimalDown(epsilon), exact.DecimalDown(delta))
}
