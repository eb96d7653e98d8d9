package deps

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	testNames    = regexp.MustCompile(`\b(?:Test|Fuzz|Example)[A-Z]\w+`)
	commandNames = regexp.MustCompile("`ledger [a-z]+")
	goNames      = regexp.MustCompile("`(\\w+\\.)?([A-Z]\\w*)(\\([^`]*\\))?`")
)

// Every test and example that a document names exists.
func TestTestsThatDocumentsNameExist(t *testing.T) {
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Example)\w*)\(`)
	exists := map[string]bool{}
	forEachFile(t, func(path string) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range function.FindAllSubmatch(text, -1) {
			exists[string(m[1])] = exists[string(m[1])] || strings.HasSuffix(path, "_test.go")
		}
	})
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(pages) < 4 {
		t.Fatalf("%d documents, %v", len(pages), err)
	}
	named := 0
	for _, page := range append(pages, "../../README.md", "../../DESIGN.md", "../../SECURITY.md") {
		for _, name := range testNames.FindAllString(read(t, page), -1) {
			named++
			if !exists[name] {
				t.Errorf("%s names %s, which does not exist", filepath.Base(page), name)
			}
		}
	}
	if named < 200 {
		t.Errorf("only %d names were found", named)
	}
}

// The table of features has each of the 179 once; what is here has a test, an example or
// a command that shows it, what is refused a reason, and the sums above it are right.
func TestEveryFeatureIsShownOrRefused(t *testing.T) {
	page := read(t, "../../docs/features.md")
	var seen []string
	sums := map[string]int{}
	for line := range strings.Lines(page) {
		cells := strings.Split(line, "|")
		if len(cells) != 7 || !regexp.MustCompile(`^ \d+ $`).MatchString(cells[1]) {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		seen = append(seen, cells[1])
		sums[cells[3]]++
		if fault := faultOf(cells[3], cells[4], cells[5]); fault != "" {
			t.Errorf("row %s: %s", cells[1], fault)
		}
	}
	for n := range 179 {
		if !slices.Contains(seen, fmt.Sprint(n+1)) || len(seen) != 179 {
			t.Fatalf("of %d rows one should be %d", len(seen), n+1)
		}
	}
	if want := fmt.Sprintf("\n%d yes, %d in part, %d refused, %d not yet.\n", sums["yes"], sums["in part"], sums["refused"], sums["not yet"]); !strings.Contains(page, want) {
		t.Errorf("the table has%s", want)
	}
}

// faultOf says what a row of the table of features lacks.
func faultOf(here, how, shown string) string {
	isShown := testNames.MatchString(shown) || commandNames.MatchString(shown) || shown == "Example"
	switch {
	case here == "yes" && !isShown, here == "in part" && (!isShown || how == ""):
		return "nothing shows it"
	case here == "refused" && len(how) < 20:
		return "it is refused without a reason"
	case !slices.Contains([]string{"yes", "in part", "refused", "not yet"}, here):
		return here + " is no answer"
	}
	return ""
}

// What the table of features calls by a name in Go is exported under that name.
func TestNamesInTheTableOfFeaturesAreExported(t *testing.T) {
	var api strings.Builder
	files, err := filepath.Glob("testdata/api/*.txt")
	if err != nil || len(files) != len(publicPackages) {
		t.Fatalf("%d files for %d packages, %v", len(files), len(publicPackages), err)
	}
	for _, file := range files {
		api.WriteString(read(t, file))
	}
	found := goNames.FindAllStringSubmatch(read(t, "../../docs/features.md"), -1)
	for _, m := range found {
		if !regexp.MustCompile(`(?m)^\s*(func |func \([^)]*\) |type )?` + m[2] + `\b`).MatchString(api.String()) {
			t.Errorf("%s is not exported", m[0])
		}
	}
	if len(found) < 30 {
		t.Errorf("only %d names were found", len(found))
	}
}

func read(t *testing.T, path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
