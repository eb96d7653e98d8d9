package aggregate

import "sync/atomic"

// A stock is how many bytes workers may still take, all together: which of them takes how
// much decides nothing.
type stock struct{ left atomic.Int64 }

func newStock(bytes int64) *stock {
	s := new(stock)
	s.left.Store(bytes)
	return s
}

// block is how many bytes a worker takes of a stock at a time.
const block = 4096

// A ration is what one worker took of a stock. Without a stock there is no limit.
type ration struct {
	stock *stock
	left  int64 // of what it took
	gone  bool  // more was taken than there was
}

// take uses up so many bytes.
func (r *ration) take(bytes int64) {
	if r.stock == nil {
		return
	}
	for r.left -= bytes; r.left < 0 && !r.gone; r.left += block {
		r.gone = r.stock.left.Add(-block) < 0
	}
}
