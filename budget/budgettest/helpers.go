package budgettest

import (
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
