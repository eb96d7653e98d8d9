package aggregate

import (
	"fmt"
	"math"
	"math/big"
	"slices"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/calibrate"
	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/quantile"
)

// A drawing is how a measure draws few ranks: each by the exponential mechanism,
// and the ends of intervals, if they are asked for, from noisy counts around what
// was drawn. Proofs: docs/proofs/quantiles-drawn.md.
type drawing struct {
	plan  *quantile.Plan
	base  *quantile.Base
	ranks []quantile.Rank // sorted, each once
	width int64           // points of a cell
	event dp.Event        // of the draws; the noise for intervals is the measure's
}

// asked are the ranks that are asked of a value.
type asked struct {
	ranks []quantile.Rank // sorted, each once
	ends  bool            // some of them with intervals
}

// ranksAsked returns the ranks that are asked of every value.
func ranksAsked(columns []column) map[*value]asked {
	all := make(map[*value]asked)
	for _, c := range columns {
		if c.kind == kindQuantile {
			a := all[c.value]
			a.ranks = append(a.ranks, quantile.NewRank(c.rank))
			a.ends = a.ends || !c.bare
			all[c.value] = a
		}
	}
	for v, a := range all {
		slices.Sort(a.ranks)
		a.ranks = slices.Compact(a.ranks)
		all[v] = a
	}
	return all
}

// From how many ranks on a tree of noisy counts is more accurate than draws, on
// data of six kinds. With intervals a tree has no more to pay, and draws have; on
// values with ties a tree whose leaves are the values finds the value itself.
const (
	mostDrawn         = 32
	mostDrawnGranular = 8
	mostDrawnWithEnds = 4
)

// draws reports whether the ranks of a value are drawn, and why, or why not.
func (q question) draws(v *value) (yes bool, why string) {
	a, most, because := q.ranks[v], mostDrawn, "they are few"
	switch {
	case q.trees:
		return false, ""
	case a.ends:
		most, because = mostDrawnWithEnds, "they are few, also with intervals"
	case v.granular():
		most, because = mostDrawnGranular, "they are few, also for a value of few steps"
	}
	if len(a.ranks) <= most {
		return true, fmt.Sprintf("drawn one by one, as %s (%d of at most %d)", because, len(a.ranks), most)
	}
	return false, fmt.Sprintf("a tree of noisy counts, as %d ranks are more than %d: each of them costs nothing more", len(a.ranks), most)
}

// drawShare returns the part of the share of a measure of ranks that its draws
// get: all of it, or half if the ends of intervals are to be paid as well.
func (q question) drawShare(w want) *big.Rat {
	share := q.share(w)
	if q.ranks[w.value].ends {
		share.Quo(share, big.NewRat(2, 1))
	}
	return share
}

// drawn returns the wants that are drawn.
func (q question) drawn() []want {
	var all []want
	for _, w := range q.wants {
		if w.form != formRanks {
			continue
		}
		if yes, _ := q.draws(w.value); yes {
			all = append(all, w)
		}
	}
	return all
}

// times returns how many mechanisms of bounded range a unit takes part in: one for
// each level and group.
func (q question) times(w want) *big.Int {
	return new(big.Int).Mul(big.NewInt(q.l0), big.NewInt(int64(quantile.Levels(len(q.ranks[w.value].ranks)))))
}

// newDrawing calibrates the draws of a measure. A draw of bounded range ε is
// ε-private, and ε²/8-zCDP, which is what Gaussian noise with (L2/σ)² = ε²/4 is.
func (q question) newDrawing(m *measure, w want, f core.Family, scale func(share *big.Rat, c calibrate.Change) *big.Rat) (*drawing, error) {
	a, times := q.ranks[w.value], q.times(w)
	if !times.IsInt64() || times.Int64() > math.MaxInt32 {
		return nil, fmt.Errorf("aggregate: %v takes %v draws for a unit, must be below 2^31; use smaller caps", m, times)
	}
	epsilon := new(big.Rat).Inv(scale(q.drawShare(w), calibrate.Change{L0: times, LInf: big.NewInt(1)}))
	if f == core.Gaussian {
		epsilon.Add(epsilon, epsilon)
	}
	points := m.grid.Cells + 1
	d := &drawing{ranks: a.ranks, width: (points-1)/quantile.MaxCells + 1}
	first := m.grid.First()
	if d.width > 1 {
		first = first / d.width
	}
	d.base = quantile.NewBase(first, (points-1)/d.width+1)
	plan, err := quantile.NewPlan(d.base, a.ranks, epsilon, q.records(m).Int64())
	if err != nil {
		return nil, fmt.Errorf("aggregate: %v: %w", m, err)
	}
	d.plan = plan
	d.event = dp.Event{Mechanism: dp.BoundedRange, For: m.String(), Epsilon: epsilon, Count: int(times.Int64())}
	return d, nil
}

// mixedRanges returns what the draws take of a budget: their shares and how often.
func (q question) mixedRanges() []calibrate.Ranges {
	var all []calibrate.Ranges
	for _, w := range q.drawn() {
		all = append(all, calibrate.Ranges{Share: q.drawShare(w), Count: q.times(w)})
	}
	return all
}

// draw draws the ranks of one group, and reads the ends of intervals.
func (m *measure) draw(session *core.Session, histogram map[int64]int64) []ranked {
	d := m.drawing
	counts := quantile.NewCounts(d.cells(histogram))
	cells := d.plan.Draw(session, counts)
	if core.Noiseless() {
		cells = quantile.Exact(counts, d.ranks)
	}
	var reading *quantile.Reading
	if m.law != nil {
		steps := quantile.NewLadder(d.base, cells)
		exact := steps.Counts(counts)
		noisy := make([]float64, len(exact))
		m.noisyCounts(exact, session.Noise(m.law, len(exact)), noisy)
		clear(exact)
		reading = steps.Read(noisy)
	}
	var all []ranked
	for _, asked := range m.quantiles {
		rank := quantile.NewRank(asked.rank)
		i, _ := slices.BinarySearch(d.ranks, rank)
		r := ranked{Point: d.middle(cells[i], m.grid.Cells)}
		if reading != nil && !asked.bare {
			m.readEnds(&r, reading, rank)
		}
		all = append(all, r)
	}
	return all
}

// cells returns the histogram of cells.
func (d *drawing) cells(points map[int64]int64) map[int64]int64 {
	if d.width == 1 {
		return points
	}
	cells := make(map[int64]int64, len(points))
	for point, n := range points {
		cells[point/d.width] += n
	}
	return cells
}

// middle returns the point in the middle of a cell.
func (d *drawing) middle(cell, last int64) int64 { return min(cell*d.width+d.width/2, last) }

// readEnds reads the intervals of a quantile at every confidence of the ladder.
func (m *measure) readEnds(r *ranked, reading *quantile.Reading, rank quantile.Rank) {
	stdDev := math.Ldexp(m.law.StdDev(), -int(m.shift))
	excess := reading.Of(rank)
	for _, confidence := range ladder {
		far := m.law.Far(confidence)
		low, high := excess.Interval(func(squares, fourths float64) float64 { return far(squares, fourths) * stdDev })
		r.Lows = append(r.Lows, min(low*m.drawing.width, r.Point))
		r.Highs = append(r.Highs, max(min((high+1)*m.drawing.width-1, m.grid.Cells), r.Point))
	}
}

// scale returns the scale of the draws, in records for each unit of cost.
func (d *drawing) scale() float64 {
	epsilon, _ := d.event.Epsilon.Float64()
	return 1 / epsilon
}

// noisiness is the logarithm of how far draws are off, in units of what does not
// depend on the family.
func (d *drawing) noisiness() float64 {
	return math.Log(d.scale())
}

// drawAccuracy returns the standard deviation of a drawn rank, in records, where
// values are spread evenly around it: that of a two-sided exponential law; and how
// far noise moves the ends of its 95 % interval: as in the widest excess of the
// ladder that quantiles spread over the bounds have. Without an interval that is NaN.
func (c *compiled) drawAccuracy(asked column, m *measure) (stdDev, plusMinus float64) {
	d := m.drawing
	rank := quantile.NewRank(asked.rank)
	records := 1.0
	if !m.perUnit() {
		records = float64(c.maxRows)
	}
	stdDev = math.Sqrt2 * d.plan.Range(rank) * records * d.scale()
	if m.law == nil || asked.bare {
		return stdDev, math.NaN()
	}
	var cells []int64
	for _, r := range d.ranks {
		cells = append(cells, int64(r.Share()*float64(d.base.Cells()-1)))
	}
	squares, fourths := quantile.NewLadder(d.base, cells).Widest(rank)
	return stdDev, m.law.Far(0.95)(squares, fourths) * math.Ldexp(m.law.StdDev(), -int(m.shift))
}

// alone returns what the error of draws would be without intervals, in parts of what
// it is with them: half of a loss gives half of ε, or of its square.
func (m *measure) alone() float64 {
	if m.law.Family == core.Gaussian {
		return math.Sqrt2 / 2
	}
	return 0.5
}

// checkIntervals returns an error if a quantile is asked for both with an interval
// and without one.
func checkIntervals(columns []column) error {
	for _, c := range columns {
		other := c
		other.bare = true
		if c.kind == kindQuantile && !c.bare && slices.Contains(columns, other) {
			return fmt.Errorf("aggregate: %q is asked for with an interval and without one; leave one out", c)
		}
	}
	return nil
}
