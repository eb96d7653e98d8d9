package forecast_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/forecast"
	"github.com/equipoise-dp/equipoise/dp"
)

// sometimes is the law of a loss that is that of randomised response of j hundredths with
// probability a, and 0 otherwise. It is (j/100)-private.
func sometimes(j int, a float64) map[int]float64 {
	atoms := map[int]float64{0: 1 - a}
	for at, p := range randomized(j) {
		atoms[at] = a * p
	}
	return atoms
}

// concentration is the least ρ of a law of losses of at most so many hundredths that looks
// alike from both sides: the largest D_α/α.
func concentration(atoms map[int]float64, reach int) float64 {
	at := func(x float64) float64 {
		t, moment := math.Exp(x), 0.0
		for loss, p := range atoms {
			moment += p * math.Exp(t*float64(loss)/100)
		}
		return math.Log(moment) / t / (1 + t)
	}
	best, last := -7.0, math.Log(60000/float64(reach)) // where e^(t·loss) is still a number
	for x := best; x < last; x += 0.1 {
		if at(x) > at(best) {
			best = x
		}
	}
	low, high := best-0.1, min(best+0.1, last)
	for range 60 {
		if a, b := (2*low+high)/3, (low+2*high)/3; at(a) < at(b) {
			low = a
		} else {
			high = b
		}
	}
	return max(at(low), at(best))
}

// most is the largest probability a for which sometimes(j, a) is ρ-zCDP.
func most(j int, rho float64) float64 {
	low, high := 0.0, 1.0
	if concentration(sometimes(j, 1), j) <= rho {
		return 1
	}
	for range 40 {
		if a := (low + high) / 2; concentration(sometimes(j, a), j) <= rho {
			low = a
		} else {
			high = a
		}
	}
	return low
}

// ranged is the law of losses v and v-w, in hundredths, or of the opposite direction. It is of
// bounded range w, and private with the larger of the two.
func ranged(v, w int, opposite bool) map[int]float64 {
	p := (math.Exp(float64(w)/100) - math.Exp(float64(v)/100)) / math.Expm1(float64(w)/100)
	if opposite {
		q := p * math.Exp(-float64(v)/100)
		return map[int]float64{-v: q, w - v: 1 - q}
	}
	return map[int]float64{v: p, v - w: 1 - p}
}

func composedEpsilon(law map[int]float64, times int, delta float64) float64 {
	exact := &lattice{p: []float64{1}}
	for range times {
		exact.compose(law)
	}
	return exact.epsilon(delta)
}

// randomBoth returns an event of which an ε and a ρ are known, by declaration, as above
// threshold or by its range, and the laws of some mechanisms that are such.
func randomBoth(r *rand.Rand, times int) (e dp.Event, laws []map[int]float64) {
	j := 5 + r.IntN(150)
	e = dp.Event{Mechanism: dp.Declared, Epsilon: big.NewRat(int64(j), 100), Count: 1}
	if r.IntN(3) == 0 {
		i := 1 + r.IntN(j-1) // ε of the numbers, beside that of the threshold
		e.Mechanism, e.Scale, e.Sensitivity = dp.AboveThreshold, big.NewRat(100, int64(i)), dp.Sensitivity{L0: 1, LInf: 1}
		for v := (i + j + 1) / 2; v <= j; v += max(1, (j-i)/8) {
			laws = append(laws, ranged(v, i+j, false), ranged(v, i+j, true))
		}
		return e, laws
	}
	e.Count = times
	if r.IntN(4) == 0 {
		e.Mechanism = dp.BoundedRange
		for v := (j + 1) / 2; v < j; v += max(1, j/16) {
			laws = append(laws, ranged(v, j, false), ranged(v, j, true))
		}
		return e, laws
	}
	epsilon := float64(j) / 100
	e.Rho = new(big.Rat).SetFloat64(epsilon * math.Tanh(epsilon/2) / (1 + 30*r.Float64()))
	rho, _ := e.Rho.Float64()
	for i := range 8 {
		at := max(1, j*(i+1)/8)
		laws = append(laws, sometimes(at, most(at, rho)))
	}
	return e, laws
}

// Nobody knows the worst of all mechanisms with an ε and a ρ. The least loss is never below
// that of any that is known, at most three tenths above the worst of those, and never above that
// of the ε alone.
func TestTheLeastLossOfAnEpsilonAndARhoIsNearWhatIsKnown(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 3))
	lists := 24
	if *long {
		lists = 300
	}
	farthest, saved := 1.0, 1.0
	for n := range lists {
		times, delta := []int{1, 2, 5, 20, 60}[r.IntN(5)], math.Pow(10, -3-5*r.Float64())
		e, laws := randomBoth(r, times)
		uses := times / e.Count
		known := 0.0
		for _, law := range laws {
			known = max(known, composedEpsilon(law, times, delta))
		}
		got := leastOf(t, delta, uses, e)
		alone := e
		alone.Mechanism, alone.Rho, alone.Scale, alone.Sensitivity = dp.Declared, nil, nil, dp.Sensitivity{}
		most := leastOf(t, delta, uses, alone)
		if got < known*(1-1e-9) || got > 1.3*known || got > most {
			t.Errorf("list %d: ε=%v at δ=%v, known is %.6g, and by ε alone %v: %d of %+v", n, got, delta, known, most, times, e)
		}
		farthest, saved = max(farthest, got/known), max(saved, most/got)
	}
	t.Logf("at most %.3f of the worst that is known; by ε alone it was up to %.2f times as much", farthest, saved)
	if saved < 2 {
		t.Errorf("what is known beside ε saves no more than %v", saved)
	}
}

func leastOf(t *testing.T, delta float64, times int, e dp.Event) float64 {
	t.Helper()
	loss, err := forecast.LeastLoss(delta, forecast.Use{Charge: dp.Charge{Loss: dp.Approx{Epsilon: 500, Delta: 0.9}, Events: []dp.Event{e}}, Times: times})
	if err != nil {
		t.Fatal(err)
	}
	return loss.Epsilon
}

// An account takes a reservation of such events for their least loss and for no less, one of
// them can be drawn from it, and whoever reads the ledger finds it right.
func TestAReservationOfEventsWithAnEpsilonAndARhoIsTaken(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 4))
	for n := range 10 {
		e, _ := randomBoth(r, 20)
		loss := dp.Approx{Epsilon: leastOf(t, 1e-6, 1, e), Delta: 1e-6}
		store := budget.Memory()
		a, err := budget.Create(t.Context(), store, budget.Terms{Dataset: "d", Limit: loss})
		if err != nil {
			t.Fatal(err)
		}
		c := dp.Charge{Key: "less", Dataset: "d", Purpose: "test", Unit: "person", Plan: "list", Loss: dp.Approx{Epsilon: loss.Epsilon * (1 - 1e-3), Delta: 1e-6}, Events: []dp.Event{e}}
		if _, err := a.Reserve(t.Context(), c); err == nil || !strings.Contains(err.Error(), "cost more than") {
			t.Errorf("list %d: %v is taken as well, for %v: %v", n, c.Loss, loss, err)
		}
		c.Key, c.Loss = "whole", loss
		whole, err := a.Reserve(t.Context(), c)
		if err != nil {
			t.Fatalf("list %d: %v", n, err)
		}
		one := c
		one.Key, one.Events = "one", []dp.Event{e.Clone()}
		one.Events[0].Count = 1
		if _, err := whole.Spend(t.Context(), one); err != nil {
			t.Errorf("list %d: %v", n, err)
		}
		again, err := budget.Open(t.Context(), store, "d")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := again.Verify(t.Context()); err != nil {
			t.Errorf("list %d: %v", n, err)
		}
	}
}
