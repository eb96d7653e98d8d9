package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// Every command and flag that docs/duties.md names exists, and every row that says yes
// names one, or a test, which internal/deps looks for.
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
