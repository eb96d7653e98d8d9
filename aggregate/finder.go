package aggregate

import (
	"errors"
	"fmt"
	"math"
	"math/big"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/bound"
	"github.com/equipoise-dp/equipoise/internal/calibrate"
	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/sample"
)

// A finder selects groups of which nothing else is asked, and so spends all of the loss
// on which they are. It has either a coin or looks.
type finder struct {
	coin  *coin
	looks []*look
}

// A coin is thrown for every group, for the number of units in it. Where a unit is in
// one group no (ε, δ)-private choice shows more: Desfontaines, Voss, Gipson, Mandayam
// 2022, Theorem 1; docs/proofs/sampler-truncated-geometric.md. Units in several groups
// pay for each.
type coin struct {
	law          *sample.TruncatedGeometric
	event        dp.Event
	half, surely int64 // from how many units on a group is shown with 50 % and 95 %
}

// A look shows the groups whose noisy weight reaches a threshold. A unit gives each of
// its s groups the weight 1/√s, so that it moves all weights together by 1 at most, in
// L2 norm (Gopi, Gulhane, Kulkarni, Shen, Shokouhi, Yekhanin 2020, section 4). What one
// look showed, units forget before the next, and give their weight to what is left
// (Swanberg, Desfontaines, Haney 2023). Proof: docs/proofs/selection.md.
type look struct {
	law   *core.Law
	shift uint  // a weight of 1 is 2^shift steps
	at    int64 // the threshold, in steps
	delta *big.Rat
	event dp.Event
}

// A finder takes two looks, and spends a tenth on the first: it shows what many units
// are in, so that all else counts for more.
var lookShares = []*big.Rat{big.NewRat(1, 10), big.NewRat(9, 10)}

// finder finds groups with the whole loss. It takes a coin or looks, whichever shows
// smaller groups of units that are in as many groups as they may.
func (q question) finder() (*finder, error) {
	epsilon, delta, rho := dp.PartsOf(q.loss).Exact()
	switch {
	case delta.Sign() == 0:
		return nil, fmt.Errorf("aggregate: internal error: no groups are found with %v", q.loss)
	case rho.Sign() > 0:
		looks, err := shareLooks(rho.Add(rho, rho), delta, q.l0)
		return &finder{looks: looks}, err
	}
	coin, errCoin := newCoin(epsilon, delta, q.l0)
	looks, errLooks := newLooks(epsilon, delta, q.l0)
	switch {
	case errCoin != nil && errLooks != nil:
		return nil, errCoin
	case errLooks != nil, errCoin == nil && float64(coin.half) <= looks[1].units()*math.Sqrt(float64(q.l0)):
		return &finder{coin: coin}, nil
	}
	return &finder{looks: looks}, nil
}

// newCoin divides ε and δ among the groups of a unit.
func newCoin(epsilon, delta *big.Rat, l0 int64) (*coin, error) {
	groups := big.NewRat(l0, 1)
	epsilon, delta = new(big.Rat).Quo(epsilon, groups), new(big.Rat).Quo(delta, groups)
	law, err := sample.NewTruncatedGeometric(epsilon, delta)
	if err != nil {
		return nil, fmt.Errorf("aggregate: for each of %d groups: %w", l0, err)
	}
	event := dp.Event{Mechanism: dp.TruncatedGeometric, For: "groups", Epsilon: epsilon, Delta: delta, Count: int(l0)}
	return &coin{law, event, law.Likely(big.NewRat(1, 2)), law.Likely(big.NewRat(95, 100))}, nil
}

// newLooks spends half of δ on noise and half on thresholds.
func newLooks(epsilon, delta *big.Rat, l0 int64) ([]*look, error) {
	half := new(big.Rat).Quo(delta, big.NewRat(2, 1))
	budget := calibrate.FineBudget(epsilon, half)
	if budget == nil {
		return nil, errors.New("aggregate: no Gaussian noise is wide enough to find groups with this loss")
	}
	return shareLooks(budget, half, l0)
}

// shareLooks shares a bound on Σ(L2/σ)², and the δ of thresholds.
func shareLooks(budget, delta *big.Rat, l0 int64) ([]*look, error) {
	var looks []*look
	for i, share := range lookShares {
		l, err := newLook(new(big.Rat).Mul(share, budget), new(big.Rat).Mul(share, delta), l0)
		if err != nil {
			return nil, err
		}
		l.event.For = fmt.Sprintf("groups, look %d", i+1)
		looks = append(looks, l)
	}
	return looks, nil
}

// Weights are rounded down to a step, so steps are fine even where noise does not ask
// for it; but not so fine that 2^33 units could overflow.
const leastFineness, mostFineness = 16, 30

func newLook(budget, delta *big.Rat, l0 int64) (*look, error) {
	change := calibrate.Change{L0: big.NewInt(1), LInf: big.NewInt(1)}
	shift := max(calibrate.Fineness(change.Gaussian(budget)), leastFineness)
	change.LInf.Lsh(change.LInf, shift)
	scale := change.Gaussian(budget)
	if shift > mostFineness || !calibrate.Fits(scale) {
		approx, _ := scale.Float64()
		return nil, fmt.Errorf("aggregate: groups need noise of %.3g units to be found, must be 2^-18 to 2^24; use another loss", math.Ldexp(approx, -int(shift)))
	}
	law, err := calibrate.Law(core.Gaussian, scale)
	if err != nil {
		return nil, fmt.Errorf("aggregate: groups: %w", err)
	}
	l := &look{law: law, shift: shift, delta: delta, event: dp.Event{
		Mechanism: dp.DiscreteGaussian, Scale: law.Scale, Count: 1, Sensitivity: dp.Sensitivity{L0: 1, LInf: change.LInf.Int64()},
	}}
	l.at, err = l.leastThreshold(l0)
	return l, err
}

// weight returns what a unit in s groups gives each of them: 2^shift/√s, rounded down,
// so that the squares add up to 4^shift at most.
func (l *look) weight(s int64) int64 {
	square := new(big.Int).Lsh(big.NewInt(1), 2*l.shift)
	return square.Sqrt(square.Quo(square, big.NewInt(s))).Int64()
}

// leastThreshold returns the threshold that a unit passes with a probability of at most
// delta in all its groups together, if it is alone in them, however many it is in.
// Where they are many, it is taken to give each a little more than it does.
func (l *look) leastThreshold(l0 int64) (at int64, err error) {
	const few = 200
	for s := int64(1); s <= min(l0, few+1); s++ {
		alone := s
		if s > few {
			alone = l0
		}
		each := exact.FloatDown(new(big.Rat).Quo(l.delta, big.NewRat(alone, 1)))
		if each < calibrate.LeastTail {
			return 0, fmt.Errorf("aggregate: delta for each of %d groups is %.3g, must be at least %g for a threshold; use a larger delta or a smaller MaxGroups", l0, each, calibrate.LeastTail)
		}
		at = max(at, l.weight(s)+calibrate.Tail(l.law, each))
	}
	return at, nil
}

// units returns the threshold in units that are in one group each.
func (l *look) units() float64 { return math.Ldexp(float64(l.at), -int(l.shift)) }

func (l *look) passes(noisy int64) bool { return core.Noiseless() || noisy >= l.at }

// events lists what finding costs.
func (f *finder) events() []dp.Event {
	if f.coin != nil {
		return []dp.Event{f.coin.event.Clone()}
	}
	var events []dp.Event
	for _, l := range f.looks {
		threshold := dp.Event{Mechanism: dp.Threshold, For: l.event.For, Delta: l.delta, Count: 1}
		events = append(events, l.event.Clone(), threshold.Clone())
	}
	return events
}

// threshold returns from how many units on a group is shown half of the time, and 95 %
// of the time, if these are in no other group.
func (f *finder) threshold() (units, surely float64) {
	if f.coin != nil {
		return float64(f.coin.half), float64(f.coin.surely)
	}
	last := f.looks[len(f.looks)-1]
	return last.units(), math.Ceil(last.units() + math.Ldexp(last.law.HalfWidth(0.9), -int(last.shift)))
}

// noise names what groups are found with.
func (f *finder) noise() string {
	if f.coin != nil {
		return string(dp.TruncatedGeometric)
	}
	return string(dp.DiscreteGaussian)
}

// String says how groups are found, for price lists.
func (f *finder) String() string {
	units, surely := f.threshold()
	if f.coin != nil {
		return fmt.Sprintf("\nnothing but groups is asked: one coin for each\na group shows half of the time from %.0f units on, 95 %% of the time from %.0f\n", units, surely)
	}
	return fmt.Sprintf("\nnothing but groups is asked: two looks, each at what the one before did not show\na unit counts 1/√s in each of its s groups, and a group shows from a noisy %s on: 95 %% of the time from %.0f on\n", short(units), surely)
}

func (f *finder) receipts() []ReceiptMeasure {
	if f.coin != nil {
		e := f.coin.event
		return []ReceiptMeasure{{Name: e.For, Mechanism: e.Mechanism, Epsilon: e.Epsilon.RatString(), Draws: e.Count}}
	}
	var lines []ReceiptMeasure
	for _, l := range f.looks {
		lines = append(lines, ReceiptMeasure{
			Name: l.event.For, Mechanism: l.event.Mechanism, Scale: l.law.Scale.RatString(), Sensitivity: l.event.Sensitivity,
			StdDev: math.Ldexp(l.law.StdDev(), -int(l.shift)),
		})
	}
	return lines
}

// A unit brings so many times its groups into a look that there are enough left for the
// next one, and not all of them, so that no unit fills the memory.
const (
	spares    = 8
	leastKept = 64
)

func (p *Plan[Row, Unit, Group]) caps() bound.Caps {
	if p.finder != nil {
		return bound.Caps{Keys: max(leastKept, p.maxGroups*spares, p.maxGroups), Rows: 1}
	}
	return bound.Caps{Keys: p.maxGroups, Rows: p.maxRows}
}
