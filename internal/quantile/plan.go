package quantile

import (
	"errors"
	"math"
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

	scales []float64 // of the ranks
}

// Levels returns how many levels of draws so many ranks take: every record has
// a part in one draw on each of them. Two ranks are drawn each by itself, which
// takes as many levels as one inside the other and splits no records.
func Levels(ranks int) int { return bits.Len(uint(ranks)) }

// Shares returns how a loss is best divided among the levels: evenly, or so that two
// ranks that are each drawn by itself are off by equally many records. That is in
// proportion to their ranges where shares are of ε, and to their squares where shares
// are of what adds up as ε² does.
func Shares(ranks []Rank, squares bool) []*big.Rat {
	if len(ranks) == 2 {
		a, b := int64(max(ranks[0], whole-ranks[0])), int64(max(ranks[1], whole-ranks[1]))
		if squares {
			a, b = a*a, b*b
		}
		return []*big.Rat{big.NewRat(a, a+b), big.NewRat(b, a+b)}
	}
	shares := make([]*big.Rat, Levels(len(ranks)))
	for i := range shares {
		shares[i] = big.NewRat(1, int64(len(shares)))
	}
	return shares
}

// NewPlan returns the plan for sorted distinct ranks. Each level of draws has
// the bounded range that is given for it, if a unit has at most so many records.
func NewPlan(base *Base, ranks []Rank, epsilons []*big.Rat, records int64) (*Plan, error) {
	p := &Plan{base: base, n: len(ranks), parts: parts}
	return p, p.build(ranks, epsilons, records)
}

func (p *Plan) build(ranks []Rank, epsilons []*big.Rat, records int64) error {
	if err := checkPlan(ranks, epsilons, records); err != nil {
		return err
	}
	var errs []error
	var between func(level, from, to int, low, high Rank) *problem
	between = func(level, from, to int, low, high Rank) *problem {
		if from == to {
			return nil
		}
		mid := (from + to) / 2
		q := &problem{index: mid, a: int64(ranks[mid] - low), b: int64(high - low)}
		q.left, q.right = between(level+1, from, mid, low, ranks[mid]), between(level+1, mid+1, to, ranks[mid], high)
		errs = append(errs, q.calibrate(epsilons[level], records, p.parts))
		p.scales[mid] = 1 / (q.rate * float64(q.b) * math.Ldexp(1, int(p.parts)))
		return q
	}
	p.scales = make([]float64, len(ranks))
	if len(ranks) == 2 {
		p.roots = []*problem{between(0, 0, 1, 0, whole), between(1, 1, 2, 0, whole)}
	} else {
		p.roots = []*problem{between(0, 0, len(ranks), 0, whole)}
	}
	return errors.Join(errs...)
}

func checkPlan(ranks []Rank, epsilons []*big.Rat, records int64) error {
	if len(ranks) == 0 || len(epsilons) != Levels(len(ranks)) || records < 1 {
		return errors.New("quantile: internal error: a plan of no ranks, without a loss for each level, or for units without records")
	}
	for _, e := range epsilons {
		if e.Sign() <= 0 {
			return errors.New("quantile: internal error: a level without loss")
		}
	}
	for i, r := range ranks {
		if r <= 0 || r >= whole || i > 0 && r <= ranks[i-1] {
			return errors.New("quantile: internal error: ranks are not in order")
		}
	}
	return nil
}

// Scale returns the scale of the two-sided exponential amount, in records, by which
// the i-th rank is off where values are spread evenly.
func (p *Plan) Scale(i int) float64 { return p.scales[i] }

// Draw draws a cell for each rank, in their order: a higher rank never has a
// lower cell.
func (p *Plan) Draw(r Random, c *Counts) []int64 { return p.DrawNear(r, c, nil) }

// DrawNear is Draw with a base for each rank, which may depend on what was drawn
// before; or with the plan's where there is none.
func (p *Plan) DrawNear(r Random, c *Counts, bases []*Base) []int64 {
	cells := make([]int64, p.n)
	d := &draws{plan: p, random: r, counts: c, bases: bases, cells: cells}
	for _, root := range p.roots {
		d.solve(root, 0, p.base.cells<<p.parts)
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

// draws are the ranks of one group while they are drawn.
type draws struct {
	plan   *Plan
	random Random
	counts *Counts
	bases  []*Base
	cells  []int64
}

func (d *draws) base(q *problem) *Base {
	if d.bases == nil {
		return d.plan.base
	}
	return d.bases[q.index]
}

// solve draws the rank of a problem, and then those below and above it among
// the records below and above what was drawn.
func (d *draws) solve(q *problem, lo, hi int64) {
	if q == nil {
		return
	}
	at := lo
	if lo < hi {
		v := newView(q, d.counts, d.base(q), d.plan.parts, lo, hi)
		at = v.draw(d.random) << v.scale()
	}
	d.cells[q.index] = min(at>>d.plan.parts, d.plan.base.cells-1)
	d.solve(q.left, lo, at)
	d.solve(q.right, at, hi)
}
