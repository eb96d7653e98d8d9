//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/examples/bench/internal/contest"
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
	file, drawn := filepath.Join(t.TempDir(), "bench.json"), filepath.Join(t.TempDir(), "bench.svg")
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"-rows", "3000,1000", "-rounds", "1", "-engines", "map,ours,csv", "-shape", "few", "-json", file, "-chart", drawn}, &out, &errs); code != 0 {
		t.Fatalf("exit %d: %s", code, errs.String())
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []contest.Result
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != 2*9 || strings.Count(out.String(), "\n") != 1+2*9 {
		t.Fatalf("%d results:\n%s", len(all), out.String())
	}
	for _, r := range all {
		if r.CPU <= 0 || r.Wall <= 0 || r.Speed <= 0 || r.Ratio <= 0 || r.Growth <= 0 || r.Rows != 1000 && r.Rows != 3000 || r.Workers < 1 {
			t.Errorf("%+v", r)
		}
	}
	for _, key := range []string{"engine", "columns", "rows", "workers", "wall_s", "cpu_ns_row", "rows_s", "peak_rss_bytes", "ratio"} {
		if n := strings.Count(string(text), `"`+key+`"`); n != len(all) {
			t.Errorf("%d of %d results have %s", n, len(all), key)
		}
	}
	picture, err := os.ReadFile(drawn)
	if err != nil || strings.Count(string(picture), "<polyline") != 9 || strings.Count(string(picture), "<circle") != len(all) {
		t.Errorf("the chart is %s: %v", picture, err)
	}
}

// What grew is compared with the same work on the fewest rows, and with the map in the same round.
func TestGrowthIsComparedWithTheFewestRows(t *testing.T) {
	all := []contest.Result{
		{Engine: "map", Columns: sums, Rows: 10, Workers: 1, CPU: 4}, {Engine: "ours", Columns: sums, Rows: 10, Workers: 1, CPU: 8},
		{Engine: "ours", Columns: sums, Rows: 10, Workers: 2, CPU: 20}, {Engine: "ours", Columns: sums, Rows: 90, Workers: 1, CPU: 12},
		{Engine: "ours", Columns: sums, Rows: 90, Workers: 2, CPU: 30},
	}
	grown(all)
	for i, want := range []float64{1, 1, 1, 1.5, 1.5} {
		if all[i].Growth != want {
			t.Errorf("%+v grew to %v, want %v", all[i], all[i].Growth, want)
		}
	}
}

// A chart is XML, and all that it shows is within it.
func TestAChartIsWithinItsFrame(t *testing.T) {
	var all []contest.Result
	for _, rows := range []int{100_000, 1_000_000, 30_000_000} {
		for i, c := range cases {
			all = append(all, contest.Result{Engine: c.Engine, Columns: c.Columns, Rows: rows, Workers: c.Workers, CPU: float64(20 + 4000*i/len(cases))})
		}
	}
	for _, of := range [][]contest.Result{all, all[:1]} {
		reading := xml.NewDecoder(strings.NewReader(chart(of)))
		shown := 0
		for {
			token, err := reading.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if e, ok := token.(xml.StartElement); ok && e.Name.Local == "circle" {
				x, err1 := strconv.ParseFloat(e.Attr[0].Value, 64)
				y, err2 := strconv.ParseFloat(e.Attr[1].Value, 64)
				if shown++; err1 != nil || err2 != nil || !(x >= left && x <= panelWidth-right && y >= top && y <= panelHeight-bottom) {
					t.Errorf("a point is at %v %v", x, y)
				}
			}
		}
		if shown != len(of) {
			t.Errorf("%d of %d are shown", shown, len(of))
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
		if c.Columns == quantiles && c.Engine == "google" || isOther(c) {
			continue // its quantiles take their time; others have a test of their own
		}
		answer, err := prepare(c, contest.Input{Rows: len(rows), Shape: sales.Busy}, rows, t.TempDir())
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
	for _, args := range [][]string{{"-rows", "0"}, {"-rows", "10,"}, {"-rows", "ten"}, {"-rounds", "0"}, {"-shape", "round"}, {"-engines", "x"}, {"rest"}, {"-x"}} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), args, &out, &errs); code != 2 || errs.Len() == 0 || out.Len() > 0 {
			t.Errorf("%v: exit %d, %q", args, code, errs.String())
		}
	}
}
