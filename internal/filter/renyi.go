package filter

import (
	"math"
	"slices"
)

// renyiOrders share a fifth of the weight; the order of the limit has the rest.
var renyiOrders = []float64{2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 128, 256}

const starWeight = 0.8

// renyiMeter adds up Rényi divergences at several orders and fits while at least
// one order does, with a weight for each: docs/proofs/filter-default.md,
// Theorem 1. The order α, with weight w, fits while
//
//	Σ D_α ≤ ε - ln(1-1/α) + ln(α·w·δ)/(α-1)
//
// which is the conversion of Canonne, Kamath, Steinke 2020, Proposition 12.
type renyiMeter struct {
	epsilon float64
	orders  []float64
	bounds  []float64 // -Inf for orders without weight
	sums    []float64
}

func newRenyiMeter(orders []float64, star float64) func(epsilon, delta float64) meter {
	return func(epsilon, delta float64) meter {
		return weightedMeter(orders, weightsFor(orders, star), epsilon, delta)
	}
}

func weightedMeter(orders, weights []float64, epsilon, delta float64) *renyiMeter {
	m := &renyiMeter{epsilon: epsilon, orders: orders, sums: make([]float64, len(orders))}
	for i, a := range orders {
		m.bounds = append(m.bounds, renyiBound(a, epsilon, weights[i]*delta))
	}
	return m
}

func weightsFor(orders []float64, star float64) []float64 {
	ws := make([]float64, len(orders))
	for i, a := range orders {
		if slices.Contains(renyiOrders, a) {
			ws[i] = (1 - starWeight) / float64(len(renyiOrders)+1) // one too many, to stay below 1 in floats
		}
		if a == star {
			ws[i] += starWeight
		}
	}
	return ws
}

// renyiBound returns a lower bound on the divergence of order a that still
// implies (epsilon, delta).
func renyiBound(a, epsilon, delta float64) float64 {
	if delta == 0 {
		return math.Inf(-1)
	}
	l1, l2, l3 := math.Log1p(-1/a), math.Log(a)/(a-1), math.Log(delta)/(a-1)
	size := epsilon - l1 + l2 - l3
	return epsilon - l1 + l2 + l3 - 1e-13*size
}

// starOrder returns the order at which the limit allows the largest ρ, the best
// for many small charges. It is written in the header and read from there.
func starOrder(epsilon, delta float64) float64 {
	best, most := renyiOrders[0], math.Inf(-1)
	for a := 1.1; a < 512; a = nextOrder(a) {
		if rho := renyiBound(a, epsilon, delta) / a; rho > most {
			best, most = a, rho
		}
	}
	return best
}

// nextOrder steps by a tenth below 32 and by one above.
func nextOrder(a float64) float64 {
	if a < 32 {
		return math.Round(a*10+1) / 10
	}
	return math.Round(a + 1)
}

func (m *renyiMeter) fits(p *Part) bool {
	for i, b := range m.bounds {
		if addUp(m.sums[i], p.renyi[i]) <= b {
			return true
		}
	}
	return false
}

func (m *renyiMeter) add(p *Part, n int64) {
	for i, r := range p.renyi {
		m.sums[i] = addMany(m.sums[i], r, n)
	}
}

func (m *renyiMeter) clone() meter {
	n := *m
	n.sums = slices.Clone(m.sums)
	return &n
}

func (m *renyiMeter) adopt(other meter) meter {
	n := *m
	n.sums = slices.Clone(other.(*renyiMeter).sums)
	return &n
}

func (m *renyiMeter) spent() float64 {
	e := math.Inf(1)
	for i, b := range m.bounds {
		if b > math.Inf(-1) {
			e = math.Min(e, m.sums[i]-(b-m.epsilon))
		}
	}
	return Up(math.Max(e, 0))
}

func (m *renyiMeter) leftPure() float64 {
	e := 0.0
	for i, b := range m.bounds {
		room := down(b - m.sums[i])
		if room == 0 || renyiPure(e, m.orders[i]) > room {
			continue
		}
		e = largest(m.epsilon, func(e float64) bool { return renyiPure(e, m.orders[i]) <= room })
	}
	return down(e)
}

func (m *renyiMeter) leftRho() float64 {
	rho := 0.0
	for i, b := range m.bounds {
		rho = math.Max(rho, down(b-m.sums[i])/m.orders[i])
	}
	return down(rho)
}

func (m *renyiMeter) measures(p *Part) bool {
	return slices.ContainsFunc(p.renyi, func(r float64) bool { return !math.IsInf(r, 1) })
}
