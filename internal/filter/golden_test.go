package filter

import (
	"encoding/json"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// golden reads reference values that were made by other people's code; see the
// README beside them.
func golden(t *testing.T, name string, v any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "pld", "testdata", "golden", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatal(err)
	}
}

type goldenEvent struct {
	Type                            string
	Epsilon, Delta, Rho             float64
	Sigma, B, Sensitivity, LossPure float64
}

// event scales sensitivity and noise so that both are integers over 10⁶.
func (g goldenEvent) event() dp.Event {
	e := dp.Event{Mechanism: dp.Declared, Count: 1}
	positive := func(x float64) *big.Rat {
		if x == 0 {
			return nil
		}
		return exact.Decimal(x)
	}
	switch g.Type {
	case "gaussian", "laplace":
		e.Mechanism = dp.Gaussian
		scale := g.Sigma
		if g.Type == "laplace" {
			e.Mechanism, scale = dp.Laplace, g.B
		}
		unit := big.NewRat(1_000_000, 1)
		e.Scale = new(big.Rat).Mul(exact.Decimal(scale), unit)
		e.Sensitivity = dp.Sensitivity{L0: 1, LInf: int64(math.Round(g.Sensitivity * 1e6))}
	default:
		e.Epsilon, e.Delta, e.Rho = positive(g.Epsilon), positive(g.Delta), positive(g.Rho)
	}
	return e
}

// A goldenRule decides one event after those that it took.
type goldenRule func(*Part) bool

type goldenBudget struct {
	Epsilon, Delta, Rho, Mu float64
	Alpha                   float64
	Rdp                     json.RawMessage
	Orders                  []float64
}

func (b goldenBudget) rule(t *testing.T, name string) (goldenRule, []float64) {
	delta, failures := zero, exact.Decimal(b.Delta)
	guarded := func(m meter) goldenRule {
		return func(p *Part) bool {
			ok := sum(delta, p.delta).Cmp(failures) <= 0 && m.fits(p)
			if ok {
				delta = sum(delta, p.delta)
				m.add(p, 1)
			}
			return ok
		}
	}
	switch name {
	case "basic":
		f := newBasic(dp.Approx{Epsilon: b.Epsilon, Delta: b.Delta})
		return func(p *Part) bool {
			l := lossUp(p.pure, p.delta)
			ok := f.Decide(&Price{loss: l}) != Refused
			if ok {
				f.Add(&Price{loss: l}, ByLoss, 1)
			}
			return ok
		}, nil
	case "approx zCDP filter":
		return guarded(&rhoMeter{limit: exact.Decimal(b.Rho), sum: zero}), nil
	case "GDP filter":
		return guarded(&gdpMeter{limit: b.Mu * b.Mu}), nil
	case "RDP fixed order":
		var most float64
		if err := json.Unmarshal(b.Rdp, &most); err != nil {
			t.Fatal(err)
		}
		m := weightedMeter([]float64{b.Alpha}, []float64{1}, 1, 1e-6)
		m.bounds[0] = most
		return guarded(m), m.orders
	case "RDP exists-order with union bound":
		weights := slices.Repeat([]float64{1 / float64(len(b.Orders))}, len(b.Orders))
		return guarded(weightedMeter(b.Orders, weights, b.Epsilon, b.Delta)), b.Orders
	}
	return nil, nil
}

// TestGoldenDecisionsAreTakenAgain repeats the decisions of the reference, one by one. Two of
// its rules are not in this package: the filter of advanced composition, which
// ZCDP contains, and the conjunction over a curve.
func TestGoldenDecisionsAreTakenAgain(t *testing.T) {
	var file struct {
		Results []struct {
			Rule   string
			Budget goldenBudget
			Events []goldenEvent
			Accept []bool
		}
	}
	golden(t, "filter_decisions.json", &file)
	decided := map[string]int{}
	for i, r := range file.Results {
		rule, orders := r.Budget.rule(t, r.Rule)
		if rule == nil {
			continue
		}
		for j, g := range r.Events {
			p := eventPart(g.event(), orders)
			if got := rule(&p); got != r.Accept[j] {
				t.Errorf("result %d (%s), event %d %+v: accepted %v, want %v", i, r.Rule, j, g, got, r.Accept[j])
				break
			}
			decided[r.Rule]++
		}
	}
	if len(decided) != 5 {
		t.Errorf("rules decided: %v, want 5 of them", decided)
	}
	t.Log(decided)
}
