package aggregate

import (
	"errors"
	"fmt"
	"iter"
	"time"
)

// A schedule says which periods there are, when rows happened, and until when they may
// arrive: what a [Series] and an [Alert] have in common.
type schedule[Row any] struct {
	of      string // whose fields these are
	time    func(Row) time.Time
	zone    *time.Location
	step    Step
	begins  time.Time // any moment of the first period
	periods int
	arrived func(Row) time.Time
	wait    time.Duration
}

const mostPeriods = 3660

// check returns every mistake, joined.
func (c *schedule[Row]) check() error {
	var errs []error
	fail := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("aggregate: "+c.of+"."+format, args...))
	}
	if c.time == nil {
		fail("Time is nil; it must say when a row happened")
	}
	if c.zone == nil {
		fail("Zone is nil; say where days begin and end, such as time.UTC")
	}
	if !c.step.valid() {
		fail("Step is %d, must be Day, Week, Month, Quarter or Year", int(c.step))
	}
	if c.begins.IsZero() {
		fail("First is zero; give any moment of the first period")
	}
	if c.periods < 1 || c.periods > mostPeriods {
		fail("Periods is %d, must be 1 to %d", c.periods, mostPeriods)
	}
	if c.wait < 0 || c.wait > 0 && c.arrived == nil {
		fail("Wait is %v, must be at least 0, and 0 without %s.Arrived, which says when a row became known", c.wait, c.of)
	}
	return errors.Join(errs...)
}

// first returns the number of the first period in the calendar.
func (c *schedule[Row]) first() int { return c.number(c.begins) }

func (c *schedule[Row]) number(at time.Time) int { return c.step.number(civilOf(at.In(c.zone))) }

// period returns which period a row is in, counted from 0, or -1 for none.
func (c *schedule[Row]) period(row Row, first int) int {
	if period := c.number(c.time(row)) - first; period >= 0 && period < c.periods {
		return period
	}
	return -1
}

// labels returns the names of the periods.
func (c *schedule[Row]) labels() (labels []string) {
	first := c.first()
	for t := range c.periods {
		labels = append(labels, c.step.label(first+t))
	}
	return labels
}

// inTime yields the rows that arrived in time.
func (c *schedule[Row]) inTime(rows iter.Seq2[Row, error]) iter.Seq2[Row, error] {
	if c.arrived == nil {
		return rows
	}
	first := c.first()
	return func(yield func(Row, error) bool) {
		for row, err := range rows {
			if err == nil && !c.arrived(row).Before(c.closes(c.period(row, first))) {
				continue
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// closes returns when rows of a period, counted from 0, are too late.
func (c *schedule[Row]) closes(period int) time.Time {
	return c.step.begins(c.first()+period+1, c.zone).Add(c.wait)
}
