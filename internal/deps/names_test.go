package deps

import (
	"go/ast"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An exported name is a word that users have to read and a promise that has to be
// kept. This is how many each package may have: its functions, types, constants,
// variables and methods. Fields are not counted, they are the words of their type. then
// are those of d90b317 (testdata/names-d90b317.txt), of which some have gone since; since
// are the rest, and what for. A number is raised with the reason beside it, and lowered when it can be.
var mostNames = map[string]struct{ then, since int }{
	"dp":                          {48, 50},  // of 53; a payment and a loss have one JSON form each, a loss one text and its parts; a budget says why a key is not answered; sums, differences, ratios and shares of estimates, and intervals that hold together; what a charge states; words for a loss, also of a unit that is an event; the noise of a cube; an estimate whose spread is made when it is asked for; a choice among candidates and what it needs; a loss for several units
	"dp/dptest":                   {6, 2},    // of 8; a trial by itself
	"aggregate":                   {47, 121}, // of 47; runs of parts that engines make; names of days, weeks, months, quarters and years as groups; shards, parts and what seals, opens, merges and wipes them; collectors and their snapshots; series: a calendar, views, plans, prices, trends and a smoothed line; releases are read back, prices say what they are of, quantiles without an interval; forecasts, also on rows that may be looked at; consent, who is left out by it, and retention; totals over groups; a query with another cap; receipts say how several numbers are one vector; changes between groups that share noise; what bounds cut; bounds that are found; alerts: a declaration and its conditions, a plan with margins, and what was answered; who is left out is a type, with a question of its own; distinct values; the largest groups; sub-totals, small numbers left out, numbers of rows, errors by size
	"aggregate/groups":            {0, 8},    // products, unions, exclusions, bins
	"aggregate/consent":           {0, 6},    // sources: a file, a table, a header
	"aggregate/rows":              {0, 20},   // sources, what says how they are written, days, and IDs in place of names
	"aggregate/aggregatetest":     {0, 4},    // audits of series and of alerts; audits of plans, which were in dp/dptest
	"budget":                      {82, 30},  // of 88; refusals and releases in the chain, OpenOrCreate, payments that are found again; acts and entries of policies and outside releases; why there is no refund; who says who asks
	"budget/policy":               {0, 20},   // what counts units, what is on record and read again; the document, what decides, and the words that it may have
	"budget/policy/policyyaml":    {0, 1},    // Parse
	"budget/sqlite":               {6, 6},    // of 7; Check, OpenOrCreate, and a store lists its accounts and releases
	"budget/postgres":             {5, 5},    // of 6; the same
	"budget/budgettest":           {19, 8},   // of 21; creation and edits are attacked too, and opening is measured
	"budget/googledp":             {12, 0},   // of 14
	"budget/forecast":             {0, 22},   // shares by aims; what a life of releases costs, before the first of them; plans for goals; rehearsals; privacy profiles
	"aggregate/sqlagg":            {0, 19},   // sources and columns, dialects, what collects, reads, runs and explains
	"aggregate/sqlagg/sqlaggtest": {0, 4},    // what a dialect has to pass, in parts for tests of that
}

func TestPackagesExportNoMoreNamesThanTheyMay(t *testing.T) {
	old := namesThen(t)
	left, more := 0, 0
	for _, pkg := range publicPackages {
		then, since := 0, 0
		for _, name := range namesOf(t, pkg) {
			if old[pkg][name] {
				then++
			} else {
				since++
			}
		}
		if most, ok := mostNames[pkg]; !ok || then > most.then || since > most.since || then+since == 0 {
			t.Errorf("%s exports %d names of d90b317 and %d others, may have %+v: do without, or raise the number and say what for", pkg, then, since, most)
		}
		left, more = left+then, more+since
	}
	t.Logf("of 244 names of d90b317 %d are left; %d came since", left, more)
}

// namesThen returns the names of d90b317, by package.
func namesThen(t *testing.T) map[string]map[string]bool {
	text, err := os.ReadFile(filepath.Join("testdata", "names-d90b317.txt"))
	if err != nil {
		t.Fatal(err)
	}
	then, n := map[string]map[string]bool{}, 0
	for line := range strings.Lines(string(text)) {
		pkg, names, _ := strings.Cut(line, ":")
		then[pkg] = map[string]bool{}
		for _, name := range strings.Fields(names) {
			then[pkg][name] = true
			n++
		}
	}
	if n != 244 {
		t.Fatalf("d90b317 had 244 names, the list has %d", n)
	}
	return then
}

// namesOf returns what a package exports, without fields.
func namesOf(t *testing.T, pkg string) (names []string) {
	files, err := filepath.Glob(filepath.Join("../..", pkg, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	add := func(of string, id *ast.Ident) {
		if id.IsExported() && (of == "" || ast.IsExported(of)) {
			names = append(names, of+id.Name)
		}
	}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		for _, d := range parse(t, path).Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				add(typeOf(d), d.Name)
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						add("", spec.Name)
					case *ast.ValueSpec:
						for _, id := range spec.Names {
							add("", id)
						}
					}
				}
			}
		}
	}
	return names
}
