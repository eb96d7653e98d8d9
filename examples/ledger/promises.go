package main

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"time"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/policy"
	"github.com/equipoise-dp/equipoise/dp"
)

// A promise is what the policy says, for the people in the data.
type promise struct {
	Version  int           `json:"version"`
	Digest   string        `json:"digest"`
	About    string        `json:"about"`
	Holder   string        `json:"holder"`
	Protects string        `json:"protects"`
	Event    bool          `json:"unit_is_event"`
	Why      string        `json:"why"`
	By       string        `json:"decided_by"`
	On       string        `json:"decided_on"`
	Days     int           `json:"retain_days,omitempty"`
	Least    int           `json:"least_group,omitempty"`
	Purposes []purposeTold `json:"purposes"`
}

// purposeTold is a purpose in the words of the policy.
type purposeTold struct {
	Name    string `json:"name"`
	Reason  string `json:"reason"`
	Basis   string `json:"basis"`
	Until   string `json:"until"`
	Consent string `json:"consent"`
	Ended   bool   `json:"withdrawn,omitempty"`
}

func promiseOf(in *budget.InForce) *promise {
	if in == nil {
		return nil
	}
	p := in.Policy
	out := &promise{
		Version: p.Version, Digest: digestText(in.Digest), About: p.About, Holder: p.Holder, Protects: protects(p), Event: p.Event, Why: p.Why, By: p.By,
		On: date(p.On), Days: p.RetainDays, Least: p.LeastGroup,
	}
	for _, name := range slices.Sorted(maps.Keys(p.Purposes)) {
		u := p.Purposes[name]
		out.Purposes = append(out.Purposes, purposeTold{Name: name, Reason: u.Reason, Basis: u.Basis, Until: date(u.Until), Consent: consentTold(u.Consent), Ended: slices.Contains(in.Withdrawn, name)})
	}
	return out
}

// consentTold says what somebody in the data can do.
func consentTold(mode string) string {
	switch mode {
	case policy.OptIn:
		return "Your entries are used only if you said yes. You can take that back at any time; what is published more than a day after that is without you."
	case policy.OptOut:
		return "You can say no at any time. What is published more than a day after that is without you."
	}
	return "Nobody is asked for this purpose."
}

// A valueTold is a value that was read, with the bounds that it was cut to.
type valueTold struct {
	Name  string `json:"name"`
	Lower string `json:"lower"`
	Upper string `json:"upper"`
}

// valuesOf returns the values that publications read, in the order of their first use, with
// the widest bounds.
func valuesOf(entries []budget.Entry) (all []valueTold) {
	widest, durations := map[string][2]*big.Rat{}, map[string]bool{}
	var names []string
	for _, e := range entries {
		if e.Charge.States == nil {
			continue
		}
		for _, c := range e.Charge.States.Columns {
			if cutOf.MatchString(c.Name) { // it is told among what was computed
				continue
			}
			low, okL := new(big.Rat).SetString(c.Lower)
			high, okU := new(big.Rat).SetString(c.Upper)
			if !okL || !okU {
				continue
			}
			b, seen := widest[c.Name]
			if !seen {
				names = append(names, c.Name)
				b = [2]*big.Rat{low, high}
			}
			if low.Cmp(b[0]) < 0 {
				b[0] = low
			}
			if high.Cmp(b[1]) > 0 {
				b[1] = high
			}
			widest[c.Name], durations[c.Name] = b, c.Duration
		}
	}
	for _, name := range names {
		b := widest[name]
		all = append(all, valueTold{name, amountWords(b[0], durations[name]), amountWords(b[1], durations[name])})
	}
	return all
}

// amountWords writes a bound, which may be a duration in nanoseconds.
func amountWords(x *big.Rat, duration bool) string {
	if !duration || x.Sign() == 0 || !x.IsInt() || !x.Num().IsInt64() {
		return amountTold(x)
	}
	d := time.Duration(x.Num().Int64())
	for _, unit := range []struct {
		of   time.Duration
		name string
	}{{time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		switch n := int64(d / unit.of); {
		case d%unit.of != 0:
		case n == 1:
			return "1 " + unit.name
		default:
			return amountTold(new(big.Rat).SetInt64(n)) + " " + unit.name + "s"
		}
	}
	return d.String()
}

// amountTold writes a bound with at most three decimals.
func amountTold(x *big.Rat) string {
	if x.IsInt() && x.Num().IsInt64() {
		n := x.Num().Int64()
		if n < 0 {
			return "−" + grouped(-n)
		}
		return grouped(n)
	}
	f, _ := x.Float64()
	return strconv.FormatFloat(f, 'g', 6, 64)
}

// pace says how often something is published, and when it ends.
func (d *dossier) pace() []string {
	var told []string
	entries := d.published()
	recent := 0
	for _, e := range entries {
		if d.now.Sub(e.At) <= 30*day {
			recent++
		}
	}
	switch {
	case len(entries) == 0:
		told = append(told, "Nothing was published since the record began.")
	case recent == 0:
		told = append(told, fmt.Sprintf("Nothing was published in the last 30 days, and %s since the record began.", count(len(entries), "set of results", "sets of results")))
	default:
		told = append(told, fmt.Sprintf("%s published in the last 30 days, and %d since the record began.", count(recent, "set of results was", "sets of results were"), len(entries)))
	}
	if d.policy != nil {
		if last := d.lastDay(); !last.IsZero() {
			told = append(told, "No purpose is allowed after "+date(last)+", unless that is decided anew.")
		}
	}
	if f := d.forecast(); f.Out != nil {
		told = append(told, "If it goes on at this pace, the limit is reached about "+date(*f.Out)+", and nothing is published after that.")
	}
	return told
}

// forecast says when the limit is reached at the present pace.
func (d *dossier) forecast() forecast {
	var spends []time.Time
	for _, e := range d.entries {
		if e.Kind == budget.KindSpend || e.Kind == budget.KindReserve {
			spends = append(spends, e.At)
		}
	}
	return forecastOf(spends, d.status.Whole, d.now)
}

// lastDay is that of the last purpose that was not withdrawn.
func (d *dossier) lastDay() (last time.Time) {
	for name, u := range d.policy.Policy.Purposes {
		if !slices.Contains(d.policy.Withdrawn, name) && u.Until.After(last) {
			last = u.Until
		}
	}
	return last
}

// risk names a limit that protects hardly anybody. No limit is one.
func (d *dossier) risk() string {
	if d.status.Whole.Limit == nil {
		return dp.Nobody.Of(d.unit())
	}
	return risk(d.status.Whole.Limit, d.unit())
}

// risk names a loss that protects hardly anybody.
func risk(l dp.Loss, unit string) string {
	if p := dp.ProtectionOf(l); p > dp.Partly {
		return p.Of(unit)
	}
	return ""
}
