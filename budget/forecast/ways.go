package forecast

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"slices"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/filter"
)

// A Way is one kind of account that could pay for a list of uses.
type Way struct {
	// Rule, Limit and EventShare are for [budget.Terms]. Limit is the least from which on
	// all the uses are taken, each under a key of its own, up to a part in a thousand; under
	// [budget.Default] up to one in a hundred. It is nil if no limit of this kind does. (An
	// account whose whole limit is what its first charge declares takes that one, by any rule,
	// and nothing after it. That is not counted.)
	Rule       budget.Rule
	Limit      dp.Loss
	EventShare float64

	// Exactly says that some larger limit does not take the uses, so give the account this
	// one. It happens under [budget.Default] only, where the first charge chooses how all
	// are added up, and what it chooses depends on the limit.
	Exactly bool

	// Reserved says that the account takes them as one reservation only, because
	// Limit is that of their exact composition.
	Reserved bool

	// Epsilon is what Limit means at the δ that was asked for, so that ways can be
	// compared; +Inf if there is none.
	Epsilon float64

	// Why says why no limit of this kind takes the uses.
	Why string
}

// String names the way, such as "gdp: ε=1.3 δ=1e-06".
func (w Way) String() string {
	name := w.Rule.String()
	switch parts := dp.PartsOf(w.Limit); {
	case w.Reserved:
		name = "one reservation"
	case w.Limit == nil:
		return name + ": " + w.Why
	case parts.Delta == 0 || parts.Rho > 0:
		return fmt.Sprintf("%s: %v, which is ε=%.4g at that δ", name, w.Limit, w.Epsilon)
	}
	if w.Exactly {
		return fmt.Sprintf("%s: %v, and not more: the first charge would choose otherwise", name, w.Limit)
	}
	return fmt.Sprintf("%s: %v", name, w.Limit)
}

// Ways returns what each rule of an account takes to pay for the uses, made in the
// order in which they are listed or mixed; the first of the list is made first, which
// matters to [budget.Default] only. The best way is the first. A reservation is best
// of all if the uses are known beforehand; the others hold although each use may be
// chosen after seeing all answers before it.
//
// Of δ, each rule that can keeps as much for events with a δ of their own as the uses
// need, and no more: see [budget.Terms.EventShare].
func Ways(delta float64, uses ...Use) ([]Way, error) {
	if err := check(delta, uses); err != nil {
		return nil, err
	}
	for i, u := range uses {
		if !covers(u.Charge.Loss, u.Charge) {
			return nil, fmt.Errorf("forecast: use %d: its events cost more than %v, which it declares; no account takes it", i, u.Charge.Loss)
		}
	}
	best, own := reservation(delta, uses), ownDelta(uses)
	near := min(max(best.Epsilon, leastEpsilon), mostEpsilon)
	ways := []Way{best}
	for _, rule := range []budget.Rule{budget.Basic, budget.Default, budget.ZCDP, budget.GDP} {
		ways = append(ways, least(rule, uses, delta, near, func(x float64) dp.Loss { return dp.Approx{Epsilon: max(x, leastEpsilon), Delta: delta} }))
	}
	ways = append(ways,
		least(budget.Basic, uses, delta, near, func(x float64) dp.Loss { return dp.Pure{Epsilon: max(x, leastEpsilon)} }),
		least(budget.ZCDP, uses, delta, near, func(x float64) dp.Loss { return dp.Concentrated{Rho: x, Delta: besideRho(own, delta)} }))
	slices.SortStableFunc(ways, func(a, b Way) int { return cmp.Compare(a.Epsilon, b.Epsilon) })
	return ways, nil
}

func reservation(delta float64, uses []Use) Way {
	loss, err := LeastLoss(delta, uses...)
	if err != nil {
		return Way{Reserved: true, Epsilon: math.Inf(1), Why: err.Error()}
	}
	return Way{Limit: loss, Reserved: true, Epsilon: loss.Epsilon}
}

// least finds the least limit of a kind that takes all the uses, and begins to look
// near a size.
func least(rule budget.Rule, uses []Use, delta, near float64, kind func(float64) dp.Loss) Way {
	w := Way{Rule: rule, Epsilon: math.Inf(1)}
	if parts := dp.PartsOf(kind(1)); parts.Epsilon > 0 && parts.Delta > 0 && rule != budget.Basic {
		w.EventShare = eventShare(rule, uses, delta)
	}
	t := newTrial(w, uses)
	var x float64
	var ok bool
	if rule == budget.Default {
		x, ok = t.leastOfEither(near, kind)
	} else {
		x, ok = leastSize(near, func(x float64) (float64, bool) { return t.tries(t.empty(kind(x))) })
	}
	if !ok {
		w.Why = t.refuses(kind(mostEpsilon))
		return w
	}
	w.Limit, w.Epsilon = kind(x), dp.PartsOf(kind(x)).Epsilon
	w.Exactly = rule == budget.Default && len(uses) > 1 && // of one kind the first charge allows as many as can be
		t.refusesLarger(x, kind)
	if l, ok := w.Limit.(dp.Concentrated); ok {
		w.Epsilon = l.Approx(delta).Epsilon
	}
	return w
}

// larger are factors by which a limit is raised to see whether it still takes the uses.
var larger = []float64{1.02, 1.05, 1.1, 1.2, 1.3, 1.4, 1.6, 1.8, 2, 2.3, 2.6, 3, 3.5, 4, 5, 8}

// A trial asks filters like those of an account whether they take the uses.
type trial struct {
	way    Way
	uses   []Use
	shared *filter.Setup             // of all limits; nil under Default, whose orders depend on the limit
	setups map[float64]*filter.Setup // under Default, by the order of the limit: it remembers prices
}

func newTrial(w Way, uses []Use) *trial {
	t := &trial{way: w, uses: uses, setups: make(map[float64]*filter.Setup)}
	if w.Rule != budget.Default {
		t.shared = filter.NewSetup(filter.Rule(w.Rule), w.EventShare, nil)
	}
	return t
}

// leastOfEither is leastSize under Default, whose first charge chooses one of two filters
// by the limit, so that a larger limit may take less. It looks where each of them begins
// to take the uses, and from there on where it is the one that is chosen.
func (t *trial) leastOfEither(near float64, kind func(float64) dp.Loss) (least float64, ok bool) {
	for _, basic := range []bool{true, false} {
		x, found := leastSize(near, func(x float64) (float64, bool) {
			limit := dp.PartsOf(kind(x))
			setup, star := t.setup(kind(x))
			return t.tries(setup.Becoming(limit.Epsilon, limit.Delta, star, basic), setup)
		})
		if found && t.refuses(kind(x)) != "" {
			x, found = leastSize(x, func(x float64) (float64, bool) { return t.tries(t.empty(kind(x))) })
		}
		if found && (!ok || x < least) {
			least, ok = x, true
		}
	}
	return least, ok
}

// setup returns that of an account with a limit, and the order of its limit.
func (t *trial) setup(limit dp.Loss) (*filter.Setup, float64) {
	if t.shared != nil {
		return t.shared, 0
	}
	var stars map[string]float64
	star, ok := filter.Star(filter.Rule(t.way.Rule), limit)
	if ok {
		stars = map[string]float64{"": star}
	}
	if t.setups[star] == nil {
		t.setups[star] = filter.NewSetup(filter.Rule(t.way.Rule), t.way.EventShare, stars)
	}
	return t.setups[star], star
}

// empty returns the filter of an account with this limit before its first charge.
func (t *trial) empty(limit dp.Loss) (filter.Filter, *filter.Setup) {
	setup, star := t.setup(limit)
	return setup.New(limit, star), setup
}

// refusesLarger reports whether some larger limit under Default does not take the uses. The limits
// share a setup with the orders of all of them, so that each use is priced once.
func (t *trial) refusesLarger(x float64, kind func(float64) dp.Loss) bool {
	stars := make(map[string]float64)
	for _, f := range larger {
		if star, ok := filter.Star(filter.Default, kind(x*f)); ok {
			stars[fmt.Sprint(f)] = star
		}
	}
	setup := filter.NewSetup(filter.Default, t.way.EventShare, stars)
	return slices.ContainsFunc(larger, func(f float64) bool {
		_, why := t.fill(setup.New(kind(x*f), stars[fmt.Sprint(f)]), setup)
		return why != ""
	})
}

// refuses says why an account with this limit refuses the uses, or returns "".
func (t *trial) refuses(limit dp.Loss) string {
	_, why := t.fill(t.empty(limit))
	return why
}

// tries reports whether a filter takes the uses, and the size of what they spend of it.
func (t *trial) tries(f filter.Filter, setup *filter.Setup) (spent float64, ok bool) {
	filled, why := t.fill(f, setup)
	parts := dp.PartsOf(filled.Spent())
	return max(parts.Epsilon, parts.Rho), why == ""
}

// fill adds the uses to a filter, or says why it refuses one of them.
func (t *trial) fill(f filter.Filter, setup *filter.Setup) (filter.Filter, string) {
	for _, u := range t.uses {
		price := setup.Price(&u.Charge)
		if all, ok := filter.FillAll(f, price, int64(u.Times)); ok {
			f = all
			continue
		}
		n, filled := filter.Fill(f, price, int64(u.Times))
		if n == int64(u.Times) {
			f = filled
			continue
		}
		if why := filled.Lacks(price); why != "" {
			return filled, why
		}
		return filled, fmt.Sprintf("of %d uses that cost %v only %d fit under %v", u.Times, u.Charge.Loss, n, f.Limit())
	}
	return f, ""
}

// leastSize returns the least size of five digits from which on limits take something, and
// whether there is one. What is spent of one that does is a good guess at it.
func leastSize(near float64, tries func(float64) (spent float64, ok bool)) (float64, bool) {
	all := make(attempts)
	at := limits.near(near)
	for ; !all.of(at, tries).taken; at = limits.near(16 * limits.size(at)) {
		if limits.size(at) > mostEpsilon {
			return 0, false
		}
	}
	at = all.lower(at, tries)
	enough := func(r rung) bool { return all.of(r, tries).taken }
	for {
		least, ok := limits.least(at, enough)
		if !ok {
			return 0, false
		}
		if enough(least + 1) {
			return limits.size(least), true
		}
		at = least + 1 // what is as large as all of a limit is taken by that one
	}
}

// lower goes from a size that is taken to what is spent of it, as often as that is less. Where nothing
// is, because all of it is a sum of ε, a smaller size tells what less than that sum takes.
func (a attempts) lower(at rung, tries func(float64) (spent float64, ok bool)) rung {
	for sums := 0; sums < 3; {
		next := a.of(at, tries).spent
		if next >= at {
			next, sums = at-1, sums+1
		}
		if next < 0 || !a.of(next, tries).taken {
			break
		}
		at = next
	}
	return at
}

// An attempt is whether a size was enough, and about how much of it was needed.
type attempt struct {
	spent rung
	taken bool
}

// attempts are all that were made, each once.
type attempts map[rung]attempt

func (a attempts) of(r rung, tries func(float64) (spent float64, ok bool)) attempt {
	made, ok := a[r]
	if !ok {
		spent, taken := tries(limits.size(r))
		made = attempt{limits.near(spent), taken}
		a[r] = made
	}
	return made
}

// eventShare returns the part of δ that the events of the uses need for themselves,
// rounded up. Under Default 0 would mean a quarter.
func eventShare(rule budget.Rule, uses []Use, delta float64) float64 {
	sum := ownDelta(uses)
	share := exact.DecimalUp(sum.Quo(sum, exact.Decimal(delta)))
	switch {
	case rule == budget.Default:
		share = max(share, 1e-3)
	case share == 0:
		return 0
	}
	return min(share, 1-0x1p-20)
}

// besideRho returns the δ that a limit of ρ has beside it for the events of the uses: all
// that they need, and none where that leaves nothing of δ for ρ.
func besideRho(own *big.Rat, delta float64) float64 {
	if x := exact.DecimalUp(own); x < delta {
		return x
	}
	return 0
}

// ownDelta returns the sum of the δ of the events of the uses.
func ownDelta(uses []Use) *big.Rat {
	sum := new(big.Rat)
	for _, u := range uses {
		for _, e := range u.Charge.Events {
			if e.Delta != nil {
				n := new(big.Rat).SetInt64(int64(e.Count) * int64(u.Times))
				sum.Add(sum, n.Mul(n, e.Delta))
			}
		}
	}
	return sum
}
