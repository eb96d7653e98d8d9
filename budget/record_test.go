package budget

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/equipoise-dp/equipoise/internal/filter"
)

// Records with a charge are appended field by field, and their bytes are those of package
// encoding/json, under which ledgers have hashes.
func TestRecordsAreWrittenAsTheEncoderWritesThem(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 2))
	pick := func(texts ...string) string { return texts[r.IntN(len(texts))] }
	for range 5000 {
		rec := record{
			Version: 1 + r.IntN(4), Seq: r.Uint64N(3) * r.Uint64(), Prev: pick("", "00ff"), Kind: pick(KindSpend, KindReserve, KindDraw),
			At: pick("", "2026-05-01T10:00:00Z"), ID: pick("", "ABC", `a"b`, "é<"), Module: pick("", "v0.1.0", "v0&1", "v\n"),
			Charge: json.RawMessage(pick(`{}`, `{"key":"k","took":0}`, `{"a":"\u003c"}`)), From: r.Uint64N(3), Checkpoint: r.Uint64N(3),
		}
		for range r.IntN(3) {
			rec.Took = append(rec.Took, filter.Way(pick("loss", "events", "")))
		}
		var want bytes.Buffer
		e := json.NewEncoder(&want)
		e.SetEscapeHTML(false)
		if err := e.Encode(rec); err != nil {
			t.Fatal(err)
		}
		if got, err := rec.open(); err != nil || string(got)+"\n" != want.String() {
			t.Fatalf("%+v\nis written as %s (%v)\nmust be       %s", rec, got, err, want.String())
		}
	}
}

// What is sealed is the record, its hash, and nothing else; the record stays as it was.
func TestASealHasTheHashOfWhatItSeals(t *testing.T) {
	open := []byte(`{"v":2}`)
	sum := hashOf(open)
	if got, want := string(seal(open)), `{"v":2,"sum":"`+hexOf(sum)+`"}`; got != want || string(open) != `{"v":2}` {
		t.Errorf("sealed is %s, must be %s; open is %s", got, want, open)
	}
}
