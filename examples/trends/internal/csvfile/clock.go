package csvfile

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // so that a zone is the same on every machine
)

// A Date is a day of the calendar. What is read of a time is the day that it was
// in the zone of the report.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

func dateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

// A Clock says how times are written and where the day begins.
//
// A time with an offset from UTC is an instant, and counts on the day that it was
// in Zone. A time without one is what a clock on the wall of Zone showed, and
// counts on the day that is written.
type Clock struct {
	Zone   string // such as Europe/Berlin; UTC if empty
	Layout string // of Go's package time, or one of the words of [Words]; empty for every layout that can be taken for no other
}

// Words are the layouts that have a name, since 1/2/2026 says nothing by itself
// and numbers say even less.
var Words = []string{"m/d/y", "d/m/y", "epoch-s", "epoch-ms", "epoch-us", "epoch-ns", "excel"}

var (
	isoDays   = []string{"2006-01-02", "2006/01/02", "2006.01.02"}
	otherDays = []string{
		"20060102", "02.01.2006",
		"2 January 2006", "2 Jan 2006", "January 2, 2006", "Jan 2, 2006", "2-Jan-2006", "2-January-2006", "02Jan2006",
	}
	hours = []string{"15:04", "15:04:05", "03:04 PM", "03:04:05 PM"}
	zones = []string{"", "Z07:00", "Z0700", "Z07", " Z07:00", " Z0700", " Z07"}
	whole = []string{
		"20060102150405", "20060102T150405", "20060102T150405Z0700", "02Jan2006:15:04:05",
		"Mon, 2 Jan 2006 15:04:05 Z0700", "Mon, 2 Jan 2006 15:04:05", "Mon Jan _2 15:04:05 2006",
	}
)

// known returns every layout that is read without being told.
func known() []string {
	all := append(slices.Concat(isoDays, otherDays), whole...)
	for _, day := range slices.Concat(isoDays, otherDays) {
		all = append(all, times(day, zones)...)
	}
	return all
}

// times returns a layout of days with every time of day behind it.
func times(day string, zones []string) []string {
	var all []string
	for _, hour := range hours {
		for _, zone := range zones {
			all = append(all, day+" "+hour+zone)
			if strings.HasPrefix(hour, "15") {
				all = append(all, day+"T"+hour+zone)
			}
		}
	}
	return all
}

// slashes returns the layouts of a word such as d/m/y: years of two or four
// digits.
func slashes(first, second string) []string {
	var all []string
	for _, sign := range []string{"/", "-", "."} {
		for _, year := range []string{"2006", "06"} {
			day := first + sign + second + sign + year
			all = append(all, day)
			all = append(all, times(day, []string{""})...)
			all = append(all, day+" 3:04 PM", day+" 3:04:05 PM")
		}
	}
	return all
}

func (c *Clock) check() error {
	if c.Zone == "" {
		c.Zone = "UTC"
	}
	return errors.Join(c.checkZone(), c.checkLayout())
}

func (c *Clock) checkZone() error {
	if _, err := time.LoadLocation(c.Zone); err != nil || c.Zone == "Local" {
		return fmt.Errorf("-zone is %q, must be UTC or a name such as Europe/Berlin", c.Zone)
	}
	return nil
}

// checkLayout refuses layouts that lose a part of the date: everything would be
// counted in the wrong period, or in none.
func (c *Clock) checkLayout() error {
	if c.Layout == "" || slices.Contains(Words, c.Layout) {
		return nil
	}
	if strings.Contains(c.Layout, "MST") {
		return fmt.Errorf("-time-layout is %q, but letters such as MST name no certain offset; the offset must be written as -07:00", c.Layout)
	}
	for _, part := range []struct {
		name string
		of   func(time.Time) int
	}{
		{"year", time.Time.Year}, {"month", func(t time.Time) int { return int(t.Month()) }}, {"day", time.Time.Day}, {"time of day", time.Time.Hour},
	} {
		if !keeps(c.Layout, part.of) {
			return fmt.Errorf("-time-layout is %q, which loses the %s; it must be one of %s, or the time Mon Jan 2 15:04:05 2006 as the column would have it, such as 01/02/2006",
				c.Layout, part.name, strings.Join(Words, ", "))
		}
	}
	return nil
}

// keeps reports whether a part of a time can be read back from what a layout
// writes. The time of day may be left out, but not half of it.
func keeps(layout string, part func(time.Time) int) bool {
	for _, t := range []time.Time{
		time.Date(2007, 3, 4, 5, 6, 7, 0, time.UTC), time.Date(2031, 12, 25, 17, 48, 59, 0, time.UTC), time.Date(2024, 10, 11, 12, 0, 0, 0, time.UTC),
	} {
		back, err := time.Parse(layout, t.Format(layout))
		midnight := t.Add(-time.Duration(t.Hour()) * time.Hour)
		if err != nil || part(back) != part(t) && (part(back) != part(midnight) || t.Format(layout) != midnight.Format(layout)) {
			return false
		}
	}
	return true
}

// A clock reads times.
type clock struct {
	zone    *time.Location
	layouts []layout
	since   func(field string) (time.Time, bool) // of numbers, or nil
}

// A layout is one that is tried; an instant is one with an offset.
type layout struct {
	text    string
	instant bool
}

// newClock returns the clock of a [Clock] that was checked.
func newClock(c Clock) *clock {
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		zone = time.UTC // checked
	}
	k := &clock{zone: zone}
	texts := []string{c.Layout}
	switch c.Layout {
	case "":
		texts = known()
	case "m/d/y":
		texts = slashes("1", "2")
	case "d/m/y":
		texts = slashes("2", "1")
	case "epoch-s", "epoch-ms", "epoch-us", "epoch-ns":
		k.since, texts = k.epoch(c.Layout), nil
	case "excel":
		k.since, texts = excel, nil
	}
	for _, text := range texts {
		k.layouts = append(k.layouts, layout{text, hasOffset(text)})
	}
	return k
}

// hasOffset reports whether a layout writes the offset from UTC.
func hasOffset(layout string) bool {
	t := time.Date(2007, 3, 4, 5, 6, 7, 0, time.UTC)
	return t.Format(layout) != time.Date(2007, 3, 4, 5, 6, 7, 0, time.FixedZone("", 4321)).Format(layout) && strings.Contains(layout, "07")
}

// date returns the day of a time. The layout that fitted is tried first the next
// time, which changes nothing else: no time fits two that differ in the day.
func (k *clock) date(field string) (Date, bool) {
	if k.since != nil {
		t, ok := k.since(field)
		return dateOf(t), ok
	}
	for _, ending := range []string{" UTC", " GMT"} {
		if rest, found := strings.CutSuffix(field, ending); found {
			field = rest + " Z"
		}
	}
	for i, l := range k.layouts {
		t, err := time.Parse(l.text, field)
		if err != nil {
			continue
		}
		k.layouts[0], k.layouts[i] = k.layouts[i], k.layouts[0]
		if l.instant {
			t = t.In(k.zone)
		}
		return dateOf(t), true
	}
	return Date{}, false
}

// epoch reads the time since 1970 in a unit.
func (k *clock) epoch(word string) func(string) (time.Time, bool) {
	perSecond := map[string]int64{"epoch-s": 1, "epoch-ms": 1e3, "epoch-us": 1e6, "epoch-ns": 1e9}[word]
	return func(field string) (time.Time, bool) {
		whole, fraction, _ := strings.Cut(field, ".")
		n, err := strconv.ParseInt(whole, 10, 64)
		if err != nil || !allDigits(fraction) {
			return time.Time{}, false
		}
		seconds := n / perSecond
		if strings.HasPrefix(whole, "-") && (n%perSecond != 0 || strings.Trim(fraction, "0") != "") {
			seconds-- // before 1970 a part of a second belongs to the second before
		}
		t := time.Unix(seconds, 0).In(k.zone)
		return t, sensible(t)
	}
}

// excel reads the days since 1899-12-30, which is what spreadsheets count.
func excel(field string) (time.Time, bool) {
	n, err := strconv.ParseFloat(field, 64)
	if err != nil || !(n >= 61) || n > 3e6 { // before March 1900 Excel counts a day that there was not
		return time.Time{}, false
	}
	t := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(math.Floor(n)))
	return t, sensible(t)
}

// sensible reports whether a time has a year of four digits: others come of a
// wrong unit.
func sensible(t time.Time) bool { return t.Year() >= 1000 && t.Year() <= 9999 }
