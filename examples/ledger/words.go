package main

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/equipoise-dp/equipoise/dp"
)

// What was computed, in words that somebody in the data understands: a ledger says "units"
// and "stay mean", and a customer is told "how many patients" and "the average of stay".

// ofRank is the end of the name of a quantile that was drawn by itself.
var ofRank = regexp.MustCompile(`^(.*) quantiles?(?: p([0-9.]+)| at ([0-9.]+))?(?:, .*)?$`)

// cutOf is the name of a value that tells what bounds cut (aggregate.Value.Cut), or of a number of it.
var cutOf = regexp.MustCompile(`^(.*) beyond \[[^\]]*\](?: sum| mean| variance)?(?:, .*)?$`)

// ends are the ends of the names of numbers of a value.
var ends = []struct{ ends, words string }{
	{" sum", "the total of %s"}, {" mean", "the average of %s"}, {" variance", "the average of %s, and how far single ones are from it"},
}

// inWords says what a mechanism was for. A name that it does not know stays as it is.
func inWords(name, unit string) string {
	if m := cutOf.FindStringSubmatch(name); m != nil {
		return "how many values of " + m[1] + " the bounds cut"
	}
	name, _, _ = strings.Cut(name, ", ")
	switch name {
	case "units":
		return "how many " + plural(unit) + " there are"
	case "count", "rows":
		return "how many entries there are"
	case "numbers per unit", "numbers per row": // several at once, whose names a charge does not state
		return "counts, totals and averages"
	case "groups", "selection of groups":
		return "which groups there are"
	}
	for _, w := range ends {
		if value, ok := strings.CutSuffix(name, w.ends); ok {
			return fmt.Sprintf(w.words, value)
		}
	}
	if m := ofRank.FindStringSubmatch(name); m != nil {
		return fmt.Sprintf("what is low, usual and high of %s", m[1])
	}
	return name
}

func plural(unit string) string {
	if strings.HasSuffix(unit, "s") {
		return unit
	}
	if before, ok := strings.CutSuffix(unit, "y"); ok && !strings.HasSuffix(before, "a") && !strings.HasSuffix(before, "e") && !strings.HasSuffix(before, "o") {
		return before + "ies"
	}
	if unit == "person" {
		return "people"
	}
	return unit + "s"
}

// results lists what was computed, each once: what mechanisms were for, of which values where
// those do not say so, and of what there is a number each.
func results(charges []dp.Charge, unit string) string {
	var all []result
	for _, c := range charges {
		for _, e := range c.Events {
			if r := resultOf(e, c.States, unit); !slices.Contains(all, r) {
				all = append(all, r)
			}
		}
	}
	listed := all[:min(len(all), mostResults)]
	var told []string
	for len(listed) > 0 {
		of := listed[0].of
		told = append(told, of+strings.Join(namesOf(listed, of), ", "))
		listed = slices.DeleteFunc(slices.Clone(listed), func(r result) bool { return r.of == of })
	}
	if more := len(all) - mostResults; more > 0 {
		told = append(told, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(told, "; ")
}

// A result is what a mechanism was for, and before it of what there is a number each.
type result struct{ of, name string }

func namesOf(all []result, of string) (names []string) {
	for _, r := range all {
		if r.of == of {
			names = append(names, r.name)
		}
	}
	return names
}

// mostResults bounds what is listed.
const mostResults = 8

func resultOf(e dp.Event, s *dp.Statement, unit string) result {
	name := cmp.Or(e.For, string(e.Mechanism))
	switch {
	case s == nil:
		return result{"", inWords(name, unit)}
	case s.LeftOut:
		return result{"", "how many " + plural(unit) + " are left out by their choice"}
	case s.Groups != "" && (name == "groups" || name == "selection of groups"):
		return result{"", "which " + plural(s.Groups) + " there are"}
	}
	return result{ofEach(s), inWords(name, unit) + ofSeveral(name, s)}
}

// ofEach says of what there is a number each.
func ofEach(s *dp.Statement) string {
	var each []string
	if s.Grouped && s.Groups != "" {
		each = append(each, sizeOf.ReplaceAllString(s.Groups, "size of $1"))
	}
	if s.Step != "" {
		each = append(each, s.Step)
	}
	if len(each) == 0 {
		return ""
	}
	return "of each " + strings.Join(each, " and ") + ": "
}

// sizeOf is the name of the groups of a search for bounds.
var sizeOf = regexp.MustCompile(`^size of (.*) per (?:row|unit) in \[.*$`)

// ofSeveral names the values of several numbers that are released at once.
func ofSeveral(name string, states *dp.Statement) string {
	if !strings.HasPrefix(name, "numbers per ") || states == nil || len(states.Columns) == 0 {
		return ""
	}
	var values []string
	for _, c := range states.Columns {
		values = append(values, cutOf.ReplaceAllString(c.Name, "what the bounds cut of $1"))
	}
	return " of " + strings.Join(values, ", ")
}

func digestText(d [32]byte) string { return hex.EncodeToString(d[:]) }
