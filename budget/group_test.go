package budget

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
)

// faulty fails the next appends: before or after they are there.
type faulty struct {
	Store
	mu     sync.Mutex
	faults []fault
	hold   chan struct{} // if not nil, appends wait for it
}

type fault struct {
	there bool
	err   error
}

var errDisk = errors.New("disk on fire")

func (f *faulty) next() (fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.faults) == 0 {
		return fault{}, false
	}
	x := f.faults[0]
	f.faults = f.faults[1:]
	return x, true
}

func (f *faulty) Append(ctx context.Context, account string, records ...Record) error {
	if f.hold != nil {
		<-f.hold
	}
	x, ok := f.next()
	if ok && !x.there {
		return x.err
	}
	if err := f.Store.Append(ctx, account, records...); err != nil || !ok {
		return err
	}
	return x.err
}

// TestARetryAfterAFailedAppendPaysOnce breaks each append twice: not persisted, and persisted with an
// error. Whatever happens, a retry under the same key pays once.
func TestARetryAfterAFailedAppendPaysOnce(t *testing.T) {
	for _, c := range []struct {
		name    string
		faults  []fault
		unknown bool
	}{
		{"not there", []fault{{false, errDisk}}, false},
		{"there", []fault{{true, errDisk}}, false},
		{"not there, twice", []fault{{false, errDisk}, {false, errDisk}}, true},
		{"not there, then there", []fault{{false, errDisk}, {true, errDisk}}, false},
		{"there, then broken", []fault{{true, errDisk}, {false, errDisk}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &faulty{Store: Memory()}
			a, err := Create(t.Context(), s, testTerms(dp.Pure{Epsilon: 1}))
			if err != nil {
				t.Fatal(err)
			}
			s.faults = c.faults
			charge := testCharge("k", dp.Pure{Epsilon: 0.6})
			first, err := a.Spend(t.Context(), charge)
			if errors.Is(err, ErrUnknown) != c.unknown || (err != nil) != c.unknown {
				t.Errorf("Spend: %v, want unknown: %v", err, c.unknown)
			}
			if counts := a.Counts(); !c.unknown && (first.Repeated || counts != Counts{Spent: 1}) {
				t.Errorf("Spend: repeated %v, and counted as %+v, want spent by this caller and nobody else", first.Repeated, counts)
			}
			p, err := a.Spend(t.Context(), charge)
			if err != nil || p.Entry != 1 {
				t.Errorf("retry: entry %d, %v, want entry 1", p.Entry, err)
			}
			if _, err := a.Spend(t.Context(), testCharge("more", dp.Pure{Epsilon: 0.6})); !isRefused(err) {
				t.Errorf("more than is left: %v, want a refusal", err)
			}
			if r, err := a.Verify(t.Context()); err != nil || r.Charges != 1 || len(r.NotRepeated) != 0 {
				t.Errorf("Verify: %+v, %v", r, err)
			}
		})
	}
}

// An append that failed, and failed again, is there later.
func TestAnAppendThatLandsLateIsFound(t *testing.T) {
	s := &faulty{Store: Memory()}
	a, err := Create(t.Context(), s, testTerms(dp.Pure{Epsilon: 1}))
	if err != nil {
		t.Fatal(err)
	}
	late := &landing{faulty: s}
	a.store = late
	s.faults = []fault{{false, errDisk}, {false, errDisk}}
	charge := testCharge("k", dp.Pure{Epsilon: 0.6})
	if _, err := a.Spend(t.Context(), charge); !errors.Is(err, ErrUnknown) {
		t.Fatalf("Spend: %v, want unknown", err)
	}
	if err := s.Store.Append(t.Context(), "visits", late.last...); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Spend(t.Context(), testCharge("other", dp.Pure{Epsilon: 0.6})); !isRefused(err) {
		t.Errorf("Spend of more than is left: %v, want a refusal", err)
	}
	if p, err := a.Spend(t.Context(), charge); err != nil || p.Entry != 1 {
		t.Errorf("retry: %+v, %v, want entry 1", p, err)
	}
}

type landing struct {
	*faulty
	last []Record
}

func (l *landing) Append(ctx context.Context, account string, records ...Record) error {
	l.last = records
	return l.faulty.Append(ctx, account, records...)
}

// Who waits while a commit is in flight goes into the next one,
// all together, and each is decided after those before it.
func TestWhoWaitsForACommitGoesIntoTheNextOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowStore{Store: Memory(), commit: time.Second}
		a, err := Create(t.Context(), s, testTerms(dp.Pure{Epsilon: 1}))
		if err != nil {
			t.Fatal(err)
		}
		s.n.Store(0)
		var wg sync.WaitGroup
		results := make([]error, 40)
		for i := range results {
			wg.Go(func() {
				_, results[i] = a.Spend(t.Context(), testCharge(fmt.Sprint(i), dp.Pure{Epsilon: 0.05}))
			})
		}
		wg.Wait()
		accepted := 0
		for _, err := range results {
			if err == nil {
				accepted++
			} else if !isRefused(err) {
				t.Error(err)
			}
		}
		if accepted != 20 || s.n.Load() > 3 {
			t.Errorf("%d twentieths accepted in %d commits, want 20 in at most 3", accepted, s.n.Load())
		}
	})
}

// TestCallerGivesUp: before its turn nothing is spent; after, it is unknown, and
// a retry finds out. Others in the same batch are not disturbed.
func TestCallerGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &faulty{Store: Memory()}
		a, err := Create(t.Context(), s, testTerms(dp.Pure{Epsilon: 1}))
		if err != nil {
			t.Fatal(err)
		}
		s.hold = make(chan struct{})
		go a.Spend(context.WithoutCancel(t.Context()), testCharge("first", dp.Pure{Epsilon: 0.1})) //nolint:errcheck
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		got := make(chan error, 1)
		go func() {
			_, err := a.Spend(ctx, testCharge("waits", dp.Pure{Epsilon: 0.1}))
			got <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-got; !errors.Is(err, context.Canceled) || errors.Is(err, ErrUnknown) {
			t.Errorf("given up while waiting: %v, want context.Canceled and nothing spent", err)
		}
		close(s.hold)
		synctest.Wait()
		if l := spentOf(t, a); l != (dp.Pure{Epsilon: 0.1}) {
			t.Errorf("spent %v, want ε=0.1", l)
		}
	})
}

func TestWhatAnotherProgramPaidIsSeen(t *testing.T) {
	s := Memory()
	a, err := Create(t.Context(), s, testTerms(dp.Pure{Epsilon: 1}))
	if err != nil {
		t.Fatal(err)
	}
	b, err := Open(t.Context(), s, "visits")
	if err != nil {
		t.Fatal(err)
	}
	c := testCharge("same", dp.Pure{Epsilon: 0.3})
	if _, err := a.Spend(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if p, err := b.Spend(t.Context(), c); err != nil || p.Entry != 1 {
		t.Errorf("the same key by another handle: %+v, %v, want entry 1", p, err)
	}
	if _, err := b.Spend(t.Context(), testCharge("other", dp.Pure{Epsilon: 0.7})); err != nil {
		t.Error(err)
	}
	if _, err := a.Spend(t.Context(), testCharge("late", dp.Pure{Epsilon: 0.1})); !isRefused(err) {
		t.Errorf("after another handle spent the rest: %v, want a refusal", err)
	}
	if n := b.Counts(); n.Conflicts != 1 || n.Spent != 1 || n.Repeated != 1 {
		t.Errorf("counts are %+v", n)
	}
}

// Refusals that wait are kept in one append, together with what else waits: a flood of
// them takes no turns from those who spend.
func TestRefusalsAreAppendedInGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowStore{Store: Memory(), commit: time.Second}
		terms := testTerms(dp.Pure{Epsilon: 1})
		terms.Refusals = 20
		a, err := Create(t.Context(), s, terms)
		if err != nil {
			t.Fatal(err)
		}
		s.n.Store(0)
		if err := a.take(t.Context()); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for i := range 30 {
			wg.Go(func() {
				c := testCharge(fmt.Sprint(i), dp.Pure{Epsilon: 2})
				a.keepRefusal(t.Context(), &c, &RefusedError{Asked: c.Loss, Scope: "account"})
			})
		}
		synctest.Wait() // all are in the queue
		wg.Go(func() {
			if _, err := a.Spend(t.Context(), testCharge("paid", dp.Pure{Epsilon: 0.1})); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		a.release()
		wg.Wait()
		if n := s.n.Load(); n != 1 {
			t.Errorf("%d appends, want 1", n)
		}
		if a.state.next != 22 || a.state.refused != 0 {
			t.Errorf("%d records, %d refusals last, want the terms, 20 refusals and a payment", a.state.next, a.state.refused)
		}
	})
}

// What would be refused is looked up again: another process may have raised the limit.
func TestALimitThatWasRaisedElsewhereIsNoReasonToRefuse(t *testing.T) {
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	b, err := Open(t.Context(), a.store, "visits")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Raise(t.Context(), dp.Pure{Epsilon: 2}, "board of May", "officer"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Spend(t.Context(), testCharge("k", dp.Pure{Epsilon: 1.5})); err != nil {
		t.Error(err)
	}
}

// unreadable cannot be read from some number on.
type unreadable struct {
	Store
	from func(from uint64) bool
}

func (s *unreadable) Read(ctx context.Context, account string, from uint64) iter.Seq2[Record, error] {
	if s.from != nil && s.from(from) {
		return func(yield func(Record, error) bool) { yield(Record{}, errDisk) }
	}
	return s.Store.Read(ctx, account, from)
}

// Whoever was overtaken and cannot read by whom does not know what was spent, and
// finds out when the store can be read again.
func TestOvertakenAndUnreadableIsUnknown(t *testing.T) {
	s := &unreadable{Store: Memory()}
	a, err := Create(t.Context(), s, testTerms(dp.Pure{Epsilon: 1}))
	if err != nil {
		t.Fatal(err)
	}
	b, err := Open(t.Context(), s, "visits")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Spend(t.Context(), testCharge("first", dp.Pure{Epsilon: 0.5})); err != nil {
		t.Fatal(err)
	}
	s.from = func(uint64) bool { return true }
	c := testCharge("second", dp.Pure{Epsilon: 0.5})
	for range 2 { // the second time it is in doubt already
		if p, err := a.Spend(t.Context(), c); !errors.Is(err, ErrUnknown) || !errors.Is(err, errDisk) || p.Entry != 0 {
			t.Errorf("Spend: %+v, %v, want unknown because of %v", p, err, errDisk)
		}
	}
	s.from = nil
	if p, err := a.Spend(t.Context(), c); err != nil || p.Entry != 2 {
		t.Errorf("Spend: %+v, %v, want entry 2", p, err)
	}
}

// Reprice is of the whole history, or an error.
func TestRepriceOfWhatCannotBeReadIsAnError(t *testing.T) {
	for name, from := range map[string]func(uint64) bool{
		"what is new": func(from uint64) bool { return from > 0 },
		"what is old": func(from uint64) bool { return from == 0 },
	} {
		a := newAccount(t, testTerms(dp.Approx{Epsilon: 1, Delta: 1e-6}))
		if _, err := a.Spend(t.Context(), testCharge("k", dp.Pure{Epsilon: 0.5})); err != nil {
			t.Fatal(err)
		}
		a.store = &unreadable{a.store, from}
		if r, err := a.Reprice(t.Context(), Basic); !errors.Is(err, errDisk) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

// Requests of one key that come together are decided as those that come one after the other:
// the same question is paid once, and another one is told that the key is taken.
func TestRequestsOfOneKeyThatComeTogetherArePaidOnce(t *testing.T) {
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	var batch []*request
	for _, epsilon := range []float64{0.25, 0.25, 0.5} {
		r, err := a.newRequest(t.Context(), testCharge("k", dp.Pure{Epsilon: epsilon}))
		if err != nil {
			t.Fatal(err)
		}
		batch = append(batch, r)
	}
	d := a.state.draft()
	d.addAll(a, batch)
	first, again, other := batch[0], batch[1], batch[2]
	if first.err != nil || !first.first {
		t.Errorf("the first: %v", first.err)
	}
	if again.err != nil || again.first || again.payment.Hash != first.payment.Hash {
		t.Errorf("the same again: %+v, %v", again.payment, again.err)
	}
	if !errors.Is(other.err, ErrKeyReused) || other.first || other.payment.Account != "" {
		t.Errorf("another question: %+v, %v, want ErrKeyReused", other.payment, other.err)
	}
	if len(d.paid) != 1 || len(d.records) != 1 {
		t.Errorf("%d payments and %d records, want one", len(d.paid), len(d.records))
	}
}
