package filter

import (
	"math"
	"math/big"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/pld"
)

// newRho keeps a limit of ρ.
func newRho(l dp.Concentrated) Filter {
	return &zcdpFilter{of: l, rho: rhoMeter{limit: exact.Decimal(l.Rho), sum: zero}}
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

// zcdpFilter keeps a limit of ρ. Mechanisms with a δ of their own are refused:
// no ρ bounds them.
type zcdpFilter struct {
	of  dp.Concentrated
	rho rhoMeter
}

func (f *zcdpFilter) Decide(p *Price) Way {
	for _, q := range p.parts() {
		if q.delta.Sign() == 0 && f.rho.fits(q) {
			return q.way
		}
	}
	return Refused
}

func (f *zcdpFilter) Add(p *Price, w Way, n int64) { f.rho.add(p.by(w), n) }
func (f *zcdpFilter) Clone() Filter                { g := *f; return &g }

func (f *zcdpFilter) Raise(l dp.Loss) Filter {
	g := *f
	g.of = l.(dp.Concentrated)
	g.rho.limit = exact.Decimal(g.of.Rho)
	return &g
}

func (f *zcdpFilter) Limit() dp.Loss { return f.of }

func (f *zcdpFilter) Spent() dp.Loss {
	if f.rho.sum.Sign() == 0 {
		return nil
	}
	return dp.Concentrated{Rho: exact.DecimalUp(f.rho.sum)}
}

func (f *zcdpFilter) Left() dp.Loss {
	if rho := f.rho.leftRho(); rho > 0 {
		return dp.Concentrated{Rho: rho}
	}
	return nil
}

func (f *zcdpFilter) leftRho() *big.Rat { return rest(f.rho.limit, f.rho.sum) }

func (f *zcdpFilter) Binds(*Price) []string { return []string{"rho"} }

func (f *zcdpFilter) Lacks(p *Price) string {
	for _, q := range p.parts() {
		if q.delta.Sign() == 0 && q.rho != nil {
			return ""
		}
	}
	return "its limit is a dp.Concentrated, which takes no charge with a δ of its own"
}
