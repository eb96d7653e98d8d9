package aggregate

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/equipoise-dp/equipoise/internal/exact"
)

// An Alert declares a question that is asked of every period to come, in every group: is
// a count or a sum on the wrong side of a threshold? Where it is, an alert is given, and
// nothing else is released: no number, and not by how much. It is priced and paid for once, and costs
// the same for a week or for ten years and for one group or a thousand; what it costs more for is
// Most. Every field but Arrived and Wait is required.
//
// A [Series] answers the same question from its numbers, at no further cost. An Alert
// has far less noise where people are there in many periods and nobody needs the numbers.
type Alert[Row any, Unit, Group comparable] struct {
	// Query says whose privacy is protected and what the groups are, which are
	// given in Query.Groups, or none. A unit may be in all of them, and in every period: MaxGroups
	// must be the number of groups at least, since a lower one would cost answers and save nothing.
	// MaxRowsPerGroup is how many rows of a unit count in one group and period.
	Query *Query[Row, Unit, Group]

	// Time, Zone, Step, First and Periods are those of a [Series].
	Time    func(Row) time.Time
	Zone    *time.Location
	Step    Step
	First   time.Time
	Periods int

	// When says on which side of which threshold an alert is given.
	When Condition

	// Most is how many alerts there will be, at most. After that many the question has
	// been answered, and is asked no more. Noise grows with it.
	Most int

	// Arrived and Wait are those of a [Series].
	Arrived func(Row) time.Time
	Wait    time.Duration
}

// A Condition is a threshold and a side of it. [Above] and [Below] make one.
type Condition struct {
	threshold float64
	below     bool
	given     bool
}

// Above is the condition of a number that is the threshold or more.
func Above(threshold float64) Condition { return Condition{threshold: threshold, given: true} }

// Below is the condition of a number that is less than the threshold.
func Below(threshold float64) Condition {
	return Condition{threshold: threshold, below: true, given: true}
}

// String says the condition in words, such as "below 10000".
func (c Condition) String() string {
	threshold := strconv.FormatFloat(c.threshold, 'f', -1, 64)
	switch {
	case !c.given:
		return "no condition"
	case c.below:
		return "below " + threshold
	}
	return threshold + " or more"
}

const mostAlerts = 1000

// check returns every mistake of the declaration, joined.
func (a *Alert[Row, Unit, Group]) check() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf("aggregate: Alert."+format, args...)) }
	if a.Query == nil {
		fail("Query is nil; it must say whose privacy is protected")
	} else {
		errs = append(errs, a.Query.check(), a.checkQuery())
	}
	errs = append(errs, a.schedule().check())
	if !a.When.given {
		fail("When is no Condition; Above and Below make one")
	} else if exact.Decimal(a.When.threshold) == nil {
		fail("When has threshold %v, must be finite", a.When.threshold)
	}
	if a.Most < 1 || a.Most > mostAlerts {
		fail("Most is %d, must be 1 to %d", a.Most, mostAlerts)
	}
	return errors.Join(errs...)
}

// checkQuery reports what a query may not have in an alert.
func (a *Alert[Row, Unit, Group]) checkQuery() error {
	groups := len(a.Query.given())
	switch {
	case a.Query.selects():
		return errors.New("aggregate: Alert.Query has Group and no Groups; list the groups in Query.Groups, since those of an alert are not selected")
	case a.Query.MaxGroups > 0 && a.Query.maxGroups() < groups:
		return fmt.Errorf("aggregate: Alert.Query has MaxGroups %d, must be at least %d, the number of groups: an alert costs the same for all of them", a.Query.MaxGroups, groups)
	case a.Periods > 0 && groups > mostPairs/a.Periods:
		return fmt.Errorf("aggregate: Alert has %d groups in %d periods, must have at most %d pairs; use fewer groups or longer periods", groups, a.Periods, mostPairs)
	}
	return nil
}

func (a *Alert[Row, Unit, Group]) schedule() *schedule[Row] {
	return &schedule[Row]{"Alert", a.Time, a.Zone, a.Step, a.First, a.Periods, a.Arrived, a.Wait}
}
