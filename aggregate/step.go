package aggregate

import (
	"fmt"
	"math"
	"math/big"

	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/grid"
)

// The largest norm of a record, in steps, that a plan chooses by itself for
// values that could be finer: far below the noise, and cheap to draw noise for.
const finest = 1 << 30

// chooseGrid sets the grid of a value so that noise of so many times a record's
// norm is at most 2^40 steps, the samplers' limit. All measures of the value
// share it; forms are those that sum it up.
func (v *value) chooseGrid(forms []form, times *big.Rat) (*grid.Grid, error) {
	if v.most > 0 {
		return grid.New(v.lower, v.upper, big.NewRat(1, 1)), nil // of how many there are; values have no grid
	}
	if v.asked != nil {
		g := grid.New(v.lower, v.upper, v.asked)
		if !fits(g, forms, times, big.NewRat(1<<40, 1)) {
			return nil, fmt.Errorf("aggregate: value %q: step is %s, too fine for noise of this size; use a coarser step, or 0 for the plan to choose", v.name, v.asked.FloatString(6))
		}
		return g, nil
	}
	for k := v.finestStep(); k < 1024; k++ {
		g := grid.New(v.lower, v.upper, powerOf(2, k))
		limit := big.NewRat(1<<40, 1)
		if !v.integer && g != nil && !fits(g, forms, big.NewRat(1, 1), big.NewRat(finest, 1)) {
			continue
		}
		if fits(g, forms, times, limit) && g.Cells > 0 {
			if g.Cells < 2 && !v.integer {
				break
			}
			return g, nil
		}
	}
	return nil, fmt.Errorf("aggregate: value %q needs noise of more than its bounds by 2^%d; use a larger loss or smaller caps", v.name, 40)
}

// finestStep returns the exponent of the finest step to try.
func (v *value) finestStep() int {
	if v.integer {
		return 0
	}
	width, _ := new(big.Rat).Sub(v.upper, v.lower).Float64()
	return max(math.Ilogb(width)-31, -1074)
}

func powerOf(base float64, k int) *big.Rat { return exact.Float(math.Pow(base, float64(k))) }

// fits reports whether times the norm of every form is at most limit.
func fits(g *grid.Grid, forms []form, times, limit *big.Rat) bool {
	if g == nil {
		return false
	}
	for _, f := range forms {
		m := measure{form: f, grid: g}
		if f == formRanks {
			continue
		}
		norm := new(big.Rat).SetInt(m.norm())
		if norm.Mul(norm, times).Cmp(limit) > 0 {
			return false
		}
	}
	return true
}
