//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/internal/sales"
)

// A test that starts itself for a case is that case.
func TestMain(m *testing.M) {
	if os.Getenv(childMark) != "" {
		main()
	}
	os.Exit(m.Run())
}

// Every engine runs in a process of its own, the table has a line for each, and the file
// has the same numbers.
func TestEveryEngineIsMeasured(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bench.json")
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"-rows", "3000", "-rounds", "1", "-engines", "map,ours,csv", "-json", file}, &out, &errs); code != 0 {
		t.Fatalf("exit %d: %s", code, errs.String())
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []result
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != 9 || strings.Count(out.String(), "\n") != 10 {
		t.Fatalf("%d results:\n%s", len(all), out.String())
	}
	for _, r := range all {
		if r.CPU <= 0 || r.Wall <= 0 || r.Speed <= 0 || r.Ratio <= 0 || r.Rows != 3000 || r.Workers < 1 {
			t.Errorf("%+v", r)
		}
	}
}

// Google's library keeps no more of a customer than its caps say, and shows groups.
func TestEnginesShowGroups(t *testing.T) {
	rows := sales.Make(60_000)
	for i := range rows {
		rows[i].Day %= 2
	}
	for _, c := range cases {
		if c.columns == quantiles && c.engine == "google" {
			continue // its quantiles take their time
		}
		answer, err := c.prepare(rows, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		shown, err := answer(t.Context())
		if err != nil || shown < 20 {
			t.Errorf("%v shows %d groups: %v", c, shown, err)
		}
	}
}

func TestFlagsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, args := range [][]string{{"-rows", "0"}, {"-rounds", "0"}, {"-engines", "x"}, {"rest"}, {"-x"}} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), args, &out, &errs); code != 2 || errs.Len() == 0 || out.Len() > 0 {
			t.Errorf("%v: exit %d, %q", args, code, errs.String())
		}
	}
}
