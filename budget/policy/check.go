package policy

import (
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// check returns every mistake of what fields mean together. A document that is on record is
// held to these rules for ever, so there will be no more of them: later ones are in [Policy.checkNew].
func (p *Policy) check() []error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf("policy: "+format, args...)) }
	n := p.People
	if n.AtMost < n.AtLeast {
		fail("people.at_most is %d, must be at least people.at_least, which is %d", n.AtMost, n.AtLeast)
	}
	if (n.Known == "") == (n.Paid == "") {
		fail("people has %q as stated_by and %q as paid_under, must have one: who states the number, or the request key that paid for it", n.Known, n.Paid)
	}
	if dp.ProtectionOf(p.Largest) == dp.Nobody {
		fail("largest is %v, which protects nobody; ε must be at most 10, and up to 1 is usual; δ must be below 0.01", p.Largest)
	}
	if p.bares(p.Largest) {
		fail("largest has a δ of %v, and people.at_most is %d: it protects not all of them; δ must be at most a tenth of one in so many", dp.PartsOf(p.Largest).Delta, n.AtMost)
	}
	if len(p.Purposes) == 0 {
		fail("purposes is empty, which allows nothing; name a purpose")
	}
	for _, name := range slices.Sorted(maps.Keys(p.Purposes)) {
		errs = append(errs, p.Purposes[name].check(name, p)...)
	}
	return errs
}

// checkNew returns the mistakes that no new document may have, and that one on record can.
func (p *Policy) checkNew() []error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(p.Purposes)) {
		limit := p.Purposes[name].Limit
		fail := func(rule string) {
			errs = append(errs, fmt.Errorf("policy: purposes[%q].limit is %v, which protects nobody; %s", name, limit, rule))
		}
		switch {
		case limit == nil:
		case dp.ProtectionOf(limit) == dp.Nobody:
			fail("ε must be at most 10, also of all releases together, and δ must be below 0.01")
		case p.bares(limit):
			fail(fmt.Sprintf("people.at_most is %d, and δ must be at most a tenth of one in so many", p.People.AtMost))
		}
	}
	return errs
}

// bares reports whether a δ is more than a tenth of one of the people.
func (p *Policy) bares(l dp.Loss) bool {
	d := exact.Decimal(dp.PartsOf(l).Delta)
	return d.Mul(d, big.NewRat(10, 1)).Mul(d, new(big.Rat).SetInt64(int64(p.People.AtMost))).Cmp(big.NewRat(1, 1)) > 0
}

func (u Purpose) check(name string, p *Policy) []error {
	var errs []error
	fail := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("policy: purposes[%q]"+format, append([]any{name}, args...)...))
	}
	for _, c := range slices.Sorted(maps.Keys(u.Columns)) {
		if b := u.Columns[c]; b.Lower.Cmp(b.Upper) >= 0 {
			fail(".columns[%q] has lower %v, must be below upper, which is %v", c, b.shown(b.Lower), b.shown(b.Upper))
		}
	}
	if u.Until.Before(p.On) {
		fail(".until is before decided_on, so it was never allowed; give a later day, or leave the purpose out")
	}
	if p.LeastGroup > 0 && u.Keys != KeysSelected {
		fail(".keys is %q and least_group is %d; groups that are given are shown however few are in them: must be %q", u.Keys, p.LeastGroup, KeysSelected)
	}
	if u.Limit != nil && dp.PartsOf(u.Limit).Rho > 0 {
		fail(".limit is %v, must be an ε, or an ε and a δ: what a purpose spends is added up as it is declared", u.Limit)
	}
	if u.Keys == KeysSelected && dp.PartsOf(p.Largest).Delta == 0 {
		fail(".keys is %q, which costs a δ, and largest has none; give it one", u.Keys)
	}
	return errs
}
