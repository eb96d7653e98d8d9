// Package grid puts values on a fixed-point grid when they enter, so that
// everything up to the noise is integer.
package grid

import (
	"math"
	"math/big"

	"github.com/equipoise-dp/equipoise/internal/exact"
)

// A Grid maps values in [Lower, Upper] to the points 0 … Cells: the nearest
// multiple of Step, counted from Lower, which is a multiple itself. The zero Grid is not valid.
type Grid struct {
	Lower, Step *big.Rat
	Cells       int64 // Upper = Lower + Cells·Step

	perStep float64
	first   int64 // Lower in steps
	shift   uint  // Step = 2^shift, for integers
}

// New returns the grid of multiples of step that covers [lower, upper]: its ends
// are rounded outward. It returns nil if the ends do not fit in 62 bits of
// steps.
func New(lower, upper, step *big.Rat) *Grid {
	first := floor(new(big.Rat).Quo(lower, step))
	last := new(big.Int).Neg(floor(new(big.Rat).Neg(new(big.Rat).Quo(upper, step))))
	cells := new(big.Int).Sub(last, first)
	if first.BitLen() > 62 || last.BitLen() > 62 || cells.BitLen() > 62 {
		return nil
	}
	g := &Grid{
		Lower: new(big.Rat).Mul(step, new(big.Rat).SetInt(first)),
		Step:  step, Cells: cells.Int64(), first: first.Int64(),
	}
	g.perStep, _ = new(big.Rat).Inv(step).Float64()
	if step.IsInt() {
		g.shift = uint(step.Num().BitLen() - 1)
	}
	return g
}

// Upper returns the value of the last point.
func (g *Grid) Upper() *big.Rat { return g.Value(big.NewRat(g.Cells, 1)) }

// Value returns the value of a point, or of a position between points.
func (g *Grid) Value(point *big.Rat) *big.Rat {
	v := new(big.Rat).Mul(point, g.Step)
	return v.Add(v, g.Lower)
}

// First returns Lower in steps.
func (g *Grid) First() int64 { return g.first }

// Largest returns the largest |value| on the grid, in steps.
func (g *Grid) Largest() int64 { return max(-g.first, g.first+g.Cells, g.first, -g.first-g.Cells) }

// Float returns the point nearest to x, clamped to the grid. NaN is Lower; -0
// is 0. It never fails, and is a function of x alone.
func (g *Grid) Float(x float64) int64 {
	if math.IsNaN(x) {
		return 0
	}
	return g.Clamp(exact.Int(g.Amount(x)))
}

// Int returns the point nearest to x, clamped to the grid. It needs a step that
// is a power of two.
func (g *Grid) Int(x int64) int64 { return g.Clamp(exact.Int(g.AmountInt(x))) }

// Amount returns x in steps, not clamped to the grid but to ±2^62, so that
// amounts can be added up before the sum is clamped with [Grid.Clamp]. NaN is 0.
func (g *Grid) Amount(x float64) int64 {
	p := math.Round(x * g.perStep)
	switch {
	case math.IsNaN(p):
		return 0
	case p >= 1<<62:
		return 1 << 62
	case p <= -1<<62:
		return -1 << 62
	}
	return int64(p)
}

// AmountInt is Amount for integers.
func (g *Grid) AmountInt(x int64) int64 { return exact.Int(x).RoundShift(g.shift).Clamp() }

// Clamp returns the point of a sum of amounts.
func (g *Grid) Clamp(sum exact.Int128) int64 {
	p := sum.Sub(exact.Int(g.first)).Clamp()
	return min(max(p, 0), g.Cells)
}

func floor(r *big.Rat) *big.Int { return new(big.Int).Div(r.Num(), r.Denom()) }
