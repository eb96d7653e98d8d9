package rows

import (
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// A file that is written in any of these ways is read as what was written.
func TestWhatIsWrittenIsRead(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 1000 {
		rows, f, content := randomFile(r)
		got, err := read(t, content, f)
		if err != nil {
			t.Fatalf("%+v: %v\n%q", f, err, content)
		}
		if diff := cmp.Diff(rows, got); diff != "" {
			t.Fatalf("%+v: %s\n%q", f, diff, content)
		}
	}
}

// randomFile writes random rows in a random way with Go's own packages.
func randomFile(r *rand.Rand) ([]line, Format, string) {
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	var f Format
	f.Decimal = pick(".", ",")
	f.Thousands = pick("", " ", "'", map[string]string{".": ",", ",": "."}[f.Decimal])
	f.Zone = pick("UTC", "Asia/Tokyo", "America/New_York")
	zone, err := time.LoadLocation(f.Zone)
	if err != nil {
		panic(err)
	}
	layout := pick("2006-01-02", "20060102", "02.01.2006", "2006-01-02 15:04:05", "2006-01-02T15:04:05Z07:00", "2 Jan 2006 15:04")
	delimiter := []rune(pick(",", ";", "\t", "|"))[0]

	names := []string{"who", "at", "paid", "land", "2025", "", "x, y; z"}
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	var b strings.Builder
	if r.IntN(5) == 0 {
		fmt.Fprintf(&b, "sep=%c\n", delimiter)
	}
	w := csv.NewWriter(&b)
	w.Comma, w.UseCRLF = delimiter, r.IntN(2) == 0
	w.Write(names)
	var rows []line
	for range r.IntN(8) {
		at := time.Date(1990+r.IntN(50), time.Month(1+r.IntN(12)), 1+r.IntN(28), r.IntN(24), r.IntN(60), 0, 0, zone)
		row := line{
			Unit: pick("ann", "bob", "Smith, Inc", `the "one"`, "Ünal", "7"), Group: pick("", "Köln", "a;b", "a|b", "NA"),
			Date: Date{at.Year(), at.Month(), at.Day()}, Value: float64(r.IntN(4_000_000)-2_000_000) / 4,
		}
		rows = append(rows, row)
		fields := map[string]string{"who": row.Unit, "land": row.Group, "at": at.In(zone).Format(layout), "paid": written(row.Value, f, r), "x, y; z": "no\nmatter"}
		if strings.Contains(layout, "Z07") {
			fields["at"] = at.In(time.FixedZone("", r.IntN(20)*3600-36000)).Format(layout)
		}
		var written []string
		for _, n := range names {
			written = append(written, fields[n])
		}
		w.Write(written)
	}
	w.Flush()
	content := b.String()
	switch r.IntN(5) {
	case 0:
		content = "\xef\xbb\xbf" + content
	case 1:
		content, err = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(content)
	case 2:
		f.Encoding = "windows-1252"
		content, err = charmap.Windows1252.NewEncoder().String(strings.ReplaceAll(content, "\u2212", "-"))
	}
	if err != nil {
		panic(err)
	}
	return rows, f, content
}

// written writes an amount as n says.
func written(x float64, n Format, r *rand.Rand) string {
	s := fmt.Sprintf("%.2f", max(x, -x))
	whole, fraction, _ := strings.Cut(s, ".")
	var groups []string
	for n.Thousands != "" && len(whole) > 3 {
		groups = append(groups, whole[len(whole)-3:])
		whole = whole[:len(whole)-3]
	}
	groups = append(groups, whole)
	slices.Reverse(groups)
	s = strings.Join(groups, n.Thousands) + n.Decimal + fraction
	if x >= 0 {
		return s
	}
	return []string{"-" + s, "(" + s + ")", "\u2212" + s}[r.IntN(3)]
}

// Whatever is in a file, reading it ends with rows or an error, and no error
// shows what is in a row.
func FuzzReader(f *testing.F) {
	f.Add("who,at,paid,land\nsecretsecret,2026-01-31,1,secretsecret\n", "")
	f.Add("\xef\xbb\xbf\"who\";at;paid;land\nsecretsecret;x;1;\n", "d/m/y")
	f.Add("sep=|\nwho|at|paid|land\nsecretsecret|1|1|\"\n", "epoch-s")
	f.Add("PK\x03\x04", "excel")
	f.Fuzz(func(t *testing.T, content, layout string) {
		rows, err := read(t, content, Format{Layout: layout})
		if err == nil {
			return
		}
		header, _, _ := strings.Cut(content, "\n")
		if strings.Contains(err.Error(), "secretsecret") && !strings.Contains(header+layout, "secretsecret") {
			t.Errorf("%v shows what is in a row", err)
		}
		for _, r := range rows {
			if r.Unit == "" {
				t.Error("a row is nobody's")
			}
		}
	})
}
