package quantile

import (
	"errors"
	"math/big"
	"math/bits"
	"slices"
)

// parts is how finely the records of a cell can be divided, as a power of two.
const parts = 16

// A Plan draws some ranks. It is public and immutable.
type Plan struct {
	base  *Base
	roots []*problem
	n     int
	parts uint
}

// Levels returns how many levels of draws so many ranks take: every record has
// a part in one draw on each of them. Two ranks are drawn each by itself, which
// takes as many levels as one inside the other and splits no records.
func Levels(ranks int) int { return bits.Len(uint(ranks)) }

// NewPlan returns the plan for sorted distinct ranks. Each level of draws has
// bounded range epsilon if a unit has at most so many records.
func NewPlan(base *Base, ranks []Rank, epsilon *big.Rat, records int64) (*Plan, error) {
	p := &Plan{base: base, n: len(ranks), parts: parts}
	return p, p.build(ranks, epsilon, records)
}

func (p *Plan) build(ranks []Rank, epsilon *big.Rat, records int64) error {
	if len(ranks) == 0 || epsilon.Sign() <= 0 || records < 1 {
		return errors.New("quantile: internal error: a plan of no ranks, for no loss, or for units without records")
	}
	for i, r := range ranks {
		if r <= 0 || r >= whole || i > 0 && r <= ranks[i-1] {
			return errors.New("quantile: internal error: ranks are not in order")
		}
	}
	var errs []error
	var between func(from, to int, low, high Rank) *problem
	between = func(from, to int, low, high Rank) *problem {
		if from == to {
			return nil
		}
		mid := (from + to) / 2
		q := &problem{index: mid, a: int64(ranks[mid] - low), b: int64(high - low)}
		q.left, q.right = between(from, mid, low, ranks[mid]), between(mid+1, to, ranks[mid], high)
		errs = append(errs, q.calibrate(epsilon, records, p.parts))
		return q
	}
	if len(ranks) == 2 {
		p.roots = []*problem{between(0, 1, 0, whole), between(1, 2, 0, whole)}
	} else {
		p.roots = []*problem{between(0, len(ranks), 0, whole)}
	}
	return errors.Join(errs...)
}

// Range returns by how much one record can move the costs of a rank against each
// other, in records: a draw is off by a two-sided exponential amount of that over
// the range it may have, where values are spread evenly.
func (p *Plan) Range(rank Rank) float64 {
	for _, q := range p.roots {
		for low := Rank(0); q != nil; {
			at := low + Rank(q.a)
			if at == rank {
				return 2 * float64(max(q.a, q.b-q.a)) / float64(q.b)
			}
			if at < rank {
				low, q = at, q.right
			} else {
				q = q.left
			}
		}
	}
	return 2
}

// Draw draws a cell for each rank, in their order: a higher rank never has a
// lower cell.
func (p *Plan) Draw(r Random, c *Counts) []int64 {
	cells := make([]int64, p.n)
	for _, root := range p.roots {
		p.solve(r, c, root, 0, p.base.cells<<p.parts, cells)
	}
	slices.Sort(cells)
	return cells
}

// Exact returns what would be drawn without noise.
func Exact(c *Counts, ranks []Rank) []int64 {
	cells := make([]int64, len(ranks))
	for i, r := range ranks {
		cells[i] = c.exact(r)
	}
	return cells
}

// solve draws the rank of a problem, and then those below and above it among
// the records below and above what was drawn.
func (p *Plan) solve(r Random, c *Counts, q *problem, lo, hi int64, cells []int64) {
	if q == nil {
		return
	}
	at := lo
	if lo < hi {
		v := newView(q, c, p.base, p.parts, lo, hi)
		at = v.draw(r) << v.scale()
	}
	cells[q.index] = min(at>>p.parts, p.base.cells-1)
	p.solve(r, c, q.left, lo, at, cells)
	p.solve(r, c, q.right, at, hi, cells)
}
