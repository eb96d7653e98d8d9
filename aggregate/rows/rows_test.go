package rows

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	_ "modernc.org/sqlite"
)

// Everything that a field may be.
type (
	name  string
	small int8
	all   struct {
		Text    name      `rows:"text"`
		Note    string    `rows:"note,asis"`
		Whole   int64     `rows:"whole"`
		Small   small     `rows:"small"`
		Count   uint64    `rows:"count"`
		Number  float64   `rows:"number"`
		Short   float32   `rows:"short"`
		Truth   bool      `rows:"truth"`
		At      time.Time `rows:"at"`
		Day     Date      `rows:"at"`
		Ignored chan int  `rows:"-"`
	}
)

var (
	tokyo, _ = time.LoadLocation("Asia/Tokyo")
	noon     = time.Date(2026, 1, 31, 12, 0, 0, 5e8, tokyo)
	wants    = []all{
		{Text: "Köln", Note: "NA", Whole: -12, Small: -128, Count: 1<<64 - 1, Number: 0.1, Short: 0.5, Truth: true, At: noon, Day: Date{2026, 1, 31}},
		{Text: `a "b"`, Note: "", Whole: 1 << 60, Small: 127, Count: 0, Number: -1e300, Short: -2, Truth: false, At: noon.Add(12 * time.Hour), Day: Date{2026, 2, 1}},
	}
)

func rowsAre(t *testing.T, got, want []all) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) && a.Location().String() == b.Location().String() })); diff != "" {
		t.Error(diff)
	}
}

// The same rows come out of CSV, of lines of JSON and of a database.
func TestSourcesGiveTheSameRows(t *testing.T) {
	o := Options{Format: Format{Zone: "Asia/Tokyo"}}
	got, err := readAs[all](t, "text,note,whole,small,count,number,short,truth,at,other\n"+
		"Köln,NA,-12,-128,18446744073709551615,0.1,0.5,yes,2026-01-31 12:00:00.5,x\n"+
		"\"a \"\"b\"\"\",,1152921504606846976.0,127,0,-1e300,-2,FALSE,2026-01-31T15:00:00.5Z,x\n", o)
	if err != nil {
		t.Fatal(err)
	}
	rowsAre(t, got, wants)

	got, err = readAs[all](t, `{"text":"K\u00f6ln","note":"NA","whole":-12,"small":-128,"other":{"text":[1,"}"]},"count":18446744073709551615,"number":0.1,"short":0.5,"truth":true,"at":"2026-01-31 12:00:00.5"}`+"\n\n"+
		` { "text" : "a \"b\"" , "note":null,"whole":1152921504606846976.0,"small":127,"count":0,"number":-1e300,"short":-2.0,"truth":false,"at":"2026-01-31T15:00:00.5Z","":[[]] } `, o)
	if err != nil {
		t.Fatal(err)
	}
	rowsAre(t, got, wants)

	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(`CREATE TABLE t (other BLOB, text TEXT, note TEXT, whole INTEGER, small INTEGER, count TEXT, number REAL, short REAL, truth BOOLEAN, at DATETIME);
		INSERT INTO t VALUES (x'00', 'Köln', 'NA', -12, -128, '18446744073709551615', 0.1, 0.5, 1, '2026-01-31 12:00:00.5'),
		(NULL, 'a "b"', NULL, 1152921504606846976, 127, '0', -1e300, -2, 0, '2026-02-01 00:00:00.5')`); err != nil {
		t.Fatal(err)
	}
	r, err := db.QueryContext(t.Context(), "SELECT * FROM t")
	if err != nil {
		t.Fatal(err)
	}
	source, err := SQL[all](t.Context(), r, o)
	if err != nil {
		t.Fatal(err)
	}
	got = nil
	for row, err := range source {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, row)
	}
	rowsAre(t, got, wants)
	if _, err := r.Columns(); err == nil {
		t.Error("the rows of the database are not closed")
	}
}

// Every mistake in a type comes back with the others.
func TestEveryMistakeInATypeIsNamed(t *testing.T) {
	type wrong struct {
		A chan int
		B string `rows:"b,omit"`
		c string `rows:"c"`
		D ID
		E int `rows:"e,asis"`
		F string
	}
	_ = wrong{}.c
	_, err := readAs[wrong](t, "", Options{Columns: map[string]string{"G": "g", "c": "x"}})
	for _, part := range []string{
		"field A is a chan int, must be a string", `field B has the option "omit"`, "field c has a tag and is not exported",
		"field D is an ID and Options.Secret is not set", "field E is a int with the option asis", `Options.Columns has "G"`, `Options.Columns has "c"`,
	} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v\nlacks %q", err, part)
		}
	}
	for want, read := range map[string]func() error{
		"a row is a int, must be a struct": func() error { _, err := readAs[int](t, "", Options{}); return err },
		"has no field to read":             func() error { _, err := readAs[struct{}](t, "", Options{}); return err },
		"has 0 fields of type time.Time":   func() error { _, err := readAs[struct{ A int }](t, "", Options{Since: noon}); return err },
		"has 2 fields of type time.Time":   func() error { _, err := readAs[all](t, "", Options{Since: noon}); return err },
		"Format.Decimal is \"x\"": func() error {
			_, err := readAs[line](t, "", Options{Format: Format{Decimal: "x", Zone: "y"}})
			return err
		},
		"Format.Zone is \"y\"": func() error {
			_, err := readAs[line](t, "", Options{Format: Format{Decimal: "x", Zone: "y"}})
			return err
		},
		"-decimal is \"x\"": func() error {
			_, err := readAs[line](t, "", Options{Format: Format{Decimal: "x"}, Called: strings.NewReplacer("Format.D", "-d").Replace})
			return err
		},
		"Value: in.csv has no column \"paid\", must": func() error { _, err := readAs[line](t, "who,at,x\n", Options{}); return err },
	} {
		if err := read(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// All mistakes of a row are named, with place, column, field and rule, and nothing that
// stands there.
func TestEveryMistakeInARowIsNamed(t *testing.T) {
	o := Options{Columns: map[string]string{"Day": ""}}
	for _, c := range []struct{ content, place string }{
		{"text,note,whole,small,count,number,short,truth,at\nsecret,secret,1.5secret,1000,-1,secret,1e300,secret,secret\n", "line 2 of in.csv: "},
		{"\n" + `{"text":"secret","note":"secret","whole":"1.5secret","small":1000,"count":-1,"number":"secret","short":1e300,"truth":"secret","at":"secret"}`, "line 2 of in.csv: "},
	} {
		_, err := readAs[all](t, c.content, o)
		for _, part := range []string{
			`column "whole" (Whole) is not a whole number`, `column "small" (Small) is too large or too small for the type rows.small`,
			`column "count" (Count) is too large or too small`, `column "number" (Number) is not a number such as -1234.5`,
			`column "short" (Short) is too large`, `column "truth" (Truth) is not true or false`, `column "at" (At) is not a time`,
		} {
			if err == nil || !strings.Contains(err.Error(), c.place+part) {
				t.Errorf("%v\nlacks %q", err, c.place+part)
			}
		}
		if err != nil && (strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "1000") || strings.Contains(err.Error(), "300")) {
			t.Errorf("%v shows what is in a row", err)
		}
	}
}

func TestLinesOfJSONThatAreRefused(t *testing.T) {
	type row struct {
		Who string `rows:"who"`
	}
	for _, c := range []struct {
		content, fault string
		rule           string
	}{
		{`{"who":"ann"`, "line 1 of in.csv is not one object of JSON", ""},
		{`{"who":"ann"} {"who":"bob"}`, "line 1 of in.csv is not one object of JSON", ""},
		{"{\"who\":\"ann\"}\n[1]", "line 2 of in.csv is not one object of JSON", ""},
		{`{"who":"ann","who":"bob"}`, `line 1 of in.csv has "who" twice`, ""},
		{`{"who":["ann"]}`, `line 1 of in.csv: column "who" (Who) is an object or a list`, ""},
		{`{"who":"\ud800ann"}`, `line 1 of in.csv: column "who" (Who) holds half a character`, ""},
		{"{\"who\":\"\xffann\"}", "line 1 of in.csv is not in UTF-8", ""},
		{`{"who":null}`, "is blank, or marked as missing", ""},
		{`{"x":"ann"}`, "is blank, or marked as missing", ""},
		{`{"x":"ann"}`, `no line of in.csv has "who"`, Skip},
		{"{\n\"who\":1}", "is JSON of many lines", ""},
		{`{"who":"` + strings.Repeat("x", mostRecord) + `"}`, "line 1 of in.csv: a record is longer", ""},
	} {
		if _, err := readAs[row](t, c.content, Options{Format: Format{Missing: c.rule}}); err == nil || !strings.Contains(err.Error(), c.fault) || strings.Contains(err.Error(), "ann") {
			t.Errorf("%.40s: error %v, want %q", c.content, err, c.fault)
		}
	}
	got, err := readAs[row](t, "{\"\\u0077ho\":7}\n{\"who\":\"null\"}\n{\"who\":true}\n{}\n", Options{Format: Format{Missing: Skip}})
	if want := []row{{"7"}, {"true"}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
}

// Rows that were to be deleted are left out before anything else of them is decoded: what is
// wrong with them is not even noticed.
func TestRowsBeforeSinceAreNotDecoded(t *testing.T) {
	const file = "who,at,paid,land\nann,2026-01-30,secret,x\nbob,2026-01-31,2,x\ncy,2026-02-01,3,x\n"
	since := time.Date(2026, 1, 31, 23, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		zone string
		want []string
	}{{"UTC", []string{"bob", "cy"}}, {"Asia/Tokyo", []string{"cy"}}} {
		got, err := readAs[line](t, file, Options{Since: since, Format: Format{Zone: c.zone}})
		var units []string
		for _, r := range got {
			units = append(units, r.Unit)
		}
		if err != nil || !slices.Equal(units, c.want) {
			t.Errorf("%s: %v, %v, want %v", c.zone, units, err, c.want)
		}
	}
	type event struct {
		At time.Time `rows:"at"`
	}
	got, err := readAs[event](t, "at\n2026-01-31 22:59:59\n2026-01-31 23:00:00\n", Options{Since: since})
	if err != nil || len(got) != 1 || !got[0].At.Equal(since) {
		t.Errorf("%v, %v", got, err)
	}
}

// Only what fields ask for is decoded: anything may stand elsewhere, and nothing of it is
// in a row.
func TestColumnsThatNoFieldAsksForAreNotDecoded(t *testing.T) {
	type row struct {
		Who string `rows:"who"`
	}
	for _, content := range []string{"salary,who\nsecret,ann\n", `{"salary":{"is":"secret"},"who":"ann"}`} {
		got, err := readAs[row](t, content, Options{})
		if err != nil || len(got) != 1 || got[0] != (row{"ann"}) {
			t.Errorf("%v, %v", got, err)
		}
	}
}

func TestFilesAreSourcesOfTheirOwn(t *testing.T) {
	dir := t.TempDir()
	path := func(name, content string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	packed := string(z.EncodeAll([]byte(`{"who":"bob","at":"2026-01-31","paid":2,"land":"x"}`), nil))
	z.Close()
	a, b := path("a.csv", "who,at,paid,land\nann,2026-01-31,1,x\n"), path("b.jsonl.zst", packed)
	var bytes []int64
	o := Options{Progress: func(rows, read int64) {
		if rows != 1 {
			t.Errorf("%d rows", rows)
		}
		bytes = append(bytes, read)
	}}
	files, err := Files[line](t.Context(), o, a, b)
	if err != nil || len(files) != 2 {
		t.Fatal(len(files), err)
	}
	var units []string
	for _, f := range files {
		for r, err := range f {
			if err != nil {
				t.Fatal(err)
			}
			units = append(units, r.Unit)
		}
		for _, err := range f {
			if err == nil || !strings.Contains(err.Error(), "is read once") {
				t.Errorf("a second time: %v", err)
			}
		}
	}
	if want := []string{"ann", "bob"}; !slices.Equal(units, want) {
		t.Errorf("%v, want %v", units, want)
	}
	if want := []int64{36, int64(len(packed))}; !slices.Equal(bytes, want) {
		t.Errorf("bytes %v, want %v", bytes, want)
	}
	_, err = Files[line](t.Context(), o, a, filepath.Join(dir, "none.csv"), path("c.csv", "who,at,paid\n"), dir)
	for _, part := range []string{"none.csv: no such file", `c.csv has no column "land"`, "is a folder"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v\nlacks %q", err, part)
		}
	}
	if _, err := Files[line](t.Context(), o); err == nil {
		t.Error("no path is no mistake")
	}
}

// endless is a source of rows that never ends, or that says nothing after some bytes.
type endless struct {
	head  string
	block chan struct{}
}

func (e *endless) Read(p []byte) (int, error) {
	if e.head != "" {
		n := copy(p, e.head)
		e.head = e.head[n:]
		return n, nil
	}
	if e.block != nil {
		<-e.block
		return 0, io.EOF
	}
	return copy(p, strings.Repeat("ann,2026-01-31,1,x\n", len(p)/19)), nil
}

// A source that gives no end, or nothing at all, ends with the context, and leaves no
// goroutine behind once its Read returns.
func TestReadingEndsWithTheContext(t *testing.T) {
	for _, silent := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var block chan struct{}
			if silent {
				block = make(chan struct{})
				defer close(block)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			source, err := Read[line](ctx, &endless{"who,at,paid,land\nann,2026-01-31,1,x\n", block}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			var last error
			for _, err := range source {
				if n++; n == 1 {
					cancel()
				}
				last = err
			}
			if !errors.Is(last, context.Canceled) {
				t.Errorf("%d rows, and then %v", n, last)
			}
		})
	}
}

// Whoever has enough rows ends the reading: the source is closed, and no goroutine is left.
func TestReadingEndsWhenNobodyWantsMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, err := Read[line](context.Background(), &endless{head: "who,at,paid,land\n"}, Options{}) // which never ends
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for range source {
			if n++; n == 1000 {
				break
			}
		}
	})
}

// A row that is longer than what was read at once, and rows that end where it ends.
func TestRowsAreReadAcrossBuffers(t *testing.T) {
	var b strings.Builder
	b.WriteString("who,at,paid,land\n")
	var want []string
	for i := range 300 {
		land := strings.Repeat("é", i*i%5000)
		want = append(want, land)
		fmt.Fprintf(&b, "ann,2026-01-31,%d,\"%s\"\n", i, land)
	}
	got, err := readAs[line](t, b.String(), Options{})
	var lands []string
	for _, r := range got {
		lands = append(lands, r.Group)
	}
	if err != nil || !reflect.DeepEqual(lands, want) {
		t.Errorf("%d rows, %v", len(got), err)
	}
}
