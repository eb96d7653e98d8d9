package rows

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // so that a zone is the same on every machine
)

// A Date is a day of the calendar: of a time, the day that it was in the zone of the
// [Format]. What a clock on the wall showed needs no time of day that exists there.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

func dateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

func (d Date) before(e Date) bool {
	if d.Year != e.Year {
		return d.Year < e.Year
	}
	return d.Month < e.Month || d.Month == e.Month && d.Day < e.Day
}

// Layouts are those that have a name, since 1/2/2026 says nothing by itself
// and numbers say even less.
var Layouts = []string{"m/d/y", "d/m/y", "epoch-s", "epoch-ms", "epoch-us", "epoch-ns", "excel"}

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

func (f *Format) checkClock(called func(string) string) error {
	if f.Zone == "" {
		f.Zone = "UTC"
	}
	var zone error
	if _, err := time.LoadLocation(f.Zone); err != nil || f.Zone == "Local" {
		zone = fmt.Errorf("%s is %q, must be UTC or a name such as Europe/Berlin", called("Format.Zone"), f.Zone)
	}
	return errors.Join(zone, checkLayout(called("Format.Layout"), f.Layout))
}

// checkLayout refuses layouts that lose a part of the date: everything would be
// counted in the wrong period, or in none.
func checkLayout(flag, layout string) error {
	if layout == "" || slices.Contains(Layouts, layout) {
		return nil
	}
	if strings.Contains(layout, "MST") {
		return fmt.Errorf("%s is %q, but letters such as MST name no certain offset; the offset must be written as -07:00", flag, layout)
	}
	for _, part := range []struct {
		name string
		of   func(time.Time) int
	}{
		{"year", time.Time.Year}, {"month", func(t time.Time) int { return int(t.Month()) }}, {"day", time.Time.Day}, {"time of day", time.Time.Hour},
	} {
		if !keeps(layout, part.of) {
			return fmt.Errorf("%s is %q, which loses the %s; it must be one of %s, or the time Mon Jan 2 15:04:05 2006 as the column would have it, such as 01/02/2006",
				flag, layout, part.name, strings.Join(Layouts, ", "))
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

// A moment is a time as it was read: an instant, or what a clock on the wall showed, as if
// it had been in UTC.
type moment struct {
	time.Time
	wall bool
}

// A clock reads times. It is not for concurrent use.
type clock struct {
	zone    *time.Location
	layouts []layout
	iso     bool                              // days such as 2026-01-31 are among the layouts
	since   func(field string) (moment, bool) // of numbers, or nil
}

// A layout is one that is tried; an instant is one with an offset.
type layout struct {
	text    string
	instant bool
}

// newClock returns the clock of a format that was checked.
func newClock(f *Format) *clock {
	zone, err := time.LoadLocation(f.Zone)
	if err != nil {
		zone = time.UTC // checked
	}
	k := &clock{zone: zone, iso: f.Layout == "" || f.Layout == time.DateOnly}
	texts := []string{f.Layout}
	switch f.Layout {
	case "":
		k.layouts = slices.Clone(knownLayouts())
		return k
	case "m/d/y":
		texts = slashes("1", "2")
	case "d/m/y":
		texts = slashes("2", "1")
	case "epoch-s", "epoch-ms", "epoch-us", "epoch-ns":
		k.since, texts = epoch(f.Layout), nil
	case "excel":
		k.since, texts = excel, nil
	}
	k.layouts = layoutsOf(texts)
	return k
}

// knownLayouts are worked out once.
var knownLayouts = sync.OnceValue(func() []layout { return layoutsOf(known()) })

func layoutsOf(texts []string) (all []layout) {
	for _, text := range texts {
		all = append(all, layout{text, hasOffset(text)})
	}
	return all
}

// hasOffset reports whether a layout writes the offset from UTC.
func hasOffset(layout string) bool {
	t := time.Date(2007, 3, 4, 5, 6, 7, 0, time.UTC)
	return t.Format(layout) != time.Date(2007, 3, 4, 5, 6, 7, 0, time.FixedZone("", 4321)).Format(layout) && strings.Contains(layout, "07")
}

// date returns the day of a time.
func (k *clock) date(field []byte) (Date, bool) {
	if d, ok := isoDate(field); ok && k.iso {
		return d, true
	}
	m, ok := k.moment(string(field))
	return k.day(m), ok
}

// day returns the day that it was.
func (k *clock) day(m moment) Date {
	if m.wall {
		return dateOf(m.Time)
	}
	return dateOf(m.In(k.zone))
}

// instant returns when it was. Of times that the clocks of the zone showed twice, or never,
// it is what package time makes of them.
func (k *clock) instant(m moment) time.Time {
	if !m.wall {
		return m.In(k.zone)
	}
	y, month, d := m.Date()
	return time.Date(y, month, d, m.Hour(), m.Minute(), m.Second(), m.Nanosecond(), k.zone)
}

// isoDate reads a day such as 2026-01-31, as package time does.
func isoDate(b []byte) (Date, bool) {
	if len(b) != len(time.DateOnly) || b[4] != '-' || b[7] != '-' {
		return Date{}, false
	}
	year, month, day := 0, 0, 0
	for i, c := range b {
		switch n := int(c - '0'); {
		case i == 4 || i == 7:
		case c < '0' || c > '9':
			return Date{}, false
		case i < 4:
			year = 10*year + n
		case i < 7:
			month = 10*month + n
		default:
			day = 10*day + n
		}
	}
	if month < 1 || month > 12 || day < 1 || day > 28 && day > time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day() {
		return Date{}, false
	}
	return Date{year, time.Month(month), day}, true
}

// moment reads a time. The layout that fitted is tried first the next time, which changes
// nothing else: no time fits two that differ in the day.
func (k *clock) moment(field string) (moment, bool) {
	if k.since != nil {
		return k.since(field)
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
		return moment{t, !l.instant}, true
	}
	return moment{}, false
}

// epoch reads the time since 1970 in a unit.
func epoch(word string) func(string) (moment, bool) {
	perSecond := map[string]int64{"epoch-s": 1, "epoch-ms": 1e3, "epoch-us": 1e6, "epoch-ns": 1e9}[word]
	return func(field string) (moment, bool) {
		whole, fraction, _ := strings.Cut(field, ".")
		n, err := strconv.ParseInt(whole, 10, 64)
		if err != nil || !allDigits(fraction) {
			return moment{}, false
		}
		seconds, rest := n/perSecond, n%perSecond
		below := strings.Trim(fraction, "0") != ""
		if strings.HasPrefix(whole, "-") && (rest != 0 || below) {
			seconds, rest = seconds-1, rest+perSecond // before 1970 a part of a second belongs to the second before
		}
		t := time.Unix(seconds, rest%perSecond*(1e9/perSecond)).UTC()
		return moment{t, false}, sensible(t)
	}
}

// excel reads the days since 1899-12-30, which is what spreadsheets count, on the wall.
func excel(field string) (moment, bool) {
	n, err := strconv.ParseFloat(field, 64)
	if err != nil || !(n >= 61) || n > 3e6 { // before March 1900 Excel counts a day that there was not
		return moment{}, false
	}
	days := math.Floor(n)
	t := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(days))
	t = t.Add(min(time.Duration((n-days)*86400)*time.Second, 24*time.Hour-time.Second))
	return moment{t, true}, sensible(t)
}

// sensible reports whether a time has a year of four digits: others come of a
// wrong unit.
func sensible(t time.Time) bool { return t.Year() >= 1000 && t.Year() <= 9999 }
