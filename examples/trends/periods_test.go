package main

import (
	"slices"
	"testing"
	"time"
)

// The period after that of a day begins on the day after its last.
func TestEveryDayIsInThePeriodOfItsName(t *testing.T) {
	for _, c := range calendars {
		for day := time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() < 2030; day = day.AddDate(0, 0, 1) {
			start := c.start(day)
			name, next := c.name(day), c.next(start)
			if c.name(start) != name || !day.Before(next) || c.start(next) != next || !c.follows(c.name(next), name) {
				t.Fatalf("%s: %v is not before %v", c, day, next)
			}
			if last := next.AddDate(0, 0, -1); c.name(last) != name {
				t.Fatalf("%s: the last day %v of %s is in %s", c, last, name, c.name(last))
			}
		}
	}
}

func TestPeriodsSortByName(t *testing.T) {
	for _, c := range calendars {
		names := c.between(c.start(time.Date(1998, 12, 1, 0, 0, 0, 0, time.UTC)), time.Date(2001, 1, 31, 0, 0, 0, 0, time.UTC), 1000)
		if len(names) < 9 || !slices.IsSorted(names) {
			t.Errorf("%s: %v is not sorted", c, names)
		}
	}
}

// Any period names a span, whatever the report's periods are.
func TestAnyPeriodNamesASpan(t *testing.T) {
	for text, want := range map[string]string{
		"2026-01-31": "2026-01-31 2026-01-31", "2026-02": "2026-02-01 2026-02-28", "2024-W01": "2024-01-01 2024-01-07", "2026-Q4": "2026-10-01 2026-12-31", "2024": "2024-01-01 2024-12-31",
		"2026-13": "", "2026-W54": "", "26": "", "": "", "2026-1": "",
	} {
		first, last, err := span(text)
		if got := first.Format(time.DateOnly) + " " + last.Format(time.DateOnly); want != "" && (err != nil || got != want) || want == "" && err == nil {
			t.Errorf("%q is %s (%v), want %s", text, got, err, want)
		}
	}
}
