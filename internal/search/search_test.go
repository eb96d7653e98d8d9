package search_test

import (
	"math"
	"testing"

	"github.com/equipoise-dp/equipoise/internal/search"
)

func TestIntegersEndAtNeighboursOfTheChange(t *testing.T) {
	for size := int64(1); size <= 40; size++ {
		for edge := int64(0); edge < size; edge++ {
			asked := 0
			yes, no := search.Edge(size, 0, nil, func(x int64) bool {
				asked++
				if x <= 0 || x >= size {
					t.Fatalf("an end of [0, %d] was asked about: %d", size, x)
				}
				return x > edge
			})
			if yes != edge+1 || no != edge {
				t.Errorf("[0, %d]: the change is between %d and %d, found %d and %d", size, edge, edge+1, no, yes)
			}
			if most := math.Ceil(math.Log2(float64(size))); float64(asked) > most {
				t.Errorf("[0, %d]: asked %d times, want at most %v", size, asked, most)
			}
			if yes, no := search.Edge(0, size, nil, func(x int64) bool { return x <= edge }); yes != edge || no != edge+1 {
				t.Errorf("[0, %d], falling: found %d and %d, want %d and %d", size, yes, no, edge, edge+1)
			}
		}
	}
	if yes, no := search.Edge(uint64(math.MaxUint64), 0, nil, func(x uint64) bool { return x >= 1<<63+5 }); yes != 1<<63+5 || no != yes-1 {
		t.Errorf("of all uint64: found %d and %d", no, yes)
	}
}

func TestFloatsEndAtNeighboursOfTheChange(t *testing.T) {
	for _, edge := range []float64{-1, -1e-300, 0, 5e-324, 0.1, 1 - 0x1p-53, 1, 1e300} {
		yes, no := search.Edge(-2, math.MaxFloat64/2, nil, func(x float64) bool { return x <= edge })
		if yes != edge || no != math.Nextafter(edge, math.Inf(1)) {
			t.Errorf("the change is at %v, found between %v and %v", edge, yes, no)
		}
	}
}

func TestASearchStopsWhereTheEndsAreNear(t *testing.T) {
	for _, d := range []float64{1e-3, 1e-9} {
		yes, no := search.Edge(3, 0, search.Relative(d), func(x float64) bool { return x >= 1 })
		if gap := yes - no; no >= 1 || yes < 1 || gap > d*yes || gap < d*yes/3 {
			t.Errorf("relative %v: found %v and %v", d, no, yes)
		}
		yes, no = search.Edge(3e6, 0, search.Absolute(d), func(x float64) bool { return x >= 1e6 })
		if gap := yes - no; no >= 1e6 || yes < 1e6 || gap > d || gap < d/3 {
			t.Errorf("absolute %v: found %v and %v", d, no, yes)
		}
	}
}
