package filter

import (
	"math"
	"math/big"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/pld"
)

// newRho keeps a limit of ρ, and of δ.
func newRho(l dp.Concentrated) Filter {
	f := &zcdpFilter{rho: rhoMeter{sum: zero}, delta: zero}
	f.setLimit(l)
	return f
}

// newZCDP keeps the ρ that implies (ε, δ): docs/proofs/filter-zcdp.md.
func newZCDP(l dp.Approx, share *big.Rat) Filter {
	return newEventFilter(l, share, func(epsilon, delta float64) meter {
		rho := exact.Float(pld.RhoMax(epsilon, delta))
		return &rhoMeter{limit: rho, sum: zero, delta: delta}
	})
}

// rhoMeter adds up ρ, exactly.
type rhoMeter struct {
	limit, sum *big.Rat
	delta      float64
}

func (m *rhoMeter) fits(p *Part) bool {
	s := sum(m.sum, p.rho)
	return s != nil && s.Cmp(m.limit) <= 0
}

func (m *rhoMeter) add(p *Part, n int64) {
	rho := p.rho
	if rho == nil { // taken by another branch; this one is closed from now on
		rho = new(big.Rat).Add(m.limit, one)
	}
	m.sum = settle(sum(m.sum, product(rho, new(big.Rat).SetInt64(n))))
}

func (m *rhoMeter) clone() meter { n := *m; return &n }

func (m *rhoMeter) adopt(other meter) meter {
	n := *m
	n.sum = other.(*rhoMeter).sum
	return &n
}

func (m *rhoMeter) spent() float64    { return pld.RhoEpsilon(exact.FloatUp(m.sum), m.delta) }
func (m *rhoMeter) leftPure() float64 { return down(math.Sqrt(2 * m.leftRho())) }
func (m *rhoMeter) leftRho() float64  { return exact.DecimalDown(rest(m.limit, m.sum)) }

func (m *rhoMeter) measures(p *Part) bool { return p.rho != nil }

// zcdpFilter keeps a limit of ρ, and of the δ of mechanisms that have one, which no ρ
// bounds: Σρ and Σδ must fit. Without a limit of δ such mechanisms are refused.
type zcdpFilter struct {
	of       dp.Concentrated
	rho      rhoMeter
	failures *big.Rat // limit of delta
	delta    *big.Rat // Σδ
}

func (f *zcdpFilter) setLimit(l dp.Concentrated) {
	_, delta, rho := dp.PartsOf(l).Exact()
	f.of, f.rho.limit, f.failures = l, rho, delta
}

func (f *zcdpFilter) Decide(p *Price) Way {
	for _, q := range p.parts() {
		if f.deltaFits(q) && f.rho.fits(q) {
			return q.way
		}
	}
	return Refused
}

func (f *zcdpFilter) deltaFits(q *Part) bool { return sum(f.delta, q.delta).Cmp(f.failures) <= 0 }

func (f *zcdpFilter) Add(p *Price, w Way, n int64) {
	q := p.by(w)
	f.rho.add(q, n)
	f.delta = settle(sum(f.delta, product(q.delta, new(big.Rat).SetInt64(n))))
}

func (f *zcdpFilter) Clone() Filter { g := *f; return &g }

func (f *zcdpFilter) Raise(l dp.Loss) Filter {
	g := *f
	g.setLimit(l.(dp.Concentrated))
	return &g
}

func (f *zcdpFilter) Limit() dp.Loss { return f.of }

func (f *zcdpFilter) Spent() dp.Loss {
	return dp.Parts{Rho: exact.DecimalUp(f.rho.sum), Delta: exact.DecimalUp(f.delta)}.Loss()
}

func (f *zcdpFilter) Left() dp.Loss {
	if rho := f.rho.leftRho(); rho > 0 {
		return dp.Concentrated{Rho: rho, Delta: exact.DecimalDown(rest(f.failures, f.delta))}
	}
	return nil
}

func (f *zcdpFilter) leftRho() (rho, delta *big.Rat) {
	return rest(f.rho.limit, f.rho.sum), rest(f.failures, f.delta)
}

// Binds looks at a charge in the way in which less is missing.
func (f *zcdpFilter) Binds(p *Price) []string {
	events, declared := f.binds(&p.events), f.binds(&p.declared)
	if len(declared) < len(events) {
		return declared
	}
	return events
}

func (f *zcdpFilter) binds(q *Part) (names []string) {
	if !f.rho.fits(q) {
		names = append(names, "rho")
	}
	if !f.deltaFits(q) {
		names = append(names, "delta")
	}
	return names
}

func (f *zcdpFilter) Lacks(p *Price) string {
	for _, q := range p.parts() {
		if q.delta.Cmp(f.failures) <= 0 && q.rho != nil {
			return ""
		}
	}
	if f.failures.Sign() > 0 && p.events.delta.Cmp(f.failures) > 0 {
		return "its events have a δ of their own that is more than that of the limit"
	}
	return "its limit is a dp.Concentrated without a Delta, which takes no charge with a δ of its own"
}
