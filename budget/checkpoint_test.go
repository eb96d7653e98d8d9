package budget

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/budget/internal/tail"
	"github.com/equipoise-dp/equipoise/dp"
)

// tails has a checkpoint written after every n records.
func tails(t testing.TB, n uint64) {
	t.Helper()
	before := tail.Longest
	tail.Longest = n
	t.Cleanup(func() { tail.Longest = before })
}

// A walk does anything to an account, at random.
type walk struct {
	t        testing.TB
	r        *rand.Rand
	a        *Account
	n        int
	reserved []*Reservation
	asked    []dp.Charge // what was asked, paid or not
}

func newWalk(t testing.TB, seed uint64) *walk {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 3))
	terms := testTerms(dp.Approx{Epsilon: 6, Delta: 1e-4})
	terms.Rule = []Rule{Default, Basic, GDP, ZCDP}[r.IntN(4)]
	terms.Refusals = r.IntN(3)
	if r.IntN(2) == 0 {
		terms.Period, terms.Analyst = dp.Approx{Epsilon: 3, Delta: 5e-5}, dp.Approx{Epsilon: 5, Delta: 5e-5}
	}
	if r.IntN(2) == 0 {
		terms.Purposes = map[string]dp.Loss{"research": dp.Approx{Epsilon: 5, Delta: 1e-4}, "ads": dp.Approx{Epsilon: 1, Delta: 1e-5}}
	}
	if r.IntN(6) == 0 {
		terms = Terms{Dataset: "visits", Unit: "patient", Limit: dp.Concentrated{Rho: 2}, Refusals: 1}
	}
	return &walk{t: t, r: r, a: newAccount(t, terms)}
}

func (w *walk) charge() dp.Charge {
	w.n++
	key := fmt.Sprint("k", w.n)
	e := []float64{0.1, 0.25, 1.0 / 3}[w.r.IntN(3)]
	c := testCharge(key, dp.Pure{Epsilon: e})
	switch w.r.IntN(4) {
	case 0:
		c = gaussianCharge(key, dp.Approx{Epsilon: 0.5, Delta: 1e-6}, 5+w.r.Int64N(20))
	case 1:
		c = laplaceCharge(key, dp.Pure{Epsilon: 0.2}, 5)
	case 2:
		c = testCharge(key, dp.Concentrated{Rho: 0.01})
	}
	c.Unit = "patient"
	c.Purpose = []string{"research", "research", "ads", "else"}[w.r.IntN(4)]
	c.Analyst, c.Periods = []string{"ann", "ben"}[w.r.IntN(2)], []string{fmt.Sprint("2026-0", 1+w.r.IntN(5))}
	return c
}

func (w *walk) step() {
	ctx := w.t.Context()
	switch w.r.IntN(14) {
	case 0:
		w.a.Freeze(ctx, "an incident", "officer") //nolint:errcheck // what fails does nothing
	case 1, 2:
		w.a.Thaw(ctx, "it is clear", "officer") //nolint:errcheck // likewise
	case 3:
		w.a.Raise(ctx, dp.Approx{Epsilon: 6 + float64(w.n)/8, Delta: 1e-4}, "a survey", "officer") //nolint:errcheck // likewise
	case 4:
		c := w.charge()
		if v, err := w.a.Reserve(ctx, c); err == nil {
			w.reserved = append(w.reserved, v)
		}
	case 5, 6:
		if len(w.reserved) == 0 {
			return
		}
		v := w.reserved[w.r.IntN(len(w.reserved))]
		c := *v.plan.charge
		w.n++
		c.Key = fmt.Sprint("k", w.n)
		w.asked = append(w.asked, c)
		v.Spend(ctx, c) //nolint:errcheck // likewise
	case 7, 8:
		if len(w.asked) > 0 {
			c := w.asked[w.r.IntN(len(w.asked))]
			w.a.Keep(ctx, c, []byte("about "+c.Key)) //nolint:errcheck // likewise
		}
	default:
		c := w.charge()
		w.asked = append(w.asked, c)
		w.a.Spend(ctx, c) //nolint:errcheck // likewise
	}
}

// replayed opens an account as if it had no checkpoints.
func replayed(t testing.TB, a *Account) *Account {
	t.Helper()
	before := tail.Longest
	tail.Longest = 1 << 40
	defer func() { tail.Longest = before }()
	b, err := Open(t.Context(), a.store, a.name)
	if err != nil {
		t.Fatal(err)
	}
	if b.state.old != nil {
		t.Fatal("it was not replayed; the test tests nothing")
	}
	return b
}

// An account that is opened from a checkpoint knows and answers what one does that
// reads every record, and what the one does that wrote them: limits, decisions,
// payments, releases and refusals; and Verify agrees.
func TestAnAccountFromACheckpointIsTheOneThatReadsAll(t *testing.T) {
	walks, restored := 30, 0
	if *long {
		walks = 600
	}
	for seed := range uint64(walks) {
		tails(t, 2+seed%7)
		w := newWalk(t, seed)
		for range 20 + w.r.IntN(40) {
			w.step()
			if w.r.IntN(8) == 0 {
				w.reopen()
			}
		}
		b, err := Open(t.Context(), w.a.store, w.a.name)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if b.state.old != nil {
			restored++
		}
		w.compare(seed, b, replayed(t, w.a))
	}
	if restored < walks/2 {
		t.Errorf("%d of %d accounts came from a checkpoint; the test tests little", restored, walks)
	}
}

// reopen goes on with an account that was just opened.
func (w *walk) reopen() {
	w.t.Helper()
	b, err := Open(w.t.Context(), w.a.store, w.a.name)
	if err != nil {
		w.t.Fatal(err)
	}
	w.a = b
	for i, v := range w.reserved {
		again, err := b.Reserve(w.t.Context(), *v.plan.charge)
		if b.state.frozen == "" && err != nil {
			w.t.Fatalf("a reservation is not there any more: %v", err)
		}
		if err == nil {
			w.reserved[i] = again
		}
	}
	w.reserved = slices.DeleteFunc(w.reserved, func(v *Reservation) bool { return v.account != b })
}

func (w *walk) compare(seed uint64, from, all *Account) {
	t, ctx := w.t, w.t.Context()
	t.Helper()
	status := func(a *Account) Status {
		s, err := a.Status(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if got, want := status(from), status(all); !reflect.DeepEqual(got, want) || !reflect.DeepEqual(status(w.a), want) {
		t.Fatalf("seed %d: from a checkpoint %+v, from all records %+v, as it was %+v", seed, got, want, status(w.a))
	}
	if got, want := from.state.refused, all.state.refused; got != want {
		t.Errorf("seed %d: %d refusals stand last, want %d", seed, got, want)
	}
	for seq, p := range all.state.plans {
		if q := from.state.plans[seq]; q == nil || !reflect.DeepEqual(p.left, q.left) {
			t.Errorf("seed %d: of reservation %d %v is left, want %v", seed, seq, q, p.left)
		}
	}
	for _, c := range append(w.asked, w.charge()) {
		p1, e1 := from.Payment(ctx, c.Key)
		p2, e2 := all.Payment(ctx, c.Key)
		if !reflect.DeepEqual(p1, p2) || fmt.Sprint(e1) != fmt.Sprint(e2) {
			t.Fatalf("seed %d: %q: %+v, %v, and by all records %+v, %v", seed, c.Key, p1, e1, p2, e2)
		}
		n1, then1, e1 := from.HowMany(ctx, c)
		n2, then2, e2 := all.HowMany(ctx, c)
		if n1 != n2 || !reflect.DeepEqual(then1, then2) || fmt.Sprint(e1) != fmt.Sprint(e2) {
			t.Fatalf("seed %d: room for %d (%v, %v), and by all records %d (%v, %v)", seed, n1, then1, e1, n2, then2, e2)
		}
	}
	if r, err := from.Verify(ctx); err != nil || r.NotRepeated != nil {
		t.Fatalf("seed %d: %+v, %v", seed, r, err)
	}
	var out bytes.Buffer
	if err := from.Export(ctx, &out); err != nil {
		t.Fatal(err)
	}
	if _, err := Import(ctx, Memory(), &out); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
}

// What a policy decides after a checkpoint is what it decided before, by the reference.
func TestAPolicyGoesOnAfterACheckpoint(t *testing.T) {
	tails(t, 4)
	for seed := range uint64(12) {
		h := newHistory(t, 1000+seed)
		for range 40 {
			h.step()
			if h.r.IntN(5) == 0 {
				b, err := Open(t.Context(), h.s, "visits")
				if err != nil {
					t.Fatal(err)
				}
				b.now = h.a.now
				h.a = b
			}
		}
		h.verify()
	}
}

// withForgedCheckpoint appends to a ledger a checkpoint that says less than was spent, as
// whoever may append to the store can.
func withForgedCheckpoint(t *testing.T, a *Account) {
	t.Helper()
	b := replayed(t, a)
	b.state.since = changes{}
	forged := newState(b.state.terms, b.state.stars)
	d := b.state.draft()
	for sc := range b.state.filters {
		b.state.setFilter(sc, forged.filter(sc))
	}
	if err := d.writeCheckpoint(time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := a.store.Append(t.Context(), a.name, d.records...); err != nil {
		t.Fatal(err)
	}
}

// A checkpoint that is not what the records before it come to is found by Verify, and
// by every account that was open before. An account that is opened after it believes it,
// unless it is given an anchor: then it reads on from a checkpoint that the anchor covers.
func TestAForgedCheckpointIsFound(t *testing.T) {
	tails(t, 4)
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	for i := range 6 {
		if _, err := a.Spend(t.Context(), testCharge(fmt.Sprint(i), dp.Pure{Epsilon: 0.125})); err != nil {
			t.Fatal(err)
		}
	}
	anchor, err := a.Anchor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	withForgedCheckpoint(t, a)
	fooled, err := Open(t.Context(), a.store, a.name)
	if err != nil {
		t.Fatal(err)
	}
	if spent := spentOf(t, fooled); spent != nil {
		t.Fatalf("%v is spent; the forgery is none, and the test tests nothing", spent)
	}
	if _, err := fooled.Verify(t.Context()); !errors.Is(err, ErrTampered) {
		t.Errorf("Verify: %v", err)
	}
	if _, err := Open(t.Context(), a.store, a.name, anchor); !errors.Is(err, ErrTampered) {
		t.Errorf("Open with an anchor: %v", err)
	}
	for range 2 {
		if _, err := a.Status(t.Context()); !errors.Is(err, ErrTampered) {
			t.Errorf("an account that was open: %v", err)
		}
	}
	if _, err := a.Spend(t.Context(), testCharge("more", dp.Pure{Epsilon: 0.125})); err == nil {
		t.Error("an account that was open goes on")
	}
}

// Whoever spends and keeps together is committed in any order, and a checkpoint has the order of
// the records.
func TestACheckpointHasTheOrderOfTheRecords(t *testing.T) {
	one, two := &changes{}, &changes{}
	for i := range uint64(20) {
		one.keys, one.kept = append(one.keys, indexed{seq: 2 * i}), append(one.kept, indexedKept{paid: 2 * i, kept: kept{seq: 2*i + 1}})
	}
	two.keys, two.kept = slices.Clone(one.keys), slices.Clone(one.kept)
	slices.Reverse(two.keys)
	slices.Reverse(two.kept)
	if !bytes.Equal(one.body(), two.body()) {
		t.Error("what came in another order is another checkpoint")
	}
	for i, k := range two.kept {
		if want := uint64(2 * i); two.keys[i].seq != want || k.paid != want {
			t.Fatalf("place %d has record %d and what record %d paid for, want %d", i, two.keys[i].seq, k.paid, want)
		}
	}
}

// An account of which nothing is after the checkpoint is not called missing where its first record
// was changed, and an anchor of a record that is no more there says that.
func TestWhatIsBeforeACheckpointIsNotMissing(t *testing.T) {
	tails(t, 4)
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	for i := 0; a.state.checkpoint != a.state.next-1 || a.state.checkpoint == 0; i++ {
		if _, err := a.Spend(t.Context(), testCharge(fmt.Sprint(i), dp.Pure{Epsilon: 0.03125})); err != nil {
			t.Fatal(err)
		}
	}
	anchor, err := a.Anchor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	records := slices.Clone(stored(a))
	if err := judge(t, records[:len(records)-1], anchor); !errors.Is(err, ErrTampered) || !strings.Contains(err.Error(), "any more") {
		t.Errorf("the last record is not there: %v", err)
	}
	records[0].Data = bytes.Replace(records[0].Data, []byte("visits"), []byte("visitz"), 1)
	if err := judge(t, records); !errors.Is(err, ErrTampered) {
		t.Errorf("the first record is changed: %v", err)
	}
}

// With an anchor an account starts from the last checkpoint that the anchor covers.
func TestAnAnchorSaysFromWhereAnAccountIsRead(t *testing.T) {
	tails(t, 3)
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 10}))
	var anchors []Anchor
	for i := range 20 {
		if _, err := a.Spend(t.Context(), testCharge(fmt.Sprint(i), dp.Pure{Epsilon: 0.125})); err != nil {
			t.Fatal(err)
		}
		anchor, err := a.Anchor(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		anchors = append(anchors, anchor)
	}
	for _, x := range anchors {
		for _, given := range [][]Anchor{{x}, {anchors[0], x}, {x, anchors[1]}} {
			b, err := Open(t.Context(), a.store, a.name, given...)
			if err != nil {
				t.Fatal(err)
			}
			if spent := spentOf(t, b); spent != (dp.Pure{Epsilon: 2.5}) {
				t.Errorf("anchor %d: %v is spent", x.Seq, spent)
			}
		}
		x.Hash[0] ^= 1
		if _, err := Open(t.Context(), a.store, a.name, x); !errors.Is(err, ErrTampered) {
			t.Errorf("anchor %d of another ledger: %v", x.Seq, err)
		}
	}
	over := anchors[19]
	over.Seq += 100
	if _, err := Open(t.Context(), a.store, a.name, over); !errors.Is(err, ErrTampered) {
		t.Errorf("an anchor of a ledger that was longer: %v", err)
	}
}

// Whatever of a checkpoint is changed, or of a record that it has the hash of, is found
// where it is used.
func TestWhatACheckpointHasIsFoundChanged(t *testing.T) {
	tails(t, 4)
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 10}))
	for i := range 9 {
		c := testCharge(fmt.Sprint(i), dp.Pure{Epsilon: 0.125})
		if _, err := a.Once(t.Context(), c, func() ([]byte, error) { return []byte("about 41"), nil }); err != nil {
			t.Fatal(err)
		}
	}
	records := slices.Clone(a.store.(*memory).tail(a.name, 0))
	for seq, rec := range records {
		if rec.Release == nil || !bytes.Contains(rec.Data, []byte(`"kind":"checkpoint"`)) {
			continue
		}
		for _, changed := range [][]byte{nil, {}, rec.Release[:len(rec.Release)-1], append(bytes.Clone(rec.Release), 0), append([]byte{' '}, rec.Release...)} {
			edited := slices.Clone(records)
			edited[seq].Release = changed
			if err := judge(t, edited); !errors.Is(err, ErrTampered) {
				t.Errorf("checkpoint %d of %d bytes for %d: %v", seq, len(changed), len(rec.Release), err)
			}
		}
	}
	// A record of before is changed, with its sum: whoever asks for its key is told.
	edited := slices.Clone(records)
	edited[1].Data = seal(bytes.Replace(must2(unseal(edited[1].Data)), []byte("research"), []byte("rEsearch"), 1))
	s := Memory()
	if err := s.Append(t.Context(), a.name, edited...); err != nil {
		t.Fatal(err)
	}
	b, err := Open(t.Context(), s, a.name)
	if err != nil {
		t.Fatal(err)
	}
	if b.state.old == nil {
		t.Fatal("it was not opened from a checkpoint; the test tests nothing")
	}
	c := testCharge("0", dp.Pure{Epsilon: 0.125})
	c.Purpose = "rEsearch"
	if _, err := b.Spend(t.Context(), c); !errors.Is(err, ErrTampered) {
		t.Errorf("Spend under the key of a changed record: %v", err)
	}
	if _, err := b.Kept(t.Context(), c); !errors.Is(err, ErrTampered) {
		t.Errorf("Kept under the key of a changed record: %v", err)
	}
	if err := b.Afford(t.Context(), c); !errors.Is(err, ErrTampered) {
		t.Errorf("Afford under the key of a changed record: %v", err)
	}
	if _, _, err := b.WhatIf(t.Context(), c); !errors.Is(err, ErrTampered) {
		t.Errorf("WhatIf under the key of a changed record: %v", err)
	}
}

func must2(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// A key that is in no index but was paid cannot be paid again unseen: the record that pays
// twice is found by Verify, and what it bought was paid for.
func TestAPaymentBeforeTheCheckpointIsNoNewOne(t *testing.T) {
	tails(t, 3)
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	c := testCharge("k", dp.Pure{Epsilon: 0.125})
	if _, err := a.Once(t.Context(), c, func() ([]byte, error) { return []byte("41"), nil }); err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		if _, err := a.Spend(t.Context(), testCharge(fmt.Sprint(i), dp.Pure{Epsilon: 0.125})); err != nil {
			t.Fatal(err)
		}
	}
	open := func() *Account {
		b, err := Open(t.Context(), a.store, a.name)
		if err != nil {
			t.Fatal(err)
		}
		if b.state.old == nil {
			t.Fatal("it was not opened from a checkpoint; the test tests nothing")
		}
		return b
	}
	want, err := a.Payment(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	if p, err := open().Spend(t.Context(), c); err != nil || !reflect.DeepEqual(p, want) {
		t.Errorf("Spend again: %+v, %v, want %+v", p, err, want)
	}
	if kept, err := open().Keep(t.Context(), c, []byte("42")); err != nil || string(kept) != "41" {
		t.Errorf("Keep again: %q, %v", kept, err)
	}
	other := c
	other.Purpose = "other"
	if _, err := open().Spend(t.Context(), other); !errors.Is(err, ErrKeyReused) {
		t.Errorf("another charge under the key: %v", err)
	}
	late := testCharge("0", dp.Pure{Epsilon: 0.125}) // paid and not kept before the checkpoint
	b := open()
	if kept, err := open().Keep(t.Context(), late, []byte("first")); err != nil || string(kept) != "first" {
		t.Errorf("Keep of what was paid before: %q, %v", kept, err)
	}
	if kept, err := b.Keep(t.Context(), late, []byte("second")); err != nil || string(kept) != "first" {
		t.Errorf("Keep by another that opened before: %q, %v", kept, err)
	}
	if _, err := b.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

// A flood of refusals writes no checkpoints that make room for more of them.
func TestCheckpointsMakeNoRoomForRefusals(t *testing.T) {
	tails(t, 3)
	terms := testTerms(dp.Pure{Epsilon: 1})
	terms.Refusals = 5
	a := newAccount(t, terms)
	for i := range 40 {
		if _, err := a.Spend(t.Context(), testCharge(fmt.Sprint(i), dp.Pure{Epsilon: 2})); !isRefused(err) {
			t.Fatal(err)
		}
	}
	if n := len(refusalsOf(t, a)); n != 5 {
		t.Errorf("%d refusals are kept, want 5", n)
	}
	if status, err := a.Status(t.Context()); err != nil || status.Entries > 8 {
		t.Errorf("%d records after a flood of refusals, %v", status.Entries, err)
	}
}

// breaking fails to append checkpoints for a while, in every way.
type breaking struct {
	Store
	n atomic.Int64
}

func (s *breaking) Append(ctx context.Context, account string, records ...Record) error {
	if !bytes.Contains(records[0].Data, []byte(`"kind":"checkpoint"`)) {
		return s.Store.Append(ctx, account, records...)
	}
	switch s.n.Add(1) {
	case 1:
		return ErrNotAppended
	case 2, 3:
		return errLost
	case 4:
		s.Store.Append(ctx, account, records...) //nolint:errcheck // whatever it says is lost
		return errLost
	}
	return s.Store.Append(ctx, account, records...)
}

// A checkpoint that cannot be written fails nobody's request, and is written later.
func TestACheckpointThatFailsFailsNobody(t *testing.T) {
	tails(t, 3)
	s := &breaking{Store: Memory()}
	a, err := Create(t.Context(), s, testTerms(dp.Pure{Epsilon: 10}))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if _, err := a.Spend(t.Context(), testCharge(fmt.Sprint(i), dp.Pure{Epsilon: 0.125})); err != nil {
			t.Fatal(err)
		}
	}
	if spent := spentOf(t, a); spent != (dp.Pure{Epsilon: 2.5}) {
		t.Errorf("%v is spent", spent)
	}
	if a.state.checkpoint == 0 || s.n.Load() < 5 {
		t.Errorf("the last checkpoint is %d after %d attempts", a.state.checkpoint, s.n.Load())
	}
	if _, err := a.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

// benchLedger fills a store with n charges, written at once.
func benchLedger(b *testing.B, s Store, n int) {
	b.Helper()
	a, err := Create(b.Context(), s, testTerms(dp.Approx{Epsilon: 1e6, Delta: 0.5}))
	if err != nil {
		b.Fatal(err)
	}
	batch := make([]*request, 0, maxBatch)
	for i := 0; i < n; i += len(batch) {
		batch = batch[:0]
		for j := i; j < min(n, i+maxBatch); j++ {
			r, err := a.newRequest(context.Background(), benchCharge(j))
			if err != nil {
				b.Fatal(err)
			}
			batch = append(batch, r)
		}
		a.serve(batch)
	}
}

// BenchmarkOpenMillion opens a ledger of a million charges from its last checkpoint.
func BenchmarkOpenMillion(b *testing.B) {
	s := Memory()
	benchLedger(b, s, 1_000_000)
	b.ResetTimer()
	for b.Loop() {
		if _, err := Open(b.Context(), s, "visits"); err != nil {
			b.Fatal(err)
		}
	}
}
