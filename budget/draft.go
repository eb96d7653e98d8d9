package budget

import (
	"maps"
	"slices"

	"github.com/equipoise-dp/equipoise/dp"
)

// A draft is what a state would become: filters that were touched are copies,
// so that it can be thrown away.
type draft struct {
	*state
	touched map[scope]filter
	added   map[string]int // request keys that are in the draft
	drawn   map[*plan]plan // plans that were touched
	planned []*plan        // plans that are new
	records []Record
	paid    []paid
	last    digest
}

func (s *state) draft() *draft {
	return &draft{state: s, touched: map[scope]filter{}, last: s.last}
}

// look returns the filter of a scope as the draft has it, not to be changed.
func (d *draft) look(sc scope) filter {
	if f := d.touched[sc]; f != nil {
		return f
	}
	return d.filter(sc)
}

// touch returns the filter of a scope, to be changed.
func (d *draft) touch(sc scope) filter {
	f := d.touched[sc]
	if f == nil {
		f = d.filter(sc).clone()
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
func (d *draft) ways(r *request) ([]scope, []way, error) {
	if d.frozen != "" {
		return nil, nil, d.refuseFrozen(r.charge)
	}
	scopes, err := d.terms.scopesOf(r.charge)
	if err != nil {
		return nil, nil, err
	}
	if r.from != nil {
		return scopes, []way{byPlan}, d.mayDraw(r)
	}
	took := make([]way, len(scopes))
	for i, sc := range scopes {
		f := d.look(sc)
		if took[i] = f.decide(r.price); took[i] == refused {
			return nil, nil, d.refusal(r, sc, f, scopes)
		}
	}
	return scopes, took, nil
}

func (s *state) refuseFrozen(c *dp.Charge) *RefusedError {
	e := s.terms.refuse(scope{kind: scopeAccount}, c, s.frozen)
	e.Frozen = true
	return e
}

func (d *draft) refusal(r *request, sc scope, f filter, scopes []scope) *RefusedError {
	e := d.terms.refuse(sc, r.charge, f.lacks(r.price))
	e.Limit, e.Spent, e.Left = f.limit(), f.spent(), f.left()
	filters := make([]filter, len(scopes))
	for i, sc := range scopes {
		filters[i] = d.look(sc)
	}
	e.Fits = largestFit(r.charge.Loss, filters, d.orders)
	return e
}

// largestFit returns a loss of the kind of asked, or one without δ, that every
// filter takes. It is the largest up to rounding.
func largestFit(asked dp.Loss, filters []filter, orders []float64) dp.Loss {
	fit := asked
	for _, f := range filters {
		if fit = smaller(fit, f); fit == nil {
			return nil
		}
	}
	for shrink := 0x1p-52; shrink < 1; shrink *= 4 {
		if fitsAll(fit, filters, orders) {
			return fit
		}
		fit = scaled(fit, 1-shrink)
	}
	return nil
}

func fitsAll(l dp.Loss, filters []filter, orders []float64) bool {
	p := lossPrice(l, orders)
	return !slices.ContainsFunc(filters, func(f filter) bool { return f.decide(p) == refused })
}

// lossPrice is the price of a charge of which only the loss is known.
func lossPrice(l dp.Loss, orders []float64) *price {
	p := lossPart(l, orders)
	return &price{loss: l, declared: p, events: p}
}

// commit makes the draft the state. The caller holds the state's lock.
func (d *draft) commit() {
	s := d.state
	maps.Copy(s.filters, d.touched)
	for p, left := range d.drawn {
		*p = left
	}
	for _, p := range d.planned {
		s.plans[p.seq] = p
	}
	for key, i := range d.added {
		s.keys[key] = d.paid[i]
	}
	s.next += uint64(len(d.records))
	s.last = d.last
}
