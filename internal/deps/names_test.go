package deps

import (
	"go/ast"
	"path/filepath"
	"strings"
	"testing"
)

// An exported name is a word that users have to read and a promise that has to be
// kept. This is how many each package may have: its functions, types, constants,
// variables and methods. Fields are not counted, they are the words of their type. A
// number is raised with the reason beside it, and lowered when it can be.
var mostNames = map[string]int{
	"dp":                       91,  // 53 at d90b317; a payment and a loss have one JSON form each, a loss one text and its parts; a budget says why a key is not answered; sums, differences, ratios and shares of estimates, and intervals that hold together; what a charge states; words for a loss, also of a unit that is an event; the noise of a cube
	"dp/dptest":                8,   // 8
	"aggregate":                105, // 47; series: a calendar, views, plans, prices, trends and a smoothed line; releases are read back, prices say what they are of, quantiles without an interval; forecasts; consent and retention; totals over groups; a query with another cap; receipts say how several numbers are one vector
	"aggregate/consent":        6,   // sources: a file, a table, a header
	"aggregate/aggregatetest":  3,   // 0; audits of series; audits of plans were in dp/dptest
	"budget":                   117, // 88; refusals and releases in the chain, OpenOrCreate, payments that are found again; acts and entries of policies and outside releases; why there is no refund
	"budget/policy":            17,  // the document, what decides, and the words that it may have
	"budget/policy/policyyaml": 1,   // Parse
	"budget/sqlite":            12,  // 7; Check, OpenOrCreate, and a store lists its accounts and releases
	"budget/postgres":          10,  // 6; the same
	"budget/budgettest":        28,  // 21; creation and edits are attacked too, and opening is measured
	"budget/googledp":          14,  // 14
	"budget/forecast":          16,  // 0; what a life of releases costs, before the first of them; plans for goals; rehearsals
}

func TestPackagesExportNoMoreNamesThanTheyMay(t *testing.T) {
	for _, pkg := range publicPackages {
		most, ok := mostNames[pkg]
		if got := len(namesOf(t, pkg)); got > most || !ok || got == 0 {
			t.Errorf("%s exports %d names, may have %d: do without, or raise the number and say what for", pkg, got, most)
		}
	}
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
