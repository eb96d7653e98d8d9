package main

import (
	"regexp"
	"strings"
)

// A rule turns a word into its plural.
type rule struct {
	ending *regexp.Regexp
	plural string
}

// rules are tried in this order. They are for the words that units and rows are
// called by; whoever has another one gives both, as in -row-name ox/oxen.
var rules = func() (all []rule) {
	for _, r := range [][2]string{
		{`(^|[ -])person$`, "${1}people"}, {`child$`, "children"}, {`(^|[ -]|wo|sales|police)man$`, "${1}men"},
		{`(series|species|sheep|fish|aircraft|news|staff)$`, "${1}"},
		{`(li|wi|kni|hal|lea|shel|loa|thie|sel|cal)fe?$`, "${1}ves"},
		{`([^aeiou])y$`, "${1}ies"}, {`(quiz)$`, "${1}zes"}, {`(ss|us|x|z|ch|sh)$`, "${1}es"}, {`(analy|ba|cri|diagno|hypothe|the)sis$`, "${1}ses"},
		{`s$`, "s"}, {`$`, "s"},
	} {
		all = append(all, rule{regexp.MustCompile(r[0]), r[1]})
	}
	return all
}()

// bothNumbers returns a word and its plural: what stands after a slash if there is
// one, and otherwise what the rules make of it.
func bothNumbers(word string) (one, many string) {
	one, many, _ = strings.Cut(word, "/")
	if many == "" {
		many = plural(one)
	}
	return one, many
}

func plural(word string) string {
	for _, r := range rules {
		if r.ending.MatchString(word) {
			return r.ending.ReplaceAllString(word, r.plural)
		}
	}
	return word
}

// count returns "1 purchase" or "5 purchases".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return grouped(float64(n), 0) + " " + many
}
