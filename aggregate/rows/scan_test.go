package rows

import (
	"encoding/csv"
	"errors"
	"flag"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

var long = flag.Bool("long", false, "compare more random texts with package csv")

// plainly reads records with package encoding/csv, up to the first mistake.
func plainly(text string, delimiter rune) (all [][]string, lines []int, wrong bool) {
	r := csv.NewReader(strings.NewReader(text))
	r.Comma = delimiter
	for {
		record, err := r.Read()
		if err != nil {
			return all, lines, !errors.Is(err, io.EOF)
		}
		line, _ := r.FieldPos(0)
		all, lines = append(all, record), append(lines, line)
	}
}

// scanned reads them with a scanner that is given few bytes at a time.
func scanned(text string, delimiter rune, wanted []int) (all [][]string, lines []int, wrong bool) {
	s := newScanner(iotest.OneByteReader(strings.NewReader(text)), delimiter, 0)
	for {
		if err := s.scan(); err != nil {
			return all, lines, !errors.Is(err, io.EOF)
		}
		var record []string
		for _, f := range s.got {
			record = append(record, string(f))
		}
		all, lines = append(all, record), append(lines, s.line)
		if wanted != nil && s.wanted == nil {
			s.want(wanted)
		}
	}
}

// compare reads a text with both, whole and only some columns.
func compare(t *testing.T, text string, delimiter rune) {
	t.Helper()
	want, wantLines, wantWrong := plainly(text, delimiter)
	got, lines, wrong := scanned(text, delimiter, nil)
	same := func(a, b [][]string) bool { return slices.EqualFunc(a, b, slices.Equal) }
	if !same(got, want) || wrong != wantWrong || !slices.Equal(lines, wantLines) {
		t.Errorf("%q is read as %q at %v, %v; want %q at %v, %v", text, got, lines, wrong, want, wantLines, wantWrong)
	}
	if len(want) == 0 {
		return
	}
	last := len(want[0]) - 1
	wanted := slices.Compact([]int{last / 2, last})
	for i := range want[1:] {
		row := want[i+1]
		want[i+1] = nil
		for _, c := range wanted {
			want[i+1] = append(want[i+1], row[c])
		}
	}
	if got, _, wrong := scanned(text, delimiter, wanted); !same(got, want) || wrong != wantWrong {
		t.Errorf("%q: columns %v are %q, %v; want %q, %v", text, wanted, got, wrong, want, wantWrong)
	}
}

func TestScannerAgreesWithPackageCSV(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pieces := []string{",", ",", ",", "\n", "\n", "\r\n", "\"", "\"", "\"\"", "a", "bc", " ", "\r", "é", "\"x\"", "\"y\n\"", "\xff", "·"}
	n := 4000
	if *long {
		n = 400_000
	}
	for range n {
		var b strings.Builder
		for range r.IntN(14) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		compare(t, b.String(), []rune{',', ',', '·'}[r.IntN(3)])
		if t.Failed() {
			return
		}
	}
}

func FuzzScanner(f *testing.F) {
	f.Add("a,b\n1,\"2\n\n3\"\r\n\r\n\"\"\"\",x\r")
	f.Add("a,b\n1\n")
	f.Add("\"a\" ,b\n")
	f.Fuzz(func(t *testing.T, text string) { compare(t, text, ',') })
}

func TestARecordHasAnEnd(t *testing.T) {
	for _, text := range []string{"who,at\n" + strings.Repeat("x", mostRecord+1), "who,at\n\"" + strings.Repeat(strings.Repeat("x", 999)+"\n", mostRecord/1000+1)} {
		if _, err := readAs[visit](t, text, Options{Secret: NewSecret()}); err == nil || !strings.Contains(err.Error(), "line 2 of in.csv: a record is longer than 16 million bytes") {
			t.Errorf("error %v", err)
		}
	}
}
