package policy

import (
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// check returns every mistake of what fields mean together.
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
	if d := exact.Decimal(dp.PartsOf(p.Largest).Delta); new(big.Rat).Mul(d, big.NewRat(10*int64(n.AtMost), 1)).Cmp(big.NewRat(1, 1)) > 0 {
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

func (u Purpose) check(name string, p *Policy) []error {
	var errs []error
	fail := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("policy: purposes[%q]"+format, append([]any{name}, args...)...))
	}
	for _, c := range slices.Sorted(maps.Keys(u.Columns)) {
		if b := u.Columns[c]; b.Lower.Cmp(b.Upper) >= 0 {
			fail(".columns[%q] has lower %v, must be below upper, which is %v", c, decimal(b.Lower), decimal(b.Upper))
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
