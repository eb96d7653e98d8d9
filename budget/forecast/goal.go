package forecast

import (
	"errors"
	"fmt"
	"math"

	"github.com/equipoise-dp/equipoise/aggregate"
)

// A Goal says what a report must be like, and how often it is made.
type Goal struct {
	Aims []Aim

	// Of says of which groups the aims are: how many units they have and, where an aim
	// is a part of a number or a mean, what the units have in them.
	Of aggregate.Assumed

	// ShownFrom is from how many units on a group must be shown, 95 % of the time, if
	// groups are selected. If 0, that does not matter.
	ShownFrom int

	// Times is how often the report is made in the life of its account, and Delta the
	// δ of that account.
	Times int
	Delta float64

	// Most is the largest ε that the account may have. If 0, there is no such limit.
	Most float64
}

// An Aim says how near to the truth a column must be: half the width of its 95 %
// interval is at most Within, in the column's unit, or at most Part of the number; 0.05
// is ± 5 %. One of them is 0. If both are, the column is released as it comes.
//
// A quantile takes neither: how near one is depends on how many records have values near it,
// which only the rows know, and its interval is random: it was from 0.4 to 2 times what
// [aggregate.Plan.Forecast] says even of rows that are spread as that takes for granted. What
// it says is a guide, by which [Share] shares a loss; a promise it is not. Nor does a variance or a
// standard deviation, which are as near as the spread of values lets them be.
type Aim struct {
	Column       aggregate.AnyColumn
	Within, Part float64
}

// An Unmet is an aim that cannot be met, with what is nearest to it.
type Unmet struct {
	Aim            string // the column, or "shown from"
	Asked, Nearest float64
}

// An ImpossibleError says which aims cannot be met, and what is nearest.
type ImpossibleError struct {
	Epsilon float64 // of the account, at which Nearest is what is reached
	Unmet   []Unmet // at least one

	// MaxGroups is a cap on the groups of a unit with which the goal is met at Epsilon: the
	// largest with the kind of noise and the shares of the loss that come nearest. With others a
	// larger one may do. It is 0 if none was found. It cuts off more: see [aggregate.Query].
	MaxGroups int
}

func (e *ImpossibleError) Error() string {
	text := fmt.Sprintf("forecast: not for an account of ε=%.4g:", e.Epsilon)
	for i, u := range e.Unmet {
		if i > 0 {
			text += ";"
		}
		if u.Aim == shownFrom {
			text += fmt.Sprintf(" groups are shown from %g units on, must be %g", u.Nearest, u.Asked)
		} else {
			text += fmt.Sprintf(" %s is ± %.4g, must be ± %.4g", u.Aim, u.Nearest, u.Asked)
		}
	}
	if e.MaxGroups > 0 {
		text += fmt.Sprintf("; with Query.MaxGroups %d, which cuts off more, it can be met", e.MaxGroups)
	}
	return text + "; ask for less, less often, or of larger groups, or lower the caps and bounds of the query"
}

const shownFrom = "shown from"

func (g Goal) check() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf("forecast: "+format, args...)) }
	if len(g.Aims) == 0 {
		fail("Goal.Aims is empty, must name the columns of the report")
	}
	for i, a := range g.Aims {
		switch {
		case a.Column == nil:
			fail("Goal.Aims[%d].Column is nil", i)
		case !(a.Within >= 0 && a.Part >= 0) || math.IsInf(a.Within+a.Part, 1) || a.Within > 0 && a.Part > 0: // written so that NaN fails
			fail("Goal.Aims[%d]: Within is %v and Part is %v, must be positive and finite, one of them or none", i, a.Within, a.Part)
		}
	}
	if g.Times < 1 || g.Times > mostTimes {
		fail("Goal.Times is %d, must be 1 to %d", g.Times, mostTimes)
	}
	if !(g.Delta > 0 && g.Delta < 1) {
		fail("Goal.Delta is %v, must be in (0, 1)", g.Delta)
	}
	if g.ShownFrom < 0 {
		fail("Goal.ShownFrom is %d, must be 0 or more", g.ShownFrom)
	}
	if !(g.Most >= 0) {
		fail("Goal.Most is %v, must be 0 or more", g.Most)
	}
	return errors.Join(errs...)
}
