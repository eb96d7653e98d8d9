package aggregate

import (
	"fmt"
	"math"
	"math/big"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/grid"
	"github.com/equipoise-dp/equipoise/internal/quantile"
	"github.com/equipoise-dp/equipoise/internal/ranktree"
)

// A form says which integers are summed up for a measure. The zero form is none.
type form int

const (
	formRows   form = 1 + iota // one part: 1 for every row
	formUnits                  // one part: 1 for every unit
	formTotal                  // one part: the value
	formPair                   // two parts: how far the value is from either bound
	formTriple                 // three parts: a basis of the quadratics
	formRanks                  // a histogram, read through a tree of noisy counts
)

var formNames = map[form]string{
	formRows: "count", formUnits: "units", formTotal: "sum", formPair: "mean", formTriple: "variance", formRanks: "quantiles",
}

// A measure is what noise is added to: a vector of integer sums per group that
// answers one or more columns.
type measure struct {
	form  form
	value *value // nil for rows and units
	grid  *grid.Grid
	shape ranktree.Shape // of formRanks, where it is a tree
	cuts  *quantile.Cuts // points of its leaves, where these are not of one width

	share float64   // of the loss
	law   *core.Law // nil where nothing is added
	shift uint      // noise is added to the sums times 2^shift
	event dp.Event

	drawing *drawing // of formRanks, where ranks are drawn
	why     string   // of formRanks, why it is what it is
}

// String names the measure in price lists and receipts.
func (m *measure) String() string {
	if m.value == nil {
		return formNames[m.form]
	}
	return m.value.name + " " + formNames[m.form]
}

// parts returns how many sums the measure has in a group, without the tree's.
func (m *measure) parts() int {
	return map[form]int{formRows: 1, formUnits: 1, formTotal: 1, formPair: 2, formTriple: 3}[m.form]
}

// perUnit reports whether a unit contributes one record to a group, rather than
// one for each row.
func (m *measure) perUnit() bool {
	return m.form == formUnits || m.value != nil && m.value.perUnit
}

// norm returns what the parts of one record amount to: their L1 norm with
// Laplace noise, their L2 norm with Gaussian noise, at most. A record of
// formRanks counts once on each level of the tree, which [measure.levels] says.
//
// Pair: x and w-x, both at least 0, add up to w; the L2 norm is at most the L1
// norm. Triple, Laplace: (w-x)², 2x(w-x), x² add up to w². Triple, Gaussian:
// (w-2x)(w-x), 4x(w-x), x(2x-w), whose squares add up to at most w⁴, with
// equality at 0, w/2 and w. Proof: docs/proofs/moments.md.
func (m *measure) norm() *big.Int {
	switch m.form {
	case formTotal:
		return big.NewInt(m.grid.Largest())
	case formPair:
		return big.NewInt(m.grid.Cells)
	case formTriple:
		w := big.NewInt(m.grid.Cells)
		return w.Mul(w, w)
	}
	return big.NewInt(1)
}

// levels returns how often a record is counted: on each level of a tree, or of the
// ladder that ends of intervals are read from.
func (m *measure) levels() int64 {
	switch {
	case m.drawing != nil:
		return quantile.Counted(m.drawing.base, len(m.drawing.ranks))
	case m.form == formRanks:
		return int64(m.shape.Height)
	}
	return 1
}

// record writes the parts of a record at a point of the grid.
func (m *measure) record(point int64, parts []exact.Int128) {
	add := func(i int, x exact.Int128) { parts[i] = parts[i].Add(x) }
	switch m.form {
	case formRows, formUnits:
		add(0, exact.Int(1))
	case formTotal:
		add(0, exact.Int(m.grid.First()+point))
	case formPair:
		add(0, exact.Int(m.grid.Cells-point))
		add(1, exact.Int(point))
	case formTriple:
		for i, x := range triple(m.law.Family, point, m.grid.Cells) {
			add(i, x)
		}
	}
}

// triple returns the parts of formTriple: Bernstein's basis for Laplace noise,
// Lagrange's at 0, w/2 and w for Gaussian noise, times w².
func triple(f core.Family, x, w int64) [3]exact.Int128 {
	if f == core.Laplace {
		return [3]exact.Int128{exact.Mul(w-x, w-x), exact.Mul(2*x, w-x), exact.Mul(x, x)}
	}
	return [3]exact.Int128{exact.Mul(w-2*x, w-x), exact.Mul(4*x, w-x), exact.Mul(x, 2*x-w)}
}

// resolution returns how many steps one record of norm 1 is: sums divided by it
// are in records.
func (m *measure) resolution() *big.Rat {
	r := big.NewRat(1, 1)
	if m.form == formPair || m.form == formTriple {
		r.SetInt(m.norm())
	}
	return r
}

// The largest norm of a record, in steps, that a plan chooses by itself for
// values that could be finer: far below the noise, and cheap to draw noise for.
const finest = 1 << 30

// chooseGrid sets the grid of a value so that noise of so many times a record's
// norm is at most 2^40 steps, the samplers' limit. All measures of the value
// share it; forms are those that sum it up.
func (v *value) chooseGrid(forms []form, times *big.Rat) (*grid.Grid, error) {
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
