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

	place
}

// A place says where a measure stands in its plan. All of it is set once, when the
// plan is compiled.
type place struct {
	first     int      // of its sums among those of a group
	list      int      // its histogram among those of a group, if it has one
	input     int      // its value among the inputs of the plan, if it has one
	quantiles []column // that it answers, in the order of the columns
}

// String names the measure in price lists and receipts.
func (m *measure) String() string {
	if m.value == nil {
		return formNames[m.form]
	}
	return m.value.name + " " + formNames[m.form]
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
