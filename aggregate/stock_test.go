package aggregate

import (
	"math/rand/v2"
	"testing"
)

// However workers share the work, a stock is gone if they take more than there is, and not if a
// block less than it for each of them does.
func TestAStockDoesNotDependOnWhoTakes(t *testing.T) {
	rng := rand.New(rand.NewPCG(26, 11))
	enough, short := 0, 0
	for range 2000 {
		bytes, workers := rng.Int64N(20*block), make([]ration, 1+rng.IntN(4))
		s, taken, gone := newStock(bytes), int64(0), false
		for i := range workers {
			workers[i].stock = s
		}
		for n := rng.IntN(40); n > 0 && !gone; n-- {
			r, take := &workers[rng.IntN(len(workers))], rng.Int64N(2*block)
			r.take(take)
			taken, gone = taken+take, r.gone
		}
		if gone {
			short++
		} else {
			enough++
		}
		if !gone && taken > bytes || gone && taken <= bytes-int64(len(workers))*block {
			t.Errorf("%d workers took %d of %d bytes: gone is %v", len(workers), taken, bytes, gone)
		}
	}
	if enough < 200 || short < 200 {
		t.Errorf("a stock was enough %d times and %d times not", enough, short)
	}
	var all ration
	if all.take(1 << 62); all.gone {
		t.Error("without a stock there is a limit")
	}
}
