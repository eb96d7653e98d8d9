package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
)

// A calendar divides time into periods of one kind.
type calendar string

const (
	days     calendar = "day"
	weeks    calendar = "week" // of ISO 8601, from Monday
	months   calendar = "month"
	quarters calendar = "quarter"
)

var calendars = []calendar{days, weeks, months, quarters}

func (c calendar) check() error {
	if !slices.Contains(calendars, c) {
		return fmt.Errorf("-period is %q, must be day, week, month or quarter", string(c))
	}
	return nil
}

// adverb returns what a number per period is called.
func (c calendar) adverb() string {
	return map[calendar]string{days: "daily", weeks: "weekly", months: "monthly", quarters: "quarterly"}[c]
}

// step returns the unit of the calendar.
func (c calendar) step() aggregate.Step {
	return map[calendar]aggregate.Step{days: aggregate.Day, weeks: aggregate.Week, months: aggregate.Month, quarters: aggregate.Quarter}[c]
}

// name returns a name that sorts by time: 1997-01-31, 1997-W05, 1997-01 or
// 1997-Q1.
func (c calendar) name(t time.Time) string { return c.step().Name(t) }

// start returns the first day of the period of a time.
func (c calendar) start(t time.Time) time.Time { return c.first(c.name(t)) }

// next returns the first day of the following period.
func (c calendar) next(start time.Time) time.Time {
	switch c {
	case days:
		return start.AddDate(0, 0, 1)
	case weeks:
		return start.AddDate(0, 0, 7)
	case months:
		return start.AddDate(0, 1, 0)
	}
	return start.AddDate(0, 3, 0)
}

// span returns the first and the last day of what a text names: a day, a week, a
// month, a quarter or a year, whatever the period of the report is.
func span(s string) (first, last time.Time, err error) {
	if t, err := aggregate.Year.Parse(s); err == nil {
		return t, t.AddDate(1, 0, -1), nil
	}
	for _, c := range calendars {
		if t, err := c.step().Parse(s); err == nil {
			return t, c.next(t).AddDate(0, 0, -1), nil
		}
	}
	return first, last, fmt.Errorf("%q is no date such as 2026-01-31, nor the name of a month, week, quarter or year, such as 2026-01, 2026-W05, 2026-Q1 or 2026", s)
}

// between returns the names of all periods from one to another, both included,
// and nil if there are more than limit.
func (c calendar) between(from, to time.Time, limit int) []string {
	if names := c.step().Names(from, to); len(names) <= limit {
		return names
	}
	return nil
}

// start of a period by its name, which is known to be one.
func (c calendar) first(name string) time.Time {
	t, _ := c.step().Parse(name)
	return t
}

// follows reports whether one period comes right after another.
func (c calendar) follows(name, before string) bool {
	return c.name(c.next(c.first(before))) == name
}

// words returns a period as people say it.
func (c calendar) words(name string) string {
	t := c.first(name)
	switch c {
	case days:
		return t.Format("2 January 2006")
	case weeks:
		return "week of " + t.Format("2 January 2006")
	case months:
		return t.Format("January 2006")
	}
	return fmt.Sprintf("quarter %s of %d", name[len(name)-1:], t.Year())
}

// short returns a period as it stands in tables and below charts.
func (c calendar) short(name string) string {
	t := c.first(name)
	switch c {
	case days:
		return t.Format("2 Jan 2006")
	case weeks:
		return t.Format("2 Jan 2006")
	case months:
		return t.Format("Jan 2006")
	}
	return fmt.Sprintf("Q%s %d", name[len(name)-1:], t.Year())
}

// PeriodTitle heads a column of periods.
func (c calendar) PeriodTitle() string {
	if c == weeks {
		return "Week of"
	}
	return title(string(c))
}
