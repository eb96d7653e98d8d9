package budgettest

import (
	"bytes"
	"slices"
	"sync"
	"testing"

	"github.com/equipoise-dp/equipoise/budget"
)

// read returns the records from a number on, and fails the test if one is
// missing.
func read(t *testing.T, s budget.Store, account string, from uint64) []budget.Record {
	t.Helper()
	var all []budget.Record
	for r, err := range s.Read(t.Context(), account, from) {
		if err != nil {
			t.Errorf("Read of account %q from %d: %v", account, from, err)
			return all
		}
		if want := from + uint64(len(all)); r.Seq != want {
			t.Errorf("Read of account %q from %d yields record %d, want %d", account, from, r.Seq, want)
		}
		all = append(all, r)
	}
	return all
}

func wantRecords(t *testing.T, s budget.Store, account string, from uint64, want ...string) {
	t.Helper()
	got := read(t, s, account, from)
	if len(got) != len(want) {
		t.Errorf("Read of account %q from %d yields %d records, want %d", account, from, len(got), len(want))
		return
	}
	for i := range want {
		if string(got[i].Data) != want[i] {
			t.Errorf("record %d of account %q is %q, want %q", got[i].Seq, account, got[i].Data, want[i])
		}
	}
}

func mustAppend(t *testing.T, s budget.Store, account string, first uint64, data ...string) {
	t.Helper()
	records := make([]budget.Record, len(data))
	for i, d := range data {
		records[i] = budget.Record{Seq: first + uint64(i), Data: []byte(d)}
	}
	if err := s.Append(t.Context(), account, records...); err != nil {
		t.Errorf("Append of %d records from %d to account %q: %v", len(data), first, account, err)
	}
}

// together runs do in n goroutines that start at once.
func together(n int, do func(i int)) {
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			do(i)
		})
	}
	close(start)
	wg.Wait()
}

// wantAccounts fails the test unless the store has these accounts, in the order
// of their bytes.
func wantAccounts(t *testing.T, s budget.Store, want ...string) {
	t.Helper()
	got, err := s.Accounts(t.Context())
	if err != nil || !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Errorf("Accounts = %q, %v, want %q", got, err, want)
	}
}

// mustKeep appends one record with a release beside it.
func mustKeep(t *testing.T, s budget.Store, account string, seq uint64, release string) {
	t.Helper()
	if err := s.Append(t.Context(), account, budget.Record{Seq: seq, Data: []byte("x"), Release: []byte(release)}); err != nil {
		t.Errorf("Append of record %d with a release to account %q: %v", seq, account, err)
	}
}

// wantReleases fails the test unless these records, and no others, have releases,
// each of which is what Kept returns.
func wantReleases(t *testing.T, s budget.Store, account string, want ...uint64) {
	t.Helper()
	var got []uint64
	for r, err := range s.Releases(t.Context(), account) {
		if err != nil {
			t.Errorf("Releases of account %q: %v", account, err)
			return
		}
		kept, err := s.Kept(t.Context(), account, r.Seq)
		if err != nil || r.Release == nil || !bytes.Equal(kept, r.Release) {
			t.Errorf("Releases yields %d bytes beside record %d, Kept %d, %v", len(r.Release), r.Seq, len(kept), err)
		}
		got = append(got, r.Seq)
	}
	if !slices.Equal(got, want) {
		t.Errorf("Releases of account %q are beside %d, want %d", account, got, want)
	}
}

// spends returns how many charges were spent under an account.
func spends(t *testing.T, s budget.Store) (n int) {
	t.Helper()
	a, err := budget.Open(t.Context(), s, dataset)
	if err != nil {
		t.Errorf("Open: %v", err)
		return 0
	}
	for e, err := range a.Entries(t.Context()) {
		if err != nil {
			t.Errorf("Entries: %v", err)
		}
		if e.Charge != nil {
			n++
		}
	}
	return n
}
