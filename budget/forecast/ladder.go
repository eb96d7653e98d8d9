package forecast

import (
	"fmt"
	"math"
	"strconv"

	"github.com/equipoise-dp/equipoise/internal/search"
)

// A ladder is the numbers of so many digits, over some decades: a person can read and write
// them. Its rungs are numbered from 0.
type ladder struct{ digits, from, decades int }

// A rung is the place of a number on a ladder.
type rung int64

var (
	// Losses of plans are tried in three digits, 1.00e-16 to 9.99e3: the next cheaper is
	// cheaper by a per cent or less. A ρ is about the square of an ε.
	losses = ladder{3, -16, 20}

	// Limits of accounts have five, up to beyond mostEpsilon.
	limits = ladder{5, -20, 27}
)

// decade is how many rungs there are from a number to ten times as much.
func (l ladder) decade() rung { return 9 * rung(math.Pow10(l.digits-1)) }

func (l ladder) last() rung { return rung(l.decades)*l.decade() - 1 }

// size returns the number of a rung, as the decimal that is written.
func (l ladder) size(r rung) float64 {
	first, decade := rung(math.Pow10(l.digits-1)), l.decade()
	x, err := strconv.ParseFloat(fmt.Sprintf("%de%d", first+r%decade, int(r/decade)+l.from-l.digits+1), 64)
	if err != nil {
		return math.NaN() // cannot be
	}
	return x
}

// near returns a rung near a number.
func (l ladder) near(x float64) rung {
	if !(x > math.Pow10(l.from)) {
		return 0
	}
	power := math.Floor(math.Log10(x))
	first := math.Pow10(l.digits - 1)
	return l.within(rung(power-float64(l.from))*l.decade() + rung(math.Ceil(x/math.Pow(10, power)*first)-first))
}

// within returns the nearest rung that there is.
func (l ladder) within(r rung) rung { return min(max(r, 0), l.last()) }

// least returns a rung that is enough while the one below it is not, near a guess, and
// whether there is one.
func (l ladder) least(guess rung, enough func(rung) bool) (rung, bool) {
	yes, no, step := guess, guess, rung(1)
	if enough(guess) {
		for no = l.within(guess - step); no > 0 && enough(no); no = l.within(no - step) {
			yes, step = no, 4*step
		}
		if no == 0 && enough(0) {
			return 0, true
		}
	} else {
		for yes = l.within(guess + step); !enough(yes); yes = l.within(yes + step) {
			if yes == l.last() {
				return 0, false
			}
			no, step = yes, 4*step
		}
	}
	y, _ := search.Edge(int64(yes), int64(no), nil, func(at int64) bool { return enough(rung(at)) })
	return rung(y), true
}
