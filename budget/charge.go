package budget

import (
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/filter"
)

// checkCharge returns every reason why the account cannot read the charge.
func (t *Terms) checkCharge(c *dp.Charge) []error {
	errs := append(make([]error, 0, 16), c.Check())
	if _, part := t.Parts[c.Dataset]; c.Dataset != t.Dataset && !part {
		errs = append(errs, fmt.Errorf("budget: Charge.Dataset is %q, and the account is of %s", c.Dataset, t.names()))
	}
	if t.Unit != "" && c.Unit != t.Unit {
		errs = append(errs, fmt.Errorf("budget: Charge.Unit is %q, and the account protects %q", c.Unit, t.Unit))
	}
	for _, f := range [...]struct{ name, value string }{
		{"Charge.Unit", c.Unit}, {"Charge.Purpose", c.Purpose}, {"Charge.Key", c.Key}, {"Charge.Plan", c.Plan}, {"Charge.Analyst", c.Analyst},
	} {
		errs = append(errs, text(f.name, f.value))
	}
	for _, p := range c.Periods {
		errs = append(errs, name("a period in Charge.Periods", p))
	}
	errs = append(errs, utf8Text("Charge.Question", c.Question))
	for i, e := range c.Events {
		if !utf8.ValidString(e.For) {
			errs = append(errs, utf8Text(fmt.Sprintf("Charge.Events[%d].For", i), e.For))
		}
	}
	if s := c.States; s != nil {
		for _, text := range []string{s.Groups, s.Step, s.Consent, s.Module} {
			errs = append(errs, utf8Text("a text of Charge.States", text))
		}
		for i, col := range s.Columns {
			errs = append(errs, utf8Text(fmt.Sprintf("a text of Charge.States.Columns[%d]", i), col.Name+col.Per+col.Lower+col.Upper))
		}
	}
	return errs
}

// names says of what datasets the account is.
func (t *Terms) names() string {
	if t.Parts == nil {
		return fmt.Sprintf("%q", t.Dataset)
	}
	return fmt.Sprintf("%q with the parts %q", t.Dataset, slices.Sorted(maps.Keys(t.Parts)))
}

// checkDeclared refuses an event that declares nothing, which would cost nothing.
// It is asked of new charges only: one that an older version accepted stays readable.
func checkDeclared(c *dp.Charge) error {
	for i, e := range c.Events {
		if e.Mechanism == dp.Declared && e.Epsilon == nil && e.Delta == nil && e.Rho == nil {
			return fmt.Errorf("budget: Charge.Events[%d] is of mechanism %q and declares nothing; give its Epsilon, Delta or Rho", i, e.Mechanism)
		}
	}
	return nil
}

// checkCovered returns nil if the loss that a charge declares holds for its
// events. Without it a program that declares too little would be charged too
// little.
func checkCovered(c *dp.Charge, p *filter.Price) error {
	if p.Covered {
		return nil
	}
	return fmt.Errorf("budget: the events of the charge under key %q cost more than %v, which it declares; declare a larger loss", c.Key, c.Loss)
}
