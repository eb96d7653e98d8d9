package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/policy"
	"github.com/equipoise-dp/equipoise/budget/sqlite"
)

// Runs that create one ledger at the same time end up with one ledger, and leave
// nothing else behind.
func TestLedgersAreCreatedOnce(t *testing.T) {
	folder := t.TempDir()
	o := &options{Ledger: filepath.Join(folder, "l.db"), Dataset: "d", UnitName: "customer", Limit: 3, LimitDelta: 1e-6, Epsilon: 1, Delta: 1e-6}
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			l, err := o.createLedger(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			if err := l.close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if n := f.Name(); n != "l.db" && n != "l.db-mark" && n != "l.db-wal" && n != "l.db-shm" {
			t.Errorf("%s is left behind", n)
		}
	}
}

// A run that died after it made the ledger, and before the account in it, is no
// obstacle for the next one.
func TestALedgerWithoutAccountIsNone(t *testing.T) {
	o := &options{Ledger: filepath.Join(t.TempDir(), "l.db"), Dataset: "d", UnitName: "customer", Limit: 3, LimitDelta: 1e-6, Epsilon: 1, Delta: 1e-6}
	s, err := sqlite.Create(t.Context(), o.Ledger)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if l, err := o.openLedger(t.Context()); l != nil || err != nil {
		t.Errorf("openLedger = %v, %v, want nothing", l, err)
	}
	l, err := o.createLedger(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := l.close(); err != nil {
		t.Error(err)
	}
	if l, err = o.openLedger(t.Context()); l == nil || err != nil {
		t.Fatalf("openLedger = %v, %v, want the ledger", l, err)
	}
	if err := l.close(); err != nil {
		t.Error(err)
	}
}

// A ledger with a policy lets those ask whom the policy names, and the record says who did.
func TestAPolicySaysWhoMayAsk(t *testing.T) {
	folder := t.TempDir()
	input, file := filepath.Join(folder, "sales.csv"), filepath.Join(folder, "l.db")
	if err := os.WriteFile(input, []byte("customer,date\n1,2026-01-02\n2,2026-01-03\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	o := &options{Ledger: file, Dataset: "sales", UnitName: "customer", Limit: 3, LimitDelta: 1e-6, Epsilon: 1, Delta: 1e-6}
	l, err := o.createLedger(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Parse([]byte(`{
		"version": 1, "dataset": "sales", "about": "sales", "holder": "the shop", "unit": "customer", "unit_means": "all sales to one", "unit_is_event": false,
		"people": {"at_least": 1, "at_most": 1000, "stated_by": "the shop"}, "largest": "epsilon=1,delta=1e-6", "why": "enough", "decided_by": "Rao",
		"decided_on": "2026-01-01", "purposes": {"trend report": {"reason": "r", "basis": "b", "until": "2999-12-31", "askers": ["ann"], "keys": "given",
		"consent": "none", "groups": ["monthly, by date"], "columns": {"purchases": {"lower": 0, "upper": 100}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := l.account.SetPolicy(t.Context(), p, "the first", "Rao"); err != nil {
		t.Fatal(err)
	}
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
	asks := func(more ...string) (int, string) {
		var said bytes.Buffer
		args := append([]string{"-input", input, "-from", "2026-01", "-to", "2026-01", "-ledger", file}, more...)
		return run(t.Context(), args, nil, &said, &said), said.String()
	}
	if code, said := asks("-out", ""); code != exitRefused || !strings.Contains(said, "it does not say who asks") {
		t.Errorf("nobody: %d, %s", code, said)
	}
	for _, reads := range [][]string{{"-plan"}, {"-forecast", "made up"}} {
		if code, said := asks(append(reads, "-asker", "eve")...); code != exitDone || !strings.Contains(said, "ledger "+file+" would refuse it: ") || !strings.Contains(said, `"eve" may not ask`) {
			t.Errorf("%v of eve: %d, %s", reads, code, said)
		}
		if code, said := asks(append(reads, "-asker", "ann")...); code != exitDone || !strings.Contains(said, "ledger "+file+" would pay for it: ") {
			t.Errorf("%v of ann: %d, %s", reads, code, said)
		}
	}
	if code, said := asks("-asker", "eve", "-out", ""); code != exitRefused || !strings.Contains(said, `"eve" may not ask`) {
		t.Errorf("eve: %d, %s", code, said)
	}
	if code, said := asks("-asker", "ann", "-out", ""); code != exitDone {
		t.Errorf("ann: %d, %s", code, said)
	}
	l, err = o.openLedger(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for e, err := range l.account.Entries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		found = found || e.Kind == budget.KindSpend && e.Charge.Analyst == "ann"
	}
	if err := l.close(); err != nil || !found {
		t.Errorf("the ledger says that ann asked: %t, %v", found, err)
	}
}

// What pays nothing says that the ledger is frozen, what it has paid for, and that it is another's.
func TestWhatPaysNothingSaysWhatTheLedgerWouldAnswer(t *testing.T) {
	file := filepath.Join(t.TempDir(), "l.db")
	says := func(want string, args ...string) {
		t.Helper()
		var said bytes.Buffer
		if code := run(t.Context(), append([]string{"-ledger", file}, args...), nil, &said, &said); code != exitDone || !strings.Contains(said.String(), want) {
			t.Errorf("%v: exit status %d, and no %q in %s", args, code, want, said.String())
		}
	}
	says("Cost", "-key", "first", "-out", "")
	says("has paid for this request already: it costs nothing more", "-plan", "-key", "first")
	says("would pay for it: 6 more fit, and then there is too little ε", "-plan")
	says("no release can be paid for as it is: -ledger: "+file+" is the ledger of another dataset", "-plan", "-dataset", "other")
	o := &options{Ledger: file, Dataset: "cdnow", UnitName: "customer"}
	l, err := o.openLedger(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.account.Freeze(t.Context(), "an incident", "Rao"), l.close()); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"-plan"}, {"-plan", "-for", "revenue ±20 %, monthly for 1 year"}, {"-forecast", "the data is public"},
		{"-plan", "-series", "18 months"}, {"-plan", "-series", "18 months", "-alert", "customers below 1500"}} {
		says("would refuse it: ", args...)
		says("it is frozen: an incident", args...)
	}
	says("it costs nothing more; it is frozen: an incident, so only what was published of it is given out", "-plan", "-key", "first")
}

// The name of a request holds how its input is written, in the same words as ever: what was
// paid for with an earlier version is found again.
func TestTheNameOfARequestStays(t *testing.T) {
	for want, args := range map[string][]string{
		`{  {.  } {refuse [NA N/A #N/A <NA> NaN NaT null (null) None \N]} {UTC }}`: nil,
		`{latin1 tab {, . €} {skip [x y]} {Asia/Tokyo d/m/y}}`: {
			"-encoding", "latin1", "-delimiter", "tab", "-decimal", ",", "-thousands", ".", "-currency", "€", "-missing", "skip", "-missing-marks", "x,y", "-zone", "Asia/Tokyo", "-time-layout", "d/m/y"},
	} {
		o, err := parse(append(args, "-input", "sales.csv"))
		if err != nil {
			t.Fatal(err)
		}
		if got := writtenAs(o.Format); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
