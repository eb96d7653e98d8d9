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
	// takes all the uses, each under a key of its own, up to a part in a thousand. It
	// is nil if no limit of this kind does. Under [budget.Default] a smaller one may do too:
	// the first charge chooses how all are added up, and what it chooses depends on the limit.
	Rule       budget.Rule
	Limit      dp.Loss
	EventShare float64

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
	case parts.Delta == 0:
		return fmt.Sprintf("%s: %v, which is ε=%.4g at that δ", name, w.Limit, w.Epsilon)
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
	best := reservation(delta, uses)
	near := min(max(best.Epsilon, leastEpsilon), mostEpsilon)
	ways := []Way{best}
	for _, rule := range []budget.Rule{budget.Basic, budget.Default, budget.ZCDP, budget.GDP} {
		ways = append(ways, least(rule, uses, delta, near, func(x float64) dp.Loss { return dp.Approx{Epsilon: x, Delta: delta} }))
	}
	ways = append(ways,
		least(budget.Basic, uses, delta, near, func(x float64) dp.Loss { return dp.Pure{Epsilon: x} }),
		least(budget.ZCDP, uses, delta, near, func(x float64) dp.Loss { return dp.Concentrated{Rho: x} }))
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
	if dp.PartsOf(kind(1)).Delta > 0 && rule != budget.Basic {
		w.EventShare = eventShare(rule, uses, delta)
	}
	takes := func(x float64) bool { return w.refuses(kind(x), uses) == "" }
	x, ok := leastSize(near, takes)
	if !ok {
		w.Why = w.refuses(kind(mostEpsilon), uses)
		return w
	}
	w.Limit = kind(x)
	w.Epsilon = x
	if l, ok := w.Limit.(dp.Concentrated); ok {
		w.Epsilon = l.Approx(delta).Epsilon
	}
	return w
}

// refuses says why an account with this limit refuses the uses, or returns "".
func (w Way) refuses(limit dp.Loss, uses []Use) string {
	star, stars := 0.0, map[string]float64{}
	if order, ok := filter.Star(filter.Rule(w.Rule), limit); ok {
		star, stars = order, map[string]float64{"": order}
	}
	setup := filter.NewSetup(filter.Rule(w.Rule), w.EventShare, stars)
	f := setup.New(limit, star)
	for _, u := range uses {
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
	sum := new(big.Rat)
	for _, u := range uses {
		for _, e := range u.Charge.Events {
			if e.Delta != nil {
				n := new(big.Rat).SetInt64(int64(e.Count) * int64(u.Times))
				sum.Add(sum, n.Mul(n, e.Delta))
			}
		}
	}
	share := exact.DecimalUp(sum.Quo(sum, exact.Decimal(delta)))
	switch {
	case rule == budget.Default:
		share = max(share, 1e-3)
	case share == 0:
		return 0
	}
	return min(share, 1-0x1p-20)
}
