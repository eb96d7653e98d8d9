package quantile

import (
	"math"
	"math/bits"
	"slices"
)

// A Ladder divides the cells around drawn quantiles, more coarsely the further
// away: it is where the ends of intervals can be. It is a function of what was
// drawn and of public parameters.
type Ladder struct {
	bounds []int64 // first cells of the rungs; the last is the number of cells
	block  int     // rungs of a block, and 0 where rungs alone are counted
}

// steps of a ladder are octaves: from 2^-finest of the magnitude of the quantile up to
// the bounds, which are at most 2^farthest times the magnitude that is taken. Finer
// steps give shorter intervals only until the noise of more counts makes up for it.
const (
	finest   = 13
	farthest = octaves
)

// From how many rungs on they are counted in blocks as well: that is one more level,
// which costs a half of ε and less where losses add up as squares do, and gives
// shorter sums.
const (
	manyRungs   = 70
	manySquares = 12
)

// MostRungs returns how many rungs ladders for so many ranks have at most.
func MostRungs(base *Base, ranks int) int {
	steps := min(finest+farthest+1, bits.Len64(uint64(base.cells)))
	return int(min(base.cells, int64(1+ranks*2*(1+steps))))
}

// Counted returns on how many levels a record is best counted in such a ladder, where
// losses add up as squares do or not.
func Counted(base *Base, ranks int, squares bool) int64 {
	if rungs := MostRungs(base, ranks); rungs > manyRungs || squares && rungs > manySquares {
		return 2
	}
	return 1
}

// NewLadder returns the ladder of drawn cells, counted on one level or two.
func NewLadder(base *Base, drawn []int64, levels int64) *Ladder {
	bounds := []int64{0, base.cells}
	for _, cell := range drawn {
		bounds = append(bounds, cell, cell+1)
		for _, step := range base.steps(cell) {
			bounds = append(bounds, max(cell-step, 0), min(cell+1+step, base.cells))
		}
	}
	slices.Sort(bounds)
	l := &Ladder{bounds: slices.Compact(bounds)}
	if levels == 2 {
		l.block = int(math.Ceil(math.Sqrt(float64(l.rungs()))))
	}
	return l
}

// steps returns how far the rungs are from a cell.
func (b *Base) steps(cell int64) []int64 {
	magnitude := min(max(b.first+cell, -b.first-cell, b.cells>>farthest, 1), b.cells)
	steps := make([]int64, 0, finest+farthest+1)
	for octave := -finest; ; octave++ {
		step := math.Ldexp(float64(magnitude), octave)
		if step >= float64(b.cells) {
			return steps
		}
		if step >= 1 {
			steps = append(steps, int64(step))
		}
	}
}

func (l *Ladder) rungs() int { return len(l.bounds) - 1 }

// Counts returns the exact records of the rungs, and of the blocks after them.
// A record is counted once in either.
func (l *Ladder) Counts(c *Counts) []int64 {
	counts := make([]int64, l.rungs(), l.rungs()+l.blocks())
	for i := range counts {
		counts[i] = c.below(l.bounds[i+1]) - c.below(l.bounds[i])
	}
	for b := range l.blocks() {
		first, last := l.of(b)
		counts = append(counts, c.below(l.bounds[last])-c.below(l.bounds[first]))
	}
	return counts
}

func (l *Ladder) blocks() int {
	if l.block == 0 {
		return 0
	}
	return (l.rungs() + l.block - 1) / l.block
}

// of returns the rungs of a block.
func (l *Ladder) of(block int) (first, last int) {
	return block * l.block, min((block+1)*l.block, l.rungs())
}

// fit combines noisy counts of rungs and blocks by least squares: what a block
// has beyond its rungs is spread over them and itself alike.
func (l *Ladder) fit(noisy []float64) []float64 {
	rungs := slices.Clone(noisy[:l.rungs()])
	for b := range l.blocks() {
		first, last := l.of(b)
		beyond := noisy[l.rungs()+b]
		for _, n := range rungs[first:last] {
			beyond -= n
		}
		for i := first; i < last; i++ {
			rungs[i] += beyond / float64(last-first+1)
		}
	}
	return rungs
}

// A Reading is a ladder with noisy counts.
type Reading struct {
	ladder *Ladder
	rungs  []float64
}

// Read returns the ladder with noisy counts, in the order of [Ladder.Counts].
func (l *Ladder) Read(noisy []float64) *Reading { return &Reading{l, l.fit(noisy)} }

// A spread is the law of an excess: its variance and fourth cumulant, in those of
// one count's noise.
type spread struct{ square, fourth float64 }

// An Excess is, at every bound of a ladder, the noisy number of records below it
// less a rank's share of all.
type Excess struct {
	ladder  *Ladder
	values  []float64
	spreads []spread
}

// Of returns the excess of a rank.
func (r *Reading) Of(rank Rank) *Excess {
	values, spreads := r.excesses(rank.Share())
	return &Excess{r.ladder, values, spreads}
}

// Interval returns the cells that hold the quantile, but for a small probability.
// reach says how far noise goes, for the sums of squares and of fourth powers of the
// weights of counts in it; half of that probability is beyond it on either side.
//
// The quantile is in the rung before the first bound whose true excess is not
// negative. The lower end is the last bound before the first excess that may be as
// large as 0, and the upper end is likewise the first bound after the last excess
// that may be below 0: so either end fails only if the noise of one excess, which one
// the records say, is beyond its reach.
func (e *Excess) Interval(reach func(squares, fourths float64) float64) (low, high int64) {
	n := e.ladder.rungs()
	far := func(k int) float64 { return reach(e.spreads[k].square, e.spreads[k].fourth) }
	first, last := 1, n-1
	for first < n && e.values[first] <= -far(first) {
		first++
	}
	for last > 0 && e.values[last] >= far(last) {
		last--
	}
	return e.ladder.bounds[first-1], e.ladder.bounds[last+1] - 1
}

// Widest returns the sums of squares and of fourth powers of the weights in the
// noisiest excess of a rank.
func (l *Ladder) Widest(rank Rank) (squares, fourths float64) {
	spreadOf := l.spreads(rank.Share())
	for k := range l.rungs() + 1 {
		if s := spreadOf(k); s.square > squares {
			squares, fourths = s.square, s.fourth
		}
	}
	return squares, fourths
}

// excesses returns the excess at every bound and the law of its noise.
func (r *Reading) excesses(q float64) (excess []float64, spreads []spread) {
	n := r.ladder.rungs()
	all := 0.0
	for _, x := range r.rungs {
		all += x
	}
	before, spreadOf := 0.0, r.ladder.spreads(q)
	excess, spreads = make([]float64, 0, n+1), make([]spread, 0, n+1)
	for k := range n + 1 {
		excess = append(excess, before-q*all)
		spreads = append(spreads, spreadOf(k))
		if k < n {
			before += r.rungs[k]
		}
	}
	return excess, spreads
}

// spreads returns a function that returns the law of the excess at a bound.
func (l *Ladder) spreads(q float64) func(k int) spread {
	if l.block == 0 {
		return func(k int) spread { return alone(1-q, k).plus(alone(q, l.rungs()-k)) }
	}
	below, above := make([]spread, l.blocks()+1), make([]spread, l.blocks()+1)
	for b := range l.blocks() {
		first, last := l.of(b)
		below[b+1] = below[b].plus(mixed(1-q, last-first, 0, 0))
		above[b+1] = above[b].plus(mixed(0, 0, q, last-first))
	}
	return func(k int) spread {
		b := min(k/l.block, l.blocks()-1)
		first, last := l.of(b)
		rest := above[l.blocks()]
		rest.square -= above[b+1].square
		rest.fourth -= above[b+1].fourth
		return below[b].plus(mixed(1-q, k-first, q, last-k)).plus(rest)
	}
}

func (s spread) plus(o spread) spread { return spread{s.square + o.square, s.fourth + o.fourth} }

// alone returns the law of n counts of one weight.
func alone(weight float64, n int) spread {
	w := weight * weight
	return spread{w * float64(n), w * w * float64(n)}
}

// mixed returns the law of a block of which some rungs weigh up and the others
// -down, after the fit.
func mixed(up float64, below int, down float64, above int) spread {
	n := float64(below + above + 1)
	shared := (up*float64(below) - down*float64(above)) / n
	return alone(up-shared, below).plus(alone(-down-shared, above)).plus(alone(shared, 1))
}
