package pld

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// bigRandomized returns E e^(tL) of randomised response, at 1024 bits.
func bigRandomized(eps, t float64) *big.Float {
	e := bigExp(bigF(eps))
	up, down := bigMul(e, bigExp(bigMul(bigF(t), bigF(eps)))), bigExp(bigMul(bigF(-t), bigF(eps)))
	return bigQuo(bigAdd(up, down), bigAdd(bigF(1), e))
}

// TestAnEpsilonAndARhoHaveTheLessOfTheirDivergences compares moments with the formulas, in
// big floats.
func TestAnEpsilonAndARhoHaveTheLessOfTheirDivergences(t *testing.T) {
	rng := rand.New(rand.NewPCG(17, 8))
	ways := [2]int{}
	for range 400 {
		eps := math.Exp(rng.Float64()*8 - 6)
		rho, order := eps*math.Tanh(eps/2)*rng.Float64(), math.Exp(rng.Float64()*6)/eps
		want, way := bigRandomized(eps, order), 0
		if other := bigExp(bigMul(bigF(order), bigMul(bigAdd(bigF(order), bigF(1)), bigF(rho)))); other.Cmp(want) < 0 {
			want, way = other, 1
		}
		ways[way]++
		got := PureZcdp(eps, rho).Renyi(1 + order)
		moment := bigExp(bigMul(bigF(order), bigF(got)))
		over, _ := bigQuo(bigSub(moment, want), want).Float64()
		if !(over >= 0) || over > 1e-11*(1+order*eps) {
			t.Errorf("ε=%v ρ=%v order %v: the moment is over by %v", eps, rho, 1+order, over)
		}
	}
	if ways[0] < 50 || ways[1] < 50 {
		t.Errorf("bounds were taken %v times; both are to be tried", ways)
	}
}

// TestAnEpsilonAndARhoAreNeverTooCheap takes finite tables that have both, by the definition,
// and compares with their compositions; and the price is at most that of the ε alone, and
// of the ρ alone.
func TestAnEpsilonAndARhoAreNeverTooCheap(t *testing.T) {
	rng := rand.New(rand.NewPCG(17, 9))
	for range 60 {
		row := func() (r []float64) {
			for range 4 {
				r = append(r, math.Exp(rng.NormFloat64()*2))
			}
			return r
		}
		p, q := row(), row()
		mix := rng.Float64() * 0.6 // towards one another, so that small losses are tried too
		for i := range p {
			p[i], q[i] = p[i]/sum(p)+mix, q[i]/sum(q)+mix
		}
		eps, rho := worstOf(p, q)
		n := 1 + rng.IntN(30)
		law, both, pure, zcdp := new(Composition), new(Composition), new(Composition), new(Composition)
		law.Add(Table(p, q), n)
		both.Add(PureZcdp(eps, rho), n)
		pure.Add(Pure(eps), n)
		zcdp.Add(Zcdp(rho), n)
		for _, c := range []*Composition{law, both, pure, zcdp} {
			c.Add(Threshold(1e-9), 3)
			c.Add(Gaussian(eps/3), 2)
		}
		for _, delta := range []float64{1e-2, 1e-5, 1e-8} {
			least, got, most := law.Epsilon(delta), both.Epsilon(delta), math.Min(pure.Epsilon(delta), zcdp.Epsilon(delta))
			if got < least*(1-1e-4) || got > most*(1+1e-3) { // the best order is searched, and any is a bound
				t.Errorf("%d times ε=%v ρ=%v at δ=%v: %v, must be from %v to %v", n, eps, rho, delta, got, least, most)
			}
			if d := both.Delta(least * (1 - 1e-3)); d < delta*(1-1e-4) && least > 0 {
				t.Errorf("%d times ε=%v ρ=%v: δ at %v is %v, and there is a mechanism with %v", n, eps, rho, least, d, delta)
			}
		}
	}
}

// worstOf returns the ε and the ρ of a table, in both directions.
func worstOf(p, q []float64) (eps, rho float64) {
	losses := make([]float64, len(p))
	for i := range p {
		losses[i] = math.Log(p[i] / sum(p) * sum(q) / q[i])
		eps = math.Max(eps, math.Abs(losses[i]))
	}
	for x := -9.0; x < math.Log(300/eps); x += 0.01 {
		order, there, back := math.Exp(x), 0.0, 0.0
		for i, loss := range losses {
			there += p[i] / sum(p) * math.Exp(order*loss)
			back += q[i] / sum(q) * math.Exp(-order*loss)
		}
		rho = math.Max(rho, math.Log(math.Max(there, back))/order/(1+order))
	}
	return eps * (1 + 1e-12), rho * (1 + 1e-4) // a maximum between two orders
}
