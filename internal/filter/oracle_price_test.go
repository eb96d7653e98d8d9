package filter

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// The oracle prices charges and decides about them as the proofs say it, event by
// event and term by term. It shares no arithmetic with the package.

// A worth is what is known of a mechanism. What is nil has no bound.
type worth struct {
	delta, pure, rho *big.Rat
	mu2              *float64
	renyi            func(a float64) (least, most float64) // what a good bound lies between
}

func frac(x int64, y *big.Rat) *big.Rat { return new(big.Rat).Quo(new(big.Rat).SetInt64(x), y) }

func mul(xs ...*big.Rat) *big.Rat {
	p := big.NewRat(1, 1)
	for _, x := range xs {
		p.Mul(p, x)
	}
	return p
}

func float(x *big.Rat) float64 { f, _ := x.Float64(); return f }

// ofPure is randomised response.
func ofPure(e *big.Rat) worth {
	x := float(e)
	low, high := 0.0, 1e3 // the μ whose P(Z > μ/2) is 1/(1+e^ε)
	for range 200 {
		if mid := (low + high) / 2; math.Erfc(mid/2/math.Sqrt2)/2 > 1/(1+math.Exp(x)) {
			low = mid
		} else {
			high = mid
		}
	}
	mu2 := low * low
	return worth{new(big.Rat), e, mul(e, e, big.NewRat(1, 2)), &mu2, func(a float64) (float64, float64) {
		p, q := -math.Log1p(math.Exp(-x)), -x-math.Log1p(math.Exp(-x)) // logarithms
		d := logSum(a*p+(1-a)*q, a*q+(1-a)*p) / (a - 1)
		return d, d
	}}
}

func logSum(a, b float64) float64 { return max(a, b) + math.Log1p(math.Exp(-math.Abs(a-b))) }

func ofRho(rho *big.Rat) worth {
	return worth{new(big.Rat), nil, rho, nil, func(a float64) (float64, float64) { return a * float(rho), a * float(rho) }}
}

func single(e dp.Event) worth {
	s := e.Sensitivity
	switch e.Mechanism {
	case dp.Laplace:
		w := ofPure(frac(s.LInf, e.Scale))
		x := float(w.pure)
		w.renyi = func(a float64) (float64, float64) {
			d := logSum(math.Log(a/(2*a-1))+(a-1)*x, math.Log((a-1)/(2*a-1))-a*x) / (a - 1)
			return d, d
		}
		return w
	case dp.DiscreteLaplace:
		w := ofPure(frac(s.LInf, e.Scale))
		scale, shift := float(e.Scale), float64(s.LInf)
		pure := w.renyi
		w.renyi = func(a float64) (float64, float64) {
			sum, norm := 0.0, 0.0
			for x := math.Floor(-40 * scale); x <= 40*scale+shift; x++ {
				norm += math.Exp(-math.Abs(x) / scale)
				sum += math.Exp(-a*math.Abs(x)/scale + (a-1)*(math.Abs(x-shift)-shift)/scale)
			}
			d := shift/scale + math.Log(sum/norm)/(a-1)
			_, most := pure(a)
			return math.Min(d, most), math.Min(d, most)
		}
		return w
	case dp.DiscreteLaplaceVector:
		return ofPure(mul(big.NewRat(s.L0, 1), frac(s.LInf, e.Scale)))
	case dp.Gaussian, dp.DiscreteGaussian:
		r := frac(s.LInf, e.Scale)
		w := ofRho(mul(big.NewRat(s.L0, 2), r, r))
		if e.Mechanism == dp.Gaussian || e.Scale.Cmp(big.NewRat(4096, 1)) >= 0 {
			mu2 := 2 * float(w.rho)
			w.mu2 = &mu2
		}
		return w
	case dp.Threshold:
		none := 0.0
		return worth{e.Delta, new(big.Rat), new(big.Rat), &none, func(float64) (float64, float64) { return 0, 0 }}
	case dp.TruncatedGeometric:
		w := ofPure(e.Epsilon)
		w.delta = e.Delta
		return w
	case dp.BoundedRange:
		w := ofPure(e.Epsilon)
		w.rho = mul(e.Epsilon, e.Epsilon, big.NewRat(1, 8))
		x := float(e.Epsilon)
		w.renyi = func(a float64) (float64, float64) {
			least := 0.0
			for u := 0.0; u <= x; u += x / 500 { // losses u and u-ε
				q := -math.Expm1(u-x) / (math.Exp(u) - math.Exp(u-x))
				least = math.Max(least, math.Log(q*math.Exp(a*u)+(1-q)*math.Exp(a*(u-x)))/(a-1))
			}
			return least, math.Min(x, a*x*x/8)
		}
		return w
	}
	return ofDeclared(e)
}

func ofDeclared(e dp.Event) worth {
	none := 0.0
	w := worth{new(big.Rat), new(big.Rat), new(big.Rat), &none, func(float64) (float64, float64) { return 0, 0 }}
	switch {
	case e.Epsilon != nil && e.Rho != nil && e.Delta == nil:
		w = ofPure(e.Epsilon)
		pure := w.renyi
		w.renyi = func(a float64) (float64, float64) {
			_, most := pure(a)
			most = math.Min(most, a*float(e.Rho))
			return most, most
		}
		if e.Rho.Cmp(w.rho) < 0 {
			w.rho = e.Rho
		}
	case e.Epsilon != nil:
		w = ofPure(e.Epsilon)
	case e.Rho != nil:
		w = ofRho(e.Rho)
	}
	if e.Delta != nil {
		w.delta = e.Delta
	}
	return w
}

func declaredWorth(l dp.Loss) worth {
	switch l := l.(type) {
	case dp.Pure:
		return ofPure(exact.Decimal(l.Epsilon))
	case dp.Concentrated:
		w := ofRho(exact.Decimal(l.Rho))
		w.delta = exact.Decimal(l.Delta)
		return w
	}
	e, d, _ := dp.PartsOf(l).Exact()
	w := ofPure(e)
	w.delta = d
	return w
}

// copies says how many draws there are: noise on a box is one draw for each of its
// numbers, save for Gaussian noise and vectors, whose norm has them already.
func copies(e dp.Event) int {
	if e.Mechanism == dp.Laplace || e.Mechanism == dp.DiscreteLaplace {
		return e.Count * int(e.Sensitivity.L0)
	}
	return e.Count
}

// total adds draw after draw.
func total(events []dp.Event) worth {
	none := 0.0
	sum := worth{new(big.Rat), new(big.Rat), new(big.Rat), &none, nil}
	plus := func(a, b *big.Rat) *big.Rat {
		if a == nil || b == nil {
			return nil
		}
		return new(big.Rat).Add(a, b)
	}
	type draws struct {
		worth
		n float64
	}
	var all []draws
	for _, e := range events {
		w := single(e)
		all = append(all, draws{w, float64(copies(e))})
		for range copies(e) {
			sum.delta, sum.pure, sum.rho = plus(sum.delta, w.delta), plus(sum.pure, w.pure), plus(sum.rho, w.rho)
			if sum.mu2 != nil && w.mu2 != nil {
				x := *sum.mu2 + *w.mu2
				sum.mu2 = &x
			} else {
				sum.mu2 = nil
			}
		}
	}
	sum.renyi = func(a float64) (least, most float64) {
		for _, w := range all {
			l, m := w.renyi(a)
			least, most = least+w.n*l, most+w.n*m
		}
		return least, most
	}
	return sum
}

// A charger makes random charges.
type charger struct{ *rand.Rand }

func (g charger) rat() *big.Rat { return big.NewRat(1+g.Int64N(60), 20+g.Int64N(400)) }

func (g charger) small() *big.Rat { return big.NewRat(1+g.Int64N(9), 1e8+g.Int64N(1e8)) }

func (g charger) event() dp.Event {
	e := dp.Event{Count: 1 + g.IntN(5)}
	ms := []dp.Mechanism{
		dp.DiscreteLaplace, dp.DiscreteLaplaceVector, dp.DiscreteGaussian, dp.Laplace, dp.Gaussian,
		dp.Threshold, dp.TruncatedGeometric, dp.BoundedRange, dp.Declared,
	}
	e.Mechanism = ms[g.IntN(len(ms))]
	switch e.Mechanism {
	case dp.Threshold:
		e.Delta = g.small()
	case dp.TruncatedGeometric:
		e.Epsilon, e.Delta = g.rat(), g.small()
	case dp.BoundedRange:
		e.Epsilon = g.rat()
	case dp.Declared:
		have := 1 + g.IntN(7)
		if have&1 > 0 {
			e.Epsilon = g.rat()
		}
		if have&2 > 0 {
			e.Delta = g.small()
		}
		if have&4 > 0 {
			e.Rho = mul(g.rat(), big.NewRat(1, 10))
		}
	default:
		e.Sensitivity = dp.Sensitivity{L0: 1 + g.Int64N(8), LInf: 1 + g.Int64N(5)}
		e.Scale = big.NewRat(20+g.Int64N(200), 1+g.Int64N(4))
		if e.Mechanism == dp.DiscreteGaussian && g.IntN(2) == 0 {
			e.Scale = big.NewRat(4096*20+g.Int64N(1e5), 7)
			e.Sensitivity.LInf *= 50
		}
	}
	return e
}

func (g charger) events() []dp.Event {
	events := make([]dp.Event, 1+g.IntN(5))
	for i := range events {
		events[i] = g.event()
	}
	return events
}

func rats(x *big.Rat) string {
	if x == nil {
		return "no bound"
	}
	return x.RatString()
}

func same(a, b *big.Rat) bool { return a == nil && b == nil || a != nil && b != nil && a.Cmp(b) == 0 }

func TestAPriceIsTheSumOverAllDraws(t *testing.T) {
	orders := []float64{1.5, 2, 6, 16, 64}
	for seed := range 400 {
		g := charger{rand.New(rand.NewPCG(uint64(seed), 5))}
		events := g.events()
		got := priceOf(&dp.Charge{Loss: dp.Pure{Epsilon: 1}, Events: events}, orders).events
		want := total(events)
		if !same(got.delta, want.delta) || !same(got.pure, want.pure) || !same(got.rho, want.rho) {
			t.Errorf("seed %d: δ %s, ε %s, ρ %s; want %s, %s, %s: %+v", seed, rats(got.delta), rats(got.pure), rats(got.rho), rats(want.delta), rats(want.pure), rats(want.rho), events)
		}
		if want.mu2 == nil != math.IsInf(got.mu2, 1) || want.mu2 != nil && (got.mu2 < *want.mu2*(1-1e-9) || got.mu2 > *want.mu2*(1+1e-5)) {
			t.Errorf("seed %d: μ² is %v, want %v: %+v", seed, got.mu2, want.mu2, events)
		}
		for i, a := range orders {
			least, most := want.renyi(a)
			if r := got.renyi[i]; r < least*(1-1e-9) || r > most*(1+1e-7)+1e-11 {
				t.Errorf("seed %d: divergence of order %v is %v, want %v to %v: %+v", seed, a, r, least, most, events)
			}
		}
	}
}

// A unit in L0 groups costs what L0 events of one group cost, whatever the noise.
func TestL0GroupsCostAsMuchAsL0Events(t *testing.T) {
	for seed := range 300 {
		g := charger{rand.New(rand.NewPCG(uint64(seed), 6))}
		e := g.event()
		if e.Scale == nil {
			continue
		}
		one := e
		one.Sensitivity.L0 = 1
		if e.Mechanism == dp.DiscreteGaussian {
			one.Scale, e.Scale = big.NewRat(40, 3), big.NewRat(40, 3)
		}
		orders := []float64{2, 8}
		a := priceOf(&dp.Charge{Loss: dp.Pure{Epsilon: 1}, Events: []dp.Event{e}}, orders).events
		for range e.Sensitivity.L0 - 1 {
			one.Count += e.Count
		}
		b := priceOf(&dp.Charge{Loss: dp.Pure{Epsilon: 1}, Events: []dp.Event{one}}, orders).events
		near := func(x, y float64) bool { return x == y || math.Abs(x-y) <= 1e-9*math.Abs(y) }
		vector := e.Mechanism == dp.DiscreteLaplaceVector // its ε adds up; the rest is that of its ε, which is worse
		if !same(a.pure, b.pure) || !vector && !(same(a.rho, b.rho) && near(a.mu2, b.mu2) && near(a.renyi[0], b.renyi[0]) && near(a.renyi[1], b.renyi[1])) {
			t.Errorf("seed %d: %+v costs %+v, and as %d events %+v", seed, e, a, one.Count, b)
		}
	}
}
