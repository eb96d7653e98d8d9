package budget

import (
	"fmt"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/filter"
)

// A Rule is how the charges of an account are added up. Every rule is a privacy
// filter: it is sound although each charge may be chosen after seeing all
// answers before it. A rule is part of the terms and never changes.
//
// Every rule takes a first charge that declares the limit itself, whatever it
// consists of, and then nothing more.
type Rule int

const (
	// Default adds up Rényi divergences at several orders, of which one must
	// fit, or losses as Basic does; the first charge, which depends on no
	// answer, decides for whichever allows more charges like it. Under a Pure
	// limit it is Basic, under a Concentrated one ZCDP.
	// Proof: docs/proofs/filter-default.md.
	Default Rule = Rule(filter.Default)

	// Basic adds up ε and δ of the losses that charges declare (Rogers, Roth,
	// Ullman, Vadhan 2016, Theorem 3.1), in exact decimals. Anyone can check it
	// by hand.
	Basic Rule = Rule(filter.Basic)

	// GDP adds up μ² (Koskela, Tobaben, Honkela 2023, Theorem 6; Smith, Thakurta
	// 2022). It loses nothing if all noise is Gaussian, and much if not. Its
	// limit must be Approx. Proof: docs/proofs/filter-gdp.md.
	GDP Rule = Rule(filter.GDP)

	// ZCDP adds up ρ (Whitehouse, Ramdas, Rogers, Wu 2023, Theorem 2), in exact
	// rationals. Its limit is Concentrated, with a Delta if mechanisms shall have a δ of
	// their own, whose sum it bounds; or an Approx that is converted once.
	// Proof: docs/proofs/filter-zcdp.md.
	ZCDP Rule = Rule(filter.ZCDP)
)

var ruleNames = []string{"default", "basic", "gdp", "zcdp"}

// String returns the stable name that a ledger stores.
func (r Rule) String() string {
	if r.check() != nil {
		return fmt.Sprintf("Rule(%d)", int(r))
	}
	return ruleNames[r]
}

// ParseRule returns the rule of a name.
func ParseRule(name string) (Rule, error) {
	for r, n := range ruleNames {
		if n == name {
			return Rule(r), nil
		}
	}
	return 0, fmt.Errorf("budget: rule is %q, which is not known; known are %q", name, ruleNames)
}

func (r Rule) check() error {
	if r < 0 || int(r) >= len(ruleNames) {
		return fmt.Errorf("budget: Terms.Rule is %d, which is not known; known are %q", int(r), ruleNames)
	}
	return nil
}

// takes returns nil if the rule can hold a limit of this kind.
func (r Rule) takes(s scope, l dp.Loss) error {
	if err := dp.CheckLoss(l); err != nil {
		return fmt.Errorf("budget: limit of %v: %w", s, err)
	}
	if !filter.Rule(r).Keeps(l) {
		return fmt.Errorf("budget: limit of %v is %v, which rule %v cannot keep; use a dp.Approx, or another rule", s, l, r)
	}
	return nil
}
