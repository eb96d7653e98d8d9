package aggregate

import (
	"cmp"
	"math/big"
	"slices"
	"sort"

	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/quantile"
)

// A ranked is a noisy quantile: points of the value's grid.
type ranked struct {
	Point int64   `json:"point"`
	Lows  []int64 `json:"lows,omitempty"` // for each of ladder, or none
	Highs []int64 `json:"highs,omitempty"`
}

// ladder holds the confidences at which intervals of quantiles are kept.
var ladder = []float64{0.5, 0.68, 0.8, 0.9, 0.95, 0.99, 0.999}

// A ranker is what the quantiles of some groups are found with, one group after the other.
type ranker struct {
	session *core.Session
	near    bases
	counts  quantile.Counts
}

// noisyRanks finds the quantiles that are asked of a measure, by the mechanism that
// the plan chose for it, in one group, whose points are sorted.
func (m *measure) noisyRanks(by *ranker, points []int64, to []ranked) {
	if m.drawing != nil {
		m.draw(by, points, to)
	} else {
		m.readTree(by.session, points, to)
	}
	for i := range to {
		if core.Noiseless() {
			to[i].moveTo(m.exactly(points, m.quantiles[i].rank))
		}
	}
	inOrder(to, m.quantiles)
}

// exactly returns the quantile of the rows themselves, for tests without noise: the
// first point that at least the rank's share of all records does not exceed, and
// the lower bound if there are none.
func (m *measure) exactly(points []int64, rank float64) int64 {
	if len(points) == 0 {
		least, _ := m.grid.Range()
		return least
	}
	want := exact.Decimal(rank)
	want.Mul(want, big.NewRat(int64(len(points)), 1))
	return points[sort.Search(len(points)-1, func(i int) bool { return big.NewRat(int64(i+1), 1).Cmp(want) >= 0 })]
}

// moveTo sets a quantile, and widens its intervals to hold it.
func (r *ranked) moveTo(point int64) {
	r.Point = point
	for i := range r.Lows {
		r.Lows[i], r.Highs[i] = min(r.Lows[i], point), max(r.Highs[i], point)
	}
}

// inOrder sorts noisy quantiles of one value by rank, and the ends of their
// intervals, so that a higher rank never has a lower value. What is sorted is as
// near to the exact values as what was not, and nearer where it was out of order.
func inOrder(all []ranked, asked []column) {
	var order, ends []*ranked
	for i := range all {
		order = append(order, &all[i])
	}
	rankOf := func(r *ranked) float64 { return asked[slices.Index(order, r)].rank }
	byRank := slices.SortedFunc(slices.Values(order), func(a, b *ranked) int { return cmp.Compare(rankOf(a), rankOf(b)) })
	for _, r := range byRank {
		if len(r.Lows) > 0 {
			ends = append(ends, r)
		}
	}
	sorted(byRank, func(r *ranked) *int64 { return &r.Point })
	for i := range ladder {
		sorted(ends, func(r *ranked) *int64 { return &r.Lows[i] })
		sorted(ends, func(r *ranked) *int64 { return &r.Highs[i] })
	}
	for _, r := range ends {
		r.moveTo(r.Point)
	}
}

// sorted sorts a number of quantiles in the order that they have.
func sorted(all []*ranked, at func(*ranked) *int64) {
	points := make([]int64, len(all))
	for i, r := range all {
		points[i] = *at(r)
	}
	slices.Sort(points)
	for i, r := range all {
		*at(r) = points[i]
	}
}
