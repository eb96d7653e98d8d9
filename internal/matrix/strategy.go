package matrix

import (
	"math/big"

	"github.com/equipoise-dp/equipoise/internal/exact"
)

// Bits says how fine coefficients are: they are multiples of 2^-Bits.
const Bits = 16

const one = 1 << Bits

// A Strategy says what is released of a series of numbers, one row for each period: row
// t is Σ c[t-s]·x[s] over the periods s up to t, times 2^Bits; a level one has a factor for
// each s. A centred strategy releases
// x[t] - centre·n, and after the last period scale·n, where n is how many people are
// in the series at all.
type Strategy struct {
	Name    string
	coefs   []int64 // c[0] is 2^Bits
	inverse []float64
	centred *centred
	level   []int64 // what columns are times, over 2^Bits, if it is a level one
}

// Periods returns how many periods the strategy is for.
func (s *Strategy) Periods() int { return len(s.coefs) }

// Rows returns how many rows are released: more than there are periods if the
// strategy is centred.
func (s *Strategy) Rows() int {
	if s.centred != nil {
		return len(s.coefs) + 1
	}
	return len(s.coefs)
}

// newStrategy makes a strategy of coefficients in [0, 1], of which the first is 1. They
// are rounded to the grid, which keeps their order.
func newStrategy(name string, coefs []float64) *Strategy {
	s := &Strategy{Name: name, coefs: make([]int64, len(coefs)), inverse: make([]float64, len(coefs))}
	least := int64(one)
	for i, c := range coefs {
		least = max(min(least, int64(c*one+0.5)), 0)
		s.coefs[i] = least
	}
	s.invert()
	return s
}

// invert works out the first column of the inverse, which is Toeplitz too.
func (s *Strategy) invert() {
	s.inverse[0] = 1
	for t := 1; t < len(s.coefs); t++ {
		sum := 0.0
		for j := 1; j <= t && s.coefs[j] > 0; j++ {
			sum -= float64(s.coefs[j]) * s.inverse[t-j]
		}
		s.inverse[t] = sum / one
	}
}

// Independent adds independent noise to every period: C is the identity.
func Independent(periods int) *Strategy {
	coefs := make([]float64, periods)
	coefs[0] = 1
	return newStrategy("independent noise", coefs)
}

// Encode returns row t without noise, times 2^Bits, for numbers x of the periods
// up to t. Row t of a centred strategy is a multiple of 2^Bits too.
func (s *Strategy) Encode(t int, x []exact.Int128, people exact.Int128) *big.Int {
	if s.centred != nil {
		return s.centred.encode(t, len(s.coefs), x, people)
	}
	sum, term := new(big.Int), new(big.Int)
	for i := 0; i <= t && s.coefs[i] > 0; i++ {
		c := s.coefs[i]
		if s.level != nil {
			c = s.at(t, t-i)
		}
		sum.Add(sum, term.Mul(big.NewInt(c), x[t-i].Big()))
	}
	return sum
}

// spare is how many bits finer [Strategy.Decode] works than its rows are: what it
// rounds off is far below one of their steps.
const spare = 64

// Decode returns the running totals of x that noisy rows say: total i is of the
// first i periods, and total 0 is 0. They are in steps of the rows, so they are x times
// 2^Bits. Fewer rows than periods give fewer totals; a centred strategy needs all of them.
func (s *Strategy) Decode(rows []*big.Int) []*big.Int {
	if s.centred != nil {
		return s.centred.decode(rows)
	}
	if s.level != nil {
		return s.decodeLevel(rows)
	}
	values := make([]*big.Int, len(rows))
	term := new(big.Int)
	for t, row := range rows {
		sum := new(big.Int)
		for j := 1; j <= t && s.coefs[j] > 0; j++ {
			sum.Add(sum, term.Mul(big.NewInt(s.coefs[j]), values[t-j]))
		}
		values[t] = new(big.Int).Lsh(row, spare)
		values[t].Sub(values[t], sum.Rsh(sum, Bits))
	}
	return totals(values)
}

// totals adds up numbers that have spare bits, and rounds them off.
func totals(values []*big.Int) []*big.Int {
	half := new(big.Int).Lsh(big.NewInt(1), spare-1)
	sum, all := new(big.Int), []*big.Int{new(big.Int)}
	for _, v := range values {
		sum.Add(sum, v)
		rounded := new(big.Int).Add(sum, half)
		all = append(all, rounded.Rsh(rounded, spare))
	}
	return all
}
