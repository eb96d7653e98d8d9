// Package engine is the seam between a plan and an engine that reads rows elsewhere, such
// as a database: what the engine must know of the plan, which is public, and where it puts
// what it found. It is internal, and the plan checks what it is given, so no program can
// forge a Partial. Engines bound and add up; they draw no noise, and they do not pay.
package engine

import (
	"context"

	"github.com/equipoise-dp/equipoise/internal/grid"
)

// A View is what an engine sees of a plan.
type View[Row any, Unit, Group comparable] struct {
	MaxGroups, MaxRows int // caps of a unit
	Unit               func(Row) Unit
	Group              func(Row) Group // nil: there is one group
	Given              []Group         // nil: groups are selected
	Values             []Value[Row]
	People             bool     // whether the number of units in any group is needed
	Not                []string // why no engine can collect for this plan, if none can

	Begin func(context.Context) Sums[Group]

	Fingerprint string
	Earlier     any // the *View of the same question with the noise of an earlier version, or nil

	// Shards returns what collects rows in other processes than read them, by a secret and in so many shards,
	// or why this plan cannot.
	Shards func(secret string, of int) (Shards[Row], error)
}

// A Value says how numbers get on their grid, and what is needed of them.
type Value[Row any] struct {
	Name     string
	Integer  bool
	PerUnit  bool
	Grid     *grid.Grid
	Read     func(Row) int64 // the point of a row or, per unit, the amount: an integer, or the bits of a float
	Distinct bool            // whether distinct values are counted, which no engine can do
	Sums     bool            // of points
	Squares  bool            // and of their squares
	Points   bool            // how often each is there
}

// A Total is what some rows, or units, add up to in a group: their points, and the squares of these.
type Total struct{ Points, Squares Wide }

// A Wide is High·2^31 + Low. Databases add up each half without an overflow.
type Wide struct{ High, Low int64 }

// Sums take what an engine found. They return an error if no rows can be so, which is a
// mistake of the engine.
type Sums[Group comparable] interface {
	// Total adds units to a group, with so many rows. Of each value there is a total of
	// the rows or of the units; where no sums are needed it is not read.
	Total(g Group, rows, units int64, of []Total) error

	// Points adds a point of a value to a group, so often.
	Points(g Group, value int, point, times int64) error

	// Unit adds what one unit has in a group, as its rows are read: for what an engine could not
	// decide. Points are added by it, and not by Points.
	Unit(g Group, rows int, values []int64) error

	// Partial ends, with the number of units in any group, and returns a *aggregate.Partial[Group].
	Partial(people int64) (any, error)
}

// ViewOf returns the *View of an *aggregate.Plan of the same types. Package aggregate sets it.
var ViewOf func(plan any) any
