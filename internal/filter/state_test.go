package filter

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// setups are every kind of filter, with its limit.
func setups() map[string]struct {
	setup *Setup
	limit dp.Loss
} {
	approx := dp.Approx{Epsilon: 2, Delta: 1e-5}
	star, _ := Star(Default, approx)
	stars := map[string]float64{"account": star}
	return map[string]struct {
		setup *Setup
		limit dp.Loss
	}{
		"basic":   {NewSetup(Basic, 0, nil), approx},
		"pure":    {NewSetup(Default, 0, nil), dp.Pure{Epsilon: 2}},
		"default": {NewSetup(Default, 0, stars), approx},
		"gdp":     {NewSetup(GDP, 0.1, nil), approx},
		"zcdp":    {NewSetup(ZCDP, 0.1, nil), approx},
		"rho":     {NewSetup(ZCDP, 0, nil), dp.Concentrated{Rho: 0.5}},
		"rho, δ":  {NewSetup(ZCDP, 0, nil), dp.Concentrated{Rho: 0.5, Delta: 1e-5}},
	}
}

func randomCharge(r *rand.Rand) *dp.Charge {
	loss := dp.Loss(dp.Pure{Epsilon: 0.01 * float64(1+r.IntN(20))})
	e := dp.Event{Mechanism: dp.Declared, Count: 1}
	switch r.IntN(3) {
	case 0:
		loss = dp.Concentrated{Rho: 0.001 * float64(1+r.IntN(9))}
		_, _, e.Rho = dp.PartsOf(loss).Exact()
	case 1:
		loss = dp.Approx{Epsilon: 0.05, Delta: 1e-8 * float64(1+r.IntN(50))}
		e.Epsilon, e.Delta, _ = dp.PartsOf(loss).Exact()
	default:
		e.Epsilon, _, _ = dp.PartsOf(loss).Exact()
	}
	return &dp.Charge{Loss: loss, Events: []dp.Event{e}}
}

// A filter that is restored, also under a raised limit, decides like the one whose state
// it has, until nothing fits any more.
func TestARestoredFilterDecidesLikeTheOneItWas(t *testing.T) {
	for name, x := range setups() {
		star, _ := Star(x.setup.rule, x.limit)
		for seed := range uint64(8) {
			r := rand.New(rand.NewPCG(seed, 5))
			f, taken := x.setup.New(x.limit, star), 0
			for range 200 {
				st := StateOf(f)
				g, err := x.setup.Restore(x.limit, star, st)
				if err != nil {
					t.Fatalf("%s: %q: %v", name, st, err)
				}
				if !st.Alike(StateOf(g)) || f.Spent() != g.Spent() || f.Left() != g.Left() {
					t.Fatalf("%s: %q is restored as %q", name, st, StateOf(g))
				}
				p := x.setup.Price(randomCharge(r))
				w := f.Decide(p)
				if g.Decide(p) != w {
					t.Fatalf("%s: a charge is taken as %q, and as %q once restored", name, w, g.Decide(p))
				}
				if w != Refused {
					f.Add(p, w, 1)
					taken++
				}
			}
			if taken < 5 {
				t.Errorf("%s, seed %d: %d charges were taken; the test asks nothing", name, seed, taken)
			}
		}
	}
}

// What is no state is an error, whatever it is, and none is a panic.
func TestWhatIsNoStateIsRefused(t *testing.T) {
	words := []string{"", "none", "loss", "events", "rho", "rho and delta", "-", "0", "1/2", "1/0", "-1", "1e9", "0x1p+00", "-0x1p+00", "NaN", "+Inf", "x"}
	r := rand.New(rand.NewPCG(1, 2))
	for name, x := range setups() {
		star, _ := Star(x.setup.rule, x.limit)
		f := x.setup.New(x.limit, star)
		p := x.setup.Price(randomCharge(r))
		f.Add(p, ByDeclared, 1)
		whole := StateOf(f)
		for i := range whole {
			if _, err := x.setup.Restore(x.limit, star, whole[:i]); err == nil {
				t.Errorf("%s: %q is a state", name, whole[:i])
			}
		}
		if _, err := x.setup.Restore(x.limit, star, append(whole[:len(whole):len(whole)], "0")); err == nil {
			t.Errorf("%s: a state with a word too many is one", name)
		}
		for range 500 {
			st := append(State{}, whole...)
			w := words[r.IntN(len(words))]
			st[r.IntN(len(st))] = w
			g, err := x.setup.Restore(x.limit, star, st)
			if bad := w == "" || w == "x" || w == "NaN" || w == "1/0" || w == "-1" || w == "-0x1p+00"; bad && err == nil {
				t.Errorf("%s: %q is a state", name, st)
			}
			if err == nil {
				g.Decide(p)
			}
		}
	}
}

func TestStatesAreAlikeUpToRounding(t *testing.T) {
	near := math.Nextafter(0.3, 1)
	for _, test := range []struct {
		a, b  State
		alike bool
	}{
		{State{"loss", "1/3"}, State{"loss", "1/3"}, true},
		{State{"events", hexFloat(0.3)}, State{"events", hexFloat(near)}, true},
		{State{"events", hexFloat(0.3)}, State{"events", hexFloat(0.3001)}, false},
		{State{"events", hexFloat(0.3)}, State{"events", hexFloat(0)}, false},
		{State{"events", "+Inf"}, State{"events", "+Inf"}, true},
		{State{"events", "+Inf"}, State{"events", hexFloat(1)}, false},
		{State{"events", hexFloat(1)}, State{"events", "+Inf"}, false},
		{State{"loss", "1/3"}, State{"loss", "333333333333333/1000000000000000"}, true},
		{State{"loss", "1/3"}, State{"loss", "1/4"}, false},
		{State{"events", "-"}, State{"events", "0"}, false},
		{State{"events", "0"}, State{"events", "-"}, false},
		{State{"loss"}, State{"rho"}, false},
		{State{"loss", "1"}, State{"loss"}, false},
	} {
		if got := test.a.Alike(test.b); got != test.alike {
			t.Errorf("%q and %q are alike: %t", test.a, test.b, got)
		}
	}
}
