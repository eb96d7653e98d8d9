package dptest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

// attackRows says how many rows each chapter of docs/attacks.md has.
var attackRows = map[string]int{"A": 17, "B": 19, "C": 13, "D": 14, "E": 17, "F": 6, "G": 4}

// Every row of docs/attacks.md names tests that exist, or says why it does not
// apply; no row is missing.
func TestAttacksAreTested(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "attacks.md"))
	if err != nil {
		t.Fatal(err)
	}
	exists := testNames(t)
	isRow := regexp.MustCompile(`(?m)^\| ([A-G]\d+) \| [^|]+ \| ([^|]+) \|$`)
	isTest := regexp.MustCompile(`\b(Test|Fuzz)[A-Z]\w+`)
	tests := make(map[string]string)
	for _, row := range isRow.FindAllStringSubmatch(string(page), -1) {
		id, text := row[1], row[2]
		tests[id] = text
		if len(isTest.FindAllString(text, -1)) == 0 && !strings.HasPrefix(text, "Does not apply:") {
			t.Errorf("%s has neither a test nor a reason", id)
		}
	}
	for chapter, n := range attackRows {
		for i := 1; i <= n; i++ {
			if id := fmt.Sprint(chapter, i); tests[id] == "" {
				t.Errorf("%s is missing", id)
			}
		}
	}
	for _, name := range isTest.FindAllString(string(page), -1) {
		if !exists[name] {
			t.Errorf("%s is named and does not exist", name)
		}
	}
}

// The table of mutants is that of the tests.
func TestMutantsAreListed(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "attacks.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mutants {
		if line := fmt.Sprintf("| %s | %s | %v | %d |\n", m.name, m.row, m.claim, m.runs); !strings.Contains(string(page), line) {
			t.Errorf("docs/attacks.md lacks\n%s", line)
		}
	}
}

// testNames lists the test functions of the repository.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names := make(map[string]bool)
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range function.FindAllSubmatch(text, -1) {
			names[string(m[1])] = true
		}
		return err
	})
	if err != nil || len(names) < 100 {
		t.Fatalf("%d tests were found: %v", len(names), err)
	}
	return names
}
