package forecast_test

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/forecast"
	"github.com/equipoise-dp/equipoise/dp"
)

// A lattice is the exact law of a privacy loss that is a multiple of 1/100, and may
// have a normal part: the oracle of these tests, which shares no code with the
// accountants.
type lattice struct {
	p     []float64 // of the losses (i - zero)/100
	zero  int
	mu2   float64
	delta float64 // that the loss is infinite
}

func (l *lattice) compose(atoms map[int]float64) {
	reach := 0
	for at := range atoms {
		reach = max(reach, at, -at)
	}
	next := make([]float64, len(l.p)+2*reach)
	for i, p := range l.p {
		for at, q := range atoms {
			next[i+reach+at] += p * q
		}
	}
	l.p, l.zero = next, l.zero+reach
}

// exceeds returns δ(ε), by the definition: E(1 - e^(ε-L))+.
func (l *lattice) exceeds(epsilon float64) float64 {
	sum := 0.0
	for i, p := range l.p {
		loss := float64(i-l.zero) / 100
		switch rest := epsilon - loss; {
		case l.mu2 > 0:
			mu := math.Sqrt(l.mu2)
			sum += p * (upper(rest/mu-mu/2) - math.Exp(rest)*upper(rest/mu+mu/2))
		case rest < 0:
			sum += p * -math.Expm1(rest)
		}
	}
	return l.delta + (1-l.delta)*sum
}

// upper is the probability that a normal number is above x.
func upper(x float64) float64 { return math.Erfc(x/math.Sqrt2) / 2 }

func (l *lattice) epsilon(delta float64) float64 {
	low, high := 0.0, 1000.0
	if l.exceeds(0) <= delta {
		return 0
	}
	for range 200 {
		if x := low + (high-low)/3; l.exceeds(x) > delta {
			low = x
		} else {
			high = x
		}
	}
	return high
}

// discreteLaplace returns the losses of noise of scale 100/j when numbers move by s:
// j(|y-s| - |y|) hundredths, whatever integer y was drawn.
func discreteLaplace(j, s int) map[int]float64 {
	r := math.Exp(-float64(j) / 100)
	atoms := map[int]float64{j * s: 1 / (1 + r), -j * s: math.Pow(r, float64(s)) / (1 + r)}
	for y := 1; y < s; y++ {
		atoms[j*(s-2*y)] += (1 - r) / (1 + r) * math.Pow(r, float64(y))
	}
	return atoms
}

func randomized(hundredths int) map[int]float64 {
	e := math.Exp(float64(hundredths) / 100)
	return map[int]float64{hundredths: e / (1 + e), -hundredths: 1 / (1 + e)}
}

// randomUse returns a charge, and adds its law to the oracle, as often as it is used.
func randomUse(r *rand.Rand, exact *lattice) forecast.Use {
	u := forecast.Use{Times: 1 + r.IntN(12), Charge: dp.Charge{Loss: dp.Approx{Epsilon: 500, Delta: 0.9}}}
	e := dp.Event{Count: 1 + r.IntN(2)}
	var atoms map[int]float64
	switch r.IntN(4) {
	case 0:
		j, s := 1+r.IntN(9), 1+r.IntN(4)
		e.Mechanism, e.Scale, e.Sensitivity = dp.DiscreteLaplace, big.NewRat(100, int64(j)), dp.Sensitivity{L0: 1, LInf: int64(s)}
		atoms = discreteLaplace(j, s)
	case 1:
		j := 1 + r.IntN(30)
		e.Mechanism, e.Epsilon = dp.Declared, big.NewRat(int64(j), 100)
		atoms = randomized(j)
	case 2:
		sigma := int64(4 + r.IntN(60))
		e.Mechanism, e.Scale, e.Sensitivity = dp.Gaussian, big.NewRat(sigma, 1), dp.Sensitivity{L0: 1, LInf: 1}
		exact.mu2 += float64(e.Count*u.Times) / float64(sigma*sigma)
	default:
		delta := math.Pow(10, -9-2*r.Float64())
		e.Mechanism, e.Delta = dp.Threshold, new(big.Rat).SetFloat64(delta)
		for range e.Count * u.Times {
			exact.delta += (1 - exact.delta) * delta
		}
	}
	for range e.Count * u.Times {
		if atoms != nil {
			exact.compose(atoms)
		}
	}
	u.Charge.Events = []dp.Event{e}
	return u
}

func TestTheLeastLossIsThatOfTheExactComposition(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 1))
	lists := 60
	if *long {
		lists = 2000
	}
	for n := range lists {
		exact := &lattice{p: []float64{1}}
		var uses []forecast.Use
		for range 1 + r.IntN(5) {
			uses = append(uses, randomUse(r, exact))
		}
		delta := math.Pow(10, -4-3*r.Float64())
		got, err := forecast.LeastLoss(delta, uses...)
		if err != nil {
			t.Fatal(err)
		}
		want := exact.epsilon(delta)
		if got.Epsilon < want*(1-1e-9) || got.Epsilon > want*(1+1e-3)+2e-9 || got.Delta != delta {
			t.Errorf("list %d: %v, exactly ε=%.8g: %+v", n, got, want, uses)
		}
	}
}

// What LeastLoss returns is what an account takes as one reservation, and the account
// refuses a loss that is smaller by a part in a thousand, since it does not hold.
func TestAReservationOfTheLeastLossIsTaken(t *testing.T) {
	r, tried := rand.New(rand.NewPCG(17, 2)), 0
	for n := range 40 {
		var uses []forecast.Use
		for range 1 + r.IntN(4) {
			uses = append(uses, randomUse(r, &lattice{p: []float64{1}}))
		}
		loss, err := forecast.LeastLoss(1e-6, uses...)
		if err != nil {
			t.Fatal(err)
		}
		if loss.Epsilon < 1e-8 {
			continue // δ alone pays for all of it, and no ε is less than none
		}
		tried++
		a, err := budget.Create(t.Context(), budget.Memory(), budget.Terms{Dataset: "d", Limit: loss})
		if err != nil {
			t.Fatal(err)
		}
		whole, err := forecast.Together(uses...)
		if err != nil {
			t.Fatal(err)
		}
		whole.Dataset, whole.Purpose, whole.Unit, whole.Plan = "d", "test", "person", "list"
		whole.Key, whole.Loss = "less", dp.Approx{Epsilon: loss.Epsilon * (1 - 1e-3), Delta: loss.Delta}
		if _, err := a.Reserve(t.Context(), whole); err == nil || !strings.Contains(err.Error(), "cost more than") {
			t.Errorf("list %d: %v is taken as well: %v", n, whole.Loss, err)
		}
		whole.Key, whole.Loss = "whole", loss
		if _, err := a.Reserve(t.Context(), whole); err != nil {
			t.Errorf("list %d: %v", n, err)
		}
	}
	if tried < 30 {
		t.Errorf("only %d lists were tried", tried)
	}
}

func TestEveryMistakeOfAForecastIsNamed(t *testing.T) {
	wrong := forecast.Use{Times: -1, Charge: dp.Charge{Loss: dp.Pure{}, Events: []dp.Event{{Mechanism: "?", Count: 1}}}}
	_, err1 := forecast.LeastLoss(math.NaN(), wrong, forecast.Use{Times: 1})
	_, err2 := forecast.Ways(math.NaN(), wrong, forecast.Use{Times: 1})
	_, err3 := forecast.LeastLoss(1)
	text := fmt.Sprint(err1, err2, err3)
	for _, part := range []string{
		"delta is NaN, must be in (0, 1)", "delta is 1, must be", "use 0: field Times is -1, must be 1 to 1000000", "epsilon is 0, must be positive",
		`mechanism is "?"`, "use 1: dp: no loss given", "use 1: Charge.Events is empty", "no uses are given",
	} {
		if strings.Count(text, part) < 1 || err1 == nil || err2 == nil || err3 == nil {
			t.Errorf("nothing says %q in: %s", part, text)
		}
	}
}

func TestUsesWithMoreThanAllOfDeltaHaveNoLoss(t *testing.T) {
	c := dp.Charge{Loss: dp.Approx{Epsilon: 1, Delta: 1e-3}, Events: []dp.Event{{Mechanism: dp.Threshold, Delta: big.NewRat(1, 1000), Count: 1}}}
	if l, err := forecast.LeastLoss(1e-6, forecast.Use{Charge: c, Times: 1}); err == nil || !strings.Contains(err.Error(), "no ε") {
		t.Errorf("%v, %v", l, err)
	}
	ways, err := forecast.Ways(1e-6, forecast.Use{Charge: c, Times: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range ways {
		if w.Limit != nil || w.Why == "" || !math.IsInf(w.Epsilon, 1) {
			t.Errorf("%v is said to take it", w)
		}
	}
}

// Where all of δ is that of the events themselves, what is declared holds, and is returned.
func TestTheLeastLossWhereEventsNeedAllOfDelta(t *testing.T) {
	threshold := func(delta float64, of *big.Rat) dp.Charge {
		return dp.Charge{Loss: dp.Approx{Epsilon: 0.05, Delta: delta}, Events: []dp.Event{
			{Mechanism: dp.DiscreteLaplace, Scale: big.NewRat(21, 1), Sensitivity: dp.Sensitivity{L0: 1, LInf: 1}, Count: 1},
			{Mechanism: dp.Threshold, Delta: of, Count: 1},
		}}
	}
	for _, delta := range []float64{1e-6, 5.089652663876213e-09, 0.3e-7} {
		all, _ := new(big.Rat).SetString(strconv.FormatFloat(delta, 'e', -1, 64))
		loss, err := forecast.LeastLoss(delta, forecast.Use{Charge: threshold(delta, all), Times: 1})
		if err != nil || loss.Epsilon < 1./21 || loss.Epsilon > 0.05001 {
			t.Errorf("δ = %v: %v, %v", delta, loss, err)
		}
		ways, err := forecast.Ways(delta, forecast.Use{Charge: threshold(delta, all), Times: 1})
		if err != nil || len(ways) != 7 || ways[1].Limit != (dp.Approx{Epsilon: 0.05, Delta: delta}) {
			t.Errorf("δ = %v: ways are %v, %v", delta, ways, err)
		}
		if loss, err = forecast.LeastLoss(delta, forecast.Use{Charge: threshold(delta, all), Times: 2}); err == nil {
			t.Errorf("two that need all of δ = %v each get %v", delta, loss)
		}
	}
}
