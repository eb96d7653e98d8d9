package main

import (
	"fmt"
	"math"

	"github.com/equipoise-dp/equipoise/dp"
)

// What a loss protects, in words: those of [dp.ProtectionOf].

func strengthOf(epsilon, delta float64) dp.Protection {
	return dp.ProtectionOf(dp.Parts{Epsilon: epsilon, Delta: delta}.Loss())
}

// Hidden says how far one unit is hidden in this report.
func (o *options) Hidden() string {
	return strengthOf(o.Epsilon, o.Delta).Of(o.UnitName)
}

// Protects reports whether the report may claim to protect anybody.
func (o *options) Protects() bool { return strengthOf(o.Epsilon, o.Delta) <= dp.Partly }

// Nobody reports whether it protects nobody.
func (o *options) Nobody() bool { return strengthOf(o.Epsilon, o.Delta) == dp.Nobody }

// Bet says what the report is worth to somebody who bets on one unit.
func (o *options) Bet() string {
	s := fmt.Sprintf("the report improves the odds of a bet on one %s by a factor of %s", o.UnitName, o.AtMost())
	if o.Delta > 0 {
		s += ", but for a chance of " + o.OneIn()
	}
	return s
}

// AtMost returns e^ε, rounded up: by how much the report can improve the odds of a
// bet.
func (o *options) AtMost() string {
	if s := odds(o.Epsilon); s != aTrillion {
		return "at most " + s
	}
	return aTrillion
}

// aTrillion is said of factors that are no use as numbers.
const aTrillion = "more than a trillion"

func odds(epsilon float64) string {
	switch x := math.Exp(epsilon); {
	case x > 1e12:
		return aTrillion
	case x >= 100:
		return grouped(math.Ceil(x), 0)
	default:
		return grouped(math.Ceil(x*100)/100, 2)
	}
}

// OneIn writes δ as a chance, rounded up.
func (o *options) OneIn() string { return oneIn(o.Delta) }

func oneIn(delta float64) string {
	if delta > 0.1 {
		return grouped(math.Ceil(round(delta*100)), 0) + " %"
	}
	return "one in " + grouped(math.Floor(round(1/delta)), 0)
}

// warnings says what is unusual about the losses, before anything is paid.
func (o *options) warnings() []string {
	var all []string
	warn := func(format string, args ...any) { all = append(all, "warning: "+fmt.Sprintf(format, args...)) }
	verdict := func(s dp.Protection) string {
		if s == dp.Nobody {
			return "protects nobody"
		}
		return "protects hardly anybody"
	}
	judge := func(flag string, epsilon float64, who string) {
		if s := strengthOf(epsilon, 0); s >= dp.Hardly {
			warn("%s %v %s: %s can improve the odds of a bet on one %s by a factor of %s; 1 is usual, where it is 2.72", flag, epsilon, verdict(s), who, o.UnitName, odds(epsilon))
		}
	}
	judge("-epsilon", o.Epsilon, "the report")
	if s := strengthOf(0, o.Delta); s >= dp.Hardly {
		warn("-delta %v %s: with a chance of %s the report may show anything about anybody; 1e-6 is usual, and it should be far below one in the number of %s", o.Delta, verdict(s), oneIn(o.Delta), o.UnitNames)
	}
	if o.given["limit"] && o.Limit > o.Epsilon {
		judge("-limit", o.Limit, "all reports together")
	}
	if s := strengthOf(0, o.LimitDelta); s >= dp.Hardly && o.LimitDelta > o.Delta && (o.given["limit-delta"] || strengthOf(0, o.Delta) < s) {
		warn("-limit-delta %v %s", o.LimitDelta, verdict(s))
	}
	return all
}
