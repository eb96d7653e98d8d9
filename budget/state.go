package budget

import (
	"fmt"
	"slices"
	"time"

	"github.com/equipoise-dp/equipoise/budget/policy"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/filter"
)

// A state is the sum of all records so far. It is what decides.
type state struct {
	setup   *filter.Setup
	terms   Terms
	stars   map[string]float64
	next    uint64 // number of the next record
	last    digest // hash of the last one
	keys    map[string]*paid
	entries map[uint64]*paid // the same, by number
	filters map[scope]filter.Filter
	plans   map[uint64]*plan
	frozen  string // why, or ""
	refused int    // refusals that stand last
	limits  map[scope]dp.Loss

	policy *InForce           // or nil; what it points to never changes
	bought map[purchase]int64 // what each purpose has paid for, and how often

	checkpoint    uint64  // number of the last checkpoint, or 0
	checkpointSum digest  // that it has
	since         changes // after it
	old           *index  // of what was before the checkpoint that was opened, or nil
}

// paid is what a request key was paid with.
type paid struct {
	seq   uint64
	hash  digest // of the record
	asked asked
	facts digest // of format 1, whose charges do not say what they ask
	at    time.Time
	whole bool   // a reservation, which pays for draws and for no release of its own
	units string // what it counts all of, if it does
	early bool   // of format 1: a release without a digest may stand beside it
	kept  kept
}

// payment answers a request whose key was paid.
func (p *paid) payment(account string, r *request) (dp.Payment, error) {
	if !p.answers(r.charge, r.asked) || p.whole != r.reserve {
		return dp.Payment{}, &keyReused{account: account, key: r.charge.Key, entry: p.seq}
	}
	return dp.Payment{Account: account, Entry: p.seq, At: p.at, Hash: p.hash}, nil
}

func newState(t Terms, stars map[string]float64) *state {
	return &state{
		terms: t.clone(), stars: stars,
		keys: map[string]*paid{}, entries: map[uint64]*paid{}, filters: map[scope]filter.Filter{}, plans: map[uint64]*plan{},
		limits: t.limits(), setup: filter.NewSetup(filter.Rule(t.Rule), t.EventShare, stars),
	}
}

// starsFor returns the order with most weight for every limit of the terms.
func starsFor(t Terms) map[string]float64 {
	stars := map[string]float64{}
	for sc, l := range t.limits() {
		if a, ok := filter.Star(filter.Rule(t.Rule), l); ok {
			stars[sc.String()] = a
		}
	}
	return stars
}

// filter returns the filter of a scope, empty if nothing was spent there.
func (s *state) filter(sc scope) filter.Filter {
	if f := s.filters[sc]; f != nil {
		return f
	}
	t := sc.template()
	return s.setup.New(s.limits[t], s.stars[t.String()]) // of no limit, an odometer
}

// apply adds a record that is durable. It does not decide again.
func (s *state) apply(r *record, hash digest) error {
	var err error
	switch r.Kind {
	case KindSpend, KindReserve:
		err = s.applySpend(r, hash)
	case KindDraw:
		err = s.applyDraw(r, hash)
	case KindKeep:
		err = s.applyKeep(r)
	case KindRaise:
		err = s.applyRaise(r)
	case KindFreeze:
		s.frozen = r.Reason
	case KindThaw:
		s.frozen = ""
	case KindRefuse:
		if s.refused >= s.terms.Refusals {
			err = fmt.Errorf("%w: record %d keeps a refusal, and the terms keep %d between other records", ErrTampered, r.Seq, s.terms.Refusals)
		}
	case KindPolicy:
		err = s.applyPolicy(r)
	case KindWithdraw:
		err = s.applyWithdraw(r)
	case KindOutside: // costs nothing, and decides nothing
	case KindCheckpoint:
		err = s.applyCheckpoint(r)
	case KindCreate:
		if r.Seq != 0 {
			err = fmt.Errorf("%w: record %d creates an account that is there", ErrTampered, r.Seq)
		}
	default:
		err = fmt.Errorf("%w: record %d is of kind %q, which is not known", ErrTampered, r.Seq, r.Kind)
	}
	if err != nil {
		return err
	}
	s.refused = refusalsAfter(s.refused, r.Kind)
	s.next, s.last = r.Seq+1, hash
	return nil
}

func (s *state) applySpend(r *record, hash digest) error {
	c, err := r.charge()
	if err != nil {
		return err
	}
	scopes, err := s.scopesOf(c)
	took := withPolicy(scopes, r.Took)
	if err != nil || len(scopes) != len(took) {
		return fmt.Errorf("%w: record %d has a charge that the terms do not allow", ErrTampered, r.Seq)
	}
	if slices.ContainsFunc(r.Took, func(w filter.Way) bool { return !w.Takes() }) {
		return fmt.Errorf("%w: record %d has a charge that no rule accepted", ErrTampered, r.Seq)
	}
	p := s.setup.Price(c)
	for i, sc := range scopes {
		f := s.filter(sc)
		f.Add(p, took[i], 1)
		s.setFilter(sc, f)
	}
	s.buy(purchase{c.Purpose, c.Loss})
	if r.Kind == KindReserve {
		s.addPlan(newPlan(r.Seq, c))
	}
	return s.pay(r, c, hash)
}

func (s *state) pay(r *record, c *dp.Charge, hash digest) error {
	if old, ok := s.paidIn(c.Key); ok {
		return fmt.Errorf("%w: records %d and %d are for the same request key", ErrTampered, old, r.Seq)
	}
	p, err := s.newPaid(r, c, hash)
	if err != nil {
		return err
	}
	s.add(c.Key, p)
	return nil
}

// newPaid returns what a record paid.
func (s *state) newPaid(r *record, c *dp.Charge, hash digest) (*paid, error) {
	at, err := r.time()
	if err != nil {
		return nil, err
	}
	p := &paid{seq: r.Seq, hash: hash, asked: askedBy(c, r.Charge), at: at, whole: r.Kind == KindReserve, early: r.Version < 2, units: s.counts(c, r.Kind == KindReserve)}
	if p.early {
		p.facts = facts(c)
	}
	return p, nil
}

// counts returns what a charge counts all of, or "": a part of the dataset is not all, and a
// reservation is no release.
func (s *state) counts(c *dp.Charge, reserves bool) string {
	if reserves || c.Dataset != s.terms.Dataset || !policy.CountsUnits(c) {
		return ""
	}
	return c.Unit
}

// paidIn returns the number of the record that paid for a key, also of one that is not
// read yet.
func (s *state) paidIn(key string) (uint64, bool) {
	if p, ok := s.keys[key]; ok {
		return p.seq, true
	}
	return s.old.find(key)
}

func (s *state) add(key string, p *paid) {
	s.know(key, p)
	s.since.keys = append(s.since.keys, indexed{hashOf([]byte(key)), p.seq, p.hash})
}

// know adds what a checkpoint has already.
func (s *state) know(key string, p *paid) { s.keys[key], s.entries[p.seq] = p, p }

func (s *state) addKept(p *paid, k kept) {
	p.kept = k
	s.since.kept = append(s.since.kept, indexedKept{p.seq, k})
}

func (s *state) setFilter(sc scope, f filter.Filter) {
	s.filters[sc] = f
	s.since.touch(sc)
}

func (s *state) addPlan(p *plan) {
	s.plans[p.seq] = p
	s.since.draw(p.seq)
}

func (s *state) applyRaise(r *record) error {
	l, err := dp.UnmarshalLoss(r.Limit)
	if err != nil {
		return fmt.Errorf("%w: record %d: %w", ErrTampered, r.Seq, err)
	}
	sc := scope{kind: scopeAccount}
	if err := mayRaise(s.limits[sc], l); err != nil {
		return fmt.Errorf("%w: record %d: %w", ErrTampered, r.Seq, err)
	}
	s.setFilter(sc, s.filter(sc).Raise(l))
	s.limits[sc] = l
	return nil
}
