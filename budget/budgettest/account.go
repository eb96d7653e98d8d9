package budgettest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/big"
	"sync/atomic"
	"testing"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/internal/tail"
	"github.com/equipoise-dp/equipoise/dp"
)

// TestAccount runs tests of accounts over a store: what many callers can get
// out of one budget. Every call of open returns another, empty store.
func TestAccount(t *testing.T, open func(*testing.T) budget.Store) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, budget.Store)
	}{
		{"LastUnit", testLastUnit},
		{"LastUnits", testLastUnits},
		{"SameKey", testSameKey},
		{"KeyReused", testKeyReused},
		{"Refusal", testRefusal},
		{"Refusals", testRefusals},
		{"Reopen", testReopen},
		{"Create", testCreate},
		{"OpenOrCreate", testOpenOrCreate},
		{"Clock", testClock},
		{"OldCopy", testOldCopy},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
		t.Run(test.name+"WithCheckpoints", func(t *testing.T) {
			shortTails(t)
			test.run(t, open(t))
		})
	}
}

// shortTails has a checkpoint written after every few records.
func shortTails(t *testing.T) {
	before := tail.Longest
	tail.Longest = shortTail
	t.Cleanup(func() { tail.Longest = before })
}

const shortTail = 3

const dataset = "orders"

// create makes an account that can pay for so many charges, to the last one
// exactly.
func create(t testing.TB, s budget.Store, limit int) *budget.Account {
	t.Helper()
	a, err := budget.Create(t.Context(), s, terms(limit))
	if err != nil {
		t.Fatalf("Create: %v", err)
	}
	return a
}

func terms(limit int) budget.Terms {
	return budget.Terms{Dataset: dataset, Limit: dp.Pure{Epsilon: float64(limit)}, Rule: budget.Basic}
}

// reopen returns an account that knows nothing but what is in the store.
func reopen(t testing.TB, s budget.Store) *budget.Account {
	t.Helper()
	a, err := budget.Open(t.Context(), s, dataset)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return a
}

func charge(key string) dp.Charge {
	return dp.Charge{
		Dataset: dataset,
		Purpose: "test",
		Key:     key,
		Plan:    "plan",
		Loss:    dp.Pure{Epsilon: 1},
		Events:  []dp.Event{{Mechanism: dp.Declared, Epsilon: big.NewRat(1, 1), Count: 1}},
	}
}

func refused(err error) bool {
	var r *budget.RefusedError
	return errors.As(err, &r)
}

// wantSpent counts the charges in the store, and lets a new account spend all
// that is left to see that it counts the same. The account is then empty.
func wantSpent(t *testing.T, s budget.Store, limit, want int) {
	t.Helper()
	if got := spends(t, s); got != want {
		t.Errorf("the store has %d charges, want %d", got, want)
	}
	a := reopen(t, s)
	if _, err := a.Verify(t.Context()); err != nil {
		t.Errorf("Verify: %v", err)
	}
	left := 0
	for ; left <= limit; left++ {
		if _, err := a.Spend(t.Context(), charge(fmt.Sprint("left ", left))); refused(err) {
			break
		} else if err != nil {
			t.Errorf("Spend: %v", err)
			break
		}
	}
	if left != limit-want {
		t.Errorf("%d charges were accepted after %d of %d, want %d", left, want, limit, limit-want)
	}
}

// race lets callers spend, each under a key of its own, and returns how many
// were accepted. All others must be refused.
func race(t *testing.T, callers int, account func(i int) *budget.Account) int {
	t.Helper()
	var accepted atomic.Int64
	together(callers, func(i int) {
		_, err := account(i).Spend(t.Context(), charge(fmt.Sprint("caller ", i)))
		switch {
		case err == nil:
			accepted.Add(1)
		case !refused(err):
			t.Errorf("Spend, racing: %v, want nil or a refusal", err)
		}
	})
	return int(accepted.Load())
}

// testLastUnit: of callers that all want the last unit, one gets it, of one
// account or of several over the same store.
func testLastUnit(t *testing.T, s budget.Store) {
	accounts := []*budget.Account{create(t, s, 1)}
	for range 3 {
		accounts = append(accounts, reopen(t, s))
	}
	if n := race(t, 32, func(i int) *budget.Account { return accounts[i%len(accounts)] }); n != 1 {
		t.Errorf("%d of 32 racing callers got the last unit, want 1", n)
	}
	wantSpent(t, s, 1, 1)
}

// testLastUnits: nothing is lost either, so all that is there is given out.
func testLastUnits(t *testing.T, s budget.Store) {
	const limit = 20
	accounts := []*budget.Account{create(t, s, limit), reopen(t, s)}
	if n := race(t, 64, func(i int) *budget.Account { return accounts[i%2] }); n != limit {
		t.Errorf("%d of 64 racing callers got a unit, want %d", n, limit)
	}
	wantSpent(t, s, limit, limit)
}

// testSameKey: callers that ask under one key pay once and get one release.
func testSameKey(t *testing.T, s budget.Store) {
	const callers = 16
	accounts := []*budget.Account{create(t, s, 5), reopen(t, s), reopen(t, s)}
	entries := make([]uint64, callers)
	releases := make([]string, callers)
	var paid atomic.Int64
	together(callers, func(i int) {
		a := accounts[i%len(accounts)]
		p, err := a.Spend(t.Context(), charge("same"))
		if err != nil {
			t.Errorf("Spend under one key, racing: %v", err)
			return
		}
		if !p.Repeated {
			paid.Add(1)
		}
		entries[i] = p.Entry
		release := p.Kept
		if release == nil { // as package aggregate does
			release, err = a.Keep(t.Context(), charge("same"), fmt.Appendf(nil, "release of caller %d", i))
			if err != nil {
				t.Errorf("Keep under one key, racing: %v", err)
			}
		}
		releases[i] = string(release)
	})
	if paid.Load() != 1 {
		t.Errorf("%d racing callers under one key were told that they paid, want 1", paid.Load())
	}
	for i := range callers {
		if entries[i] != entries[0] || releases[i] != releases[0] || releases[i] == "" {
			t.Errorf("caller %d has entry %d and %q, caller 0 has entry %d and %q; must be the same",
				i, entries[i], releases[i], entries[0], releases[0])
		}
	}
	p, err := reopen(t, s).Spend(t.Context(), charge("same"))
	if err != nil || string(p.Kept) != releases[0] || p.Entry != entries[0] || !p.Repeated {
		t.Errorf("Spend again = entry %d, %q, %v, want entry %d, %q", p.Entry, p.Kept, err, entries[0], releases[0])
	}
	wantSpent(t, s, 5, 1)
}

func testKeyReused(t *testing.T, s budget.Store) {
	a := create(t, s, 5)
	if _, err := a.Spend(t.Context(), charge("k")); err != nil {
		t.Fatal(err)
	}
	other := charge("k")
	other.Plan = "another plan"
	for _, a := range []*budget.Account{a, reopen(t, s)} {
		if _, err := a.Spend(t.Context(), other); !errors.Is(err, budget.ErrKeyReused) {
			t.Errorf("Spend for another plan under the same key: %v, want budget.ErrKeyReused", err)
		}
	}
	wantSpent(t, s, 5, 1)
}

func testRefusal(t *testing.T, s budget.Store) {
	a := create(t, s, 2)
	big := charge("big")
	big.Loss = dp.Pure{Epsilon: 3}
	big.Events[0].Epsilon.SetInt64(3)
	for range 3 {
		if _, err := a.Spend(t.Context(), big); !refused(err) {
			t.Errorf("Spend of 3 out of 2: %v, want a refusal", err)
		}
	}
	wantSpent(t, s, 2, 0)
}

func testReopen(t *testing.T, s budget.Store) {
	a := create(t, s, 4)
	var entries []uint64
	for i := range 3 {
		p, err := a.Spend(t.Context(), charge(fmt.Sprint(i)))
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, p.Entry)
	}
	if _, err := a.Keep(t.Context(), charge("1"), []byte("one")); err != nil {
		t.Fatal(err)
	}
	b := reopen(t, s)
	for i, want := range []string{"", "one", ""} {
		p, err := b.Spend(t.Context(), charge(fmt.Sprint(i)))
		if err != nil || string(p.Kept) != want || p.Entry != entries[i] {
			t.Errorf("Spend again under key %d = entry %d, %q, %v, want entry %d, %q", i, p.Entry, p.Kept, err, entries[i], want)
		}
	}
	wantSpent(t, s, 4, 3)
}

func testCreate(t *testing.T, s budget.Store) {
	if _, err := budget.Open(t.Context(), s, dataset); !errors.Is(err, budget.ErrNotFound) {
		t.Errorf("Open of an account that was not created: %v, want budget.ErrNotFound", err)
	}
	create(t, s, 1)
	for _, limit := range []int{1, 1000} { // the same terms or better ones: no fresh budget
		if _, err := budget.Create(t.Context(), s, terms(limit)); !errors.Is(err, budget.ErrExists) {
			t.Errorf("Create of an account that is there: %v, want budget.ErrExists", err)
		}
	}
	wantSpent(t, s, 1, 0)
}

// testOpenOrCreate: of callers that race to create an account all get it, one of
// them made it, and whoever wants other terms gets an error and nothing else.
func testOpenOrCreate(t *testing.T, s budget.Store) {
	const callers = 8
	var made [callers]string
	together(callers, func(i int) {
		a, err := budget.OpenOrCreate(t.Context(), s, terms(2))
		if err != nil {
			t.Errorf("OpenOrCreate, racing: %v", err)
			return
		}
		for e, err := range a.Entries(t.Context()) {
			if err != nil {
				t.Errorf("Entries: %v", err)
			}
			made[i] = fmt.Sprintf("%x", e.Hash)
			break
		}
	})
	for i := range callers {
		if made[i] != made[0] || made[0] == "" {
			t.Errorf("caller %d opened the account that begins with %s, caller 0 with %s", i, made[i], made[0])
		}
	}
	mustSpend(t, reopen(t, s), "a")
	if _, err := budget.OpenOrCreate(t.Context(), s, terms(1000)); !errors.As(err, new(*budget.TermsError)) {
		t.Errorf("OpenOrCreate with other terms: %v, want a *budget.TermsError", err)
	}
	wantAccounts(t, s, dataset)
	wantSpent(t, s, 2, 1)
}

// testOldCopy: a store that lacks the last records is refused if an anchor of
// later is given. Without one it is an account like any other, which the
// documentation of package budget says.
func testOldCopy(t *testing.T, s budget.Store) {
	a := create(t, s, 3)
	mustSpend(t, a, "a")
	before, err := a.Anchor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	mustSpend(t, a, "b")
	after, err := a.Anchor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	old := oldCopy{s, 2}
	for _, test := range []struct {
		name    string
		store   budget.Store
		anchors []budget.Anchor
		refused bool
	}{
		{"the newest, with both anchors", s, []budget.Anchor{before, after}, false},
		{"an old copy, with both anchors", old, []budget.Anchor{before, after}, true},
		{"an old copy, with an older anchor", old, []budget.Anchor{before}, false},
		{"an old copy, without an anchor", old, nil, false},
	} {
		_, err := budget.Open(t.Context(), test.store, dataset, test.anchors...)
		if test.refused != errors.Is(err, budget.ErrTampered) || !test.refused && err != nil {
			t.Errorf("Open of %s: %v, want refused: %v", test.name, err, test.refused)
		}
	}
	wantSpent(t, s, 3, 2)
}

// An oldCopy has no more than the first records.
type oldCopy struct {
	budget.Store
	count uint64
}

func (o oldCopy) Read(ctx context.Context, account string, from uint64) iter.Seq2[budget.Record, error] {
	return func(yield func(budget.Record, error) bool) {
		for r, err := range o.Store.Read(ctx, account, from) {
			if r.Seq >= o.count || !yield(r, err) {
				return
			}
		}
	}
}
