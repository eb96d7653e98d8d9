package budget

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// forge returns the records with one of them changed, sealed and chained anew, as
// whoever holds the store can.
func forge(t *testing.T, records []Record, at int, change func(map[string]any)) []Record {
	t.Helper()
	out := slices.Clone(records)
	prev := ""
	for i := range out {
		open, err := unseal(out[i].Data)
		var fields map[string]any
		if err == nil {
			d := json.NewDecoder(bytes.NewReader(open))
			d.UseNumber()
			err = d.Decode(&fields)
		}
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			fields["prev"] = prev
		}
		if i == at {
			change(fields)
		}
		data, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		out[i].Data = seal(data)
		prev = hexOf(hashOf(out[i].Data))
	}
	return out
}

// judge opens and verifies records, with an anchor if one is given.
func judge(t *testing.T, records []Record, anchors ...Anchor) error {
	t.Helper()
	s := Memory()
	if err := s.Append(t.Context(), "visits", records...); err != nil {
		t.Fatal(err)
	}
	a, err := Open(t.Context(), s, "visits", anchors...)
	if err != nil {
		return err
	}
	_, err = a.Verify(t.Context(), anchors...)
	return err
}

// odd are values that a field should not have.
var odd = []any{
	nil, "", "x", "99999999999999999999", json.Number("-1"), json.Number("0"), json.Number("1"), json.Number("7"),
	json.Number("18446744073709551615"), json.Number("1e999"), true, []any{}, []any{"refused"}, []any{"basic"}, []any{"plan"},
	[]any{"renyi", "renyi", "renyi", "renyi", "renyi"}, map[string]any{}, map[string]any{"epsilon": "1e308"}, map[string]any{"x": "y"},
}

// Records of which one field was changed, the chain and sums made anew, are never a
// panic; what breaks a rule of the ledger is found without an anchor, and all of it
// is found with one.
func TestForgedRecordsAreFoundAndNeverPanic(t *testing.T) {
	t.Run("charges and acts", func(t *testing.T) { forgeEveryField(t, busy(t)) })
	t.Run("refusals", func(t *testing.T) { forgeEveryField(t, refusing(t)) })
}

// refusing returns an account that keeps two refusals, and has as many.
func refusing(t *testing.T) *Account {
	t.Helper()
	terms := testTerms(dp.Pure{Epsilon: 1})
	terms.Refusals = 2
	a := newAccount(t, terms)
	for _, key := range []string{"a", "b"} {
		if _, err := a.Spend(t.Context(), laplaceCharge(key, dp.Pure{Epsilon: 2}, 1)); !isRefused(err) {
			t.Fatalf("Spend: %v, want a refusal", err)
		}
	}
	if n := len(stored(a)); n != 3 {
		t.Fatalf("%d records, want terms and 2 refusals", n)
	}
	return a
}

// More refusals than the terms keep were not written by this library.
func TestMoreRefusalsThanTheTermsKeepAreFound(t *testing.T) {
	records := stored(refusing(t))
	fewer := forge(t, records, 0, func(m map[string]any) { m["terms"].(map[string]any)["refusals"] = 1 })
	if err := judge(t, fewer); !errors.Is(err, ErrTampered) {
		t.Errorf("two refusals where the terms keep one: %v, want ErrTampered", err)
	}
}

func forgeEveryField(t *testing.T, a *Account) {
	records := stored(a)
	anchor, err := a.Anchor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := judge(t, forge(t, records, -1, nil), anchor); !errors.Is(err, ErrTampered) {
		t.Fatalf("chained anew and else the same: %v", err) // fields stand in another order
	}
	if err := judge(t, forge(t, records, -1, nil)); err != nil {
		t.Fatalf("chained anew and else the same, without an anchor: %v", err)
	}
	unseen := 0
	for at := range records {
		for _, f := range []string{"v", "seq", "kind", "at", "id", "module", "engine", "terms", "orders", "charge", "took", "from", "digest", "early", "limit", "reason", "by", "refused"} {
			for _, value := range append(odd, "gone") {
				forged := forge(t, records, at, func(m map[string]any) {
					if value == "gone" {
						delete(m, f)
					} else {
						m[f] = value
					}
				})
				err := judge(t, forged)
				if err != nil && !errors.Is(err, ErrTampered) && !errors.Is(err, ErrVersion) {
					t.Errorf("record %d, %s = %v: %v is neither ErrTampered nor ErrVersion", at, f, value, err)
				}
				if err == nil {
					unseen++
					if free := []string{"id", "module", "reason", "by", "at", "orders", "early"}; !slices.Contains(free, f) && changed(t, records[at], forged[at], f) {
						t.Errorf("record %d, %s = %v: not found", at, f, value)
					}
				}
			}
		}
	}
	t.Logf("%d forgeries are sound ledgers in themselves", unseen)
}

// changed says whether a field has another value in two records.
func changed(t *testing.T, a, b Record, f string) bool {
	t.Helper()
	var of [2]map[string]any
	for i, r := range []Record{a, b} {
		if err := json.Unmarshal(r.Data, &of[i]); err != nil {
			t.Fatal(err)
		}
	}
	text := func(v any) string {
		if v == nil || v == false || v == "" || v == 0.0 {
			return "none"
		}
		b, _ := json.Marshal(v)
		return string(b)
	}
	return text(of[0][f]) != text(of[1][f])
}

// What breaks a rule of the ledger is found when it is opened, without an anchor.
func TestForgeriesThatBreakARuleAreFoundWithoutAnAnchor(t *testing.T) {
	a := busy(t)
	records := stored(a)
	charge := func(m map[string]any) map[string]any { return m["charge"].(map[string]any) }
	reserve, last := len(records)-3, len(records)-1 // and a draw between them
	for name, f := range map[string]struct {
		at     int
		change func(map[string]any)
	}{
		"a charge that a plan took, which it is not of": {1, func(m map[string]any) { m["took"] = []any{"plan", "plan", "plan", "plan", "plan"} }},
		"a charge that was refused":                     {1, func(m map[string]any) { m["took"] = slices.Repeat([]any{""}, 5) }},
		"a charge that was taken in no way":             {1, func(m map[string]any) { m["took"].([]any)[4] = "renyi" }},
		"a charge of fewer limits":                      {1, func(m map[string]any) { m["took"] = m["took"].([]any)[1:] }},
		"a key twice":                                   {3, func(m map[string]any) { charge(m)["key"] = "g0" }},
		"a draw for another analyst":                    {last, func(m map[string]any) { charge(m)["analyst"] = "bob" }},
		"a draw for another period":                     {last, func(m map[string]any) { charge(m)["periods"] = []any{"2026-01", "2027-01"} }},
		"a draw that a filter took":                     {last, func(m map[string]any) { m["took"] = []any{"basic"} }},
		"a draw of more than is left":                   {last, func(m map[string]any) { charge(m)["events"].([]any)[0].(map[string]any)["count"] = 4 }},
		"a draw of what is no reservation":              {last, func(m map[string]any) { m["from"] = 1 }},
		"a release of what did not pay":                 {2, func(m map[string]any) { m["from"] = 2 }},
		"a second release":                              {4, func(m map[string]any) { m["from"] = 1 }},
		"an early release of a late charge":             {2, func(m map[string]any) { m["early"] = true }},
		"a release of another time":                     {2, func(m map[string]any) { m["at"] = "2020-01-01T00:00:00Z" }},
		"a release of a whole reservation": {last, func(m map[string]any) {
			delete(m, "charge")
			delete(m, "took")
			m["kind"], m["from"], m["digest"], m["at"] = "keep", reserve, hexOf(digest{}), stampOf(t, records[reserve])
		}},
	} {
		forged := forge(t, records, f.at, f.change)
		s := Memory()
		if err := s.Append(t.Context(), "visits", forged...); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), s, "visits"); !errors.Is(err, ErrTampered) {
			t.Errorf("%s: %v, want ErrTampered", name, err)
		}
	}
}

func stampOf(t *testing.T, r Record) string {
	t.Helper()
	record, err := decodeRecord(r.Data)
	if err != nil {
		t.Fatal(err)
	}
	return record.At
}

// What a record is made of is named where it cannot be read, of records that were sealed and
// chained anew as well.
func TestWhatCannotBeReadInAForgedRecordIsNamed(t *testing.T) {
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	whole := laplaceCharge("whole", dp.Pure{Epsilon: 0.5}, 4)
	whole.Events[0].Count = 2
	v, err := a.Reserve(t.Context(), whole)
	if err != nil {
		t.Fatal(err)
	}
	part := laplaceCharge("part", dp.Pure{Epsilon: 0.25}, 4)
	if _, err := v.Spend(t.Context(), part); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Keep(t.Context(), part, []byte("41")); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		at     int
		change func(map[string]any)
		want   string
	}{
		{2, func(m map[string]any) { m["charge"].(map[string]any)["loss"] = "none" }, "record 2: dp: charge"},
		{2, func(m map[string]any) { m["charge"].(map[string]any)["key"] = "" }, "record 2: dp: Charge.Key is empty"},
		{3, func(m map[string]any) { m["at"] = "yesterday" }, "record 3: time"},
		{3, func(m map[string]any) { m["digest"] = "00" }, "record 3 has digest"},
	} {
		if err := judge(t, forge(t, stored(a), test.at, test.change)); !errors.Is(err, ErrTampered) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v, want ErrTampered and %q", err, test.want)
		}
	}
}
