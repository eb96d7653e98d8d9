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
// several processes and kills them. [TestEdits] edits what a store has, and wants each
// edit found.
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
		{"Releases", testReleases},
		{"ReleasesMany", testReleasesMany},
		{"ReleasesCancelled", testReleasesCancelled},
		{"ReleaseNotNext", testReleaseNotNext},
		{"ReleaseRace", testReleaseRace},
		{"ReleaseAndAppend", testReleaseAndAppend},
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
		release := bytes.Clone(v)
		if err := s.Append(t.Context(), "a", budget.Record{Seq: uint64(i), Data: in, Release: release}); err != nil {
			t.Fatalf("Append of %d bytes: %v", len(v), err)
		}
		clear(in) // the caller may use its bytes again
		clear(release)
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
		mustKeep(t, s, name, 0, "kept of "+name)
	}
	wantAccounts(t, s, names...)
	for _, name := range names {
		mustAppend(t, s, name, 1, "one of "+name)
		wantRecords(t, s, name, 0, "x", "one of "+name)
		if kept, err := s.Kept(t.Context(), name, 0); string(kept) != "kept of "+name || err != nil {
			t.Errorf("account %q has release %q, %v, want its own", name, kept, err)
		}
	}
}

// testReleases keeps releases beside some records, and looks for all.
func testReleases(t *testing.T, s budget.Store) {
	want := map[uint64][]byte{1: []byte("one"), 2: {}, 4: []byte("four"), 40: []byte("forty")}
	for seq := uint64(0); seq < 41; seq += 3 { // in batches
		var records []budget.Record
		for i := seq; i < seq+3; i++ {
			records = append(records, budget.Record{Seq: i, Data: []byte("x"), Release: bytes.Clone(want[i])})
		}
		if err := s.Append(t.Context(), "a", records...); err != nil {
			t.Fatalf("Append with releases: %v", err)
		}
	}
	mustKeep(t, s, "b", 0, "of b")
	for seq := range uint64(45) {
		got, err := s.Kept(t.Context(), "a", seq)
		if err != nil || !bytes.Equal(got, want[seq]) || (got == nil) != (want[seq] == nil) {
			t.Errorf("Kept(%d) = %#v, %v, want %#v", seq, got, err, want[seq])
		}
	}
	for _, seq := range []uint64{1 << 63, math.MaxUint64} {
		if got, err := s.Kept(t.Context(), "a", seq); got != nil || err != nil {
			t.Errorf("Kept(%d) = %q, %v, want nil", seq, got, err)
		}
	}
	wantReleases(t, s, "a", 1, 2, 4, 40)
	wantReleases(t, s, "b", 0)
	wantReleases(t, s, "c")
	for r := range s.Releases(t.Context(), "a") { // a loop that ends early holds nothing up
		mustAppend(t, s, "b", 1, "y")
		if r.Seq == 1 {
			break
		}
	}
}

// testReleasesMany: more than a store is likely to read at once, some of them
// large.
func testReleasesMany(t *testing.T, s budget.Store) {
	const n = 600
	var want []uint64
	for i := uint64(0); i < n; i += 2 {
		release := bytes.Repeat([]byte{byte(i)}, int(i%7)*1000)
		records := []budget.Record{{Seq: i, Data: []byte("x")}, {Seq: i + 1, Data: []byte("x"), Release: release}}
		if err := s.Append(t.Context(), "a", records...); err != nil {
			t.Fatal(err)
		}
		want = append(want, i+1)
	}
	wantReleases(t, s, "a", want...)
}

// testReleasesCancelled: a list that was cut short must say so, or a release that
// is there would be missing.
func testReleasesCancelled(t *testing.T, s budget.Store) {
	mustKeep(t, s, "a", 0, "release")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if kept, err := s.Kept(ctx, "a", 0); kept == nil && err == nil {
		t.Error("Kept with a cancelled context returns no release and no error")
	}
	n := 0
	for _, err := range s.Releases(ctx, "a") {
		if err != nil {
			return
		}
		n++
	}
	if n != 1 {
		t.Errorf("Releases with a cancelled context yields %d of 1 releases and no error", n)
	}
}

// testReleaseNotNext: where the records are not appended, the release is not kept.
func testReleaseNotNext(t *testing.T, s budget.Store) {
	mustKeep(t, s, "a", 0, "first")
	mustAppend(t, s, "a", 1, "x")
	for _, seq := range []uint64{0, 1, 3} {
		err := s.Append(t.Context(), "a", budget.Record{Seq: seq, Data: []byte("y"), Release: []byte("second")})
		if !errors.Is(err, budget.ErrConflict) {
			t.Errorf("Append of record %d after 2: %v, want budget.ErrConflict", seq, err)
		}
	}
	for seq, want := range []string{"first", "", "", ""} {
		if got, err := s.Kept(t.Context(), "a", uint64(seq)); string(got) != want || err != nil {
			t.Errorf("Kept(%d) after refused releases = %q, %v, want %q", seq, got, err, want)
		}
	}
	wantReleases(t, s, "a", 0)
}

// testReleaseRace: of callers that race for one number one keeps its release, and
// it stands beside that one's record.
func testReleaseRace(t *testing.T, s budget.Store) {
	const racers, rounds = 8, 10
	for seq := range uint64(rounds) {
		var won atomic.Int64
		together(racers, func(i int) {
			by := fmt.Appendf(nil, "%d by %d", seq, i)
			err := s.Append(t.Context(), "a", budget.Record{Seq: seq, Data: by, Release: by})
			switch {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, budget.ErrConflict):
				t.Errorf("Append with a release, racing: %v, want nil or budget.ErrConflict", err)
			}
		})
		kept, err := s.Kept(t.Context(), "a", seq)
		if err != nil || kept == nil || won.Load() != 1 {
			t.Fatalf("%d of %d racing releases were kept, and Kept = %q, %v; want 1", won.Load(), racers, kept, err)
		}
		wantRecords(t, s, "a", seq, string(kept))
	}
}

// testReleaseAndAppend keeps in one account and appends to another.
func testReleaseAndAppend(t *testing.T, s budget.Store) {
	const n = 20
	together(2, func(i int) {
		for seq := range uint64(n) {
			if i == 0 {
				mustAppend(t, s, "a", seq, "x")
			} else {
				mustKeep(t, s, "b", seq, "k")
			}
		}
	})
	if a, b := len(read(t, s, "a", 0)), len(read(t, s, "b", 0)); a != n || b != n {
		t.Errorf("%d and %d records, want %d each", a, b, n)
	}
}
