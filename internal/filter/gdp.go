package filter

import (
	"math"
	"math/big"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/pld"
)

// gdpMeter adds up μ² and fits while Σμ² ≤ μ², the largest μ that implies
// (ε, δ): docs/proofs/filter-gdp.md.
type gdpMeter struct {
	limit float64 // μ²
	delta float64
	sum   float64
	room  float64 // ε of the limit
}

func newGDP(l dp.Approx, share *big.Rat) Filter {
	return newEventFilter(l, share, func(epsilon, delta float64) meter {
		mu := pld.GaussianMu(epsilon, delta)
		return &gdpMeter{limit: mu * mu * (1 - 0x1p-50), delta: delta, room: epsilon}
	})
}

func (m *gdpMeter) fits(p *Part) bool    { return addUp(m.sum, p.mu2) <= m.limit }
func (m *gdpMeter) add(p *Part, n int64) { m.sum = addMany(m.sum, p.mu2, n) }
func (m *gdpMeter) clone() meter         { n := *m; return &n }

func (m *gdpMeter) adopt(other meter) meter {
	n := *m
	n.sum = other.(*gdpMeter).sum
	return &n
}

func (m *gdpMeter) spent() float64 { return pld.GaussianEpsilon(Up(math.Sqrt(m.sum)), m.delta) }

func (m *gdpMeter) leftPure() float64 {
	room := down(m.limit - m.sum)
	return down(largest(m.room, func(e float64) bool { mu := pureMu(e); return Up(mu*mu) <= room }))
}

// leftRho is 0, because ρ-zCDP alone implies no μ.
func (m *gdpMeter) leftRho() float64 { return 0 }

func (m *gdpMeter) measures(p *Part) bool { return !math.IsInf(p.mu2, 1) }
