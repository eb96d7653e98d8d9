// Package grid puts values on a fixed-point grid when they enter, so that
// everything up to the noise is integer.
package grid

import (
	"math"
	"math/big"

	"github.com/equipoise-dp/equipoise/internal/exact"
)

// A Grid maps values in the bounds that it was made for to the points 0 … Cells, the
// multiples of Step from Lower on: a value outside the bounds goes to the bound, then
// to the nearest multiple of Step, of two that are equally near to the upper one. The
// zero Grid is not valid.
type Grid struct {
	Lower, Step *big.Rat
	Cells       int64 // the last point is Lower + Cells·Step

	perStep float64
	dyadic  bool  // perStep is a power of two, so that products with it are exact
	first   int64 // Lower in steps
	shift   uint  // Step = 2^shift, for integers

	// The points of the bounds. The ends of the grid are beyond them where a bound
	// is no multiple of Step, and then no value gets there.
	least, most int64
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
	g.perStep, g.dyadic = new(big.Rat).Inv(step).Float64()
	if mantissa, _ := math.Frexp(g.perStep); mantissa != 0.5 {
		g.dyadic = false
	}
	if step.IsInt() {
		g.shift = uint(step.Num().BitLen() - 1)
	}
	g.least, g.most = 0, g.Cells
	g.least, g.most = g.nearest(lower), g.nearest(upper)
	return g
}

// Value returns the value of a point, or of a position between points.
func (g *Grid) Value(point *big.Rat) *big.Rat {
	v := new(big.Rat).Mul(point, g.Step)
	return v.Add(v, g.Lower)
}

// Range returns the first and the last point that a value can have.
func (g *Grid) Range() (least, most int64) { return g.least, g.most }

// First returns Lower in steps.
func (g *Grid) First() int64 { return g.first }

// PerStep returns how many steps 1 is, rounded to a float, and whether products of floats with
// it are exact.
func (g *Grid) PerStep() (steps float64, exact bool) { return g.perStep, g.dyadic }

// Shift returns k where Step is 2^k, for integers.
func (g *Grid) Shift() uint { return g.shift }

// Largest returns the largest |value| on the grid, in steps: that of an end.
func (g *Grid) Largest() int64 { return max(-g.first, g.first+g.Cells) }

// Float returns the point of x. NaN goes to the lower bound; -0 is 0. It never fails,
// and is a function of x alone.
func (g *Grid) Float(x float64) int64 {
	if math.IsNaN(x) {
		return g.least
	}
	inexact := 0.0
	if !g.dyadic {
		inexact = 0x1p-50
	}
	if point, ok := g.near(x*g.perStep, inexact); ok {
		return point
	}
	return g.nearest(exact.Float(x))
}

// Int returns the point of x. It needs a step that is a power of two.
func (g *Grid) Int(x int64) int64 { return g.IntSum(exact.Int(x)) }

// IntSum returns the point of a sum of integers. It needs a step that is a power of
// two.
func (g *Grid) IntSum(sum exact.Int128) int64 { return g.clamp(sum.RoundShift(g.shift)) }

// FloatSum returns the point of an exact sum of floats.
func (g *Grid) FloatSum(sum *exact.FloatSum) int64 {
	if point, ok := g.near(sum.Approx()*g.perStep, 0x1p-49); ok {
		return point
	}
	return g.nearest(sum.Rat())
}

// near returns the point of a number that is x steps, but for a part of x of at most
// inexact, and whether that decides which point it is.
func (g *Grid) near(x, inexact float64) (point int64, ok bool) {
	switch {
	case x >= 1<<62:
		return g.most, true
	case x <= -1<<62:
		return g.least, true
	}
	below := math.Floor(x)
	above := x - below // exact, or next to 1 where x is next to 0
	if above >= 0.5 {
		below++
	}
	return g.clamp(exact.Int(int64(below))), inexact == 0 || math.Abs(above-0.5) > inexact*math.Abs(x)
}

// nearest returns the point of x, slowly.
func (g *Grid) nearest(x *big.Rat) int64 {
	steps := new(big.Rat).Quo(x, g.Step)
	rounded := floor(steps.Add(steps, big.NewRat(1, 2)))
	switch {
	case rounded.IsInt64():
		return g.clamp(exact.Int(rounded.Int64()))
	case rounded.Sign() > 0:
		return g.most
	}
	return g.least
}

// clamp returns the point of a number of steps.
func (g *Grid) clamp(steps exact.Int128) int64 {
	return min(max(steps.Sub(exact.Int(g.first)).Clamp(), g.least), g.most)
}

func floor(r *big.Rat) *big.Int { return new(big.Int).Div(r.Num(), r.Denom()) }
