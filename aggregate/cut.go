package aggregate

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/grid"
)

// Cut returns a value that tells what the bounds of v cut: it is 1 where they do and 0
// where they do not, of rows or of a unit's sum in a group, as v is. Its Sum is how many were cut, its
// Mean which share of them. It is a value like any other: it is asked for, and paid for with noise, and no
// number of v is less private for it. It is named after the bounds, as in "amount beyond [0, 300]".
//
// What is beyond a bound by less than half of v's Step is not cut, as it is rounded to the
// bound, nor by less than half of a part in 2^31 of the bounds where no Step is given. NaN in a row is cut;
// in a sum it adds nothing. Of a uint64, what an int64 cannot hold counts as the largest that it can.
//
// Beside counts and sums of such records its Sum is one more number of their vector, and makes
// all of them a little noisier; beside other columns it has a share of its own, which a small
// weight by [Weighted] keeps small. [Plan.Prices] says what it costs the others.
func (v *Value[T]) Cut() *Value[int64] { return &Value[int64]{query: v.query, value: v.value.cut} }

// A beyond says what is beyond the bounds of a value: all that is beyond the first and the last
// point but one of a grid that reaches a step further than the bounds.
type beyond struct {
	of     *value
	around *grid.Grid
}

// newCut returns the value that tells what the bounds of v cut. Its functions are those of v.
func newCut[T dp.Number, Row any](v *value, of func(Row) T) *value {
	cut := &value{
		name: fmt.Sprintf("%s beyond [%v, %v]", v.name, decimal(v.lower), decimal(v.upper)), perUnit: v.perUnit, integer: true, bits: 64,
		lower: new(big.Rat), upper: big.NewRat(1, 1), beyond: &beyond{v, v.gridAround()},
	}
	cut.cut = &value{name: cut.name, err: errors.New("aggregate: the bounds of a Cut cut nothing; ask for the Cut of the value itself")}
	cut.bind = func(g *grid.Grid) any {
		read := bind(of, cut.around, v.perUnit)
		if v.perUnit {
			return read
		}
		return func(r Row) int64 { return g.Int(cut.isCut(read(r))) }
	}
	return cut
}

// gridAround returns the grid of a Cut: of the value's own step, or of the finest that a plan
// takes, if there is room for it.
func (v *value) gridAround() *grid.Grid {
	step := v.asked
	if step == nil {
		step = powerOf(2, v.finestStep())
	}
	for {
		if g := grid.New(new(big.Rat).Sub(v.lower, step), new(big.Rat).Add(v.upper, step), step); g != nil {
			return g
		}
		step = new(big.Rat).Add(step, step)
	}
}

// isCut returns 1 if a point of the grid around the bounds is beyond them, and 0 if not.
func (c *beyond) isCut(point int64) int64 {
	if least, most := c.around.Range(); point == least || point == most {
		return 1
	}
	return 0
}

// describe says in a question what is cut, and nothing of a value that is no Cut.
func (c *beyond) describe() string {
	if c == nil {
		return ""
	}
	return fmt.Sprintf("cut %q %t %v %v %v\n", c.of.name, c.of.integer, c.around.Lower, c.around.Step, c.around.Cells)
}

// summed returns what a unit's amounts are added up as: of a Cut, the value that is cut.
func (in input) summed() input {
	if in.beyond == nil {
		return in
	}
	return input{in.of, in.around}
}

// leavesOut says what a column and its interval, which is of noise alone, know nothing of: what
// bounds and caps cut off. It is empty where they can cut off nothing.
func (c *compiled) leavesOut(of column) string {
	var parts []string
	for _, in := range c.inputs {
		if in.value == of.value && in.most > 0 && in.most < c.maxRows {
			parts = append(parts, fmt.Sprintf("values of a %s in a group beyond %d", c.unitName, in.most))
		} else if in.value == of.value && in.beyond == nil && in.most == 0 {
			parts = append(parts, fmt.Sprintf("what is beyond [%s, %s] per %s", decimal(in.lower), decimal(in.upper), in.per()))
		}
	}
	if c.given == nil || c.maxGroups < len(c.given) {
		parts = append(parts, "groups of a "+c.unitName+" beyond "+strconv.Itoa(c.maxGroups))
	}
	if of.kind != kindUnits && c.maxRows < math.MaxInt {
		parts = append(parts, "rows of a "+c.unitName+" in a group beyond "+strconv.Itoa(c.maxRows))
	}
	return strings.Join(parts, "; ")
}
