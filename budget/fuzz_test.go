package budget

import (
	"bytes"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// FuzzRecord reads records that may be anything. What is accepted as the second
// record of an account must never lower what is spent.
func FuzzRecord(f *testing.F) {
	a := newAccount(f, testTerms(dp.Approx{Epsilon: 1, Delta: 1e-6}))
	if _, err := a.Spend(f.Context(), testCharge("k", dp.Pure{Epsilon: 0.5})); err != nil {
		f.Fatal(err)
	}
	if err := a.Freeze(f.Context(), "incident", "officer"); err != nil {
		f.Fatal(err)
	}
	var records []Record
	for rec := range a.store.Read(f.Context(), "visits", 0) {
		records = append(records, rec)
		f.Add(rec.Data)
	}
	f.Add([]byte(`{"v":1,"seq":1,"kind":"raise","limit":{"epsilon":"1e308"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := Memory()
		for _, r := range append(records[:2:2], Record{Seq: 2, Data: data}) {
			if err := s.Append(t.Context(), "visits", r); err != nil {
				t.Fatal(err)
			}
		}
		b, err := Open(t.Context(), s, "visits")
		if err != nil {
			return
		}
		spent := spentOf(t, b)
		pure, isPure := spent.(dp.Pure)
		approx, isApprox := spent.(dp.Approx)
		if !(isPure && pure.Epsilon >= 0.5 || isApprox && approx.Epsilon >= 0.5) {
			t.Errorf("spent %v after a record %q, want at least ε=0.5", spent, data)
		}
	})
}

// FuzzImport reads exports that may be anything. What is accepted can be
// verified and exported again, line by line the same.
func FuzzImport(f *testing.F) {
	var out bytes.Buffer
	if err := busy(f).Export(f.Context(), &out); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes())
	f.Add([]byte("{\"equipoise_ledger\":1,\"account\":\"visits\"}\n{\"v\":1}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := Import(t.Context(), Memory(), bytes.NewReader(data))
		if err != nil {
			return
		}
		if _, err := a.Verify(t.Context()); err != nil {
			t.Errorf("imported, and does not verify: %v", err)
		}
	})
}
