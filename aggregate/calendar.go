package aggregate

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Step is a unit of the calendar. The zero Step is none.
//
// To group by months, name them:
//
//	Group:  func(o Order) string { return aggregate.Month.Name(o.Time.In(berlin)) },
//	Groups: aggregate.Month.Names(from, to),
type Step int

// The steps, from the shortest on. A Week is that of ISO 8601, from Monday on.
const (
	Day Step = 1 + iota
	Week
	Month
	Quarter
	Year
)

func (s Step) valid() bool { return s >= Day && s <= Year }

// String returns the name of the step, such as "week".
func (s Step) String() string {
	if !s.valid() {
		return "no step"
	}
	return [...]string{"day", "week", "month", "quarter", "year"}[s-1]
}

// Name returns the name of the day, week, month, quarter or year that a time is in, in the
// time's own zone: 2026-01-31, 2026-W05, 2026-01, 2026-Q1 or 2026. Names of years from 0 to 9999
// sort by time.
func (s Step) Name(t time.Time) string {
	if !s.valid() {
		return s.String()
	}
	return s.label(s.number(civilOf(t)))
}

// Names returns the names of all units of the calendar from that of one time to that of another,
// each time in its own zone. They are public, and can be [Query.Groups].
// If to is in an earlier unit than from there are none.
func (s Step) Names(from, to time.Time) []string {
	if !s.valid() {
		return nil
	}
	var names []string
	for n, last := s.number(civilOf(from)), s.number(civilOf(to)); n <= last; n++ {
		names = append(names, s.label(n))
	}
	return names
}

// Parse reads what Name wrote, and returns when that unit of the calendar begins, in UTC.
func (s Step) Parse(name string) (time.Time, error) {
	if t, ok := s.parse(name); ok && s.Name(t) == name {
		return t, nil
	}
	return time.Time{}, fmt.Errorf("aggregate: %q is no %v such as %s", name, s, s.Name(time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)))
}

// parse may take a text for a time that is not written so.
func (s Step) parse(name string) (time.Time, bool) {
	if layout := map[Step]string{Day: time.DateOnly, Month: "2006-01", Year: "2006"}[s]; layout != "" {
		t, err := time.Parse(layout, name)
		return t, err == nil
	}
	year, rest, _ := strings.Cut(name, "-")
	y, err := strconv.Atoi(year)
	if err != nil || len(rest) < 2 {
		return time.Time{}, false
	}
	n, err := strconv.Atoi(rest[1:])
	if err != nil {
		return time.Time{}, false
	}
	if s == Week { // 4 January is in the first week
		return s.begins(s.number(civil{y, time.January, 4})+n-1, time.UTC), true
	}
	return time.Date(y, time.Month(3*n-2), 1, 0, 0, 0, 0, time.UTC), s == Quarter
}

// number returns which unit of the calendar a day is in, counted from some day on.
func (s Step) number(date civil) int {
	months := date.year*12 + int(date.month) - 1
	switch s {
	case Day:
		return date.days()
	case Week:
		return floorDiv(date.days()+3, 7) // day 0 was a Thursday
	case Month:
		return months
	case Quarter:
		return floorDiv(months, 3)
	}
	return date.year
}

// middle returns a day that decides to which longer unit of the calendar a unit
// belongs: the Thursday of a week, and the first day of all others.
func (s Step) middle(number int) civil {
	switch s {
	case Day:
		return civilOf(time.Unix(int64(number)*86400, 0).UTC())
	case Week:
		return civilOf(time.Unix(int64(number)*7*86400, 0).UTC())
	case Month:
		return civil{floorDiv(number, 12), time.Month(number-12*floorDiv(number, 12)) + 1, 1}
	case Quarter:
		return Month.middle(number * 3)
	}
	return civil{number, time.January, 1}
}

// begins returns when a unit of the calendar begins, in a zone.
func (s Step) begins(number int, zone *time.Location) time.Time {
	d := s.middle(number)
	if s == Week {
		d.day -= 3
	}
	return time.Date(d.year, d.month, d.day, 0, 0, 0, 0, zone)
}

// label names a unit of the calendar, such as "2026-W05".
func (s Step) label(number int) string {
	d := s.middle(number)
	switch s {
	case Day:
		return fmt.Sprintf("%04d-%02d-%02d", d.year, d.month, d.day)
	case Week:
		year, week := d.at().ISOWeek()
		return fmt.Sprintf("%04d-W%02d", year, week)
	case Month:
		return fmt.Sprintf("%04d-%02d", d.year, d.month)
	case Quarter:
		return fmt.Sprintf("%04d-Q%d", d.year, (d.month+2)/3)
	}
	return fmt.Sprintf("%04d", d.year)
}

// civil is a day of the calendar, wherever it is.
type civil struct {
	year  int
	month time.Month
	day   int
}

func civilOf(t time.Time) civil {
	year, month, day := t.Date()
	return civil{year, month, day}
}

func (c civil) at() time.Time { return time.Date(c.year, c.month, c.day, 0, 0, 0, 0, time.UTC) }

// days returns the days since 1970 began.
func (c civil) days() int { return int(floorDiv64(c.at().Unix(), 86400)) }

func floorDiv(a, b int) int { return int(floorDiv64(int64(a), int64(b))) }

func floorDiv64(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
