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
	"github.com/equipoise-dp/equipoise/internal/search"
)

// A Way is one kind of account that could pay for a list of uses.
type Way struct {
	// Rule, Limit and EventShare are for [budget.Terms]. Limit is the least that
	// takes all the uses, each under a key of its own, up to a part in a thousand; under
	// [budget.Default] up to one in a hundred. It is nil if no limit of this kind does.
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
		ways = append(ways, least(rule, uses, delta, near, func(x float64) dp.Loss { return dp.Approx{Epsilon: x, Delta: delta} }))
	}
	ways = append(ways,
		least(budget.Basic, uses, delta, near, func(x float64) dp.Loss { return dp.Pure{Epsilon: x} }),
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
	takes := func(x float64) bool { return t.refuses(kind(x)) == "" }
	var x float64
	var ok bool
	if rule == budget.Default {
		x, ok = t.leastOfEither(near, kind)
	} else {
		x, ok = leastSize(near, takes)
	}
	if !ok {
		w.Why = t.refuses(kind(mostEpsilon))
		return w
	}
	w.Limit, w.Epsilon = kind(x), x
	w.Exactly = rule == budget.Default && slices.ContainsFunc(larger, func(f float64) bool { return !takes(x * f) })
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
	shared *filter.Setup // of all limits; nil under Default, whose orders depend on the limit
}

func newTrial(w Way, uses []Use) *trial {
	t := &trial{way: w, uses: uses}
	if w.Rule != budget.Default {
		t.shared = filter.NewSetup(filter.Rule(w.Rule), w.EventShare, nil)
	}
	return t
}

// leastOfEither is leastSize under Default, whose first charge chooses one of two filters
// by the limit, so that a larger limit may take less. It looks where each of them begins
// to take the uses, and from there on where it is the one that is chosen.
func (t *trial) leastOfEither(near float64, kind func(float64) dp.Loss) (least float64, ok bool) {
	takes := func(x float64) bool { return t.refuses(kind(x)) == "" }
	for _, basic := range []bool{true, false} {
		x, found := leastSize(near, func(x float64) bool {
			limit := dp.PartsOf(kind(x))
			setup, star := t.setup(kind(x))
			return t.fill(setup.Becoming(limit.Epsilon, limit.Delta, star, basic), setup, kind(x)) == ""
		})
		if found && !takes(x) {
			x, found = leastSize(x, takes)
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
	star, ok := filter.Star(filter.Rule(t.way.Rule), limit)
	if !ok {
		return filter.NewSetup(filter.Rule(t.way.Rule), t.way.EventShare, nil), 0
	}
	return filter.NewSetup(filter.Rule(t.way.Rule), t.way.EventShare, map[string]float64{"": star}), star
}

// refuses says why an account with this limit refuses the uses, or returns "".
func (t *trial) refuses(limit dp.Loss) string {
	setup, star := t.setup(limit)
	return t.fill(setup.New(limit, star), setup, limit)
}

func (t *trial) fill(f filter.Filter, setup *filter.Setup, limit dp.Loss) string {
	for _, u := range t.uses {
		price := setup.Price(&u.Charge)
		n, filled := filter.Fill(f, price, int64(u.Times))
		if n == int64(u.Times) {
			f = filled
			continue
		}
		if why := filled.Lacks(price); why != "" {
			return why
		}
		return fmt.Sprintf("of %d uses that cost %v only %d fit under %v", u.Times, u.Charge.Loss, n, limit)
	}
	return ""
}

// leastSize returns the least size from which on limits take something, rounded up to
// five digits, and whether there is one.
func leastSize(near float64, takes func(float64) bool) (float64, bool) {
	low, high := near, near
	for ; !takes(high); low, high = high, 2*high {
		if high > mostEpsilon {
			return 0, false
		}
	}
	for low == high && low > leastEpsilon {
		if low /= 2; takes(low) {
			high = low
		}
	}
	high, _ = search.Edge(high, low, search.Relative(1e-6), takes)
	for high = upTo5(high); !takes(high); high = upTo5(high * (1 + 1e-5)) {
	}
	if unit := math.Pow(10, math.Floor(math.Log10(high))-4); takes(upTo5(high - unit*1.5)) {
		return upTo5(high - unit*1.5), true
	}
	return high, true
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
