package main

import (
	"encoding/csv"
	"flag"
	"fmt"
	"strings"

	"github.com/equipoise-dp/equipoise/aggregate/rows"
)

// formatFlags are those that say how the input is written.
func (o *options) formatFlags(f *flag.FlagSet) {
	w := &o.Format
	f.StringVar(&w.Encoding, "encoding", "", "a `name` such as windows-1252, iso-8859-15, utf-16le or shift_jis (default: UTF-8, or\nwhat a mark at the start says)")
	f.StringVar(&w.Delimiter, "delimiter", "", "a `character`, or comma, semicolon, tab, pipe or space (default: the one of the first\nfour that finds the columns in the header)")
	f.StringVar(&w.Decimal, "decimal", ".", "the decimal `sign`, . or ,")
	f.StringVar(&w.Thousands, "thousands", "", "the `sign` between thousands: a comma, a point, a space or an apostrophe")
	f.StringVar(&w.Missing, "missing", rows.Refuse, "the `rule` for a row in which the unit, the time or the value is blank, or the time or\nthe value is marked as missing: refuse ends with an error, skip leaves the row out, zero counts its value as 0")
	f.Func("missing-marks", "the marks of a missing time or value beside a blank one, as `a,b,c`, without regard to case\n(default: "+strings.Join(rows.Marks, ",")+")", o.setMarks)
	f.StringVar(&w.Layout, "time-layout", "", "the `layout` of times: one of "+strings.Join(rows.Layouts, ", ")+",\nor one of Go's package time, such as 01/02/2006 (default: whatever can be taken for\nnothing else: 2026-01-31, 20260131, 2026/01/31, 31.01.2006, 31 Jan 2026, with or without a\ntime of day, its fractions and its offset)")
	f.StringVar(&w.Zone, "zone", "UTC", "the `zone` where days begin, such as Europe/Berlin: a time with an offset is an instant and counts\non the day that it was there; one without an offset is taken to be of there")
}

func (o *options) setMarks(list string) error {
	o.Format.Marks = []string{}
	if strings.TrimSpace(list) == "" {
		return nil
	}
	marks, err := csv.NewReader(strings.NewReader(list)).Read()
	if err != nil {
		return fmt.Errorf("it must be one line of CSV, such as NA,null")
	}
	for _, m := range marks {
		o.Format.Marks = append(o.Format.Marks, strings.TrimSpace(m))
	}
	return nil
}

// Reading says how rows are read, as far as it changes what they say and is not
// as usual: it belongs to the question.
func (o *options) Reading() string {
	var all []string
	if z := o.Format.Zone; z != "UTC" {
		all = append(all, "days of "+z)
	}
	switch o.Format.Missing {
	case rows.Skip:
		all = append(all, "rows with missing fields left out")
	case rows.Zero:
		all = append(all, "missing values counted as 0")
	}
	return strings.Join(all, ", ")
}
