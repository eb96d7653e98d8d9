package rows

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"
)

// A line is a row of these tests.
type line struct {
	Unit  string  `rows:"who"`
	Group string  `rows:"land,asis"`
	Date  Date    `rows:"at"`
	Value float64 `rows:"paid"`
}

// readAs returns the rows of a file.
func readAs[Row any](t testing.TB, content string, o Options) (all []Row, err error) {
	if o.Name == "" {
		o.Name = "in.csv"
	}
	rows, err := Read[Row](t.Context(), strings.NewReader(content), o)
	if err != nil {
		return nil, err
	}
	for r, err := range rows {
		if err != nil {
			return all, err
		}
		all = append(all, r)
	}
	return all, nil
}

func read(t testing.TB, content string, f Format) ([]line, error) {
	return readAs[line](t, content, Options{Format: f})
}

// without leaves fields alone.
func without(fields ...string) map[string]string {
	m := make(map[string]string)
	for _, f := range fields {
		m[f] = ""
	}
	return m
}

var (
	köln = line{Unit: "ann", Group: "Köln", Date: Date{2026, 1, 31}, Value: 1234.5}
	one  = []line{köln}
)

// Whatever writes a table, it is read, or it is refused by name.
func TestFilesAsPeopleHaveThem(t *testing.T) {
	const plain = "who,at,paid,land\nann,2026-01-31,1234.5,Köln\n"
	encoded := func(e interface{ String(string) (string, error) }, text string) string {
		out, err := e.String(text)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	packed := func(text string) string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		io.WriteString(z, text)
		z.Close()
		return b.String()
	}
	for _, c := range []struct {
		name, content string
		f             Format
		want          []line
		fault         string // part of the error
	}{
		{name: "plain", content: plain, want: one},
		{name: "gzip, whatever the name", content: packed(plain), want: one},
		{name: "no newline at the end", content: strings.TrimSpace(plain), want: one},
		{name: "CRLF", content: strings.ReplaceAll(plain, "\n", "\r\n"), want: one},
		{name: "blank lines", content: "\n\n" + strings.ReplaceAll(plain, "\n", "\n\n"), want: one},
		{name: "mark of UTF-8", content: "\xef\xbb\xbf" + plain, want: one},
		{name: "mark of UTF-8, twice", content: "\xef\xbb\xbf\xef\xbb\xbf" + plain, want: one},
		{name: "mark of UTF-8 and Excel's first line", content: "\xef\xbb\xbfsep=,\n" + plain, want: one},
		{name: "mark of UTF-8 and quotes", content: "\xef\xbb\xbf\"who\",\"at\",\"paid\",\"land\"\n\"ann\",\"2026-01-31\",\"1234.5\",\"Köln\"\n", want: one},
		{name: "UTF-16, little end first", content: encoded(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder(), plain), want: one},
		{name: "UTF-16, big end first", content: encoded(unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder(), plain), want: one},
		{name: "UTF-16 with tabs, as Excel's Unicode text", content: encoded(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder(), strings.ReplaceAll(plain, ",", "\t")), want: one},
		{name: "UTF-16 without a mark", content: encoded(unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewEncoder(), plain), fault: "if it is in UTF-16 without a mark, give Format.Encoding utf-16le or utf-16be"},
		{name: "UTF-16 by name", content: encoded(unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewEncoder(), plain), f: Format{Encoding: "utf-16be"}, want: one},
		{name: "UTF-16 by half a name", content: encoded(unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder(), plain), f: Format{Encoding: "utf-16"}, want: one},
		{name: "half a character of UTF-16", content: encoded(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder(), plain+"bob,2026-01-31,1,") + "\x00\xd8\n\x00", want: one, fault: "line 3 of in.csv is not in the encoding"},
		{name: "UTF-32", content: "\xff\xfe\x00\x00w\x00\x00\x00", fault: "is in UTF-32"},
		{name: "Windows-1252", content: encoded(charmap.Windows1252.NewEncoder(), plain), f: Format{Encoding: "windows-1252"}, want: one},
		{name: "Latin-1 by its other name", content: encoded(charmap.ISO8859_1.NewEncoder(), plain), f: Format{Encoding: "latin1"}, want: one},
		{name: "Windows-1252 taken for UTF-8", content: encoded(charmap.Windows1252.NewEncoder(), plain), fault: "line 2 of in.csv is not in UTF-8; if it is in Windows-1252"},
		{name: "Windows-1252 in the header", content: encoded(charmap.Windows1252.NewEncoder(), "who,at,paid,land,Größe\n"), fault: "line 1 of in.csv is not in UTF-8"},
		{name: "a mark that says otherwise", content: "\xef\xbb\xbf" + plain, f: Format{Encoding: "windows-1252"}, fault: "begins with the mark of utf-8; leave it out"},
		{name: "Shift JIS", content: encoded(japanese.ShiftJIS.NewEncoder(), "who,at,paid,land\nann,2026-01-31,1234.5,東京\n"), f: Format{Encoding: "shift_jis"}, want: []line{{"ann", "東京", Date{2026, 1, 31}, 1234.5}}},
		{name: "not Shift JIS", content: "who,at,paid,land\nann,2026-01-31,1234.5,\xff\xff\n", f: Format{Encoding: "shift_jis"}, fault: "line 2 of in.csv is not in the encoding"},
		{name: "é in two characters", content: "who,at,paid,land\nanne\u0301,2026-01-31,1,e\u0301\n", want: []line{{"anné", "é", Date{2026, 1, 31}, 1}}},
		{name: "semicolons and commas", content: "who;at;paid;land\nann;2026-01-31;1.234,5;Köln\n", f: Format{Decimal: ",", Thousands: "."}, want: one},
		{name: "tabs", content: strings.ReplaceAll(plain, ",", "\t"), want: one},
		{name: "pipes", content: strings.ReplaceAll(plain, ",", "|"), want: one},
		{name: "carets", content: strings.ReplaceAll(plain, ",", "^"), f: Format{Delimiter: "^"}, want: one},
		{name: "carets not said", content: strings.ReplaceAll(plain, ",", "^"), fault: "has none of the columns"},
		{name: "a delimiter that is not there", content: plain, f: Format{Delimiter: "tab"}, fault: "has none of the columns"},
		{name: "more commas than semicolons in the header", content: "\"a,b,c,d,e\";who;at;paid;land\nx;ann;2026-01-31;1234.5;Köln\n", want: one},
		{name: "more commas than semicolons, without quotes", content: "a,b,c,d,e,f,g;who;at;paid;land\nx,y;ann;2026-01-31;1234.5;Köln\n", want: one},
		{name: "Excel's first line", content: "sep=;\r\nwho;at;paid;land\r\nann;2026-01-31;1234.5;Köln\r\n", want: one},
		{name: "Excel's first line, with a tab", content: "sep=\t\nwho\tat\tpaid\tland\nann\t2026-01-31\t1234.5\tKöln\n", want: one},
		{name: "Excel's first line against the flag", content: "sep=;\nwho;at;paid;land\n", f: Format{Delimiter: "comma"}, fault: "but line 1 of in.csv says that it is \";\""},
		{name: "lines are counted from the first", content: "sep=;\nwho;at;paid;land\nann;x;1;\n", fault: "line 3 of in.csv: column \"at\" (Date)"},
		{name: "lines in quotes", content: "who,at,paid,land,note\nann,2026-01-31,1234.5,Köln,\"a\n\nb\"\nbob,x,1,,\n", want: one, fault: "line 5 of in.csv: column \"at\" (Date)"},
		{name: "lines in quotes in the header", content: "who,at,paid,land,\"a\nnote\"\nann,2026-01-31,1234.5,Köln,\n", want: one},
		{name: "the index of a data frame", content: ",who,at,paid,land\n0,ann,2026-01-31,1234.5,Köln\n", want: one},
		{name: "the row names of R", content: "\"\",\"who\",\"at\",\"paid\",\"land\"\n\"1\",\"ann\",\"2026-01-31\",1234.5,\"Köln\"\n", want: one},
		{name: "the row names of R's write.table", content: "\"who\" \"at\" \"paid\" \"land\"\n\"1\" \"ann\" 2026-01-31 1234.5 \"Köln\"\n", f: Format{Delimiter: "space"}, fault: "col.names=NA"},
		{name: "trailing delimiters", content: "who,at,paid,land,\nann,2026-01-31,1234.5,Köln,\n", want: one},
		{name: "columns named like years", content: "2024,2025,who,at,paid,land\n7,8,ann,2026-01-31,1234.5,Köln\n", want: one},
		{name: "columns of one name that are not used", content: "x,x,who,at,paid,land\n7,8,ann,2026-01-31,1234.5,Köln\n", want: one},
		{name: "columns of one name that are used", content: "who,who,at,paid,land\n", fault: `Unit: in.csv has two columns "who"; rename one`},
		{name: "a missing column", content: "who,at,paid,2025,\n", fault: `Group: in.csv has no column "land", must be one of "who", "at", "paid"`},
		{name: "spaces in the header", content: " who , at , paid , land \nann,2026-01-31,1234.5, Köln \n", want: one},
		{name: "quotes as backslashes", content: "who,at,paid,land\nann,2026-01-31,1,\"a \\\" b\"\n", fault: "the quote in it written twice"},
		{name: "old Macs", content: strings.ReplaceAll(plain, "\n", "\r"), fault: "carriage return alone"},
		{name: "empty", content: "", fault: "in.csv is empty"},
		{name: "blank", content: "\n \n", fault: "in.csv is empty"},
		{name: "one endless line", content: strings.Repeat("x", longestHeader+1), fault: "longer than a million bytes"},
		{name: "many lines in one quote", content: "\"" + strings.Repeat("\n", longestHeader+1), fault: "longer than a million bytes"},
		{name: "zip", content: "PK\x03\x04\x14\x00\x00\x00\x08\x00sales.csv", fault: "is a zip archive, must be CSV or lines of JSON, plain or compressed with gzip or Zstandard; unpack it first"},
		{name: "xlsx", content: "PK\x03\x04\x14\x00\x06\x00\x08\x00....[Content_Types].xml", fault: "an Excel workbook (.xlsx)"},
		{name: "ods", content: "PK\x03\x04mimetypeapplication/vnd.oasis.opendocument.spreadsheet", fault: "OpenDocument (.ods)"},
		{name: "xls", content: "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", fault: "an old Excel workbook"},
		{name: "Parquet", content: "PAR1\x15\x04", fault: "a Parquet file"},
		{name: "Parquet in gzip", content: packed("PAR1\x15\x04\x15\x04"), fault: "a Parquet file"},
		{name: "tar in gzip", content: packed(strings.Repeat("\x00", 257) + "ustar"), fault: "a tar archive"},
		{name: "SQLite", content: "SQLite format 3\x00", fault: "an SQLite database"},
		{name: "DuckDB", content: "12345678DUCK", fault: "a DuckDB database"},
		{name: "broken Zstandard", content: "\x28\xb5\x2f\xfd\x00\x00\x00\x00", fault: "in.csv: "},
		{name: "JSON", content: `[{"who": "ann"}]`, fault: "JSON of many lines, must be"},
		{name: "a web page", content: "\n<!DOCTYPE html><html>", fault: "a web page"},
		{name: "broken gzip", content: "\x1f\x8b\x08", fault: "a damaged file of gzip"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := read(t, c.content, c.f)
			if c.fault == "" && err != nil || c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)) {
				t.Errorf("error %v, want one with %q", err, c.fault)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if err != nil && strings.Contains(err.Error(), "ann") {
				t.Errorf("%v shows what is in a row", err)
			}
		})
	}
}

// A gzip file that ends in the middle is an error, and no shorter file.
func TestHalfAGzipFileIsAnError(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	fmt.Fprintln(z, "who,at")
	for i := range 100_000 {
		fmt.Fprintf(z, "%d,2026-01-31\n", i*i)
	}
	z.Close()
	_, err := readAs[line](t, b.String()[:b.Len()/2], Options{Columns: without("Group", "Value")})
	if err == nil || !strings.Contains(err.Error(), "unexpected EOF") {
		t.Errorf("error %v", err)
	}
}

func TestNumbersAreReadAsPeopleWriteThem(t *testing.T) {
	german, swiss, french, dollars := Format{Decimal: ",", Thousands: "."}, Format{Thousands: "'"}, Format{Decimal: ",", Thousands: " "}, Format{Thousands: ",", Currency: "$"}
	for _, c := range []struct {
		n     Format
		field string
		want  float64
		ok    bool
	}{
		{Format{}, "12", 12, true}, {Format{}, "-0.5", -0.5, true}, {Format{}, "+7", 7, true}, {Format{}, ".5", .5, true}, {Format{}, "5.", 5, true},
		{Format{}, "1.5E+03", 1500, true}, {Format{}, "1e-2", 0.01, true}, {Format{}, "−12", -12, true}, {Format{}, "(12.5)", -12.5, true}, {Format{}, " 12 ", 12, true},
		{Format{}, "1,234", 0, false}, {Format{}, "1.234.567", 0, false}, {Format{}, "12 %", 0, false}, {Format{}, "$12", 0, false}, {Format{}, "12-", 0, false},
		{Format{}, "0x10", 0, false}, {Format{}, "1_000", 0, false}, {Format{}, "inf", 0, false}, {Format{}, "1e999", 0, false}, {Format{}, "--1", 0, false},
		{Format{}, "(-1)", 0, false}, {Format{}, "(1", 0, false}, {Format{}, ".", 0, false}, {Format{}, "e5", 0, false}, {Format{}, "1e", 0, false}, {Format{}, "1 234", 0, false},
		{german, "1.234,5", 1234.5, true}, {german, "1,5E+03", 1500, true}, {german, "1234,5", 1234.5, true}, {german, "-1.234.567", -1234567, true},
		{german, "1.23", 0, false}, {german, "12.34,5", 0, false}, {german, "1,234.5", 0, false},
		{swiss, "1'234.5", 1234.5, true}, {swiss, "1’234.5", 1234.5, true},
		{french, "1 234,5", 1234.5, true}, {french, "1\u202f234,5", 1234.5, true}, {french, "1\u00a0234,5", 1234.5, true}, {french, "12 34", 0, false},
		{dollars, "$1,234.50", 1234.5, true}, {dollars, "-$5", -5, true}, {dollars, "$-5", -5, true}, {dollars, "($1,234.50)", -1234.5, true}, {dollars, "5 $", 5, true}, {dollars, "€5", 0, false}, {dollars, "1,00,000", 0, false},
	} {
		if err := c.n.Check(nil); err != nil {
			t.Fatal(err)
		}
		n := notation{c.n.Decimal, c.n.Thousands, c.n.Currency}
		got, ok := n.float([]byte(strings.TrimSpace(c.field)))
		if ok != c.ok || got != c.want {
			t.Errorf("%+v: %q is read as %v, %v; want %v, %v", c.n, c.field, got, ok, c.want, c.ok)
		}
	}
}

func TestTimesAreReadInTheirLayoutAndZone(t *testing.T) {
	jan, feb := Date{2026, 1, 31}, Date{2026, 2, 1}
	for _, c := range []struct {
		clock Format
		field string
		want  Date
	}{
		// ISO 8601, spreadsheets, data frames and databases.
		{Format{}, "2026-01-31", jan}, {Format{}, "20260131", jan}, {Format{}, "2026/01/31", jan}, {Format{}, "31.01.2026", jan}, {Format{}, "2026.01.31", jan},
		{Format{}, "2026/01/31 00:00", jan}, {Format{}, "2026-01-31 23:59", jan}, {Format{}, "31.01.2026 23:59:59", jan}, {Format{}, "2026-01-31 9:30", jan},
		{Format{}, "2026-01-31T23:59:59", jan}, {Format{}, "2026-01-31T23:59:59.999999999", jan}, {Format{}, "2026-01-31 23:59:59,999", jan},
		{Format{}, "2026-01-31T23:59:59Z", jan}, {Format{}, "2026-01-31 23:59:59+00:00", jan}, {Format{}, "2026-01-31 23:59:59.5+00", jan}, {Format{}, "2026-01-31 23:59:59 UTC", jan},
		{Format{}, "2026-01-31 23:59:59.123456 UTC", jan}, {Format{}, "2026-01-31 23:59:59 +0000", jan}, {Format{}, "20260131T235959Z", jan}, {Format{}, "20260131235959", jan},
		{Format{}, "Sat, 31 Jan 2026 23:59:59 GMT", jan}, {Format{}, "Sat Jan 31 23:59:59 2026", jan}, {Format{}, "31JAN2026", jan}, {Format{}, "31JAN2026:23:59:59", jan}, {Format{}, "31-Jan-2026", jan},
		{Format{}, "January 31, 2026", jan}, {Format{}, "31 January 2026 23:59", jan}, {Format{}, "Jan 31, 2026 11:59 PM", jan},
		// An instant counts where the zone says.
		{Format{}, "2026-01-31T23:30:00-05:00", feb}, {Format{}, "2026-02-01T04:30:00Z", feb}, {Format{}, "2026-01-31T19:30:00-05", feb},
		{Format{Zone: "America/New_York"}, "2026-01-31T23:30:00-05:00", jan}, {Format{Zone: "America/New_York"}, "2026-02-01T04:30:00Z", jan},
		{Format{Zone: "Europe/Berlin"}, "2026-01-31 23:30:00+00", feb}, {Format{Zone: "Europe/Berlin"}, "2026-01-31 23:30:00", jan}, {Format{Zone: "Asia/Kathmandu"}, "2026-01-31 18:15:00 UTC", feb},
		// Midnight did not exist in São Paulo on that day, but the day did.
		{Format{Zone: "America/Sao_Paulo"}, "2018-11-04", Date{2018, 11, 4}}, {Format{Zone: "America/Sao_Paulo"}, "2018-11-04 00:00", Date{2018, 11, 4}},
		// What could be taken for something else is asked for.
		{Format{}, "01/31/2026", Date{}}, {Format{}, "1/2/2026", Date{}}, {Format{}, "2026-01", Date{}}, {Format{}, "31-01-26", Date{}}, {Format{}, "31-JAN-26", Date{}}, {Format{}, "1769817600", Date{}}, {Format{}, "46053", Date{}},
		{Format{}, "2026-02-30", Date{}}, {Format{}, "2026-01-31 25:00", Date{}}, {Format{}, "2026-01-31 23:59:59 EST", Date{}}, {Format{}, "tomorrow", Date{}},
		{Format{Layout: "m/d/y"}, "1/31/2026", jan}, {Format{Layout: "m/d/y"}, "01/31/26", jan}, {Format{Layout: "m/d/y"}, "1/31/2026 11:59 PM", jan}, {Format{Layout: "m/d/y"}, "1-31-2026", jan}, {Format{Layout: "m/d/y"}, "31/1/2026", Date{}},
		{Format{Layout: "d/m/y"}, "31/1/2026 23:59:59", jan}, {Format{Layout: "d/m/y"}, "1/2/2026", feb}, {Format{Layout: "d/m/y"}, "31.1.26", jan}, {Format{Layout: "d/m/y"}, "2026-01-31", Date{}},
		{Format{Layout: "01/02/2006"}, "01/31/2026", jan}, {Format{Layout: "2006-01-02 15:04 -0700", Zone: "UTC"}, "2026-01-31 23:30 -0500", feb},
		{Format{Layout: "epoch-s"}, "1769903999", jan}, {Format{Layout: "epoch-s"}, "1769904000", feb}, {Format{Layout: "epoch-s"}, "1769903999.75", jan}, {Format{Layout: "epoch-ms"}, "1769903999999", jan},
		{Format{Layout: "epoch-us"}, "1769904000000000", feb}, {Format{Layout: "epoch-ns"}, "1769904000000000000", feb}, {Format{Layout: "epoch-s", Zone: "America/New_York"}, "1769904000", jan},
		{Format{Layout: "epoch-s"}, "-1", Date{1969, 12, 31}}, {Format{Layout: "epoch-s"}, "-0.5", Date{1969, 12, 31}}, {Format{Layout: "epoch-s"}, "1769903999999", Date{}}, {Format{Layout: "epoch-s"}, "x", Date{}},
		{Format{Layout: "excel"}, "46053", jan}, {Format{Layout: "excel"}, "46053.99", jan}, {Format{Layout: "excel"}, "46054", feb}, {Format{Layout: "excel"}, "59", Date{}}, {Format{Layout: "excel"}, "2026-01-31", Date{}},
	} {
		if err := c.clock.Check(nil); err != nil {
			t.Fatal(err)
		}
		got, ok := newClock(&c.clock).date([]byte(c.field))
		if ok != (c.want != Date{}) || ok && got != c.want {
			t.Errorf("%+v: %q is on %v, %v; want %v", c.clock, c.field, got, ok, c.want)
		}
	}
}

// Whatever layout a day is written in, all layouts that can read it read the same
// day: none can be taken for another.
func TestNoLayoutIsTakenForAnother(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	layouts := known()
	for range 8 {
		at := time.Date(1950+r.IntN(100), time.Month(1+r.IntN(12)), 1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(60), 0, time.UTC)
		for _, written := range layouts {
			text := at.Format(written)
			for _, l := range layouts {
				if got, err := time.Parse(l, text); err == nil && dateOf(got) != dateOf(at) {
					t.Fatalf("%q, written as %s, is read by %s as %v", text, written, l, got)
				}
			}
		}
	}
}

func TestMissingValuesAreThoseThatAreNamed(t *testing.T) {
	const file = "who,at,paid\nann,2026-01-31,1\n,2026-01-31,2\nbob,,3\ncy,2026-01-31,\ndan,2026-01-31,#n/a\neve,2026-01-31,5\n"
	jan := Date{2026, 1, 31}
	for _, c := range []struct {
		content string
		m       Format
		want    []line
		fault   string
	}{
		{file, Format{Missing: Skip}, []line{{"ann", "", jan, 1}, {"eve", "", jan, 5}}, ""},
		{file, Format{}, []line{{"ann", "", jan, 1}}, `line 3 of in.csv: column "who" (Unit) is blank, or marked as missing`},
		{file, Format{Missing: Zero}, []line{{"ann", "", jan, 1}}, `line 3 of in.csv: column "who" (Unit) is blank`},
		{"who,at,paid\nann,2026-01-31,\nbob,2026-01-31,NULL\n", Format{Missing: Zero}, []line{{"ann", "", jan, 0}, {"bob", "", jan, 0}}, ""},
		{"who,at,paid\nann,2026-01-31,-\n", Format{Missing: Zero, Marks: []string{"-"}}, []line{{"ann", "", jan, 0}}, ""},
		{"who,at,paid\nNA,2026-01-31,1\n", Format{Marks: []string{}}, []line{{"NA", "", jan, 1}}, ""},
		{"who,at,paid\n\\N,2026-01-31,1\n", Format{Missing: Skip}, nil, ""},
		{"who,at,paid\nann,2026-01-31,many\n", Format{Missing: Skip}, nil, "is not a number"},
	} {
		got, err := readAs[line](t, c.content, Options{Format: c.m, Columns: without("Group")})
		if c.fault == "" && err != nil || c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)) {
			t.Errorf("%+v: error %v, want one with %q", c.m, err, c.fault)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%+v: %s", c.m, diff)
		}
	}
}
