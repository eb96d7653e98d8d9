package aggregate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
)

func ExampleStep_Names() {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		fmt.Println(err)
		return
	}
	from, to := time.Date(2025, 11, 1, 0, 0, 0, 0, berlin), time.Date(2026, 2, 28, 0, 0, 0, 0, berlin)
	q := aggregate.Query[entrance, int64, string]{
		Group:  func(e entrance) string { return aggregate.Month.Name(e.at.In(berlin)) },
		Groups: aggregate.Month.Names(from, to),
	}
	fmt.Println(q.Groups)
	fmt.Println(q.Group(entrance{at: time.Date(2025, 12, 31, 23, 30, 0, 0, time.UTC)}), "in Berlin")
	fmt.Println(aggregate.Week.Name(from), aggregate.Quarter.Name(from))
	// Output:
	// [2025-11 2025-12 2026-01 2026-02]
	// 2026-01 in Berlin
	// 2025-W44 2025-Q4
}

type entrance struct{ at time.Time }

var steps = []aggregate.Step{aggregate.Day, aggregate.Week, aggregate.Month, aggregate.Quarter, aggregate.Year}

// Every day of forty years is in the unit of the calendar that its name says, which begins
// on the first day of that name.
func TestNamesOfTheCalendarAreReadBack(t *testing.T) {
	for _, s := range steps {
		before, begun := "", time.Time{}
		for day := time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() < 2030; day = day.AddDate(0, 0, 1) {
			name := s.Name(day.Add(23 * time.Hour))
			if name != before {
				begun = day // the first is a Monday
			}
			if at, err := s.Parse(name); err != nil || !at.Equal(begun) || name < before {
				t.Fatalf("%v: %s, after %s, is read as %v (%v), must be %v", s, name, before, at, err, begun)
			}
			before = name
		}
	}
}

func TestNamesAreOfEveryUnitOfTheCalendarOnce(t *testing.T) {
	from, to := time.Date(1998, 12, 31, 0, 0, 0, 0, time.UTC), time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, s := range steps {
		var want []string
		for day := from; !day.After(to); day = day.AddDate(0, 0, 1) {
			want = append(want, s.Name(day))
		}
		if got := s.Names(from, to); !slices.Equal(got, slices.Compact(want)) {
			t.Errorf("%v: %v, want %v", s, got, slices.Compact(want))
		}
		if got := s.Names(to, from); got != nil {
			t.Errorf("%v: backwards there are %v", s, got)
		}
	}
}

func TestWhatIsNoUnitOfTheCalendarIsNotRead(t *testing.T) {
	for _, bad := range []struct {
		step aggregate.Step
		name string
	}{
		{aggregate.Week, "2026-W54"}, {aggregate.Week, "2025-W53"}, {aggregate.Week, "2026-W1"}, {aggregate.Week, "2026-W00"}, {aggregate.Week, "2026-X01"},
		{aggregate.Month, "2026-13"}, {aggregate.Quarter, "2026-Q5"}, {aggregate.Quarter, "2026-X1"}, {aggregate.Quarter, "2026-Q-1"},
		{aggregate.Day, "2026-02-30"}, {aggregate.Quarter, ""}, {aggregate.Year, "26"}, {aggregate.Week, "2026-W99999999999999999999"},
	} {
		if got, err := bad.step.Parse(bad.name); err == nil || !strings.Contains(err.Error(), bad.step.String()) {
			t.Errorf("%v: %q is read as %v, %v; must be an error", bad.step, bad.name, got, err)
		}
	}
	var none aggregate.Step
	if names := none.Names(time.Now(), time.Now()); none.Name(time.Now()) != "no step" || names != nil {
		t.Errorf("what is no step names %q and %v", none.Name(time.Now()), names)
	}
	if _, err := none.Parse("2026"); err == nil {
		t.Error("what is no step reads a year")
	}
}
