package budgettest

import (
	"errors"
	"testing"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

// TestFaults breaks every step of an account's life in both ways, over a store
// that works otherwise. Every call of open returns another, empty store.
func TestFaults(t *testing.T, open func(*testing.T) budget.Store) {
	for _, f := range faults {
		t.Run(f.name+", "+string(f.fault), func(t *testing.T) {
			s := NewFaulty(open(t))
			f.run(t, s, f.fault)
			if n := s.Unused(); n != 0 {
				t.Errorf("%d faults did not happen; the test tests nothing", n)
			}
			wantSpent(t, s, faultLimit, f.spent)
		})
	}
}

const faultLimit = 2

// faults says what is spent at the end, of a limit of two, where every step was
// tried again as a careful caller would. An account that is told of an error
// asks the store what became of it; "unknown" is where it cannot find out.
var faults = []struct {
	name  string
	fault Fault
	run   func(*testing.T, *Faulty, Fault)
	spent int
}{
	{"create", NotPersisted, faultCreate, 0},
	{"create", Persisted, faultCreate, 0},
	{"create, unknown", Persisted, faultCreateUnknown, 0},
	{"open", NotPersisted, faultOpen, 1},
	{"open", Persisted, faultOpen, 1},
	{"spend", NotPersisted, faultSpend, 1},
	{"spend", Persisted, faultSpend, 1},
	{"spend, unknown, never again", NotPersisted, faultSpendUnknown, 0},
	{"spend, unknown, never again", Persisted, faultSpendUnknown, 1},
	{"spend, unknown, again", NotPersisted, faultSpendAgain, 1},
	{"spend, unknown, again", Persisted, faultSpendAgain, 1},
	{"spend, unknown, restart, again", NotPersisted, faultSpendRestart, 1},
	{"spend, unknown, restart, again", Persisted, faultSpendRestart, 1},
	{"spend, unknown, others", NotPersisted, faultSpendOthers, 2},
	{"spend, unknown, others", Persisted, faultSpendOthers, 2},
	{"spend, unknown three times", NotPersisted, faultSpendThrice, 1},
	{"spend, racing", NotPersisted, faultSpendRace, 2},
	{"spend, racing", Persisted, faultSpendRace, 2},
	{"keep", NotPersisted, faultKeep, 1},
	{"keep", Persisted, faultKeep, 1},
	{"keep, unknown, again", NotPersisted, faultKeepAgain, 1},
	{"keep, unknown, again", Persisted, faultKeepAgain, 1},
	{"keep, unknown, restart, again", NotPersisted, faultKeepRestart, 1},
	{"keep, unknown, restart, again", Persisted, faultKeepRestart, 1},
	{"keep, unknown, another first", NotPersisted, faultKeepOther, 1},
	{"keep, unknown, another first", Persisted, faultKeepOther, 1},
	{"kept", NotPersisted, faultKept, 1},
	{"kept", Persisted, faultKept, 1},
}

func faultCreate(t *testing.T, s *Faulty, fault Fault) {
	s.Break(Append, fault)
	_, err := budget.Create(t.Context(), s, terms(faultLimit))
	if there := fault == Persisted; there != (err == nil) {
		t.Errorf("Create: %v, although it was %s", err, fault)
	}
	wantCreated(t, s, fault == Persisted)
}

func faultCreateUnknown(t *testing.T, s *Faulty, fault Fault) {
	s.Break(Append, fault)
	s.Break(Read, NotPersisted)
	if _, err := budget.Create(t.Context(), s, terms(faultLimit)); !errors.Is(err, ErrBroken) {
		t.Errorf("Create when nothing works: %v, want the error of the store", err)
	}
	wantCreated(t, s, true)
}

// wantCreated opens an account that may be there, and creates it if not.
func wantCreated(t *testing.T, s *Faulty, there bool) {
	t.Helper()
	_, err := budget.Open(t.Context(), s, dataset)
	if there != (err == nil) || !there && !errors.Is(err, budget.ErrNotFound) {
		t.Errorf("Open after Create: %v, and it is there: %v", err, there)
	}
	_, err = budget.Create(t.Context(), s, terms(faultLimit))
	if there != errors.Is(err, budget.ErrExists) || !there && err != nil {
		t.Errorf("Create after Create: %v, and it is there: %v", err, there)
	}
}

// faultOpen: an account of which only a part could be read is not an account.
func faultOpen(t *testing.T, s *Faulty, fault Fault) {
	mustSpend(t, create(t, s, faultLimit), "a")
	s.Break(Read, fault)
	if _, err := budget.Open(t.Context(), s, dataset); !errors.Is(err, ErrBroken) {
		t.Errorf("Open when reading breaks: %v, want the error of the store", err)
	}
}

func faultSpend(t *testing.T, s *Faulty, fault Fault) {
	a := create(t, s, faultLimit)
	s.Break(Append, fault)
	mustSpend(t, a, "a") // it was found out
	mustSpend(t, a, "a")
	mustSpend(t, reopen(t, s), "a")
}

func faultSpendUnknown(t *testing.T, s *Faulty, fault Fault) {
	spendUnknown(t, s, create(t, s, faultLimit), "a", fault)
}

func faultSpendAgain(t *testing.T, s *Faulty, fault Fault) {
	a := create(t, s, faultLimit)
	spendUnknown(t, s, a, "a", fault)
	mustSpend(t, a, "a")
}

func faultSpendRestart(t *testing.T, s *Faulty, fault Fault) {
	spendUnknown(t, s, create(t, s, faultLimit), "a", fault)
	mustSpend(t, reopen(t, s), "a")
}

// faultSpendOthers: after an unknown outcome, others cannot spend more than is
// left, whatever the outcome was.
func faultSpendOthers(t *testing.T, s *Faulty, fault Fault) {
	a := create(t, s, faultLimit)
	spendUnknown(t, s, a, "a", fault)
	paid := ""
	for _, key := range []string{"b", "c", "a", "d"} {
		if _, err := a.Spend(t.Context(), charge(key)); err == nil {
			paid += key
		} else if !refused(err) {
			t.Errorf("Spend after an unknown outcome: %v", err)
		}
	}
	if want := map[Fault]string{NotPersisted: "bc", Persisted: "ba"}[fault]; paid != want {
		t.Errorf("after an unknown outcome %q were paid, want %q", paid, want)
	}
}

func faultSpendThrice(t *testing.T, s *Faulty, fault Fault) {
	a := create(t, s, faultLimit)
	for range 3 {
		spendUnknown(t, s, a, "a", fault)
	}
	mustSpend(t, a, "a")
}

// faultSpendRace breaks the batches of many callers. Each asks until it knows.
func faultSpendRace(t *testing.T, s *Faulty, fault Fault) {
	a := create(t, s, faultLimit)
	s.breakForGood(fault)
	accepted := make([]bool, 16)
	together(len(accepted), func(i int) {
		key := string(rune('a' + i))
		_, err := a.Spend(t.Context(), charge(key))
		for range 10 {
			if !errors.Is(err, budget.ErrUnknown) {
				break
			}
			_, err = a.Spend(t.Context(), charge(key))
		}
		if err != nil && !refused(err) {
			t.Errorf("Spend, racing: %v", err)
		}
		accepted[i] = err == nil
	})
	n := 0
	for _, ok := range accepted {
		if ok {
			n++
		}
	}
	if n > faultLimit {
		t.Errorf("%d callers were told that they paid, of %d units", n, faultLimit)
	}
	for i := 0; n < faultLimit && i < 100; i++ { // what was freed by finding out
		if _, err := a.Spend(t.Context(), charge("rest")); err == nil {
			break
		}
	}
}

// faultKeep: the account finds out what became of it.
func faultKeep(t *testing.T, s *Faulty, fault Fault) {
	a := create(t, s, faultLimit)
	mustSpend(t, a, "a")
	s.Break(Append, fault)
	got, err := a.Keep(t.Context(), charge("a"), []byte("first"))
	if string(got) != "first" || err != nil {
		t.Errorf("Keep = %q, %v, want what was kept", got, err)
	}
	wantKept(t, s, a, "first")
}

// keepUnknown keeps while Append breaks, and so does finding out. Nothing is to be
// shown then.
func keepUnknown(t *testing.T, s *Faulty, fault Fault) *budget.Account {
	t.Helper()
	a := create(t, s, faultLimit)
	mustSpend(t, a, "a")
	s.breakForGood(fault)
	if got, err := a.Keep(t.Context(), charge("a"), []byte("first")); got != nil || !errors.Is(err, ErrBroken) {
		t.Errorf("Keep = %q, %v, want nothing and the error of the store", got, err)
	}
	return a
}

// keptAfter is what another draw under the same key gets: one of the two, for
// ever.
var keptAfter = map[Fault]string{NotPersisted: "second", Persisted: "first"}

func keepSecond(t *testing.T, s *Faulty, a *budget.Account, fault Fault) {
	t.Helper()
	got, err := a.Keep(t.Context(), charge("a"), []byte("second"))
	if string(got) != keptAfter[fault] || err != nil {
		t.Errorf("Keep again after it was %s = %q, %v, want %q", fault, got, err, keptAfter[fault])
	}
	wantKept(t, s, a, keptAfter[fault])
}

func faultKeepAgain(t *testing.T, s *Faulty, fault Fault) {
	keepSecond(t, s, keepUnknown(t, s, fault), fault)
}

func faultKeepRestart(t *testing.T, s *Faulty, fault Fault) {
	keepUnknown(t, s, fault)
	keepSecond(t, s, reopen(t, s), fault)
}

// faultKeepOther: another process keeps its own draw before the first one asks.
func faultKeepOther(t *testing.T, s *Faulty, fault Fault) {
	a := keepUnknown(t, s, fault)
	keepSecond(t, s, reopen(t, s), fault)
	got, err := a.Keep(t.Context(), charge("a"), []byte("third"))
	if string(got) != keptAfter[fault] || err != nil {
		t.Errorf("Keep of the first after another kept = %q, %v, want %q", got, err, keptAfter[fault])
	}
	wantKept(t, s, a, keptAfter[fault])
}

// faultKept: what cannot be read is not missing.
func faultKept(t *testing.T, s *Faulty, fault Fault) {
	a := create(t, s, faultLimit)
	mustSpend(t, a, "a")
	if _, err := a.Keep(t.Context(), charge("a"), []byte("first")); err != nil {
		t.Fatal(err)
	}
	for name, read := range map[string]func() error{
		"Kept":    func() error { _, err := a.Kept(t.Context(), charge("a")); return err },
		"Payment": func() error { _, err := a.Payment(t.Context(), "a"); return err },
		"Spend":   func() error { _, err := a.Spend(t.Context(), charge("a")); return err },
		"Keep":    func() error { _, err := a.Keep(t.Context(), charge("a"), []byte("second")); return err },
		"Verify":  func() error { _, err := a.Verify(t.Context()); return err },
	} {
		s.Break(Kept, fault)
		if err := read(); !errors.Is(err, ErrBroken) {
			t.Errorf("%s when releases cannot be read: %v, want the error of the store", name, err)
		}
	}
	wantKept(t, s, a, "first")
}

// wantKept wants every way to the release of key "a" to lead to the same bytes,
// and the ledger to cover them.
func wantKept(t *testing.T, s budget.Store, a *budget.Account, want string) {
	t.Helper()
	for _, a := range []*budget.Account{a, reopen(t, s)} {
		if p := mustSpend(t, a, "a"); string(p.Kept) != want || !p.Repeated {
			t.Errorf("Spend again returns release %q, repeated %t, want %q", p.Kept, p.Repeated, want)
		}
		if kept, err := a.Kept(t.Context(), charge("a")); string(kept) != want || err != nil {
			t.Errorf("Kept = %q, %v, want %q", kept, err, want)
		}
		if r, err := a.Verify(t.Context()); err != nil || r.Releases != 1 || r.Uncovered != nil {
			t.Errorf("Verify: %+v, %v, want one release, covered", r, err)
		}
	}
}

// spendUnknown spends while Append breaks, and so does finding out. The outcome
// must be an error that says that it is unknown.
func spendUnknown(t *testing.T, s *Faulty, a *budget.Account, key string, fault Fault) {
	t.Helper()
	s.breakForGood(fault)
	if _, err := a.Spend(t.Context(), charge(key)); !errors.Is(err, budget.ErrUnknown) || !errors.Is(err, ErrBroken) {
		t.Errorf("Spend: %v, want budget.ErrUnknown and the error of the store", err)
	}
}

// breakForGood breaks the next Append, the second try of the same, and, if it
// would show that the first took effect, the look at what is there.
func (f *Faulty) breakForGood(fault Fault) {
	f.Break(Append, fault, NotPersisted)
	if fault == Persisted {
		f.Break(Read, NotPersisted)
	}
}

func mustSpend(t *testing.T, a *budget.Account, key string) dp.Payment {
	t.Helper()
	p, err := a.Spend(t.Context(), charge(key))
	if err != nil {
		t.Errorf("Spend under key %q: %v", key, err)
	}
	return p
}
