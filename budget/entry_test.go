package budget

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/module"
)

func TestEntriesNameTheVersionThatWroteThem(t *testing.T) {
	account, err := Create(t.Context(), Memory(), Terms{Dataset: "visits", Unit: "patient", Limit: dp.Pure{Epsilon: 1}})
	if err != nil {
		t.Fatal(err)
	}
	if err := account.Freeze(t.Context(), "an audit", "me"); err != nil {
		t.Fatal(err)
	}
	n := 0
	for e, err := range account.Entries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; e.Module == "" || e.Module != module.Version() {
			t.Errorf("entry %d was written by version %q, want %q", e.Seq, e.Module, module.Version())
		}
	}
	if n != 2 {
		t.Errorf("there are %d entries, want 2", n)
	}
}

// An entry has what its record has, and nothing else.
func TestEntriesHaveWhatTheirRecordsHave(t *testing.T) {
	a := everyKind(t)
	var got []string
	for e, err := range a.Entries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if rec := stored(a)[e.Seq]; e.Hash != hashOf(rec.Data) {
			t.Errorf("entry %d has the hash %x", e.Seq, e.Hash)
		}
		got = append(got, describe(e))
	}
	want := []string{
		`0 create terms=visits`,
		`1 spend charge=k map[account:loss]`,
		`2 keep from=1 digest`,
		`3 reserve charge=plan map[account:loss]`,
		`4 draw charge=member map[account:plan] from=3`,
		`5 refuse refused=too much`,
		`6 raise limit=ε=2 "a survey" officer`,
		`7 freeze "an incident" officer`,
		`8 checkpoint digest`,
	}
	got = slices.DeleteFunc(got, func(s string) bool { return strings.Contains(s, "checkpoint") && !strings.HasPrefix(s, "8 ") })
	for i, w := range want[:8] {
		if got[i] != w {
			t.Errorf("entry %d is %s, want %s", i, got[i], w)
		}
	}
	rest := strings.Join(got[8:], "\n")
	for _, w := range []string{
		`thaw "it is clear" officer`, `outside "to know it" officer outside=a table`, `policy "it is asked for" officer policy=1`,
		`withdraw "it is over" officer purpose=teaching`, `spend charge=more0 map[account:loss]`,
	} {
		if !strings.Contains(rest, w) {
			t.Errorf("of the entries\n%s\nnone is %s", rest, w)
		}
	}
}

// describe writes every field of an entry that is not empty, but for time, module and hash.
func describe(e Entry) string {
	text := fmt.Sprint(e.Seq, " ", e.Kind)
	add := func(there bool, format string, args ...any) {
		if there {
			text += " " + fmt.Sprintf(format, args...)
		}
	}
	if e.Terms != nil {
		add(true, "terms=%s", e.Terms.Dataset)
	}
	if e.Charge != nil {
		add(true, "charge=%s %v", e.Charge.Key, e.Decisions)
	}
	add(e.From != 0, "from=%d", e.From)
	add(e.Digest != digest{}, "digest")
	add(e.Limit != nil, "limit=%v", e.Limit)
	add(e.Reason != "" || e.By != "", "%q %s", e.Reason, e.By)
	if e.Refused != nil {
		add(true, "refused=%s", e.Refused.Key)
	}
	if e.Policy != nil {
		add(true, "policy=%d", e.Policy.Version)
	}
	add(e.Purpose != "", "purpose=%s", e.Purpose)
	if e.Outside != nil {
		add(true, "outside=%s", e.Outside.What)
	}
	return text
}

// A record that cannot be read is no entry: the entries end there, and say why.
func TestEntriesEndAtWhatCannotBeRead(t *testing.T) {
	a := everyKind(t)
	records := stored(a)
	at := func(kind string) int {
		return slices.IndexFunc(records, func(r Record) bool { return strings.Contains(string(r.Data), `"kind":"`+kind+`"`) })
	}
	for _, test := range []struct {
		kind   string
		change func(map[string]any)
		want   string
	}{
		{"spend", func(m map[string]any) { m["at"] = "noon" }, "record 1: time: "},
		{"spend", func(m map[string]any) { m["charge"] = map[string]any{"x": 1} }, "record 1: "},
		{"spend", func(m map[string]any) { m["seq"] = 2 }, "record 2 stands where record 1 belongs"},
		{"spend", func(m map[string]any) { m["kind"] = "pay" }, `record 1 is of kind "pay"`},
		{"keep", func(m map[string]any) { m["digest"] = "00" }, `record 2 has digest "00"`},
		{"raise", func(m map[string]any) { m["limit"] = map[string]any{"epsilon": "x"} }, "record 6: "},
		{"policy", func(m map[string]any) { m["policy"] = map[string]any{"version": 1} }, ": "},
		{"outside", func(m map[string]any) { m["outside"].(map[string]any)["on"] = "May" }, "Outside.On"},
	} {
		i := at(test.kind)
		a.store = replaced{a.store, forge(t, records, i, test.change)}
		n, err := entriesOf(t.Context(), a)
		if !errors.Is(err, ErrTampered) || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), `budget: account "visits": `) {
			t.Errorf("a %s changed: %d entries and %v, want %q", test.kind, n, err, test.want)
		}
	}
	swapped := slices.Clone(records)
	swapped[3].Seq = 4
	a.store = replaced{a.store, swapped}
	if _, err := entriesOf(t.Context(), a); !errors.Is(err, ErrTampered) || !strings.Contains(err.Error(), "the store gives record 4 where record 3 belongs") {
		t.Errorf("a record under another number: %v", err)
	}
}

// replaced is a store that has other records.
type replaced struct {
	Store
	records []Record
}

func (s replaced) Read(_ context.Context, _ string, from uint64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for _, r := range s.records[from:] {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// Whoever stops reading entries is not given more.
func TestEntriesStopWhenTheirReaderDoes(t *testing.T) {
	a := busy(t)
	n := 0
	for range a.Entries(t.Context()) {
		if n++; n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("%d entries, want 2", n)
	}
}

// A record is one value of JSON and nothing after it, sealed as one.
func TestARecordIsOneValue(t *testing.T) {
	open := must2(unseal(stored(busy(t))[1].Data))
	if _, err := decodeRecord(seal(open)); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"another object":          append(append([]byte{}, open...), []byte(`{"x":1}`)...),
		"a blank and an object":   append(append([]byte{}, open...), []byte(` {"x":1}`)...),
		"a bracket":               append(append([]byte{}, open...), []byte(`}`)...),
		"a field that none knows": append(append([]byte{}, open[:len(open)-1]...), []byte(`,"x":1}`)...),
		"half an object":          open[:len(open)/2],
	} {
		if r, err := decodeRecord(seal(data)); !errors.Is(err, ErrTampered) || r != nil {
			t.Errorf("%s: %+v, %v, want ErrTampered", name, r, err)
		}
	}
	if _, err := decodeRecord([]byte("no JSON")); !errors.Is(err, ErrTampered) || !strings.Contains(err.Error(), "a record is not JSON") {
		t.Errorf("what is no JSON: %v", err)
	}
	if short := []byte(sealOpens + hex.EncodeToString(make([]byte, 32)) + sealCloses); len(short) != sealLength {
		t.Errorf("a seal has %d bytes, not %d", len(short), sealLength)
	}
	for n := range sealLength + 2 { // too short to be sealed
		if _, err := unseal(make([]byte, n)); err == nil {
			t.Errorf("%d bytes of nothing are sealed", n)
		}
	}
}
