package filter

import (
	"math"
	"math/big"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/pld"
)

// readOff is the exact δ at epsilon that the best adaptive adversary reaches among the
// outcomes in which no more than an amount is read off in the end: docs/proofs/odometer.md.
func readOff(f Filter, within func(Filter) bool, menu []move, epsilon, loss float64, depth int) float64 {
	best := 0.0
	if within(f) {
		best = max(0, 1-math.Exp(epsilon-loss))
	}
	if depth == 0 {
		return best
	}
	for _, m := range menu {
		w := f.Decide(m.price)
		if w == Refused {
			continue
		}
		g := f.Clone()
		g.Add(m.price, w, 1)
		v := 0.0
		if within(g) {
			v = m.reveal
		}
		for _, o := range m.outcomes {
			v += o[0] * readOff(g, within, menu, epsilon, loss+o[1], depth-1)
		}
		best = max(best, v)
	}
	return best
}

func readsAtMost(l dp.Loss) func(Filter) bool {
	most := dp.PartsOf(l)
	return func(f Filter) bool {
		p := dp.PartsOf(f.Spent())
		return p.Epsilon <= most.Epsilon && p.Delta <= most.Delta && p.Rho <= most.Rho
	}
}

// late is an odometer that is read before the last charge is added: it must be found.
type late struct {
	Filter
	before Filter
}

func (l *late) Clone() Filter  { return &late{l.Filter.Clone(), l.before} }
func (l *late) Spent() dp.Loss { return l.before.Spent() }

func (l *late) Add(p *Price, w Way, n int64) {
	l.before = l.Filter.Clone()
	l.Filter.Add(p, w, n)
}

func TestWhatIsReadOffKeepsEveryAmountThatWasFixed(t *testing.T) {
	for _, c := range []struct {
		rule    Rule
		fixed   dp.Loss
		epsilon float64
		delta   float64
		menu    []move
	}{
		{Basic, dp.Pure{Epsilon: 1}, 1, 0, []move{randomizedResponse(0.25, nil), randomizedResponse(0.5, nil)}},
		{Basic, dp.Approx{Epsilon: 0.9, Delta: 2e-3}, 0.9, 2e-3, []move{randomizedResponse(0.3, nil), randomizedResponse(0.6, nil), reveals(1e-3, nil)}},
		{ZCDP, dp.Concentrated{Rho: 0.25}, pld.RhoEpsilon(0.25, 0.05), 0.05, []move{randomizedResponse(0.25, nil), randomizedResponse(0.5, nil)}},
	} {
		o := newOdometer(c.rule)
		if got := readOff(o, readsAtMost(c.fixed), c.menu, c.epsilon, 0, 6); got > c.delta*(1+1e-9)+1e-12 {
			t.Errorf("rule %d: what was published while at most %v was read off has δ = %v at ε = %v", c.rule, c.fixed, got, c.epsilon)
		}
		if got := readOff(&late{o, o}, readsAtMost(c.fixed), c.menu, c.epsilon, 0, 6); got <= c.delta && c.rule == Basic {
			t.Errorf("rule %d: one that is read late is not found: δ = %v", c.rule, got)
		}
	}
}

func TestAnOdometerRefusesOnlyWhatItHasNoSumFor(t *testing.T) {
	sums := map[Rule]dp.Loss{Basic: dp.Approx{Epsilon: 3e6, Delta: 0.3}, ZCDP: dp.Concentrated{Rho: 3e6}}
	for rule, want := range sums {
		o, p := newOdometer(rule), lossPrice(dp.Approx{Epsilon: 1e6, Delta: 0.1}, nil)
		if rule == ZCDP {
			p = lossPrice(dp.Concentrated{Rho: 1e6}, nil)
		}
		n, full := Fill(o, p, 3)
		if n != 3 || full.Spent() != want || full.Left() != nil || full.Limit() != nil || o.Spent() != nil || o.Lacks(p) != "" {
			t.Errorf("rule %d: %d fit, %v is read off, %v", rule, n, full.Spent(), o.Lacks(p))
		}
		other := lossPrice(sums[Basic+ZCDP-rule], nil)
		if o.Decide(other) != Refused || o.Lacks(other) == "" {
			t.Errorf("rule %d takes %v, of which it has no sum", rule, other.loss)
		}
		s := NewSetup(rule, 0, nil)
		again, err := s.Restore(nil, 0, StateOf(full))
		if err != nil || again.Spent() != want || again.Clone().Limit() != nil {
			t.Errorf("rule %d: %v, %v when read again", rule, again.Spent(), err)
		}
		if fit := s.LargestFit(p.loss, []Filter{full, newFilterFor(rule)}); fit == nil || dp.PartsOf(fit) == dp.PartsOf(p.loss) {
			t.Errorf("rule %d: beside a limit %v fits", rule, fit)
		}
	}
	if beyond.Cmp(new(big.Rat).SetFloat64(math.MaxFloat64)) <= 0 {
		t.Error("a sum of losses can be more than an odometer has room for")
	}
}

// newFilterFor has a small limit.
func newFilterFor(rule Rule) Filter {
	if rule == ZCDP {
		return newRho(dp.Concentrated{Rho: 0.5})
	}
	return newBasic(dp.Approx{Epsilon: 1, Delta: 0.2})
}
