package quantile

import (
	"math"
	"sort"

	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/sample"
)

// A view is one problem during its draw: the records between two positions, and
// the share a/b of them that shall be below what is drawn.
//
// A position is a cell and a part of it, in units of 2^-parts; the records of a
// cell are spread evenly over its parts. A weight is in such parts of a record. A
// candidate is a part, where the records are split at it, or a cell, where
// nothing is drawn inside.
type view struct {
	*problem
	counts *Counts
	base   *Base
	parts  uint  // of a cell, as a power of two
	lo, hi int64 // positions
	before int64 // weight before lo
	all    int64 // weight between lo and hi
}

// segmentsOf returns the runs as the sampler takes them.
func (c *Counts) segmentsOf(runs []run) []sample.Segment {
	c.segments = c.segments[:0]
	for _, run := range runs {
		c.segments = append(c.segments, sample.Segment{Length: run.length, Cost: run.cost})
	}
	return c.segments
}

func newView(p *problem, c *Counts, b *Base, parts uint, lo, hi int64) *view {
	v := &view{problem: p, counts: c, base: b, parts: parts, lo: lo, hi: hi}
	v.before = v.weight(lo)
	v.all = v.weight(hi) - v.before
	return v
}

// weight returns the weight before a position.
func (v *view) weight(position int64) int64 {
	return v.weightAt(position, v.counts.index(position>>v.parts))
}

// weightAt is weight for a position whose cell has the index i.
func (v *view) weightAt(position int64, i int) int64 {
	w := v.counts.prefix[i] << v.parts
	if part := position & (1<<v.parts - 1); part > 0 && v.counts.holds(i, position>>v.parts) {
		w += part * v.counts.count(i)
	}
	return w
}

// scale is how far a candidate is from the next, as a power of two of positions.
func (v *view) scale() uint {
	if v.splits() {
		return 0
	}
	return v.parts
}

// first and last return the ends of the candidates.
func (v *view) first() int64 { return v.lo >> v.scale() }
func (v *view) last() int64  { return (v.hi - 1) >> v.scale() }

// index returns the index of a candidate's cell.
func (v *view) index(x int64) int { return v.counts.index(v.cell(x)) }

func (v *view) cell(x int64) int64 { return x << v.scale() >> v.parts }

// cost returns how far a candidate is from the share that is asked for, times b:
// |weight before it - a/b of all| where the records are split, and the distance
// of a/b of all from the weights before and after it where they are not.
func (v *view) cost(x int64) int64 { return v.costAt(x, v.index(x)) }

// costAt is cost for a candidate whose cell has the index i.
func (v *view) costAt(x int64, i int) int64 {
	start := max(x<<v.scale(), v.lo)
	before := v.weightAt(start, i) - v.before
	after := before
	if !v.splits() && v.counts.holds(i, x) {
		after += (min((x+1)<<v.parts, v.hi) - start) * v.counts.count(i)
	}
	return max(v.excess(before), -v.excess(after), 0)
}

// excess returns b·weight - a·all, but no more than ±2^62: costs that large are
// all alike. Cutting moves no two costs further apart.
func (v *view) excess(weight int64) int64 {
	return min(max(exact.Mul(v.b, weight).Sub(exact.Mul(v.a, v.all)).Clamp(), -1<<62), 1<<62)
}

// nearest returns the first candidate by which the share has come, or one past
// the last.
func (v *view) nearest() int64 {
	want := mulQuoUp(v.all, v.a, v.b)
	if want <= 0 {
		return v.first()
	}
	i := sort.Search(len(v.counts.cells), func(i int) bool {
		end := min(max((v.counts.cells[i]+1)<<v.parts, v.lo), v.hi)
		return v.weight(end)-v.before >= want
	})
	start := max(v.counts.cells[i]<<v.parts, v.lo)
	if !v.splits() {
		return v.counts.cells[i]
	}
	missing := want - (v.weight(start) - v.before)
	return min(start+(missing+v.counts.count(i)-1)/v.counts.count(i), v.last()+1)
}

// A run is a range of candidates that cost at least so much.
type run struct {
	from, to int64
	start    uint64 // measure of the candidates before
	length   uint64 // measure
	cost     int64
}

// runs divides the candidates. Near the share that is asked for they are divided
// so finely that the candidates of a run cost nearly or exactly the same; what is
// far, and hardly ever drawn, is one run on either side. How they are divided
// decides the time of a draw, and not its law.
func (v *view) runs() []run {
	at := v.nearest()
	w := &walk{view: v, runs: v.counts.runs[:0], least: v.cost(min(at, v.last()))}
	if at > v.first() {
		w.least = min(w.least, v.cost(at-1))
	}
	w.up(at)
	w.down(at)
	v.counts.runs = w.runs
	return w.runs
}

// A walk goes from the nearest candidate to both ends.
type walk struct {
	*view
	runs   []run
	least  int64
	weight float64 // of the runs, less than it or little more
}

// negligible is how much less likely than all runs so far the rest must be to be
// left as one run.
const negligible = 1.0 / 32

func (w *walk) up(x int64) {
	end := w.last() + 1
	if x == end {
		return
	}
	from, all := w.measure(x), w.measure(end)
	for i := w.index(x); x < end; {
		cost := w.costAt(x, i)
		fade := w.fade(cost)
		to, next := end, i
		if !w.far(all-from, fade) {
			to, next = w.next(x, i, end)
		}
		until := w.measure(to)
		w.add(run{from: x, to: to, start: from, length: until - from, cost: cost}, fade)
		x, i, from = to, next, until
	}
}

func (w *walk) down(x int64) {
	start := w.first()
	if x == start {
		return
	}
	until, all := w.measure(x), w.measure(start)
	for i := w.index(x - 1); x > start; {
		cost := w.costAt(x-1, i)
		fade := w.fade(cost)
		from, next := start, i
		if !w.far(until-all, fade) {
			from, next = w.previous(x, i, start)
		}
		before := w.measure(from)
		w.add(run{from: from, to: x, start: before, length: until - before, cost: cost}, fade)
		x, i, until = from, next, before
	}
}

// far reports whether candidates of so much measure, each so likely, hardly matter.
func (w *walk) far(measure uint64, fade float64) bool {
	return w.weight > 0 && float64(measure)*fade < negligible*w.weight
}

// fade is how likely a candidate is, beside one of the least cost.
func (w *walk) fade(cost int64) float64 { return math.Exp(-w.rate * float64(cost-w.least)) }

func (w *walk) add(r run, fade float64) {
	w.runs = append(w.runs, r)
	w.weight += float64(r.length) * fade
}

// next returns the end of the run that starts with a candidate of index i, and
// the index of what comes after.
func (w *walk) next(x int64, i int, end int64) (to int64, index int) {
	if !w.counts.holds(i, w.cell(x)) {
		if i == len(w.counts.cells) {
			return end, i
		}
		return min(w.counts.cells[i]<<w.parts>>w.scale(), end), i
	}
	after := (w.cell(x) + 1) << w.parts >> w.scale()
	if to = min(x+w.stride(i), after, end); to == after {
		i++
	}
	return to, i
}

// previous returns the start of the run that ends before x, whose last
// candidate has the index i, and the index of what comes before.
func (w *walk) previous(x int64, i int, start int64) (from int64, index int) {
	if !w.counts.holds(i, w.cell(x-1)) {
		if i == 0 {
			return start, i
		}
		return max((w.counts.cells[i-1]+1)<<w.parts>>w.scale(), start), i - 1
	}
	first := w.cell(x-1) << w.parts >> w.scale()
	if from = max(x-w.stride(i), first, start); from == first && !w.counts.holds(i-1, w.cell(x-1)-1) {
		return from, i
	} else if from == first {
		i--
	}
	return from, i
}

// stride returns how many candidates of an occupied cell cost so nearly the same
// that they can be one run.
func (v *view) stride(i int) int64 {
	if !v.splits() {
		return 1
	}
	return max(v.step/v.b/v.counts.count(i), 1)
}

// measure returns the base measure of the candidates before one.
func (v *view) measure(x int64) uint64 {
	if !v.splits() {
		return v.base.before(x)
	}
	cell, part := x>>v.parts, uint64(x&(1<<v.parts-1))
	before := v.base.before(cell)
	each := v.base.before(cell+1) - before
	return before<<v.parts + part*each
}

// candidate returns the candidate at a place of the measure.
func (v *view) candidate(place uint64) int64 {
	if !v.splits() {
		cell, _, _ := v.base.at(place)
		return cell
	}
	cell, into, each := v.base.at(place >> v.parts)
	rest := into<<v.parts | place&(1<<v.parts-1)
	return cell<<v.parts + int64(rest/each)
}
