package aggregate

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/calibrate"
	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/quantile"
)

// A drawing is how a measure draws few ranks: each by the exponential mechanism,
// and the ends of intervals, if they are asked for, from noisy counts around what
// was drawn. Proofs: docs/proofs/quantiles-drawn.md.
type drawing struct {
	plan   *quantile.Plan
	base   *quantile.Base
	ranks  []quantile.Rank // sorted, each once
	width  int64           // points of a cell
	events []dp.Event      // of the draws; the noise for intervals is the measure's
	levels int64           // on which a record is counted for them

	// first draws the ranks of all groups together first, to know where those of each
	// are likely; or nil.
	first *quantile.Plan
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

// Up to how many ranks are drawn, and not read from a tree of noisy counts. Without intervals draws are
// nearer to the truth, in the mean of data of six kinds. With intervals a tree has no more to pay, and
// draws have: nine of them would still be nearer, and their intervals a tenth to four fifths wider.
const (
	mostDrawn         = 32
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
	}
	if len(a.ranks) <= most {
		return true, fmt.Sprintf("drawn one by one, as %s (%d of at most %d)", because, len(a.ranks), most)
	}
	return false, fmt.Sprintf("a tree of noisy counts, as %d ranks are more than %d: each of them costs nothing more", len(a.ranks), most)
}

// drawShare returns the part of the share of a measure of ranks that its draws
// get: all of it, or two thirds if the ends of intervals are to be paid as well, which
// are then about as wide as those that a tree has for all of it; a part of that is for
// first draws.
func (q question) drawShare(w want, f core.Family) (each, first *big.Rat) {
	each, first = q.share(w), new(big.Rat)
	if q.ranks[w.value].ends {
		each.Mul(each, big.NewRat(2, 3))
	}
	if q.drawsTwice(w.value, f) {
		first.Mul(each, firstShare)
		each.Sub(each, first)
	}
	return each, first
}

// firstShare is the part of the share of draws that first draws get.
var firstShare = big.NewRat(12, 100)

// manyGroups is how many groups must be given for first draws to be worth it.
const manyGroups = 8

// drawsTwice reports whether the ranks of a value are drawn first from all groups
// together, with little of the loss, to know where those of each are likely: where many
// groups are given, and the value's bounds span four octaves or more on one side of
// zero. Losses must add up as squares do: a tenth of ε alone would say too little.
func (q question) drawsTwice(v *value, f core.Family) bool {
	step := v.asked
	records := q.rows
	if v.perUnit {
		records = 1
	}
	switch {
	case q.trees || f != core.Gaussian || q.groups < manyGroups || records > 1<<62/q.l0:
		return false
	case step == nil && v.integer:
		step = big.NewRat(1, 1)
	case step == nil:
		step = new(big.Rat).Quo(new(big.Rat).Sub(v.upper, v.lower), big.NewRat(1<<31, 1))
	}
	steps := func(x *big.Rat) int64 {
		n := new(big.Rat).Quo(x, step)
		whole := new(big.Int).Quo(n.Num(), n.Denom())
		if !whole.IsInt64() || whole.BitLen() > 62 {
			return int64(whole.Sign()) << 62
		}
		return whole.Int64()
	}
	return quantile.Spans(steps(v.lower), steps(v.upper), 4)
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

// levels returns the shares of the levels of draws.
func (q question) levels(w want, f core.Family, share *big.Rat) []*big.Rat {
	shares := quantile.Shares(q.ranks[w.value].ranks, f == core.Gaussian)
	for _, s := range shares {
		s.Mul(s, share)
	}
	return shares
}

// newDrawing calibrates the draws of a measure. A draw of bounded range ε is
// ε-private, and ε²/8-zCDP, which is what Gaussian noise with (L2/σ)² = ε²/4 is.
func (q question) newDrawing(m *measure, w want, f core.Family, scale scaler) (*drawing, error) {
	points := m.grid.Cells + 1
	d := &drawing{ranks: q.ranks[w.value].ranks, width: (points-1)/quantile.MaxCells + 1}
	d.base = quantile.NewBase(m.grid.First()/d.width, (points-1)/d.width+1)
	d.levels = quantile.Counted(d.base, len(d.ranks), f == core.Gaussian)
	plan := func(share *big.Rat, draws, records int64, which string) (*quantile.Plan, error) {
		var epsilons []*big.Rat
		for i, level := range q.levels(w, f, share) {
			epsilon := new(big.Rat).Inv(scale(level, calibrate.Change{L0: big.NewInt(draws), LInf: big.NewInt(1)}))
			if f == core.Gaussian {
				epsilon.Add(epsilon, epsilon)
			}
			epsilons = append(epsilons, epsilon)
			d.pay(dp.Event{Mechanism: dp.BoundedRange, For: m.String() + d.ofRank(i) + which, Epsilon: epsilon, Count: int(draws)})
		}
		p, err := quantile.NewPlan(d.base, d.ranks, epsilons, records)
		if err != nil {
			return nil, fmt.Errorf("aggregate: %v: %w", m, err)
		}
		return p, nil
	}
	each, first := q.drawShare(w, f)
	records := q.records(m).Int64()
	var err error
	if d.plan, err = plan(each, q.l0, records, ""); err == nil && first.Sign() > 0 {
		d.first, err = plan(first, 1, q.l0*records, firstDraws)
	}
	return d, err
}

// firstDraws and endsOf name lines of a receipt, after the name of the measure.
const (
	firstDraws = ", first draws"
	endsOf     = ", ends of intervals"
)

// hasLine reports whether a line of a receipt can be of the measure: by its name, or
// by one of those that draws have.
func (m *measure) hasLine(name string) bool {
	of, ok := strings.CutPrefix(name, m.String())
	if !ok || of == "" || m.drawing == nil {
		return ok && of == ""
	}
	of = strings.TrimSuffix(of, firstDraws)
	return of == "" || of == endsOf || len(m.drawing.ranks) == 2 && (of == m.drawing.ofRank(0) || of == m.drawing.ofRank(1))
}

// ofRank names the rank that is drawn on a level by itself, such as " p95": of two ranks,
// which have losses of their own.
func (d *drawing) ofRank(level int) string {
	if len(d.ranks) != 2 {
		return ""
	}
	return fmt.Sprintf(" p%g", d.ranks[level].Share()*100)
}

// pay adds an event, or its count to that of the event before if that is the same
// otherwise.
func (d *drawing) pay(e dp.Event) {
	if n := len(d.events); n > 0 && d.events[n-1].For == e.For && d.events[n-1].Epsilon.Cmp(e.Epsilon) == 0 {
		d.events[n-1].Count += e.Count
		return
	}
	d.events = append(d.events, e)
}

// drawnTwice says what first draws are for.
func (q question) drawnTwice() string {
	return fmt.Sprintf(", and first roughly from all %d groups together, to know where those of each are likely", q.groups)
}

// mixedRanges returns what the draws take of a budget: their shares and how often.
func (q question) mixedRanges() []calibrate.Ranges {
	var all []calibrate.Ranges
	for _, w := range q.drawn() {
		each, first := q.drawShare(w, core.Gaussian)
		add := func(share *big.Rat, draws int64) {
			for _, level := range q.levels(w, core.Gaussian, share) {
				all = append(all, calibrate.Ranges{Share: level, Count: big.NewInt(draws)})
			}
		}
		add(each, q.l0)
		if first.Sign() > 0 {
			add(first, 1)
		}
	}
	return all
}

// bases are, for a measure that is drawn twice, the bases of its ranks in all groups.
type bases map[*measure][]*quantile.Base

// drawsTwice reports whether a measure of the plan is.
func (c *calibration) drawsTwice() bool {
	return slices.ContainsFunc(c.measures, func(m *measure) bool { return m.drawing != nil && m.drawing.first != nil })
}

// drawFirst draws the ranks of all groups together. For each rank, the base of the
// draws of every group is near what is drawn: it is what groups have in common, and
// known better than what one of them is. A unit has L0 times as many records there as
// in a group, and is in one draw of each rank in place of L0.
func (c *compiled) drawFirst(session *core.Session, of *exacts) bases {
	near := make(bases)
	for _, m := range c.measures {
		if m.drawing == nil || m.drawing.first == nil {
			continue
		}
		pooled := slices.Clone(of.lists[m.list].points)
		slices.Sort(pooled)
		counts := quantile.NewCounts(pooled, m.drawing.width)
		for _, cell := range m.drawing.first.Draw(session, counts) {
			near[m] = append(near[m], m.drawing.base.Near(cell))
		}
		counts.Wipe()
		clear(pooled)
	}
	return near
}

// draw draws the ranks of one group, whose points are sorted, and reads the ends of
// intervals.
func (m *measure) draw(by *ranker, points []int64, to []ranked) {
	d, counts := m.drawing, &by.counts
	counts.Set(points, d.width)
	cells := d.plan.DrawNear(by.session, counts, by.near[m])
	if core.Noiseless() {
		cells = quantile.Exact(counts, d.ranks)
	}
	var reading *quantile.Reading
	if m.law != nil {
		steps := quantile.NewLadder(d.base, cells, d.levels)
		exact := steps.Counts(counts)
		noisy := make([]float64, len(exact))
		m.noisyCounts(exact, by.session.Noise(m.law, len(exact)), noisy)
		clear(exact)
		reading = steps.Read(noisy)
	}
	for j, asked := range m.quantiles {
		rank := quantile.NewRank(asked.rank)
		i, _ := slices.BinarySearch(d.ranks, rank)
		r := ranked{Point: d.middle(cells[i], m.grid.Cells)}
		if reading != nil && !asked.bare {
			m.readEnds(&r, reading.Of(rank))
		}
		to[j] = r
	}
}

// middle returns the point in the middle of a cell.
func (d *drawing) middle(cell, last int64) int64 { return min(cell*d.width+d.width/2, last) }

// ladderReaches holds the standard normal quantiles of the ladder of confidences.
var ladderReaches = func() (all []float64) {
	for _, confidence := range ladder {
		all = append(all, core.Normal(confidence, 0))
	}
	return all
}()

// readEnds reads the intervals of a quantile at every confidence of the ladder.
func (m *measure) readEnds(r *ranked, excess *quantile.Excess) {
	stdDev := math.Ldexp(m.law.StdDev(), -int(m.shift))
	r.Lows, r.Highs = roomForEnds()
	for _, z := range ladderReaches {
		far := m.law.FarAt(z)
		low, high := excess.Interval(func(squares, fourths float64) float64 { return far(squares, fourths) * stdDev })
		r.Lows = append(r.Lows, min(low*m.drawing.width, r.Point))
		r.Highs = append(r.Highs, max(min((high+1)*m.drawing.width-1, m.grid.Cells), r.Point))
	}
}

// scale returns the scale of the draws of a rank, in records.
func (d *drawing) scale(rank float64) float64 {
	i, _ := slices.BinarySearch(d.ranks, quantile.NewRank(rank))
	return d.plan.Scale(i)
}

// noisiness is the mean logarithm of the scales of the ranks.
func (d *drawing) noisiness() float64 {
	sum := 0.0
	for i := range d.ranks {
		sum += math.Log(d.plan.Scale(i))
	}
	return sum / float64(len(d.ranks))
}

// drawAccuracy returns the standard deviation of a drawn rank, in records, where
// values are spread evenly around it: that of a two-sided exponential law; and how
// far noise moves the ends of its 95 % interval: as in the widest excess of the
// ladder that quantiles spread over the bounds have. Without an interval that is NaN.
func drawAccuracy(asked column, m *measure) (stdDev, plusMinus float64) {
	d := m.drawing
	rank := quantile.NewRank(asked.rank)
	stdDev = math.Sqrt2 * d.scale(asked.rank)
	if m.law == nil || asked.bare {
		return stdDev, math.NaN()
	}
	var cells []int64
	for _, r := range d.ranks {
		cells = append(cells, int64(r.Share()*float64(d.base.Cells()-1)))
	}
	squares, fourths := quantile.NewLadder(d.base, cells, d.levels).Widest(rank)
	return stdDev, m.law.Far(0.95)(squares, fourths) * math.Ldexp(m.law.StdDev(), -int(m.shift))
}

// alone returns what the error of draws would be without intervals, in parts of what
// it is with them: a part of the loss is a part of ε, or of its square.
func (m *measure) alone() float64 {
	if m.law.Family == core.Gaussian {
		return math.Sqrt(2. / 3)
	}
	return 2. / 3
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
