package groups_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate/groups"
)

func ExampleProduct() {
	type cell struct{ Age, Site string }
	age, err := groups.NewBins([]int{18, 30, 65})
	if err != nil {
		fmt.Println(err)
		return
	}
	adults := groups.Except(age.Names(), "below 18")
	for _, c := range groups.Product(adults, []string{"north", "south"}, func(age, site string) cell { return cell{age, site} }) {
		fmt.Println(c.Site, c.Age)
	}
	// Output:
	// north 18 to 29
	// south 18 to 29
	// north 30 to 64
	// south 30 to 64
	// north 65 or more
	// south 65 or more
}

func ExampleUnion() {
	fmt.Println(groups.Union([]string{"de", "fr"}, []string{"fr", "it"}))
	// Output: [de fr it]
}

func ExampleNewBins() {
	price, err := groups.NewBins([]float64{0, 9.99, 100}, "refund", "cheap", "usual", "dear")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(price.Of(9.98), price.Of(9.99), price.Of(math.Inf(1)), price.Of(math.NaN()))
	fmt.Println(strings.Join(price.Names(), ", "))
	_, err = groups.NewBins([]int{5, 5}, "low", "low")
	fmt.Println(err)
	// Output:
	// cheap usual dear no number
	// refund, cheap, usual, dear, no number
	// groups: edge 2 of bins is 5, must be above the one before, 5
	// groups: 3 bins have 2 names; the first is below the first edge, the last from the last edge on
	// groups: name 2 of bins is "low", which another bin has; names must differ
}

// Every number is in the bin of which the edges say so.
func TestEveryNumberIsInOneBin(t *testing.T) {
	edges := []int8{-128, -3, 0, 1, 100, 127}
	b, err := groups.NewBins(edges)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"below -128", "-128 to -4", "-3 to -1", "0", "1 to 99", "100 to 126", "127 or more"}
	if got := b.Names(); !slices.Equal(got, names) {
		t.Fatalf("%q, want %q", got, names)
	}
	for x := -128; x <= 127; x++ {
		n := 0
		for n < len(edges) && int(edges[n]) <= x {
			n++
		}
		if got := b.Of(int8(x)); got != names[n] {
			t.Errorf("%d is in %q, want %q", x, got, names[n])
		}
	}
}

func TestFractionsHaveNamesAndABinOfNaN(t *testing.T) {
	b, err := groups.NewBins([]float32{1.5, 2.5})
	if err != nil {
		t.Fatal(err)
	}
	for x, want := range map[float32]string{1: "below 1.5", 1.5: "1.5 to under 2.5", 2.5: "2.5 or more", float32(math.Inf(-1)): "below 1.5"} {
		if got := b.Of(x); got != want || !slices.Contains(b.Names(), got) {
			t.Errorf("%v is in %q, want %q", x, got, want)
		}
	}
	if got := b.Of(float32(math.NaN())); got != groups.NoNumber || b.Names()[3] != got {
		t.Errorf("NaN is in %q of %q", got, b.Names())
	}
}

func TestDurationsAreNamedAsTheyAreSaid(t *testing.T) {
	b, err := groups.NewBins([]time.Duration{0, time.Minute, time.Hour})
	if want := "below 0s, 0s to under 1m0s, 1m0s to under 1h0m0s, 1h0m0s or more"; err != nil || strings.Join(b.Names(), ", ") != want {
		t.Errorf("%q, %v; want %q", b.Names(), err, want)
	}
}

func TestEveryMistakeOfBinsIsNamed(t *testing.T) {
	_, err := groups.NewBins([]float64{math.NaN(), 2, 1, math.Inf(1)}, "a", groups.NoNumber)
	for _, want := range []string{"edge 1 of bins is NaN, must be finite", "edge 3 of bins is 1, must be above the one before, 2", "edge 4 of bins is +Inf", "5 bins have 2 names", `name 2 of bins is "no number"`} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, err := groups.NewBins[int](nil); err == nil || !strings.Contains(err.Error(), "no edges") {
		t.Errorf("bins without edges: %v", err)
	}
	var none groups.Bins[int]
	if none.Of(3) != "" || len(none.Names()) != 0 {
		t.Errorf("the zero Bins has %q", none.Names())
	}
}

// A list that nothing is left in is not nil, which would mean that groups are selected.
func TestAnEmptyListIsNotNil(t *testing.T) {
	if groups.Union[string]() == nil || groups.Except([]string{"a"}, "a") == nil || groups.Product([]int{}, []int{1}, func(a, b int) int { return a }) == nil {
		t.Error("an empty list is nil")
	}
	if got := groups.Except([]string{"b", "a", "b", "c"}, "c"); !slices.Equal(got, []string{"b", "a"}) {
		t.Errorf("%q", got)
	}
}
