package policy

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
)

// Facts are what a decision depends on beside the charge and the document: all of it
// stands in the ledger.
type Facts struct {
	Day       time.Time                      // on which it is asked
	Withdrawn []string                       // purposes that were withdrawn
	Paid      func(key string) (unit string) // what a request key was paid to count all of, by [CountsUnits]; empty if it was not
	Reserved  *dp.Charge                     // what the charge is drawn from, if it is
	Reserves  bool                           // the charge pays for releases that are asked for one by one later; what it states of them must be allowed; its size is that of all, and no release has it, but of a series or an alert each
}

// Refuses returns every reason why the policy does not allow a charge, and none if it
// does. It depends on no row. It does not add up what purposes have spent: an account
// does.
func (p *Policy) Refuses(c *dp.Charge, f Facts) []string {
	d := &decision{p: p, c: c}
	u, known := p.Purposes[c.Purpose]
	switch {
	case slices.Contains(f.Withdrawn, c.Purpose):
		d.refuse("purpose %q was withdrawn", c.Purpose)
	case !known:
		d.refuse("purpose %q is none of the policy's", c.Purpose)
	default:
		d.purpose(u, f.Day)
	}
	if key := p.People.Paid; key != "" && !p.pays(c, f) {
		d.refuse("that there are at least %d is to be paid for first, under request key %q, by a number of all units without groups", p.People.AtLeast, key)
	}
	if !f.Reserves || c.States != nil && c.States.Step != "" { // the parts of a series have the size of the whole
		d.size()
	}
	switch {
	case c.States != nil && known:
		d.reads(u, f.Reserved)
	case c.States == nil && !f.Reserves:
		d.refuse("it does not say what it reads (dp.Charge.States); a plan of package aggregate says so")
	}
	return d.reasons
}

// pays reports whether the number of units was paid for, or is paid for by this charge.
func (p *Policy) pays(c *dp.Charge, f Facts) bool {
	if p.People.Paid == c.Key && !f.Reserves && c.Dataset == p.Dataset && c.Unit == p.Unit && CountsUnits(c) {
		return true
	}
	return f.Paid != nil && f.Paid(p.People.Paid) == p.Unit
}

type decision struct {
	p       *Policy
	c       *dp.Charge
	reasons []string
}

func (d *decision) refuse(format string, args ...any) {
	d.reasons = append(d.reasons, fmt.Sprintf(format, args...))
}

func (d *decision) purpose(u Purpose, day time.Time) {
	if day = day.UTC().Truncate(24 * time.Hour); day.After(u.Until) {
		d.refuse("purpose %q ended on %s", d.c.Purpose, u.Until.Format(time.DateOnly))
	}
	switch {
	case d.c.Analyst == "":
		d.refuse("it does not say who asks")
	case !slices.Contains(u.Askers, d.c.Analyst):
		d.refuse("%q may not ask for purpose %q", d.c.Analyst, d.c.Purpose)
	case d.p.Authenticated && (d.c.States == nil || !d.c.States.Authenticated):
		d.refuse("nobody vouches that %q asks; the service must give the account a budget.Authenticator", d.c.Analyst)
	}
}

// size compares a release with the largest that is allowed.
func (d *decision) size() {
	if !within(dp.PartsOf(d.c.Loss), dp.PartsOf(d.p.Largest)) {
		d.refuse("%v is more than %v, the largest of one release", d.c.Loss, d.p.Largest)
	}
}

// within reports whether a loss is at most another. A ρ counts as the ε that it implies at
// the larger δ, and where the most is a ρ, an ε as the ρ that it implies.
func within(asked, most dp.Parts) bool {
	switch {
	case most.Rho > 0:
		return asked.Delta <= most.Delta && rhoOf(asked) <= most.Rho
	case asked.Rho > 0 && most.Delta > 0:
		asked = dp.PartsOf(dp.Concentrated{Rho: asked.Rho, Delta: asked.Delta}.Approx(most.Delta))
	case asked.Rho > 0:
		return false
	}
	return asked.Epsilon <= most.Epsilon && asked.Delta <= most.Delta
}

// rhoOf returns the ρ of a loss, whatever its δ: ε-differential privacy is ε²/2-concentrated
// (Bun, Steinke 2016, Proposition 1.4).
func rhoOf(p dp.Parts) float64 {
	if p.Rho > 0 {
		return p.Rho
	}
	return p.Epsilon * p.Epsilon / 2
}

// reads compares what a question reads with what the purpose may.
func (d *decision) reads(u Purpose, reserved *dp.Charge) {
	s := d.c.States
	if d.c.Unit != d.p.Unit {
		d.refuse("the question protects every %q, and the policy every %q", d.c.Unit, d.p.Unit)
	}
	if s.Event && !d.p.Event {
		d.refuse("the question protects one %s as an event, and the policy whoever is behind all of theirs", d.c.Unit)
	}
	for _, c := range s.Columns {
		d.column(c, u)
	}
	d.groups(s, u)
	if s.Step != "" && !stepUnsaid(reserved) {
		d.periods(s.Step, u)
	}
	want := u.Consent
	if want == ConsentNone {
		want = ""
	}
	if want != "" && s.Consent != want {
		d.refuse("consent must be %s, and the question has %s", want, orNone(s.Consent))
	}
	if r := d.p.RetainDays; r > 0 && (s.RetainDays <= 0 || s.RetainDays > r) {
		d.refuse("rows are kept for %d days, and the question reads %s", r, span(s.RetainDays))
	}
	if len(d.p.Modules) > 0 && !slices.Contains(d.p.Modules, s.Module) {
		d.refuse("version %q of the library may not ask; %q may", s.Module, d.p.Modules)
	}
}

func (d *decision) column(c dp.StatedColumn, u Purpose) {
	b, ok := u.Columns[c.Name]
	if !ok {
		d.refuse("column %q is none that purpose %q may read", c.Name, d.c.Purpose)
		return
	}
	if !u.Allows(c) {
		d.refuse("column %q is read with bounds [%s, %s], must be within [%v, %v]", c.Name, b.stated(c.Lower), b.stated(c.Upper), b.shown(b.Lower), b.shown(b.Upper))
	}
}

// stated writes a bound of a statement as the document would.
func (b Bounds) stated(text string) any {
	if x := number(text); x != nil && x.IsInt() {
		return b.shown(x)
	}
	return text
}

// Allows reports whether the purpose may read a column, with the bounds that it is read with.
func (u Purpose) Allows(c dp.StatedColumn) bool {
	b, ok := u.Columns[c.Name]
	lower, upper := number(c.Lower), number(c.Upper)
	return ok && lower != nil && upper != nil && lower.Cmp(b.Lower) >= 0 && upper.Cmp(b.Upper) <= 0
}

func (d *decision) groups(s *dp.Statement, u Purpose) {
	if !s.Grouped {
		return
	}
	switch {
	case !slices.Contains(u.Groups, s.Groups):
		d.refuse("groups by %q are none that purpose %q may have", s.Groups, d.c.Purpose)
	case u.Keys == KeysGiven && !s.KeysGiven:
		d.refuse("purpose %q needs groups that are given, and these are selected", d.c.Purpose)
	case u.Keys == KeysSelected && s.KeysGiven:
		d.refuse("purpose %q needs groups that are selected, and these are given", d.c.Purpose)
	case d.p.LeastGroup > s.LeastGroup:
		d.refuse("groups of fewer than %d must not be shown, and the question shows those from %d on", d.p.LeastGroup, s.LeastGroup)
	}
}

// periods decides about periods as about groups that are given: there are numbers of each,
// however few are in it, so a policy with a least group, whose groups are all selected, has none.
func (d *decision) periods(step string, u Purpose) {
	switch {
	case !slices.Contains(u.Groups, step):
		d.refuse("numbers of every %s are groups by %q, which are none that purpose %q may have", step, step, d.c.Purpose)
	case u.Keys == KeysSelected:
		d.refuse("purpose %q needs groups that are selected, and every %s is given", d.c.Purpose, step)
	}
}

// stepUnsaid reports whether a reservation is of a version of the library whose series did
// not state their periods. It was allowed and paid for, so what is left of it can be drawn.
func stepUnsaid(reserved *dp.Charge) bool {
	return reserved != nil && reserved.States != nil && reserved.States.Step == "" && reserved.Question != ""
}

// CountsUnits reports whether a charge is for the number of all units, as far as it says:
// without groups and without periods, and not of those alone whom a consent leaves out. Charges of earlier versions say so by what noise is
// added to.
func CountsUnits(c *dp.Charge) bool {
	s := c.States
	return s != nil && !s.Grouped && !s.LeftOut && s.Step == "" && (s.Units || slices.ContainsFunc(c.Events, func(e dp.Event) bool { return e.For == "units" }))
}

// number reads a bound of a statement: an integer or a quotient of two. A short text with
// an exponent could be a number that fills the memory.
func number(text string) *big.Rat {
	if len(text) > 1000 || strings.Trim(text, "-/0123456789") != "" {
		return nil
	}
	x, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil
	}
	return x
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func span(days int) string {
	if days <= 0 {
		return "all"
	}
	return fmt.Sprintf("the last %d days", days)
}
