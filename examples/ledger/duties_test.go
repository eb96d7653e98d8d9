package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every command, flag and test that docs/duties.md names exists, and every row that says
// yes names one.
func TestDutiesAreShown(t *testing.T) {
	text, err := os.ReadFile("../../docs/duties.md")
	if err != nil {
		t.Fatal(err)
	}
	page, rows := string(text), 0
	shown := regexp.MustCompile("`ledger [a-z]+|\\b(Test|Fuzz|Example)[A-Z]\\w+")
	for line := range strings.Lines(page) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || strings.TrimSpace(cells[2]) == "done" || strings.HasPrefix(cells[1], "--") {
			continue
		}
		rows++
		if done := strings.TrimSpace(cells[2]); (strings.HasPrefix(done, "yes") || strings.HasPrefix(done, "in part")) && !shown.MatchString(cells[3]) {
			t.Errorf("nothing shows %q", strings.TrimSpace(cells[1]))
		}
	}
	if rows < 25 {
		t.Errorf("only %d rows were found", rows)
	}
	checkCommands(t, page)
	checkTests(t, page)
	for _, h := range hazards {
		if !strings.Contains(page, fmt.Sprintf("\n| %d ", h.number)) {
			t.Errorf("hazard %d is missing", h.number)
		}
	}
}

func checkCommands(t *testing.T, page string) {
	root := (&env{}).root()
	for _, m := range regexp.MustCompile("`ledger ([a-z]+)(?: --([a-z]+))?").FindAllStringSubmatch(page, -1) {
		c, _, err := root.Find([]string{m[1]})
		if err != nil || c == root || m[2] != "" && c.Flags().Lookup(m[2]) == nil {
			t.Errorf("%s is named and does not exist", m[0])
		}
	}
}

func checkTests(t *testing.T, page string) {
	exists := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Example)\w+)\(`)
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range function.FindAllSubmatch(text, -1) {
			exists[string(m[1])] = true
		}
		return err
	})
	if err != nil || len(exists) < 100 {
		t.Fatalf("%d tests, %v", len(exists), err)
	}
	for _, name := range regexp.MustCompile(`\b(Test|Fuzz|Example)[A-Z]\w+`).FindAllString(page, -1) {
		if !exists[name] {
			t.Errorf("%s is named and does not exist", name)
		}
	}
}
