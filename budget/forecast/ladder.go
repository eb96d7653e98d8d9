package forecast

import (
	"fmt"
	"math"
	"strconv"

	"github.com/equipoise-dp/equipoise/internal/search"
)

// Losses are tried on a ladder: the numbers of three digits, 1.00e-8 to 9.99e3. A
// person can read and write them, and the next cheaper is cheaper by a per cent or less.
type rung int64

const lastRung rung = 12*900 - 1

// size returns the number of a rung, as the decimal that is written.
func (r rung) size() float64 {
	x, err := strconv.ParseFloat(fmt.Sprintf("%de%d", 100+r%900, r/900-10), 64)
	if err != nil {
		return math.NaN() // cannot be
	}
	return x
}

// rungOf returns a rung near a number.
func rungOf(x float64) rung {
	if !(x > 1e-8) {
		return 0
	}
	decade := math.Floor(math.Log10(x))
	at := rung(decade+8)*900 + rung(math.Ceil(x/math.Pow(10, decade-2))) - 100
	return min(max(at, 0), lastRung)
}

// least returns a rung that is enough while the one below it is not, near a guess, and
// whether there is one.
func (r rung) least(enough func(rung) bool) (rung, bool) {
	yes, no, step := r, r, rung(1)
	if enough(r) {
		for no = max(r-step, 0); no > 0 && enough(no); no = max(no-step, 0) {
			yes, step = no, 4*step
		}
		if no == 0 && enough(0) {
			return 0, true
		}
	} else {
		for yes = min(r+step, lastRung); !enough(yes); yes = min(yes+step, lastRung) {
			if yes == lastRung {
				return 0, false
			}
			no, step = yes, 4*step
		}
	}
	y, _ := search.Edge(int64(yes), int64(no), nil, func(at int64) bool { return enough(rung(at)) })
	return rung(y), true
}
