package filter

import (
	"fmt"
	"math"
	"math/big"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/search"
)

// An eventFilter keeps an (ε, δ) limit. Of its δ, one part bounds the sum of the
// δ of events; the other is what a meter may use to convert to ε. It accepts
// while the first sum fits and either all mechanisms so far are pure and their ε
// add up to at most the limit, or the meter still fits.
//
// A charge counts as its events or as its declared loss, whichever fits first,
// and as the same thing in every branch. A first charge that declares the limit
// itself is accepted, and nothing after it. Proof: docs/proofs/filter-default.md,
// Theorem 1.
type eventFilter struct {
	of             dp.Approx
	share          *big.Rat
	epsilon        *big.Rat // limit of pure
	failures       *big.Rat // limit of delta
	pure           *big.Rat // Σε, nil once a mechanism was not pure
	delta          *big.Rat // Σδ
	meter          meter
	setMeter       func(epsilon, conversion float64) meter
	conversionDown float64
}

// A meter adds up one or more kinds of divergence against an (ε, δ) limit.
type meter interface {
	fits(*Part) bool
	add(p *Part, n int64)
	clone() meter
	adopt(meter) meter     // the same limit, and what the other one added
	spent() float64        // least ε at the same δ that would have sufficed, or +Inf
	leftPure() float64     // largest ε of randomised response that fits
	leftRho() float64      // largest ρ that fits
	measures(p *Part) bool // whether the mechanism has a finite divergence
	state() State          // what was added
	restore(*reading)      // the same, read
}

func newEventFilter(l dp.Approx, share *big.Rat, set func(epsilon, conversion float64) meter) *eventFilter {
	f := &eventFilter{share: share, pure: zero, delta: zero, setMeter: set}
	f.setLimit(l)
	return f
}

func (f *eventFilter) setLimit(l dp.Approx) {
	f.of = l
	epsilon, delta, _ := dp.PartsOf(l).Exact()
	f.epsilon = epsilon
	f.failures = new(big.Rat).Mul(delta, f.share)
	f.conversionDown = exact.FloatDown(new(big.Rat).Sub(delta, f.failures))
	m := f.setMeter(exact.FloatDown(epsilon), f.conversionDown)
	if f.meter != nil {
		m = m.adopt(f.meter)
	}
	f.meter = m
}

func (f *eventFilter) Decide(p *Price) Way {
	for _, q := range p.parts() {
		if f.fits(q) {
			return q.way
		}
	}
	if f.isWhole(p) {
		return ByLoss
	}
	return Refused
}

// isWhole says whether a charge is all that the limit allows, by what it declares,
// and the first. Once it is added, Σδ is the δ of the limit, which is more than
// failures, and so nothing fits.
func (f *eventFilter) isWhole(p *Price) bool {
	return p.loss == dp.Loss(f.of) && f.pure != nil && f.pure.Sign() == 0 && f.delta.Sign() == 0
}

func (f *eventFilter) closed() bool { return f.delta.Cmp(f.failures) > 0 }

func (f *eventFilter) fits(q *Part) bool { return f.deltaFits(q) && f.epsilonFits(q) }

func (f *eventFilter) deltaFits(q *Part) bool { return sum(f.delta, q.delta).Cmp(f.failures) <= 0 }

func (f *eventFilter) epsilonFits(q *Part) bool {
	e := sum(f.pure, q.pure)
	return e != nil && e.Cmp(f.epsilon) <= 0 || f.meter.fits(q)
}

// Binds looks at a charge in the way in which less is missing.
func (f *eventFilter) Binds(p *Price) []string {
	events, declared := f.binds(&p.events), f.binds(&p.declared)
	if len(declared) < len(events) {
		return declared
	}
	return events
}

func (f *eventFilter) binds(q *Part) (names []string) {
	if !f.epsilonFits(q) {
		names = append(names, "epsilon")
	}
	if !f.deltaFits(q) {
		names = append(names, "delta")
	}
	return names
}

func (f *eventFilter) Add(p *Price, w Way, n int64) {
	q := p.by(w)
	k := new(big.Rat).SetInt64(n)
	f.delta = settle(sum(f.delta, product(q.delta, k)))
	f.pure = settle(sum(f.pure, product(q.pure, k)))
	f.meter.add(q, n)
}

func (f *eventFilter) Clone() Filter {
	g := *f
	g.meter = f.meter.clone()
	return &g
}

func (f *eventFilter) Raise(l dp.Loss) Filter {
	g := *f
	g.setLimit(l.(dp.Approx))
	return &g
}

func (f *eventFilter) Limit() dp.Loss { return f.of }

// Spent is of the branch that needs less ε: Σε, or what the meter says at its δ. Each of
// them only rises, and so does the lesser (docs/proofs/filter-default.md, section 9).
func (f *eventFilter) Spent() dp.Loss {
	e := exact.Decimal(sixDigits(f.meter.spent(), true))
	if f.pure != nil && (f.closed() || e == nil || f.pure.Cmp(e) <= 0) {
		return lossUp(f.pure, f.delta)
	}
	if e == nil {
		return f.of
	}
	return lossUp(e, new(big.Rat).Add(f.delta, exact.Float(f.conversionDown)))
}

func (f *eventFilter) Left() dp.Loss {
	if f.closed() {
		return nil
	}
	e := exact.Decimal(sixDigits(f.meter.leftPure(), false))
	if f.pure != nil {
		if r := rest(f.epsilon, f.pure); r.Cmp(e) > 0 {
			e = r
		}
	}
	return lossDown(e, rest(f.failures, f.delta))
}

func (f *eventFilter) leftRho() (rho, delta *big.Rat) {
	if f.closed() {
		return zero, zero
	}
	return exact.Decimal(sixDigits(f.meter.leftRho(), false)), rest(f.failures, f.delta)
}

func (f *eventFilter) Lacks(p *Price) string {
	for _, q := range p.parts() {
		if q.delta.Cmp(f.failures) <= 0 && (q.pure != nil || f.meter.measures(q)) {
			return ""
		}
	}
	if p.events.delta.Cmp(f.failures) > 0 {
		return fmt.Sprintf("its events have a δ of their own that is more than the account keeps for such events (Terms.EventShare, %s of δ)", f.share.RatString())
	}
	return "the rule of the account has no measure for this mechanism"
}

// largest returns the largest x in [0, most], nearly, for which fits holds; it
// holds below some point and not above.
func largest(most float64, fits func(float64) bool) float64 {
	if fits(most) {
		return most
	}
	x, _ := search.Edge(0, most, search.Absolute(most*0x1p-60), fits)
	return x
}

// down makes room for the round-off of one more addition.
func down(x float64) float64 { return math.Max(0, x*(1-1e-9)) }
