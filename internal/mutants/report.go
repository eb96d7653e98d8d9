package main

import (
	"cmp"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"
)

// An equivalent is a mutant that no test can kill, or that changes nothing which
// is promised, and why.
type equivalent struct {
	file, function, before, after, reason string
}

//go:embed equivalent.txt
var equivalentText string

// readEquivalent reads the list: for each mutant the file and the function, the
// line before and after, and the reason.
//
//	dp/loss.go Pure.Check
//	- return positive("epsilon", l.Epsilon)
//	+ return nil
//	= why no test can tell
func readEquivalent(text string) ([]equivalent, error) {
	var all []equivalent
	for block := range strings.SplitSeq(text, "\n\n") {
		var lines []string
		for line := range strings.SplitSeq(block, "\n") {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				lines = append(lines, line)
			}
		}
		if len(lines) == 0 {
			continue
		}
		file, function, ok := strings.Cut(lines[0], " ")
		if !ok || len(lines) != 4 || lines[1][0] != '-' || lines[2][0] != '+' || lines[3][0] != '=' {
			return nil, fmt.Errorf("equivalent.txt: an entry is not file and function, -, +, =:\n%s", block)
		}
		all = append(all, equivalent{file, function, strings.TrimSpace(lines[1][1:]), strings.TrimSpace(lines[2][1:]), strings.TrimSpace(lines[3][1:])})
	}
	return all, nil
}

// is reports whether the entry is about a mutant.
func (e equivalent) is(s site) bool {
	return e.file == s.file && e.function == s.function && e.before == s.before && e.after == s.after
}

// report prints what became of the mutants, and returns how many live without a
// reason, and how many with one.
func report(out io.Writer, results []result, known []equivalent) (lived, excused int) {
	count := make(map[fate]int)
	var bad []result
	for _, r := range results {
		count[r.fate]++
		if r.fate != survived && r.fate != unreached {
			continue
		}
		if slices.ContainsFunc(known, func(e equivalent) bool { return e.is(r.site) }) {
			excused++
			continue
		}
		bad = append(bad, r)
	}
	slices.SortFunc(bad, func(a, b result) int {
		return cmp.Or(strings.Compare(a.file, b.file), cmp.Compare(a.line, b.line))
	})
	for _, r := range bad {
		fmt.Fprintf(out, "\n%v %v\n", r.fate, r.site)
	}
	dead := count[killed] + count[hung]
	fmt.Fprintf(out, "\n%d mutants: %d died (%d of them by taking too long), %d live, of which %d are equivalent; %.1f %% of the others died\n",
		len(results), dead, count[hung], len(results)-dead, excused, 100*float64(dead)/float64(max(len(results)-excused, 1)))
	return len(bad), excused
}
