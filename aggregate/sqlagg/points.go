package sqlagg

import (
	"fmt"
	"math"
	"math/big"

	"github.com/equipoise-dp/equipoise/internal/engine"
	"github.com/equipoise-dp/equipoise/internal/grid"
)

// A gauge is a value as the statement puts it on its grid. Everything that does not depend on rows is
// worked out here, so that the database compares before it calculates and nothing overflows.
type gauge struct {
	d *Dialect
	engine.Value[Row]
	i           int // of the value: its columns are x0, p0 and so on
	least, most int64

	// Of integers: those beyond low and high are at the ends, and base is the lower end of the grid.
	low, high, base int64

	// Of floats: at and below under all are at the lower end, at and above over at the upper one, and nearer
	// to 0 than small at the point of 0.
	under, over, small float64
	zero               int64
	perStep            float64
	exact              bool
}

// newGauge returns a gauge, or why there is none.
func newGauge(d *Dialect, v engine.Value[Row], i int, maxRows int) (gauge, error) {
	g := gauge{d: d, Value: v, i: i}
	g.least, g.most = v.Grid.Range()
	records := big.NewInt(int64(maxRows))
	if v.PerUnit {
		records.SetInt64(1)
	}
	sum := new(big.Int).Mul(records, big.NewInt(v.Grid.Cells))
	if v.Squares {
		sum.Mul(sum, big.NewInt(v.Grid.Cells))
	}
	if (v.Sums || v.Squares) && sum.BitLen() > 61 {
		return g, fmt.Errorf("value %q: the sums of one unit may need more than 61 bits; use a coarser step or a smaller MaxRowsPerGroup", v.Name)
	}
	if v.Integer {
		return g, g.integers()
	}
	g.floats()
	return g, nil
}

// widest bounds integers, and their distances, so that none overflows.
const widest = 1 << 61

func (g *gauge) integers() error {
	shift := g.Grid.Shift()
	inside := func(steps int64) bool { return steps >= -widest>>shift && steps <= widest>>shift }
	first := g.Grid.First()
	if !inside(first) || !inside(first+g.Grid.Cells) {
		return fmt.Errorf("value %q: its bounds are beyond ±2^61", g.Name)
	}
	g.base = first << shift
	g.low, g.high = (first+g.least)<<shift, (first+g.most)<<shift
	return nil
}

func (g *gauge) floats() {
	g.perStep, g.exact = g.Grid.PerStep()
	g.under, g.over = end(g.Grid, g.least, math.Inf(-1)), end(g.Grid, g.most, math.Inf(1))
	step, _ := g.Grid.Step.Float64()
	g.small, g.zero = step/4, g.Grid.Float(0)
}

// end returns a float from which on, in a direction, all have the point of an end.
func end(g *grid.Grid, point int64, towards float64) float64 {
	x, _ := g.Value(new(big.Rat).SetInt64(point)).Float64()
	for g.Float(x) != point {
		x = math.Nextafter(x, towards)
	}
	return x
}

// col returns the name of a column of the value.
func (g *gauge) col(letter string) string { return fmt.Sprintf("%s%d", letter, g.i) }

// within puts an integer between two others.
func (g *gauge) within(x string, low, high int64) string {
	return two(g.d.least, two(g.d.most, x, integer(low)), integer(high))
}

// wholePoint is the point of an integer that is not NULL. It is clamped before anything is subtracted, and
// then not negative, so that division rounds down in every database.
func (g *gauge) wholePoint(x string) string {
	steps := fmt.Sprintf("(%s - %s)", g.within(x, g.low, g.high), integer(g.base))
	if shift := g.Grid.Shift(); shift > 0 {
		return "(" + g.d.divide(fmt.Sprintf("(%s + %s)", steps, integer(1<<(shift-1))), integer(1<<shift)) + ")"
	}
	return steps
}

// missing says that a float is NULL or NaN: that comes first, since to PostgreSQL NaN is above all numbers.
func (g *gauge) missing(x string) string {
	if g.d.isNaN == nil {
		return x + " IS NULL"
	}
	return x + " IS NULL OR " + g.d.isNaN(x)
}

// steps is a float in steps, where it is between the ends and not next to 0, and else NULL. So
// the product neither overflows nor underflows, which is an error in PostgreSQL.
func (g *gauge) steps() string {
	x, n := g.col("x"), g.d.number
	return fmt.Sprintf("CASE WHEN %s THEN NULL WHEN %s <= %s OR %s >= %s THEN NULL WHEN abs(%s) < %s THEN NULL ELSE %s * %s END",
		g.missing(x), x, n(g.under), x, n(g.over), x, n(g.small), x, n(g.perStep))
}

// rounded is the nearest point of a number of steps, whose floor is there: halves go up. Functions that round
// do it in other ways in some databases.
func (g *gauge) rounded() string {
	y, f := g.col("y"), g.col("f")
	steps := fmt.Sprintf("%s + CASE WHEN %s - %s >= %s THEN 1 ELSE 0 END - %s", f, y, f, g.d.number(0.5), integer(g.Grid.First()))
	return g.within(steps, g.least, g.most)
}

// rowPoint is the point of a row.
func (g *gauge) rowPoint() string {
	x, n := g.col("x"), g.d.number
	if g.Integer {
		return g.wholePoint("coalesce(" + x + ", 0)")
	}
	return fmt.Sprintf("CASE WHEN %s THEN %s WHEN %s <= %s THEN %s WHEN %s >= %s THEN %s WHEN %s IS NULL THEN %s ELSE %s END",
		g.missing(x), integer(g.least), x, n(g.under), integer(g.least), x, n(g.over), integer(g.most), g.col("y"), integer(g.zero), g.rounded())
}

// near is how near to a half, as a share of a number of steps, a float is too near to say where
// it is rounded to: internal/grid says the same.
const near = 0x1p-50

// rowUnsure says when the point of a row is not certain.
func (g *gauge) rowUnsure() string {
	y, f, n := g.col("y"), g.col("f"), g.d.number
	return fmt.Sprintf("%s IS NOT NULL AND abs(%s - %s - %s) <= abs(%s) * %s", y, y, f, n(0.5), y, n(near))
}

// Floats that are added up per unit are between these, or 0, so that no sum of them overflows, and
// nothing that errors are calculated from underflows. A unit with others is not decided.
const (
	leastTerm = 1e-250
	mostTerm  = 1e290
)

// term is what a row adds to the sum of its unit.
func (g *gauge) term() string {
	x, n := g.col("x"), g.d.number
	return fmt.Sprintf("CASE WHEN %s THEN %s WHEN abs(%s) >= %s OR abs(%s) < %s THEN %s ELSE %s END", g.missing(x), n(0), x, n(mostTerm), x, n(leastTerm), n(0), x)
}

// termUnsure says when a row cannot be added.
func (g *gauge) termUnsure() string {
	x, n := g.col("x"), g.d.number
	missing := "NOT (" + g.missing(x) + ")"
	return fmt.Sprintf("%s AND (abs(%s) >= %s OR abs(%s) < %s AND %s <> %s)", missing, x, n(mostTerm), x, n(leastTerm), x, n(0))
}

// sumError bounds how far the sum of a unit, in floats and in any order, is from the exact one. It is
// eight times what it must be, so that roundings of itself do not matter, and more than 0.
func (g *gauge) sumError() string {
	n := g.d.number
	return fmt.Sprintf("%s(%s * (%s + %s) * %s, %s)", g.d.most, n(0x1p-50), g.d.cast(double, "n"), n(8), g.col("a"), n(g.small*0x1p-60))
}

// beyond says that the sum of a unit is surely above the upper end, or below the lower one.
func (g *gauge) beyond() (above, below string) {
	return fmt.Sprintf("%s - %s >= %s", g.col("t"), g.col("e"), g.d.number(g.over)), fmt.Sprintf("%s + %s <= %s", g.col("t"), g.col("e"), g.d.number(g.under))
}

// hopeless says that a sum is less certain than the bounds are wide.
func (g *gauge) hopeless() string { return g.col("e") + " >= " + g.d.number(g.over-g.under) }

// sumSteps is the sum of a unit in steps, where it is between the ends and not next to 0.
func (g *gauge) sumSteps() string {
	above, below := g.beyond()
	return fmt.Sprintf("CASE WHEN %s OR %s OR %s OR abs(%s) < %s THEN NULL ELSE %s * %s END",
		above, below, g.hopeless(), g.col("t"), g.d.number(g.small), g.col("t"), g.d.number(g.perStep))
}

// unitPoint is the point of the sum of a unit.
func (g *gauge) unitPoint() string {
	if g.Integer {
		return g.wholePoint(g.col("t"))
	}
	above, below := g.beyond()
	return fmt.Sprintf("CASE WHEN %s THEN %s WHEN %s THEN %s WHEN %s IS NULL THEN %s ELSE %s END",
		above, integer(g.most), below, integer(g.least), g.col("y"), integer(g.zero), g.rounded())
}

// unitUnsure says when that point is not certain.
func (g *gauge) unitUnsure() string {
	above, below := g.beyond()
	y, f, e, n := g.col("y"), g.col("f"), g.col("e"), g.d.number
	return fmt.Sprintf("CASE WHEN %s OR %s THEN 0 WHEN %s THEN 1 WHEN %s IS NULL THEN CASE WHEN %s >= %s THEN 1 ELSE 0 END WHEN abs(%s - %s - %s) <= %s * %s + abs(%s) * %s THEN 1 ELSE 0 END",
		above, below, g.hopeless(), y, e, n(g.small), y, f, n(0.5), e, n(g.perStep), y, n(near))
}
