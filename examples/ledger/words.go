package main

import (
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

// inWords says what a mechanism was for. A name that it does not know stays as it is.
func inWords(name, unit string) string {
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
	for _, w := range []struct{ ends, words string }{
		{" sum", "the total of %s"}, {" mean", "the average of %s"}, {" variance", "the average of %s, and how far single ones are from it"},
	} {
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

// results lists what was computed, each once: what mechanisms were for, and of which values where
// those do not say so.
func results(charges []dp.Charge, unit string) string {
	var names []string
	for _, c := range charges {
		for _, e := range c.Events {
			name := e.For
			if name == "" {
				name = string(e.Mechanism)
			}
			if name = inWords(name, unit) + ofSeveral(name, c.States); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	const most = 8
	if len(names) > most {
		names = append(names[:most], fmt.Sprintf("and %d more", len(names)-most))
	}
	return strings.Join(names, ", ")
}

// ofSeveral names the values of several numbers that are released at once.
func ofSeveral(name string, states *dp.Statement) string {
	if !strings.HasPrefix(name, "numbers per ") || states == nil || len(states.Columns) == 0 {
		return ""
	}
	var values []string
	for _, c := range states.Columns {
		values = append(values, c.Name)
	}
	return " of " + strings.Join(values, ", ")
}

func digestText(d [32]byte) string { return hex.EncodeToString(d[:]) }
