package budget

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
)

// keptAccount has two releases, under keys "a" and "b", and a payment without
// one, under "c".
func keptAccount(t *testing.T) (*Account, []dp.Charge) {
	t.Helper()
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	var charges []dp.Charge
	for _, key := range []string{"a", "b", "c"} {
		c := laplaceCharge(key, dp.Pure{Epsilon: 0.1}, 10)
		if _, err := a.Spend(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if key != "c" {
			if _, err := a.Keep(t.Context(), c, []byte("of "+key)); err != nil {
				t.Fatal(err)
			}
		}
		charges = append(charges, c)
	}
	return a, charges
}

// stored returns the records of an account in memory, to be changed.
func stored(a *Account) []Record { return a.store.(*memory).accounts[a.name].records }

func besides(a *Account, key string) *[]byte { return &stored(a)[a.state.keys[key].kept.seq].Release }

// What is done to releases behind the ledger's back is found when they are read
// and by Verify, however the store sums them up.
func TestReleasesThatWereChangedAreFound(t *testing.T) {
	for name, test := range map[string]struct {
		change func(a *Account)
		read   bool // whether reading key "a" finds it
	}{
		"a bit of the number":     {func(a *Account) { (*besides(a, "a"))[saltSize] ^= 1 }, true},
		"a bit of the salt":       {func(a *Account) { (*besides(a, "a"))[0] ^= 1 }, true},
		"another number":          {func(a *Account) { *besides(a, "a") = append((*besides(a, "a"))[:saltSize:saltSize], "of me"...) }, true},
		"a number that is longer": {func(a *Account) { *besides(a, "a") = append(*besides(a, "a"), '0') }, true},
		"cut off":                 {func(a *Account) { *besides(a, "a") = (*besides(a, "a"))[:saltSize-1] }, true},
		"empty":                   {func(a *Account) { *besides(a, "a") = []byte{} }, true},
		"missing":                 {func(a *Account) { *besides(a, "a") = nil }, true},
		"swapped":                 {func(a *Account) { x, y := besides(a, "a"), besides(a, "b"); *x, *y = *y, *x }, true},
		"copied":                  {func(a *Account) { *besides(a, "a") = bytes.Clone(*besides(a, "b")) }, true},
		"of another account": {func(a *Account) {
			*besides(a, "a") = newKeeping("other", *a.state.keys["a"], []byte("of a")).release
		}, true},
		"one where none was kept": {func(a *Account) { stored(a)[a.state.keys["c"].seq].Release = []byte("of c") }, false},
		"one beside the payment":  {func(a *Account) { stored(a)[a.state.keys["a"].seq].Release = []byte("of a") }, false},
		"one beside the terms":    {func(a *Account) { stored(a)[0].Release = []byte("of nobody") }, false},
	} {
		a, charges := keptAccount(t)
		test.change(a)
		again, err := Open(t.Context(), a.store, a.name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, a := range []*Account{a, again} {
			if _, err := a.Verify(t.Context()); !errors.Is(err, ErrTampered) {
				t.Errorf("%s: Verify: %v", name, err)
			}
			kept, keptErr := a.Kept(t.Context(), charges[0])
			_, paidErr := a.Payment(t.Context(), "a")
			_, spendErr := a.Spend(t.Context(), charges[0])
			_, keepErr := a.Keep(t.Context(), charges[0], []byte("another"))
			for way, err := range map[string]error{"Kept": keptErr, "Payment": paidErr, "Spend": spendErr, "Keep": keepErr} {
				if test.read != errors.Is(err, ErrTampered) || !test.read && (err != nil || string(kept) != "of a") {
					t.Errorf("%s: %s: %q, %v", name, way, kept, err)
				}
			}
			if _, err := a.Kept(t.Context(), charges[2]); err != nil {
				t.Errorf("%s: Kept of what was not kept: %v", name, err)
			}
		}
	}
}

// The digest of a release is written down here, so that no later version has another.
func TestTheDigestOfAReleaseIsOfItsAccountItsPaymentAndItsBytes(t *testing.T) {
	for want, got := range map[string]digest{
		"d2f048e9f1e9ba10d82d5001ff7d280fa8926504f16395461e8b601391a50033": digestOf("visits", 1, []byte("x")),
		"30905c5c5a5e96bd5cedf048317cab715bc6ce3dc50688fdf6dc43d1aa0924f2": digestOf("visits", 258, []byte("x")),
		"1064ade46dd57d050466f9bb684a8d42f27f570a31fa39bef330215cac0a5fce": digestOf("visit", 1, []byte("x")),
		"33229143cb90da65800a2fec098b6cf74ca5ad9b1c61fca785d21ca965da8bec": digestOf("visits", 1, nil),
	} {
		if hexOf(got) != want {
			t.Errorf("the digest is %x, want %s", got, want)
		}
	}
}

// Who forges a release that has no room for its salt, with its digest, makes nobody
// panic.
func TestAReleaseShorterThanItsSaltIsFound(t *testing.T) {
	a, _ := keptAccount(t)
	k := a.state.keys["a"]
	records := stored(a)
	short := []byte("short")
	forged := forge(t, records, int(k.kept.seq), func(m map[string]any) { m["digest"] = hexOf(digestOf(a.name, k.seq, short)) })
	forged[k.kept.seq].Release = short
	s := Memory()
	if err := s.Append(t.Context(), a.name, forged...); err != nil {
		t.Fatal(err)
	}
	b, err := Open(t.Context(), s, a.name)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := b.Payment(t.Context(), "a"); p.Kept != nil || !errors.Is(err, ErrTampered) {
		t.Errorf("Payment: %q, %v", p.Kept, err)
	}
	if _, err := b.Verify(t.Context()); !errors.Is(err, ErrTampered) {
		t.Errorf("Verify: %v", err)
	}
}

// What was kept through one account is found through every other one.
func TestWhatWasKeptElsewhereIsFound(t *testing.T) {
	for way, read := range map[string]func(*Account, dp.Charge) ([]byte, error){
		"Kept": func(a *Account, c dp.Charge) ([]byte, error) { return a.Kept(t.Context(), c) },
		"Payment": func(a *Account, c dp.Charge) ([]byte, error) {
			p, err := a.Payment(t.Context(), c.Key)
			return p.Kept, err
		},
		"Spend": func(a *Account, c dp.Charge) ([]byte, error) { p, err := a.Spend(t.Context(), c); return p.Kept, err },
		"Keep":  func(a *Account, c dp.Charge) ([]byte, error) { return a.Keep(t.Context(), c, []byte("another")) },
	} {
		a, charges := keptAccount(t)
		b, err := Open(t.Context(), a.store, a.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Keep(t.Context(), charges[2], []byte("of c")); err != nil {
			t.Fatal(err)
		}
		if kept, err := read(b, charges[2]); string(kept) != "of c" || err != nil {
			t.Errorf("%s = %q, %v", way, kept, err)
		}
	}
}

// An export with a changed release is refused although its last line was computed
// anew.
func TestExportsWithAChangedReleaseAreRefused(t *testing.T) {
	a, _ := keptAccount(t)
	(*besides(a, "a"))[saltSize] ^= 1
	var out bytes.Buffer
	if err := a.Export(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	if _, err := Import(t.Context(), Memory(), &out); !errors.Is(err, ErrTampered) {
		t.Errorf("Import: %v", err)
	}
}

// The anchor of before a release does not know it, the one of after does: a
// store that lost the release with its record is found.
func TestAnchorsCoverReleases(t *testing.T) {
	a, _ := keptAccount(t)
	anchor, err := a.Anchor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m := a.store.(*memory).accounts[a.name]
	m.records = slices.DeleteFunc(m.records, func(r Record) bool { return r.Seq == a.state.keys["b"].kept.seq })
	if _, err := Open(t.Context(), a.store, a.name, anchor); !errors.Is(err, ErrTampered) {
		t.Errorf("Open: %v", err)
	}
}

// Whoever reads the records, and guesses what was released, cannot tell whether
// the guess is right: one release has another digest each time, and what makes it
// so is not in the records.
func TestRecordsDoNotConfirmAGuess(t *testing.T) {
	digests := map[string]bool{}
	for range 20 {
		a, _ := keptAccount(t)
		guess := []byte("of a")
		salt := (*besides(a, "a"))[:saltSize]
		var records strings.Builder
		for _, r := range stored(a) {
			records.Write(r.Data)
		}
		for name, x := range map[string][]byte{
			"the release": guess, "its hash": bytesOf(sha256.Sum256(guess)), "its digest without salt": bytesOf(digestOf(a.name, 1, guess)), "the salt": salt,
		} {
			for _, text := range []string{string(x), hex.EncodeToString(x)} {
				if strings.Contains(records.String(), text) {
					t.Errorf("the records hold %s", name)
				}
			}
		}
		digests[hexOf(a.state.keys["a"].kept.digest)] = true
	}
	if len(digests) != 20 {
		t.Errorf("one release had %d digests in 20 ledgers", len(digests))
	}
}

func bytesOf(d digest) []byte { return d[:] }

// When noise was drawn may depend on noise and on rows, so nothing says when: what
// is kept is dated like what was paid, in whole hours.
func TestDatesTellNothingOfRows(t *testing.T) {
	a, _ := keptAccount(t)
	now := time.Date(2026, 5, 4, 13, 59, 59, 999, time.FixedZone("", 3600))
	a.now = func() time.Time { now = now.Add(time.Minute); return now }
	c := laplaceCharge("d", dp.Pure{Epsilon: 0.1}, 10)
	p, err := a.Spend(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(5 * time.Hour)
	if _, err := a.Keep(t.Context(), c, []byte("x")); err != nil {
		t.Fatal(err)
	}
	want := time.Date(2026, 5, 4, 13, 0, 0, 0, time.UTC) // 14:00:59 an hour east
	n := 0
	for e, err := range a.Entries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Charge != nil && e.Charge.Key == "d" || e.Kind == KindKeep && e.From == p.Entry {
			n++
			if !e.At.Equal(want) {
				t.Errorf("entry %d, a %s, is dated %v, want %v", e.Seq, e.Kind, e.At, want)
			}
		}
	}
	again, err := a.Payment(t.Context(), "d")
	if err != nil || !p.At.Equal(want) || !again.At.Equal(want) || n != 2 {
		t.Errorf("payment is dated %v, again %v, %v; %d entries", p.At, again.At, err, n)
	}
}

// Of many that keep under one key, through one account and through another, all get
// one release, and the ledger has one record of it.
func TestRacingKeepsHaveOneAnswer(t *testing.T) {
	for range 20 {
		a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
		b, err := Open(t.Context(), a.store, a.name)
		if err != nil {
			t.Fatal(err)
		}
		c := laplaceCharge("k", dp.Pure{Epsilon: 0.1}, 10)
		var got [32]string
		var wg sync.WaitGroup
		for i := range got {
			wg.Go(func() {
				account := []*Account{a, b}[i%2]
				if _, err := account.Spend(t.Context(), c); err != nil {
					t.Error(err)
				}
				kept, err := account.Keep(t.Context(), c, fmt.Append(nil, i))
				if err != nil {
					t.Error(err)
				}
				got[i] = string(kept)
			})
		}
		wg.Wait()
		for i := range got {
			if got[i] != got[0] {
				t.Fatalf("releases are %q", got)
			}
		}
		if n := len(stored(a)); n != 3 {
			t.Errorf("%d records, want the terms, a charge and a release", n)
		}
	}
}

func TestKeepRefusesNil(t *testing.T) {
	a, charges := keptAccount(t)
	if kept, err := a.Keep(t.Context(), charges[2], nil); kept != nil || !errors.Is(err, errNilRelease) {
		t.Errorf("Keep(nil) = %q, %v", kept, err)
	}
	if kept, err := a.Keep(t.Context(), charges[2], []byte{}); kept == nil || len(kept) > 0 || err != nil {
		t.Errorf("Keep of an empty release = %#v, %v", kept, err)
	}
	if kept, err := a.Kept(t.Context(), charges[2]); kept == nil || len(kept) > 0 || err != nil {
		t.Errorf("Kept of an empty release = %#v, %v", kept, err)
	}
}
