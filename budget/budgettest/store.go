// Package budgettest tests implementations of [budget.Store], also those that
// users write:
//
//	func TestStore(t *testing.T) {
//		budgettest.TestStore(t, func(t *testing.T) budget.Store { return create(t) })
//	}
//
// A store that passes [TestStore] and [TestAccount] keeps its contract while
// all goes well; [TestFaults] breaks every durable step in two ways. A store
// that outlives its process must also pass [TestDurable], which opens it from
// several processes and kills them.
package budgettest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/equipoise-dp/equipoise/budget"
)

// TestStore runs the tests that every store must pass. Every call of open
// returns another, empty store.
func TestStore(t *testing.T, open func(*testing.T) budget.Store) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, budget.Store)
	}{
		{"Empty", testEmpty},
		{"Append", testAppend},
		{"AppendNotNext", testAppendNotNext},
		{"AppendMany", testAppendMany},
		{"AppendWhileReading", testAppendWhileReading},
		{"AppendRace", testAppendRace},
		{"AppendCancelled", testAppendCancelled},
		{"ReadCancelled", testReadCancelled},
		{"ReadWhileAppending", testReadWhileAppending},
		{"Bytes", testBytes},
		{"Accounts", testAccounts},
		{"Keep", testKeep},
		{"KeepRace", testKeepRace},
		{"KeepAndAppend", testKeepAndAppend},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
	}
}

func testEmpty(t *testing.T, s budget.Store) {
	for _, from := range []uint64{0, 1, math.MaxUint64} {
		if got := read(t, s, "a", from); len(got) != 0 {
			t.Errorf("Read(%d) of an account that does not exist yields %d records, want 0", from, len(got))
		}
	}
	if got, err := s.Kept(t.Context(), "a", 0); got != nil || err != nil {
		t.Errorf("Kept of an account that does not exist = %q, %v, want nil, nil", got, err)
	}
	wantAccounts(t, s)
	if err := s.Append(t.Context(), "a"); err != nil {
		t.Errorf("Append of no records: %v", err)
	}
}

func testAppend(t *testing.T, s budget.Store) {
	mustAppend(t, s, "a", 0, "zero")
	mustAppend(t, s, "a", 1, "one", "two", "three")
	mustAppend(t, s, "a", 4, "four")
	want := []string{"zero", "one", "two", "three", "four"}
	for from := range uint64(7) {
		wantRecords(t, s, "a", from, want[min(from, 5):]...)
	}
	wantRecords(t, s, "a", math.MaxUint64)
	for r := range s.Read(t.Context(), "a", 0) { // a loop that ends early holds nothing up
		if r.Seq == 2 {
			break
		}
	}
	mustAppend(t, s, "a", 5, "five")
}

func testAppendNotNext(t *testing.T, s budget.Store) {
	notNext := func(seqs ...uint64) {
		t.Helper()
		before := read(t, s, "a", 0)
		records := make([]budget.Record, len(seqs))
		for i, seq := range seqs {
			records[i] = budget.Record{Seq: seq, Data: []byte("x")}
		}
		if err := s.Append(t.Context(), "a", records...); !errors.Is(err, budget.ErrConflict) {
			t.Errorf("Append of %d after %d records: %v, want budget.ErrConflict", seqs, len(before), err)
		}
		if after := read(t, s, "a", 0); len(after) != len(before) {
			t.Errorf("Append of %d failed and left %d records, want %d", seqs, len(after), len(before))
		}
	}
	notNext(1)
	notNext(1, 2)
	notNext(math.MaxUint64)
	mustAppend(t, s, "a", 0, "zero", "one", "two")
	notNext(0)
	notNext(0, 1, 2, 3)
	notNext(2)
	notNext(2, 3)
	notNext(4)
	notNext(1 << 63)
	notNext(math.MaxUint64)
	notNext(math.MaxUint64, 0)
	mustAppend(t, s, "a", 3, "three")
	wantRecords(t, s, "a", 0, "zero", "one", "two", "three")

	for _, seqs := range [][2]uint64{{4, 4}, {4, 6}, {4, 3}} { // not consecutive: any error will do
		if err := s.Append(t.Context(), "a", budget.Record{Seq: seqs[0]}, budget.Record{Seq: seqs[1]}); err == nil {
			t.Errorf("Append of %d: nil, want an error", seqs)
		}
		wantRecords(t, s, "a", 3, "three")
	}
}

func testAppendMany(t *testing.T, s budget.Store) {
	const batch, batches = 97, 11 // more than a store is likely to read at once
	var want []string
	for i := range uint64(batches) {
		var data []string
		for j := range uint64(batch) {
			data = append(data, fmt.Sprint(i*batch+j))
		}
		mustAppend(t, s, "a", i*batch, data...)
		want = append(want, data...)
	}
	wantRecords(t, s, "a", 0, want...)
	wantRecords(t, s, "a", 500, want[500:]...)
}

func testAppendWhileReading(t *testing.T, s budget.Store) {
	mustAppend(t, s, "a", 0, "zero", "one")
	seen := 0
	for r, err := range s.Read(t.Context(), "a", 0) {
		if err != nil {
			t.Fatal(err)
		}
		if seen++; r.Seq < 2 {
			mustAppend(t, s, "a", 2+r.Seq, "new")
			read(t, s, "a", 0)
		}
	}
	if seen < 2 {
		t.Errorf("Read yields %d records, want at least the 2 that were there", seen)
	}
	wantRecords(t, s, "a", 0, "zero", "one", "new", "new")
}

// testAppendRace lets goroutines race for every number: one wins, the others
// get ErrConflict.
func testAppendRace(t *testing.T, s budget.Store) {
	const racers, rounds = 8, 10
	for seq := range uint64(rounds) {
		var won atomic.Int64
		var winner atomic.Value
		together(racers, func(i int) {
			data := fmt.Sprintf("%d by %d", seq, i)
			err := s.Append(t.Context(), "a", budget.Record{Seq: seq, Data: []byte(data)})
			switch {
			case err == nil:
				won.Add(1)
				winner.Store(data)
			case !errors.Is(err, budget.ErrConflict):
				t.Errorf("Append of record %d, racing: %v, want nil or budget.ErrConflict", seq, err)
			}
		})
		if won.Load() != 1 {
			t.Fatalf("%d of %d racing appends of record %d returned nil, want 1", won.Load(), racers, seq)
		}
		wantRecords(t, s, "a", seq, winner.Load().(string))
	}
}

// testAppendCancelled cancels at every stage of an append. Whatever comes of
// it, nil means durable, an error means all or none, and the store goes on.
func testAppendCancelled(t *testing.T, s budget.Store) {
	next := uint64(0)
	for i := range 20 {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			done <- s.Append(ctx, "a", budget.Record{Seq: next, Data: []byte("x")}, budget.Record{Seq: next + 1, Data: []byte("y")})
		}()
		for range i * i * 10 { // a while
			ctx.Err()
		}
		cancel()
		err := <-done
		n := uint64(len(read(t, s, "a", 0)))
		if n != next+2 && (err == nil || n != next) {
			t.Fatalf("Append of 2 records after %d, cancelled: %v, and %d are there", next, err, n)
		}
		next = n
	}
	err := s.Append(t.Context(), "a", budget.Record{Seq: next, Data: []byte("after")})
	if errors.Is(err, budget.ErrConflict) { // the last one came late, as a server may do
		err = s.Append(t.Context(), "a", budget.Record{Seq: next + 2, Data: []byte("after")})
	}
	if err != nil {
		t.Errorf("Append after others were cancelled: %v", err)
	}
}

// testReadCancelled: a list that was cut short must say so, or it is a refund.
func testReadCancelled(t *testing.T, s budget.Store) {
	mustAppend(t, s, "a", 0, "zero", "one")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n := 0
	for _, err := range s.Read(ctx, "a", 0) {
		if err != nil {
			return
		}
		n++
	}
	if n != 2 {
		t.Errorf("Read with a cancelled context yields %d of 2 records and no error", n)
	}
}

func testReadWhileAppending(t *testing.T, s budget.Store) {
	const n = 60
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for last := 0; ; {
				select {
				case <-done:
					return
				default:
				}
				now := len(read(t, s, "a", 0)) // read checks that nothing is missing
				if now < last {
					t.Errorf("Read yields %d records after it yielded %d", now, last)
					return
				}
				last = now
			}
		})
	}
	for i := uint64(0); i < n; i += 3 {
		mustAppend(t, s, "a", i, "x", "y", "z")
	}
	close(done)
	wg.Wait()
}

func testBytes(t *testing.T, s budget.Store) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	values := [][]byte{{}, {0}, {0, 0}, []byte("\xff\xfe"), all, bytes.Repeat(all, 4096)} // 1 MiB
	for i, v := range values {
		in := bytes.Clone(v)
		if err := s.Append(t.Context(), "a", budget.Record{Seq: uint64(i), Data: in}); err != nil {
			t.Fatalf("Append of %d bytes: %v", len(v), err)
		}
		clear(in) // the caller may use its bytes again
		in = bytes.Clone(v)
		if _, err := s.Keep(t.Context(), "a", uint64(i), in); err != nil {
			t.Fatalf("Keep of %d bytes: %v", len(v), err)
		}
		clear(in)
	}
	for range 2 { // the second time after the first result was changed
		got := read(t, s, "a", 0)
		for i, v := range values {
			if !bytes.Equal(got[i].Data, v) {
				t.Errorf("record %d is not the %d bytes that were appended", i, len(v))
			}
			kept, err := s.Kept(t.Context(), "a", uint64(i))
			if kept == nil || !bytes.Equal(kept, v) || err != nil {
				t.Errorf("Kept is not the %d bytes that were kept: %v", len(v), err)
			}
			clear(got[i].Data)
			clear(kept)
		}
	}
}

func testAccounts(t *testing.T, s budget.Store) {
	names := []string{"a", "A", "a ", " a", "a'b", `a"b`, "a/b", "a%", "a_", "ä", "a\u0308", "顧客", strings.Repeat("x", 200)}
	for _, name := range names {
		mustAppend(t, s, name, 0, "zero of "+name)
		if _, err := s.Keep(t.Context(), name, 0, []byte("kept of "+name)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Keep(t.Context(), "a release and no record", 0, []byte("x")); err == nil {
		defer func() { wantAccounts(t, s, names...) }() // it is no account
	}
	wantAccounts(t, s, names...)
	for _, name := range names {
		mustAppend(t, s, name, 1, "one of "+name)
		wantRecords(t, s, name, 0, "zero of "+name, "one of "+name)
		if kept, err := s.Kept(t.Context(), name, 0); string(kept) != "kept of "+name || err != nil {
			t.Errorf("account %q has release %q, %v, want its own", name, kept, err)
		}
	}
}

func testKeep(t *testing.T, s budget.Store) {
	mustAppend(t, s, "a", 0, "zero", "one", "two")
	for _, step := range []struct {
		seq  uint64
		keep []byte
		want []byte
	}{
		{1, nil, nil},
		{1, []byte("first"), []byte("first")},
		{1, []byte("second"), []byte("first")},
		{1, nil, []byte("first")},
		{0, nil, nil},
		{2, nil, nil},
		{2, []byte{}, []byte{}}, // empty, and there
		{2, []byte("late"), []byte{}},
		{2, nil, []byte{}},
		{0, []byte("zero"), []byte("zero")},
	} {
		got, err := s.Kept(t.Context(), "a", step.seq)
		if step.keep != nil {
			got, err = s.Keep(t.Context(), "a", step.seq, step.keep)
		}
		if err != nil || !bytes.Equal(got, step.want) || (got == nil) != (step.want == nil) {
			t.Errorf("Keep(%d, %q), or Kept = %#v, %v, want %#v", step.seq, step.keep, got, err, step.want)
		}
	}
	for _, seq := range []uint64{1, 3} { // one that is there, and one that is not
		if got, err := s.Keep(t.Context(), "a", seq, nil); !errors.Is(err, budget.ErrNilRelease) {
			t.Errorf("Keep(%d, nil) = %q, %v, want budget.ErrNilRelease", seq, got, err)
		}
	}
	if got, err := s.Kept(t.Context(), "a", 3); got != nil || err != nil {
		t.Errorf("Kept(3) after a nil release = %q, %v, want nil", got, err)
	}
	wantRecords(t, s, "a", 0, "zero", "one", "two")
}

// testKeepRace: of callers that race for one number, all get the same release.
func testKeepRace(t *testing.T, s budget.Store) {
	const racers, rounds = 8, 10
	mustAppend(t, s, "a", 0, make([]string, rounds)...)
	for seq := range uint64(rounds) {
		got := make([]string, racers)
		together(racers, func(i int) {
			b, err := s.Keep(t.Context(), "a", seq, fmt.Appendf(nil, "%d by %d", seq, i))
			if err != nil {
				t.Errorf("Keep, racing: %v", err)
			}
			got[i] = string(b)
		})
		kept, err := s.Kept(t.Context(), "a", seq)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range got {
			if g != string(kept) {
				t.Fatalf("racing callers of Keep got %q, and %q is there; all must be the same", got, kept)
			}
		}
	}
}

func testKeepAndAppend(t *testing.T, s budget.Store) {
	const n = 20
	mustAppend(t, s, "a", 0, "x")
	together(2, func(i int) {
		for seq := range uint64(n) {
			if i == 0 {
				mustAppend(t, s, "a", seq+1, "x")
			} else if _, err := s.Keep(t.Context(), "a", seq, []byte("k")); err != nil {
				t.Error(err)
			}
		}
	})
	if got := len(read(t, s, "a", 0)); got != n+1 {
		t.Errorf("%d records, want %d", got, n+1)
	}
}
