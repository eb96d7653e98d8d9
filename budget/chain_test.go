package budget

import (
	"context"
	"errors"
	"iter"
	"math"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

func TestAnchorsThatAreNoneAreRefused(t *testing.T) {
	hash := strings.Repeat("0f", 32)
	for _, s := range []string{
		"", "yesterday", "1:" + hash, "1:" + hash + ":", "x:" + hash + ":visits", "-1:" + hash + ":visits", "1::visits",
		"1:" + hash[2:] + ":visits", "1:" + hash + "0f:visits", "1:" + hash[1:] + ":visits", "1:" + hash[1:] + "x:visits",
	} {
		if x, err := ParseAnchor(s); err == nil || x != (Anchor{}) {
			t.Errorf("ParseAnchor(%q) = %v, %v", s, x, err)
		}
	}
	for text, seq := range map[string]uint64{"0": 0, "19": 19, "18446744073709551615": math.MaxUint64} {
		if x, err := ParseAnchor(text + ":" + hash + ":visits"); err != nil || x.Seq != seq || x.String() != text+":"+hash+":visits" {
			t.Errorf("of record %s: %v, %v", text, x, err)
		}
	}
	if x, err := ParseAnchor("18446744073709551616:" + hash + ":visits"); err == nil {
		t.Errorf("of a record beyond all: %v", x)
	}
	want := Anchor{"a:b", 1, digest(repeated(0x0f))}
	if x, err := ParseAnchor("1:" + hash + ":a:b"); x != want || err != nil {
		t.Errorf("of account a:b: %v, %v", x, err)
	}
}

func repeated(b byte) []byte {
	all := make([]byte, len(digest{}))
	for i := range all {
		all[i] = b
	}
	return all
}

// shifting gives every record another number than its own.
type shifting struct{ Store }

func (s shifting) Read(ctx context.Context, account string, from uint64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for r, err := range s.Store.Read(ctx, account, from) {
			r.Seq++
			if !yield(r, err) {
				return
			}
		}
	}
}

func TestRecordsUnderOtherNumbersAreFound(t *testing.T) {
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	a.store = shifting{a.store}
	for _, err := range a.Entries(t.Context()) {
		if !errors.Is(err, ErrTampered) {
			t.Errorf("Entries: %v", err)
		}
	}
	if _, err := a.Verify(t.Context()); !errors.Is(err, ErrTampered) {
		t.Errorf("Verify: %v", err)
	}
}

// A record of no format, such as one that says nothing of its version, is none of
// an early format.
func TestARecordSaysItsVersion(t *testing.T) {
	for _, v := range []string{`"v":0,`, `"v":-1,`, ``} {
		data := seal([]byte(`{` + v + `"seq":1,"kind":"freeze","at":"2026-01-01T00:00:00Z","reason":"x","by":"y"}`))
		if _, err := decodeRecord(data); !errors.Is(err, ErrTampered) {
			t.Errorf("%s: %v", data, err)
		}
	}
}

func TestRecordsAreReadAsTheyWereWritten(t *testing.T) {
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	if err := a.Freeze(t.Context(), "rows < 10 & more", "<officer>"); err != nil {
		t.Fatal(err)
	}
	if data := string(stored(a)[1].Data); !strings.Contains(data, `"rows < 10 & more"`) || !strings.Contains(data, `"<officer>"`) {
		t.Errorf("the record is %s", data)
	}
}
