package browsertest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A report is a page to look at.
type report struct {
	name string
	args []string
}

const visits = "who,day,paid,country\n"

// reports are pages of every kind: the embedded data, groups, days, no rows.
var reports = []report{
	{"default", nil},
	{"truth", []string{"-truth"}},
	{"days", []string{"-period", "day", "-from", "1997-01-01", "-to", "1997-03-31"}},
	{"groups", []string{"-by", "cds", "-groups", "1,2,3", "-period", "quarter"}},
	{"selected", []string{"-by", "cds", "-from", "", "-to", ""}},
	{"empty", []string{"-input", "none.csv", "-unit", "who", "-time", "day"}},
	{"nobody", []string{"-epsilon", "20", "-limit", "20", "-from", "", "-to", ""}},
	{"unknown", []string{"-epsilon", "0.05", "-period", "quarter", "-by", "cds", "-groups", "30,31"}},
	{"series", []string{"-series", "78 weeks"}},
	{"series-begun", []string{"-series", "365 days", "-to", "1997-01-20"}},
	{"series-groups", []string{"-series", "18 months", "-by", "cds", "-groups", "1,2,30", "-epsilon", "0.1"}},
	{"one", []string{"-input", "none.csv", "-unit", "who", "-time", "day", "-value", "paid", "-upper", "1000000", "-from", "2026-01", "-to", "2026-01", "-currency", "€"}},
}

// headings returns, as JSON, those that the page must have.
func (r report) headings() string {
	switch {
	case r.name == "series-groups":
		return `["All together", "1", "2", "30"]`
	case strings.HasPrefix(r.name, "series"):
		return `["Over time"]`
	}
	return `["The trends", "What is protected, and what is not", "What it cost, and what is left", "What was asked, and how exactly it could be answered", "Receipt"]`
}

// build makes the pages, each with a ledger of its own.
func build(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "trends.exe")
	command := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	command.Dir = "../trends"
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "none.csv"), []byte(visits), 0o666); err != nil {
		t.Fatal(err)
	}
	pages := make(map[string]string)
	for _, r := range reports {
		pages[r.name] = filepath.Join(dir, r.name+".html")
		command := exec.CommandContext(t.Context(), program, append(r.args, "-out", pages[r.name], "-ledger", r.name+".db")...)
		command.Dir = dir
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", r.name, err, out)
		}
	}
	return pages
}

// TestReportsFitTheirScreens looks at every page at the width of a phone and of a desk, in light
// and dark, and as it would be printed.
func TestReportsFitTheirScreens(t *testing.T) {
	browser := start(t)
	pages := build(t)
	for _, r := range reports {
		for _, v := range views {
			t.Run(r.name+"/"+v.name, func(t *testing.T) {
				look(t, browser, sight{name: r.name, url: "file://" + pages[r.name], headings: r.headings()}, v)
			})
		}
	}
}
