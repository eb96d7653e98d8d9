package budget

import (
	"context"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/filter"
	"github.com/equipoise-dp/equipoise/internal/pld"
)

// Repriced is the history of an account, priced by one accountant.
type Repriced struct {
	Rule     Rule
	Loss     dp.Loss // nil is nothing
	Unpriced bool    // some charges have no price under the rule and are not in Loss

	// Exact is what all charges would amount to, at the δ of Loss, if they had
	// been declared before the first of them: the least ε that is true of their
	// privacy loss distributions. It is information about the history, and no
	// guarantee where charges were chosen after answers. It is nil if the limit
	// has no δ.
	Exact dp.Loss
}

// Reprice prices the whole history by another rule, as if the account had been
// created with it and with no limit. It changes nothing.
func (a *Account) Reprice(ctx context.Context, rule Rule) (Repriced, error) {
	st, err := a.Status(ctx)
	if err != nil {
		return Repriced{}, err
	}
	terms := a.Terms()
	terms.Rule, terms.Parts, terms.Purposes, terms.Period, terms.Analyst = rule, nil, nil, nil, nil
	stars, limit := starsFor(terms), dp.Loss(nil) // stars are those of the true limit
	if !terms.Odometer {
		limit = unlimited(st.Whole.Limit)
	}
	terms.Limit = limit
	if err := terms.Check(); err != nil {
		return Repriced{}, err
	}
	s := newState(terms, stars)
	f := s.filter(scope{kind: scopeAccount})
	out := Repriced{Rule: rule}
	var whole pld.Composition
	for e, err := range a.Entries(ctx) {
		if err != nil {
			return Repriced{}, err
		}
		if e.Kind != KindSpend && e.Kind != KindReserve {
			continue
		}
		p := s.setup.Price(e.Charge)
		w := f.Decide(p)
		if w == filter.Refused {
			out.Unpriced = true
			continue
		}
		f.Add(p, w, 1)
		filter.Compose(&whole, e.Charge)
	}
	out.Loss = f.Spent()
	if delta := dp.PartsOf(limit).Delta; delta > 0 && out.Loss != nil {
		out.Exact = exactAt(&whole, delta)
	}
	return out, nil
}

// unlimited keeps the kind and the δ of a limit.
func unlimited(l dp.Loss) dp.Loss {
	const most = 1e6
	parts := dp.PartsOf(l)
	if parts.Rho > 0 {
		return dp.Concentrated{Rho: most, Delta: parts.Delta}
	}
	return dp.Parts{Epsilon: most, Delta: parts.Delta}.Loss()
}

func exactAt(c *pld.Composition, delta float64) dp.Loss {
	e := c.Epsilon(delta)
	if !(e < 1e300) {
		return nil
	}
	if !(e > 0) {
		return nil
	}
	return dp.Approx{Epsilon: exact.DecimalUp(exact.Float(e)), Delta: delta}
}
