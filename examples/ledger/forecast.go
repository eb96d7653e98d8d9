package main

import (
	"fmt"
	"math"
	"time"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

// A forecast says when an account runs out if the pace stays what it was: what
// was spent since the first charge, over the time since then. It depends on no
// data, and on the clock of whoever spent.
type forecast struct {
	Out    *time.Time `json:"runs_out,omitempty"` // when; nil if it cannot be told
	Pace   string     `json:"pace,omitempty"`
	Reason string     `json:"reason,omitempty"` // why it cannot be told
}

const day = 24 * time.Hour

// forecastOf needs two charges and a day.
func forecastOf(spends []time.Time, s budget.ScopeStatus, now time.Time) forecast {
	if len(spends) < 2 {
		return forecast{Reason: "it takes two charges to tell a pace"}
	}
	if s.Limit == nil {
		return forecast{Reason: "there is no limit to reach"}
	}
	span := now.Sub(spends[0])
	used, of := part(s.Spent, s.Limit)
	switch {
	case span < day:
		return forecast{Reason: "the charges are of less than a day"}
	case s.Left == nil || used >= 1:
		return forecast{Reason: "nothing is left"}
	case !(used > 0):
		return forecast{Reason: "nothing was spent"}
	}
	pace := fmt.Sprintf("%s of the limit's %s in %s", percent(used), of, count(int(span/day), "day", "days"))
	rest := float64(span) * (1 - used) / used
	if rest > float64(100*365*day) {
		return forecast{Pace: pace, Reason: "it lasts for more than a hundred years"}
	}
	out := now.Add(time.Duration(rest)).UTC().Truncate(time.Second)
	return forecast{Out: &out, Pace: pace}
}

// part returns which part of a limit was spent, and of what: of ε, δ or ρ,
// whichever is more.
func part(spent, limit dp.Loss) (most float64, of string) {
	s, l := dp.PartsOf(spent), dp.PartsOf(limit)
	for _, q := range []struct {
		part float64
		of   string
	}{{s.Epsilon / l.Epsilon, "ε"}, {s.Delta / l.Delta, "δ"}, {s.Rho / l.Rho, "ρ"}} {
		if q.part > most || of == "" && q.part == 0 { // not if it is NaN
			most, of = q.part, q.of
		}
	}
	return most, of
}

// percent rounds up, so that something is never 0 %.
func percent(x float64) string {
	switch {
	case x <= 0:
		return "0 %"
	case x < 0.1:
		return fmt.Sprintf("%.1f %%", math.Ceil(x*1000)/10)
	}
	return fmt.Sprintf("%.0f %%", math.Ceil(x*100-1e-9))
}

func (f forecast) String() string {
	switch {
	case f.Out != nil:
		return fmt.Sprintf("at the present pace, %s, it runs out about %s", f.Pace, f.Out.Format("2 January 2006"))
	case f.Pace != "":
		return fmt.Sprintf("at the present pace, %s, %s", f.Pace, f.Reason)
	}
	return "no forecast: " + f.Reason
}
