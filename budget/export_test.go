package budget

import (
	"bytes"
	"context"
	"iter"
	"slices"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// meanwhile is a store in which something happens before releases are read.
type meanwhile struct {
	Store
	happens func()
}

func (s *meanwhile) Releases(ctx context.Context, account string) iter.Seq2[Record, error] {
	s.happens()
	return s.Store.Releases(ctx, account)
}

// What is kept while an account is exported is not in the export, which is whole.
func TestAnExportEndsWhereItBegan(t *testing.T) {
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	c := testCharge("k", dp.Pure{Epsilon: 0.25})
	if _, err := a.Spend(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	n := len(stored(a))
	b, err := Open(t.Context(), &meanwhile{a.store, func() {
		if _, err := a.Keep(t.Context(), c, []byte("41")); err != nil {
			t.Error(err)
		}
	}}, a.name)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := b.Export(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	again, err := Import(t.Context(), Memory(), &out)
	if err != nil {
		t.Fatalf("Import: %v", err)
	}
	if kept, err := again.Kept(t.Context(), c); len(stored(again)) != n || kept != nil || err != nil {
		t.Errorf("%d records, and %q is kept, %v, want %d and nothing", len(stored(again)), kept, err, n)
	}
}

// However long a release is, it is a line of an export that is imported.
func TestALongReleaseIsImported(t *testing.T) {
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	c, long := testCharge("k", dp.Pure{Epsilon: 0.25}), bytes.Repeat([]byte("41"), 1<<17)
	if _, err := a.Spend(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Keep(t.Context(), c, long); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := a.Export(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	again, err := Import(t.Context(), Memory(), &out)
	if err != nil {
		t.Fatalf("Import: %v", err)
	}
	if kept, err := again.Kept(t.Context(), c); !bytes.Equal(kept, long) || err != nil {
		t.Errorf("%d bytes are kept, %v, want %d", len(kept), err, len(long))
	}
}

// Verify names the records that are dated before others that stand before them.
func TestVerifyNamesWhatIsDatedBack(t *testing.T) {
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	for _, key := range []string{"a", "b", "c"} {
		if _, err := a.Spend(t.Context(), testCharge(key, dp.Pure{Epsilon: 0.25})); err != nil {
			t.Fatal(err)
		}
	}
	s := Memory()
	if err := s.Append(t.Context(), a.name, forge(t, stored(a), 2, func(m map[string]any) { m["at"] = "2020-01-01T00:00:00Z" })...); err != nil {
		t.Fatal(err)
	}
	b, err := Open(t.Context(), s, a.name)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := b.Verify(t.Context()); err != nil || !slices.Equal(r.Backdated, []uint64{2}) {
		t.Errorf("Verify: %v, %v, want record 2", r.Backdated, err)
	}
}
