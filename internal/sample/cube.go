package sample

import (
	"fmt"
	"math/big"
	"math/bits"
)

// Cube is the law of vectors of n integers with P(z) proportional to
// exp(-max|z_i|/scale). It is immutable and safe for concurrent use. Proof:
// docs/proofs/cube.md, theorem 2.
//
// A radius g is drawn with P(g) proportional to (2g+1)^n exp(-g/scale), and then a
// vector evenly among those with |z_i| <= g. Trials for the radius are independent
// and take constant time but for where they end, which says nothing of the one
// that is accepted.
type Cube struct {
	n      int
	radius *Geometric
}

// NewCube returns the law of n numbers with a scale in [2^-10, 2^40]. It draws fast
// where the scale is far above n, as few radii are refused there.
func NewCube(n int, scale *big.Rat) (*Cube, error) {
	if n < 1 {
		return nil, fmt.Errorf("sample: a cube of %d numbers, must be at least 1", n)
	}
	radius, err := NewGeometric(scale)
	return &Cube{n, radius}, err
}

// Fill overwrites dst, whose length is n or a multiple of it, with independent vectors.
func (c *Cube) Fill(s *Source, dst []int64) {
	if len(dst)%c.n != 0 {
		panic(fmt.Sprintf("sample: internal error: %d numbers are no vectors of %d", len(dst), c.n))
	}
	steps := make([]int64, c.n+1)
	defer clear(steps)
	for ; len(dst) > 0; dst = dst[c.n:] {
		g := c.draw(s, steps)
		for i := range c.n {
			dst[i] = int64(s.even(2*g+1)) - int64(g)
		}
	}
}

// draw draws a radius: a sum of n+1 geometric steps, which is g with a probability
// proportional to (g+1)...(g+n) exp(-g/scale), and is kept with the probability that
// makes it (2g+1)^n.
func (c *Cube) draw(s *Source, steps []int64) uint64 {
	for {
		c.radius.Fill(s, steps)
		g := uint64(0)
		for _, step := range steps {
			g += uint64(step)
		}
		kept := uint64(1)
		for i := range uint64(c.n) {
			_, below := bits.Sub64(s.even(2*(g+i+1)), 2*g+1, 0)
			kept &= below
		}
		if kept == 1 {
			return g
		}
	}
}

// even returns a uniform integer in [0, n), exactly, in constant time but for a
// probability of n/2^64 (Lemire 2019, algorithm 5).
func (s *Source) even(n uint64) uint64 {
	for {
		x, low := bits.Mul64(s.Uint64(), n)
		if low >= n || low >= -n%n {
			return x
		}
	}
}
