package budget

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// However many ask, through two accounts, all get one answer and one pays.
func TestOnceGivesOneAnswerToOnePayment(t *testing.T) {
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	b, err := Open(t.Context(), a.store, a.name)
	if err != nil {
		t.Fatal(err)
	}
	c := laplaceCharge("k", dp.Pure{Epsilon: 0.1}, 10)
	var got [100]string
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() {
			answer, err := []*Account{a, b}[i%2].Once(t.Context(), c, func() ([]byte, error) { return fmt.Append(nil, rand.Uint64()), nil })
			if err != nil {
				t.Error(err)
			}
			got[i] = string(answer)
		})
	}
	wg.Wait()
	for i := range got {
		if got[i] != got[0] || got[i] == "" {
			t.Fatalf("answers %q and %q", got[0], got[i])
		}
	}
	if spent := spentOf(t, a); spent != (dp.Pure{Epsilon: 0.1}) {
		t.Errorf("%v spent", spent)
	}
	never := func() ([]byte, error) { t.Error("drawn again"); return nil, nil }
	if answer, err := b.Once(t.Context(), c, never); string(answer) != got[0] || err != nil {
		t.Errorf("later: %q, %v", answer, err)
	}
}

func TestOnceDrawsNothingThatIsNotPaid(t *testing.T) {
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	c := laplaceCharge("k", dp.Pure{Epsilon: 2}, 1)
	answer, err := a.Once(t.Context(), c, func() ([]byte, error) { t.Error("drawn"); return nil, nil })
	if answer != nil || !isRefused(err) {
		t.Errorf("%q, %v", answer, err)
	}
}

// A draw that fails stays paid and shows nothing; asked again, it costs nothing.
func TestOnceAfterAFailure(t *testing.T) {
	a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
	c := laplaceCharge("k", dp.Pure{Epsilon: 1}, 1)
	broken := errors.New("broken")
	for _, draw := range []func() ([]byte, error){
		func() ([]byte, error) { return []byte("x"), broken },
		func() ([]byte, error) { return nil, nil },
	} {
		if answer, err := a.Once(t.Context(), c, draw); answer != nil || !errors.Is(err, broken) && !errors.Is(err, errNilRelease) {
			t.Errorf("%q, %v", answer, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	answer, err := a.Once(ctx, c, func() ([]byte, error) { cancel(); return []byte("y"), nil })
	if string(answer) != "y" || err != nil {
		t.Errorf("%q, %v: what is drawn is kept, also for who does not wait", answer, err)
	}
}

// Requests that end before anything is spent are observed and counted.
func TestWhatEndsBeforeSpendIsCounted(t *testing.T) {
	a, charges := keptAccount(t)
	before := a.Counts()
	if _, err := a.Kept(t.Context(), charges[0]); err != nil { // repeated
		t.Fatal(err)
	}
	if _, err := a.Kept(t.Context(), charges[2]); err != nil { // not kept: goes on
		t.Fatal(err)
	}
	other := charges[0]
	other.Plan = "another"
	if _, err := a.Kept(t.Context(), other); !errors.Is(err, ErrKeyReused) {
		t.Fatal(err)
	}
	if err := a.Afford(t.Context(), laplaceCharge("new", dp.Pure{Epsilon: 5}, 1)); !isRefused(err) {
		t.Fatal(err)
	}
	if err := a.Afford(t.Context(), laplaceCharge("new", dp.Pure{Epsilon: 0.1}, 10)); err != nil { // goes on
		t.Fatal(err)
	}
	want := before
	want.Repeated, want.KeyReused, want.Refused = want.Repeated+1, want.KeyReused+1, want.Refused+1
	if got := a.Counts(); got != want {
		t.Errorf("counts are %+v, want %+v", got, want)
	}
}
