package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/dp/dptest"
)

// A random file, reported on without noise, gives what a plain loop over its rows
// gives: from the bytes of the file to the numbers of the report.
func TestReportsOfRandomFilesAreThoseOfAPlainLoop(t *testing.T) {
	dptest.NoNoise(t)
	files := 40
	if *long {
		files = 1000
	}
	folder := t.TempDir()
	for seed := range files {
		r := rand.New(rand.NewPCG(uint64(seed), 7))
		c := randomCase(r)
		path := filepath.Join(folder, "in.csv")
		if err := os.WriteFile(path, []byte(c.file), 0o666); err != nil {
			t.Fatal(err)
		}
		args := append([]string{"-input", path}, c.args...)
		o, q, part := collected(t, args...)
		rep, err := o.report(q, q.released(t, part), balance{}, false)
		if err != nil {
			t.Fatal(err)
		}
		shown := 0
		for _, g := range rep.Groups {
			for _, row := range g.Rows {
				shown++
				want := c.want[slot{row.Period, g.Name}]
				got := [3]float64{row.Figures[0].Value, row.Figures[1].Value, row.Figures[2].Value}
				if got != [3]float64{want.units, want.rows, want.total} {
					t.Fatalf("seed %d: %s %q: units, rows and total are %v, want %+v\n%q\n%s", seed, row.Period, g.Name, got, want, args, c.file)
				}
				if mean := row.Figures[3]; want.units > 0 && mean.Value != want.total/want.units || mean.Unknown != (want.units == 0) {
					t.Fatalf("seed %d: %s %q: the mean is %+v, want %v of %v", seed, row.Period, g.Name, mean, want.total, want.units)
				}
			}
		}
		if shown != c.cells {
			t.Fatalf("seed %d: %d cells are shown, want %d", seed, shown, c.cells)
		}
	}
}

// A wanted is a cell as a plain loop finds it.
type wanted struct{ units, rows, total float64 }

// A randomFile is a file, the flags that read it, and what is in it.
type randomFile struct {
	file  string
	args  []string
	want  map[slot]wanted
	cells int
}

// randomCase writes a file and counts it, with nothing of the product but the names
// of slots.
func randomCase(r *rand.Rand) randomFile {
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	period := pick("month", "quarter")
	comma, missing, zone := r.IntN(2) == 0, pick("skip", "zero"), pick("UTC", "Asia/Tokyo")
	mostRows, upper, lower := 1+r.IntN(4), float64(5+r.IntN(40)), float64(-r.IntN(20))
	byLand := r.IntN(2) == 0
	groups := []string{""}
	var c randomFile
	c.args = []string{"-unit", "who", "-time", "at", "-value", "paid", "-from", "2025-01", "-to", "2025-12", "-period", period, "-missing", missing, "-zone", zone,
		"-max-periods", "1000", "-max-rows", fmt.Sprint(mostRows), "-upper", fmt.Sprint(upper), "-lower", fmt.Sprint(lower), "-step", "0.25"}
	if byLand {
		groups = []string{"de", "Smith, Inc", ""}
		c.args = append(c.args, "-by", "land", "-groups", `de,"Smith, Inc",""`)
	}
	delimiter := ","
	if comma {
		delimiter = ";"
		c.args = append(c.args, "-decimal", ",")
	}
	lines := []string{strings.Join([]string{"", "who", "at", "2025", "paid", "land"}, delimiter)}

	offset := map[string]int{"UTC": 0, "Asia/Tokyo": 9}[zone]
	type pair struct {
		slot slot
		unit int
	}
	rows, totals := make(map[pair]float64), make(map[pair]float64)
	for n := range r.IntN(60) {
		unit := r.IntN(8)
		who := fmt.Sprintf("u%d", unit)
		if r.IntN(15) == 0 {
			unit = 8 + r.IntN(2)
			who = []string{"NA", "null"}[unit-8] // somebody may be called so
		} else if r.IntN(15) == 0 && missing == "skip" {
			who = ""
		}
		hours := r.IntN(14*30*24) - 20*24 // some before the year, some after it
		utc := time.Date(2025, 1, 1, hours, r.IntN(60), 0, 0, time.UTC)
		wall := utc.Add(time.Duration(offset) * time.Hour)
		at := pick(utc.Format("2006-01-02T15:04:05Z"), utc.Add(-5*time.Hour).Format("2006-01-02 15:04")+":00-05:00", wall.Format("2006-01-02 15:04"), wall.Format("20060102"))
		value := float64(r.IntN(200)-60) / 4
		paid := fmt.Sprintf("%.2f", value)
		if comma {
			paid = strings.ReplaceAll(paid, ".", ",")
		}
		blank := r.IntN(10) == 0
		if blank {
			value, paid = 0, pick("", "NA", "#N/A")
		}
		land := pick("de", "Smith, Inc", "", "elsewhere")
		quoted := land
		if land == "Smith, Inc" {
			quoted = `"Smith, Inc"`
		}
		lines = append(lines, strings.Join([]string{fmt.Sprint(n), who, at, "7", paid, quoted}, delimiter))

		if who == "" || blank && missing == "skip" || wall.Year() != 2025 {
			continue
		}
		name := fmt.Sprintf("2025-%02d", wall.Month())
		if period == "quarter" {
			name = fmt.Sprintf("2025-Q%d", (int(wall.Month())-1)/3+1)
		}
		if !byLand {
			land = ""
		}
		rows[pair{slot{name, land}, unit}]++
		totals[pair{slot{name, land}, unit}] += value
	}
	c.want = make(map[slot]wanted)
	for p, n := range rows {
		w := c.want[p.slot]
		w.units++
		w.rows += math.Min(n, float64(mostRows))
		w.total += math.Max(lower, math.Min(totals[p], upper))
		c.want[p.slot] = w
	}
	c.cells = len(groups) * map[string]int{"month": 12, "quarter": 4}[period]
	c.file = pick("", "\ufeff", "sep="+delimiter+"\n") + strings.Join(lines, pick("\n", "\r\n")) + pick("", "\n")
	if r.IntN(4) == 0 {
		c.file = strings.ReplaceAll(c.file, "\r\n", "\n\n") // blank lines
	}
	return c
}
