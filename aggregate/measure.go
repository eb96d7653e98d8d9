package aggregate

import (
	"math/big"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/grid"
	"github.com/equipoise-dp/equipoise/internal/quantile"
	"github.com/equipoise-dp/equipoise/internal/ranktree"
)

// A form says which integers are summed up for a measure. The zero form is none.
type form int

const (
	formRows     form = 1 + iota // one part: 1 for every row
	formUnits                    // one part: 1 for every unit
	formTotal                    // one part: the value
	formPair                     // two parts: how far the value is from either bound
	formTriple                   // three parts: a basis of the quadratics
	formRanks                    // a histogram, read through a tree of noisy counts
	formJoint                    // several numbers of a record as one vector
	formDistinct                 // one part: how many different values there are, which is no sum over records
)

var formNames = map[form]string{
	formRows: "count", formUnits: "units", formTotal: "sum", formPair: "mean", formTriple: "variance", formRanks: "quantiles",
	formDistinct: "distinct values",
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

	joint *joint // of formJoint

	place
}

// A place says where a measure stands in its plan. All of it is set once, when the
// plan is compiled.
type place struct {
	first     int      // of its sums among those of a group
	list      int      // its histogram among those of a group, if it has one
	ranked    int      // its quantiles among the lists of them that a group has, if it has some
	input     int      // its value among the inputs of the plan, if it has one
	rank      int      // its first quantile among those of a group, if it has some
	quantiles []column // that it answers, in the order of the columns
}

// String names the measure in price lists and receipts.
func (m *measure) String() string {
	if m.joint != nil {
		return m.joint.String()
	}
	if m.value == nil {
		return formNames[m.form]
	}
	return m.value.name + " " + formNames[m.form]
}

// noisyName names what noise is added to, in receipts and ledgers.
func (m *measure) noisyName() string {
	if m.drawing != nil {
		return m.String() + endsOf
	}
	return m.String()
}

// parts returns how many sums the measure has in a group, without the tree's.
func (m *measure) parts() int {
	switch m.form {
	case formPair:
		return 2
	case formTriple:
		return 3
	case formRanks:
		return 0
	case formJoint:
		n := 1 + len(m.joint.values)
		if m.joint.centre != nil {
			n++ // the number of units in any group
		}
		return n
	}
	return 1
}

// perUnit reports whether a unit contributes one record to a group, rather than
// one for each row.
func (m *measure) perUnit() bool {
	if m.joint != nil {
		return m.joint.perUnit
	}
	return m.form == formUnits || m.value != nil && m.value.perUnit
}

// records returns how many records a unit has in a group, of so many rows at most.
func (m *measure) records(rows int64) int64 {
	switch {
	case m.form == formDistinct:
		return min(int64(m.value.most), rows)
	case m.perUnit():
		return 1
	}
	return rows
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
		return m.drawing.levels
	case m.form == formRanks:
		return int64(m.shape.Height)
	}
	return 1
}

// partsOf returns what belongs to a measure of the sums of a group, exact or noisy.
func partsOf[T any](m *measure, sums []T) []T { return sums[m.first : m.first+m.parts()] }

// resolution returns how many steps one record of norm 1 is: sums divided by it
// are in records.
func (m *measure) resolution() *big.Rat {
	r := big.NewRat(1, 1)
	if m.form == formPair || m.form == formTriple {
		r.SetInt(m.norm())
	}
	return r
}

// recordSize returns what one record of norm 1 is in the noisy sums.
func (m *measure) recordSize() *big.Rat {
	return new(big.Rat).Mul(m.resolution(), new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), m.shift)))
}
