package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/equipoise-dp/equipoise/dp/dptest"
)

// What a week costs and how accurate it will be is known before any row is read.
func Example() {
	a, err := ask()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(a.plan)
	// Output:
	// sales of customer: ε=1 δ=1e-06 per release, cube norm and discrete laplace noise
	// each customer counts in at most 3 groups, with at most 2 rows in each
	// euros is clamped to [0, 50] per unit, in steps of 0.01
	//
	// column     read from         share  scale  ± at 95 %
	// units      numbers per unit  67 %   4.5    18.51
	// count      count             33 %   18     54
	// euros sum  numbers per unit  67 %   112.5  674
	//
	// numbers per unit are released as one vector, with cube norm noise; one by one they would have 1.68 times the noise
}

// The second run shows the numbers of the first.
func TestTheSameWeekIsPaidOnce(t *testing.T) {
	ledger := filepath.Join(t.TempDir(), "shop.db")
	var first, again bytes.Buffer
	if err := report(t.Context(), ledger, &first); err != nil {
		t.Fatal(err)
	}
	if err := report(t.Context(), ledger, &again); err != nil {
		t.Fatal(err)
	}
	if first.String() != again.String() || bytes.Count(first.Bytes(), []byte("\n")) != len(days) {
		t.Errorf("the first run showed\n%sand the second\n%s", &first, &again)
	}
}

// Without noise the numbers are exact, since no cap or bound cuts anything.
func TestNumbersAreExactWithoutNoise(t *testing.T) {
	dptest.NoNoise(t)
	var b bytes.Buffer
	if err := report(t.Context(), filepath.Join(t.TempDir(), "shop.db"), &b); err != nil {
		t.Fatal(err)
	}
	customers, euros := map[string]int{}, map[string]float64{}
	for _, s := range sales() {
		customers[s.Day]++
		euros[s.Day] += s.Euros
	}
	for _, day := range days {
		want := fmt.Sprintf("%s  customers %d ", day, customers[day])
		if !bytes.Contains(b.Bytes(), []byte(want)) || !bytes.Contains(b.Bytes(), []byte(fmt.Sprintf("euros %.0f\n", euros[day]))) {
			t.Errorf("report\n%slacks %q and %v euros", &b, want, euros[day])
		}
	}
}
