package budget

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/equipoise-dp/equipoise/dp"
)

func TestOneUseIsDrawnOnceHoweverManyRace(t *testing.T) {
	for round := range 20 {
		synctest.Test(t, func(t *testing.T) { raceToDraw(t, round) })
	}
}

func raceToDraw(t *testing.T, round int) {
	a := newAccount(t, testTerms(dp.Approx{Epsilon: 1, Delta: 1e-6}))
	whole := gaussianCharge("plan", dp.Approx{Epsilon: 1, Delta: 1e-6}, 20)
	whole.Events[0].Count = 2
	v, err := a.Reserve(t.Context(), whole)
	if err != nil {
		t.Fatal(err)
	}
	a.turn <- struct{}{} // whoever draws waits, and all are decided in one batch
	var wg sync.WaitGroup
	errs := make([]error, 32)
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = v.Spend(t.Context(), gaussianCharge(fmt.Sprint("draw ", i), dp.Approx{Epsilon: 0.5, Delta: 1e-6}, 20))
		})
	}
	synctest.Wait()
	if n := len(a.queue.waiting); n != len(errs) {
		t.Errorf("round %d: %d wait, want %d; the test tests nothing", round, n, len(errs))
	}
	<-a.turn
	wg.Wait()
	drawn := 0
	for _, err := range errs {
		switch {
		case err == nil:
			drawn++
		case !isRefused(err):
			t.Errorf("round %d: %v", round, err)
		}
	}
	if drawn != 2 {
		t.Errorf("round %d: %d of 32 racing draws of two uses are accepted", round, drawn)
	}
	if r, err := a.Verify(t.Context()); err != nil || r.Charges != 3 {
		t.Errorf("round %d: %d charges, %v; want a reservation and two draws", round, r.Charges, err)
	}
}
