package main

import (
	"bytes"
	"flag"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

var update = flag.Bool("update", false, "rewrite the golden reports")

// What a report says, word for word, is reviewed and frozen in testdata/golden;
// after an intended change: go test ./examples/trends -run Golden -update. Numbers
// are not frozen, since how much noise a plan needs is the library's business, and
// other tests look at them.
func TestGoldenReportsSayWhatWasReviewed(t *testing.T) {
	dptest.NoNoise(t)
	input := filepath.Join(t.TempDir(), "visits.csv")
	writeVisits(t, input)
	file := []string{"-input", input, "-dataset", "visits", "-unit", "who", "-unit-name", "child", "-row-name", "search", "-time", "day", "-value", "paid", "-upper", "100", "-currency", "€"}
	for _, c := range []struct {
		name string
		args []string
		left balance
	}{
		{"given", []string{"-from", "2026-01", "-to", "2026-04"}, balance{Limit: dp.Approx{Epsilon: 3, Delta: 3e-6}, Total: 6, More: 5, Ends: "there is too little ε"}},
		{"selected", []string{"-by", "land"}, balance{Limit: dp.Approx{Epsilon: 3, Delta: 3e-6}, Total: 3, More: 0, Ends: "there is too little δ"}},
		{"nobody", []string{"-epsilon", "20", "-limit", "20", "-from", "2026-01", "-to", "2026-02"}, balance{Limit: dp.Approx{Epsilon: 20, Delta: 1e-6}, Total: 1, Ends: "there is too little ε"}},
		{"hidden", []string{"-epsilon", "0.0001", "-from", "2026-01", "-to", "2026-02", "-missing", "skip", "-zone", "Asia/Tokyo"}, balance{Limit: dp.Approx{Epsilon: 3, Delta: 3e-6}, Total: mostCounted, More: mostCounted}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, q, part := collected(t, append(file, c.args...)...)
			r, err := o.report(q, q.released(t, part), c.left, false)
			if err != nil {
				t.Fatal(err)
			}
			var terminal bytes.Buffer
			if err := r.writeTerminal(&terminal, false); err != nil {
				t.Fatal(err)
			}
			// Where lines break depends on how long the numbers are.
			_, tables, _ := strings.Cut(terminal.String(), "\n\n")
			said := slices.Concat(o.warnings(), []string{r.Headline()}, r.legend(), []string{"", tables})
			page, err := r.html()
			if err != nil {
				t.Fatal(err)
			}
			golden(t, c.name+".txt", masked(strings.Join(said, "\n"))+"\n=== page\n"+masked(text(string(page))))
		})
	}
}

// writeVisits writes four months: some children, then many, then the same again,
// and few.
func writeVisits(t *testing.T, path string) {
	t.Helper()
	var b strings.Builder
	b.WriteString("who,day,paid,land\n")
	for month, children := range []int{3000, 9000, 9000, 3} {
		for c := range children {
			fmt.Fprintf(&b, "u%d,2026-%02d-15,%d,%s\n", c, month+1, 10+c%7, []string{"de", "fr"}[c%2])
		}
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o666); err != nil {
		t.Fatal(err)
	}
}

var (
	unread  = regexp.MustCompile(`(?s)<style>.*?</style>|<svg.*?</svg>`)
	tags    = regexp.MustCompile(`</(p|h1|h2|h3|li|tr|dd|figcaption|caption|strong)>`)
	anyTag  = regexp.MustCompile(`<[^>]*>`)
	blanks  = regexp.MustCompile(`[ \t]*\n\s*`)
	digits  = regexp.MustCompile(`[0-9]([0-9.,]*[0-9])?(e[-+][0-9]+)?`)
	hashes  = regexp.MustCompile(`[0-9a-f]{64}|trends-[0-9a-f]{12}`)
	spaces  = regexp.MustCompile(` +`)
	numbers = regexp.MustCompile(`[−+]?€?#`)
)

// text returns what a page says, a line for every paragraph.
func text(page string) string {
	page = tags.ReplaceAllString(unread.ReplaceAllString(page, ""), "\n")
	return html.UnescapeString(blanks.ReplaceAllString(anyTag.ReplaceAllString(page, " "), "\n"))
}

// masked writes # for every number.
func masked(s string) string {
	s = digits.ReplaceAllString(hashes.ReplaceAllString(s, "#"), "#")
	return spaces.ReplaceAllString(numbers.ReplaceAllString(s, "#"), " ")
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s; if it was meant, run go test ./examples/trends -run Golden -update\n%s", path, diff)
	}
}
