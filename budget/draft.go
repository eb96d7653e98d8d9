package budget

import (
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/filter"
)

// A draft is what a state would become: filters that were touched are copies,
// so that it can be thrown away.
type draft struct {
	*state
	touched map[scope]filter.Filter
	added   map[string]int // request keys that are in the draft
	drawn   map[*plan]plan // plans that were touched
	planned []*plan        // plans that are new
	records []Record
	paid    []*paid
	keeping map[uint64]kept // releases that are in the draft, by what paid
	last    digest

	bought   []purchase
	refusals int     // refusals that stand last
	settles  *digest // of the checkpoint that the draft is, or nil
}

func (s *state) draft() *draft {
	return &draft{state: s, touched: map[scope]filter.Filter{}, last: s.last, refusals: s.refused}
}

// look returns the filter of a scope as the draft has it, not to be changed.
func (d *draft) look(sc scope) filter.Filter {
	if f := d.touched[sc]; f != nil {
		return f
	}
	return d.filter(sc)
}

// touch returns the filter of a scope, to be changed.
func (d *draft) touch(sc scope) filter.Filter {
	f := d.touched[sc]
	if f == nil {
		f = d.filter(sc).Clone()
		d.touched[sc] = f
	}
	return f
}

// decide returns nil if the request can be added to the draft, or was paid.
func (d *draft) decide(r *request, account string) error {
	if old, ok := d.keys[r.charge.Key]; ok {
		_, err := old.payment(account, r)
		return err
	}
	_, _, err := d.ways(r)
	return err
}

// ways returns how each scope of the request would take it.
func (d *draft) ways(r *request) ([]scope, []filter.Way, error) {
	if d.frozen != "" {
		return nil, nil, d.refuseFrozen(r.charge)
	}
	if err := d.allowed(r); err != nil {
		return nil, nil, err
	}
	return d.amounts(r)
}

// amounts returns how each scope of the request would take it, by what it costs.
func (d *draft) amounts(r *request) ([]scope, []filter.Way, error) {
	scopes, err := d.scopesOf(r.charge)
	if err != nil {
		return nil, nil, err
	}
	if r.from != nil {
		return scopes, []filter.Way{byPlan}, d.mayDraw(r)
	}
	filters := make([]filter.Filter, len(scopes))
	for i, sc := range scopes {
		filters[i] = d.look(sc)
	}
	took, err := d.take(r, scopes, filters)
	return scopes, took, err
}

// take returns how filters, which are those of the scopes, would take a request.
func (d *draft) take(r *request, scopes []scope, filters []filter.Filter) ([]filter.Way, error) {
	took := make([]filter.Way, len(filters))
	for i, f := range filters {
		if took[i] = f.Decide(r.price); took[i] == filter.Refused {
			return nil, d.refusal(r, scopes[i], f, filters)
		}
	}
	return took, nil
}

func (s *state) refuseFrozen(c *dp.Charge) *RefusedError {
	e := s.terms.refuse(scope{kind: scopeAccount}, c, s.frozen)
	e.Frozen = true
	return e
}

// refusal says why the filter f, of scope sc, refuses a request; filters are those of all its scopes.
func (d *draft) refusal(r *request, sc scope, f filter.Filter, filters []filter.Filter) *RefusedError {
	e := d.terms.refuse(sc, r.charge, f.Lacks(r.price))
	e.Limit, e.Spent, e.Left, e.Binds = f.Limit(), f.Spent(), f.Left(), f.Binds(r.price)
	e.Fits = d.setup.LargestFit(r.charge.Loss, filters)
	return e
}

// commit makes the draft the state. The caller holds the state's lock.
func (d *draft) commit() {
	s := d.state
	for sc, f := range d.touched {
		s.setFilter(sc, f)
	}
	for p, left := range d.drawn {
		*p = left
		s.since.draw(p.seq)
	}
	for _, p := range d.planned {
		s.addPlan(p)
	}
	for key, i := range d.added {
		s.add(key, d.paid[i])
	}
	for seq, k := range d.keeping {
		s.addKept(s.entries[seq], k)
	}
	for _, p := range d.bought {
		s.buy(p)
	}
	if d.settles != nil {
		s.settle(s.next, *d.settles)
	}
	s.refused = d.refusals
	s.next += uint64(len(d.records))
	s.last = d.last
}
