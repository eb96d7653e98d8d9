package aggregate

import (
	"math"
	"math/big"
	"math/bits"

	"github.com/equipoise-dp/equipoise/internal/grid"
)

// A sizes numbers the sizes that a value can have. A size is 0 for 0; h+1 for the numbers of steps of
// which h is the least with a square of at most 2^h, so that sizes are half octaves; and -h-1 for as many steps
// below 0.
type sizes struct {
	grid        *grid.Grid
	first, last int
}

func newSizes(v *value) *sizes {
	s := &sizes{grid: v.gridAround()}
	least, most := s.grid.Range()
	s.first, s.last = s.of(least), s.of(most)
	return s
}

// of returns the size of a point of the grid.
func (s *sizes) of(point int64) int {
	steps := s.grid.First() + point
	switch {
	case steps < 0:
		return -1 - halfOctave(uint64(-steps))
	case steps > 0:
		return 1 + halfOctave(uint64(steps))
	}
	return 0
}

// halfOctave returns the least h for which k² is at most 2^h; k is at least 1.
func halfOctave(k uint64) int {
	hi, lo := bits.Mul64(k, k)
	lo, borrow := bits.Sub64(lo, 1, 0)
	if hi -= borrow; hi > 0 {
		return 64 + bits.Len64(hi)
	}
	return bits.Len64(lo)
}

// all returns all sizes, in order.
func (s *sizes) all() (all []int) {
	for size := s.first; size <= s.last; size++ {
		all = append(all, size)
	}
	return all
}

// largest returns the largest of the values that are so many half octaves of steps.
func (s *sizes) largest(halves float64) float64 {
	step, _ := new(big.Rat).Set(s.grid.Step).Float64()
	return step * math.Exp2(halves/2)
}
