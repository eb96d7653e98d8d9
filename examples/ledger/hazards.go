package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/policy"
	"github.com/equipoise-dp/equipoise/dp"
)

// A hazard is one of NIST SP 800-226 (initial public draft), and what of ledger and policy
// answers it.
type hazard struct {
	number int
	about  string
	ask    func(*dossier, audited) (bool, string)
}

// hazards are those that apply. Numbers 15 to 18 are of techniques that this library does
// not have.
var hazards = []hazard{
	{1, "ε is too large", func(d *dossier, _ audited) (bool, string) {
		if d.terms.Odometer {
			return false, "the account is an odometer, which has no limit"
		}
		limit := dp.PartsOf(d.status.Whole.Limit)
		limit.Delta = 0 // which hazard 2 is about
		if p := dp.ProtectionOf(limit.Loss()); p > dp.Partly {
			return false, fmt.Sprintf("the limit is %v: %s", d.status.Whole.Limit, p.Of(d.unit()))
		}
		return d.byPolicy(func(p *budget.InForce) (bool, string) {
			return true, fmt.Sprintf("limit %v in all, %v in one release, because: %s", d.status.Whole.Limit, p.Policy.Largest, p.Policy.Why)
		})
	}},
	{2, "δ is too large for so many", func(d *dossier, _ audited) (bool, string) {
		return d.byPolicy(func(p *budget.InForce) (bool, string) {
			delta, most := dp.PartsOf(d.status.Whole.Limit).Delta, p.Policy.People.AtMost
			if d.terms.Odometer {
				return false, "the account is an odometer, which has no limit of δ"
			}
			return delta*float64(most) <= 0.1*(1+1e-12), fmt.Sprintf("δ of the limit is %g, and there are up to %d: %.2g of them in expectation", delta, most, delta*float64(most))
		})
	}},
	{3, "the unit does not capture the harm", func(d *dossier, _ audited) (bool, string) {
		return d.byPolicy(func(p *budget.InForce) (bool, string) { return true, protects(p.Policy) })
	}},
	{4, "the unit is an event, and not named as one", func(d *dossier, _ audited) (bool, string) {
		return d.byPolicy(func(p *budget.InForce) (bool, string) {
			if dp.NamesEvent(p.Policy.Unit) && !p.Policy.Event {
				return false, fmt.Sprintf("the unit is %q, and the policy says that it is no event", p.Policy.Unit)
			}
			if e, bad := d.unless(d.unitKnown); bad {
				return false, fmt.Sprintf("entry %d protects one event, and no policy says so", e.Seq)
			}
			return true, "the policy says: " + protects(p.Policy)
		})
	}},
	{5, "units differ between releases", func(d *dossier, _ audited) (bool, string) {
		if d.terms.Unit == "" {
			return false, "the terms name no unit, so releases can differ in it"
		}
		return true, fmt.Sprintf("the terms protect %q, and every charge is of it", d.terms.Unit)
	}},
	{6, "guarantees that cannot be compared", func(d *dossier, _ audited) (bool, string) {
		if e, bad := d.unless(func(e budget.Entry) bool { return !hasEvent(e.Charge, isDeclared) }); bad {
			return false, fmt.Sprintf("entry %d has a loss that a program declared, and not what it did", e.Seq)
		}
		return true, fmt.Sprintf("every entry names its mechanisms; rule %v adds them up", d.terms.Rule)
	}},
	{7, "parameters that are not the original ones", originalParameters},
	{8, "other releases of the same data", func(d *dossier, _ audited) (bool, string) {
		for _, o := range d.outside() {
			if o.Loss == nil {
				return false, fmt.Sprintf("%s, published by %s on %s, has no guarantee", o.What, o.By, o.On)
			}
		}
		return true, fmt.Sprintf("%s made elsewhere on record, each with a guarantee", count(len(d.outside()), "release", "releases"))
	}},
	{9, "code that is not well tested", func(d *dossier, _ audited) (bool, string) {
		return d.byPolicy(func(p *budget.InForce) (bool, string) {
			if p.Policy.Modules == nil {
				return false, "the policy does not say which versions of the library may ask"
			}
			if e, bad := d.unless(func(e budget.Entry) bool { return slices.Contains(p.Policy.Modules, e.Module) }); bad {
				return false, fmt.Sprintf("entry %d was written by version %q, which the policy does not name", e.Seq, e.Module)
			}
			return true, fmt.Sprintf("every entry was written by one of %q", p.Policy.Modules)
		})
	}},
	{10, "bias against small groups", func(d *dossier, _ audited) (bool, string) {
		return d.byPolicy(func(p *budget.InForce) (bool, string) {
			return p.Policy.LeastGroup > 0, "small groups are " + orAny(p.Policy.LeastGroup, "shown from a noisy number of %d on, and not with noise as large as they are", "shown however wrong their numbers are")
		})
	}},
	{11, "numbers that were changed after noise", func(d *dossier, v audited) (bool, string) {
		has := d.kept()
		if e, bad := d.unless(func(e budget.Entry) bool { return has[e.Seq] }); bad {
			return false, fmt.Sprintf("entry %d has no release in the chain, so nobody knows what was published for it", e.Seq)
		}
		return true, fmt.Sprintf("what was published is in the chain, %s", count(len(has), "release", "releases"))
	}},
	{12, "bias of bounds that nobody knows", func(d *dossier, _ audited) (bool, string) {
		if e, bad := d.unless(d.boundsKnown); bad {
			return false, fmt.Sprintf("entry %d reads values with bounds that no policy has", e.Seq)
		}
		return d.byPolicy(func(*budget.InForce) (bool, string) {
			return true, "the bounds of every value are in its entry, within those of the policy"
		})
	}},
	{13, "contributions without a bound", func(d *dossier, _ audited) (bool, string) {
		unbounded := func(v dp.Event) bool { return v.Sensitivity == (dp.Sensitivity{}) && v.Scale == nil && isDeclared(v) }
		if e, bad := d.unless(func(e budget.Entry) bool { return !hasEvent(e.Charge, unbounded) }); bad {
			return false, fmt.Sprintf("entry %d does not say how much one %s moves it", e.Seq, d.unit())
		}
		return true, "every entry has the sensitivity that its noise was made for"
	}},
	{14, "bins that come from the data", func(d *dossier, _ audited) (bool, string) {
		if e, bad := d.unless(func(e budget.Entry) bool { return binsAreSafe(e.Charge) }); bad {
			return false, fmt.Sprintf("entry %d has groups that were neither given nor paid for", e.Seq)
		}
		return true, "groups were given, or found by a mechanism that was paid for"
	}},
	{19, "interactive use", func(d *dossier, _ audited) (bool, string) {
		if d.terms.Refusals == 0 {
			return false, "the terms keep no refusals, so nobody sees who tries what"
		}
		return true, fmt.Sprintf("up to %d refused requests are kept between two others", d.terms.Refusals)
	}},
	{20, "the trust model is not said", func(d *dossier, _ audited) (bool, string) {
		return d.byPolicy(func(p *budget.InForce) (bool, string) { return true, "the policy says: " + p.Policy.Holder })
	}},
	{21, "side channels", func(d *dossier, _ audited) (bool, string) {
		if e, bad := d.unless(func(e budget.Entry) bool { return e.At.Equal(e.At.Truncate(time.Hour)) }); bad {
			return false, fmt.Sprintf("entry %d is dated so finely that it tells how long rows took to read", e.Seq)
		}
		return true, "entries are dated in whole hours; what is constant in time is in SECURITY.md"
	}},
	{22, "security", func(_ *dossier, v audited) (bool, string) {
		switch {
		case v.err != nil:
			return false, v.err.Error()
		case v.anchor == "":
			return false, "no signed anchor was given; ledger sign makes one, to be kept elsewhere"
		case len(v.report.Uncovered) > 0:
			return false, fmt.Sprintf("the releases of entries %v have no digest", v.report.Uncovered)
		}
		return true, "the chain is whole, and has the record of the signed anchor " + v.anchor
	}},
	{23, "access control", func(d *dossier, v audited) (bool, string) {
		if e, bad := d.unless(func(e budget.Entry) bool { return e.Charge.Analyst != "" }); bad {
			return false, fmt.Sprintf("entry %d does not say who asked", e.Seq)
		}
		if v.report != nil && len(v.report.AgainstPolicy) > 0 {
			return false, fmt.Sprintf("the policy does not allow entries %v", v.report.AgainstPolicy)
		}
		return d.byPolicy(func(*budget.InForce) (bool, string) {
			if e, bad := d.unless(d.askerKnown); bad {
				return false, fmt.Sprintf("entry %d was asked by somebody whom no policy lets", e.Seq)
			}
			const known = "every entry says who asked, and the policy lets them; "
			if e, bad := d.unless(func(e budget.Entry) bool { return e.Charge.States != nil && e.Charge.States.Authenticated }); bad {
				return true, fmt.Sprintf("%sthe service knows who they are: of entry %d it did not vouch for the name to the ledger", known, e.Seq)
			}
			return true, known + "the service vouched for each name"
		})
	}},
	{24, "more is collected than needed", func(d *dossier, _ audited) (bool, string) {
		return d.byPolicy(func(p *budget.InForce) (bool, string) {
			return p.Policy.RetainDays > 0, "rows " + orAny(p.Policy.RetainDays, "do not count after %d days, and each purpose has its own columns", "count for ever")
		})
	}},
}

func isDeclared(v dp.Event) bool { return v.Mechanism == dp.Declared }

func originalParameters(d *dossier, _ audited) (bool, string) {
	if e, bad := d.unless(func(e budget.Entry) bool { return e.Charge.States != nil }); bad {
		return false, fmt.Sprintf("entry %d does not say what was asked, with which bounds", e.Seq)
	}
	return true, "every entry has the bounds, groups and exact scales that were used"
}

// byPolicy answers by the policy, and no if there is none.
func (d *dossier) byPolicy(ask func(*budget.InForce) (bool, string)) (bool, string) {
	if d.policy == nil {
		return false, "there is no policy; ledger policy --set puts one in force"
	}
	return ask(d.policy)
}

// bySome says whether some policy that the account had allows something of an entry, for its purpose:
// also of one that was made before there was any.
func (d *dossier) bySome(e budget.Entry, allows func(*policy.Policy, policy.Purpose) bool) bool {
	return slices.ContainsFunc(d.entries, func(in budget.Entry) bool {
		if in.Kind != budget.KindPolicy {
			return false
		}
		u, ok := in.Policy.Purposes[e.Charge.Purpose]
		return ok && allows(in.Policy, u)
	})
}

// boundsKnown says whether all columns of an entry are allowed, with their bounds.
func (d *dossier) boundsKnown(e budget.Entry) bool {
	return e.Charge.States != nil && d.bySome(e, func(_ *policy.Policy, u policy.Purpose) bool {
		return !slices.ContainsFunc(e.Charge.States.Columns, func(c dp.StatedColumn) bool { return !u.Allows(c) })
	})
}

// askerKnown says whether who asked was one of those who may.
func (d *dossier) askerKnown(e budget.Entry) bool {
	return d.bySome(e, func(_ *policy.Policy, u policy.Purpose) bool { return slices.Contains(u.Askers, e.Charge.Analyst) })
}

// unitKnown says whether an entry protects whom the policy says, and not one event of theirs.
func (d *dossier) unitKnown(e budget.Entry) bool {
	return e.Charge.States == nil || !e.Charge.States.Event ||
		d.bySome(e, func(p *policy.Policy, _ policy.Purpose) bool { return p.Event })
}

// binsAreSafe says whether groups were given, or found by a mechanism that is paid for.
func binsAreSafe(c *dp.Charge) bool {
	found := func(v dp.Event) bool { return v.Mechanism == dp.Threshold || v.Mechanism == dp.TruncatedGeometric }
	return c.States == nil || !c.States.Grouped || c.States.KeysGiven || hasEvent(c, found)
}
