package aggregate

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"math/big"
	"slices"

	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/keys"
	"github.com/equipoise-dp/equipoise/internal/ranktree"
)

// A Release holds what was released: estimates and a receipt. It is safe to
// store, print and share.
type Release[Key comparable] struct {
	keys    []Key
	cells   []Cell
	index   map[Key]int
	receipt Receipt
}

// All yields the groups and their estimates: the given Keys in their order, or
// the selected ones in the order of their keys. The order does not depend on the
// rows.
func (r *Release[Key]) All() iter.Seq2[Key, Cell] {
	return func(yield func(Key, Cell) bool) {
		for i, k := range r.keys {
			if !yield(k, r.cells[i]) {
				return
			}
		}
	}
}

// Len returns how many groups were released.
func (r *Release[Key]) Len() int { return len(r.keys) }

// Cell returns the estimates of a group, and whether it was released.
func (r *Release[Key]) Cell(key Key) (Cell, bool) {
	i, ok := r.index[key]
	if !ok {
		return Cell{}, false
	}
	return r.cells[i], true
}

// Receipt returns the public record of the release.
func (r *Release[Key]) Receipt() Receipt { return r.receipt }

// A Cell holds the estimates of one group; [Column.Of] reads them.
type Cell struct {
	plan  *compiled
	sums  []*big.Int // noisy, in steps of the noise
	ranks [][]ranked // for each measure of ranks, for each of its ranks
}

// Noisy returns the noisy numbers that the cell holds, from which every estimate
// follows: sums in steps of the noise, and of each quantile its point on the grid and
// the ends of the interval in the middle of those that are kept. It is for audits;
// most programs want [Column.Of].
func (c Cell) Noisy() []float64 {
	var numbers []float64
	for _, sum := range c.sums {
		f, _ := new(big.Float).SetInt(sum).Float64()
		numbers = append(numbers, f)
	}
	for _, r := range slices.Concat(c.ranks...) {
		numbers = append(numbers, float64(r.Point), float64(r.Lows[len(r.Lows)/2]), float64(r.Highs[len(r.Highs)/2]))
	}
	return numbers
}

// stored is the form in which a release is kept: the noisy integers, from which
// every estimate follows.
type stored struct {
	Format  string        `json:"format"`
	Plan    string        `json:"plan"`
	Receipt Receipt       `json:"receipt"`
	Groups  []storedGroup `json:"groups"`
}

type storedGroup struct {
	Key   string     `json:"key"`
	Sums  []*big.Int `json:"sums,omitempty"`
	Ranks [][]ranked `json:"ranks,omitempty"`
}

const format = "equipoise release 1"

// A ranked is a noisy quantile: points of the value's grid.
type ranked struct {
	Point int64   `json:"point"`
	Lows  []int64 `json:"lows,omitempty"` // for each of ladder, or none
	Highs []int64 `json:"highs,omitempty"`
}

// ladder holds the confidences at which intervals of quantiles are kept.
var ladder = []float64{0.5, 0.68, 0.8, 0.9, 0.95, 0.99, 0.999}

// encode draws the noise of a release. It is the one place where exact sums are
// read.
func encode[Key comparable](given []Key, c *compiled, receipt Receipt, groups map[Key]*group) []byte {
	s := stored{Format: format, Plan: c.fingerprint, Receipt: receipt}
	core.InSession(func(session *core.Session) {
		for _, key := range candidates(given, groups) {
			g := groups[key]
			if g == nil {
				g = c.newGroup()
			}
			if cell, ok := c.noisy(session, g); ok {
				cell.Key = keys.Encode(key)
				s.Groups = append(s.Groups, cell)
			}
		}
	})
	text, err := json.Marshal(s)
	if err != nil {
		panic("aggregate: internal error: a release cannot be written as JSON: " + err.Error())
	}
	return text
}

// candidates returns the groups to look at: those given, or those that have
// rows, in an order that does not depend on that of the rows.
func candidates[Key comparable](given []Key, groups map[Key]*group) []Key {
	if given != nil {
		return given
	}
	var found []Key
	for k := range groups {
		found = append(found, k)
	}
	keys.Sort(found)
	return found
}

// noisy adds noise to a group. It reports false if the group is not selected.
func (c *compiled) noisy(session *core.Session, g *group) (cell storedGroup, ok bool) {
	part, histogram := 0, 0
	for _, m := range c.measures {
		if m.form == formRanks {
			cell.Ranks = append(cell.Ranks, c.noisyRanks(session, m, g.histograms[histogram]))
			histogram++
		}
		var draws []int64
		if m.parts() > 0 {
			draws = session.Noise(m.law, m.parts())
		}
		for _, draw := range draws {
			sum := g.sums[part].Shl(m.shift).Add(exact.Int(draw))
			if m.form == formUnits && !c.threshold.passes(sum) {
				return cell, false
			}
			cell.Sums = append(cell.Sums, sum.Big())
			part++
		}
	}
	return cell, true
}

// passes reports whether a noisy count of units is enough for its group to be
// released. Without a threshold, and without noise, every group is.
func (t *threshold) passes(noisy exact.Int128) bool {
	return t == nil || core.Noiseless() || noisy.Cmp(exact.Int(t.at)) >= 0
}

// noisyRanks returns the quantiles that are asked of a measure.
func (c *compiled) noisyRanks(session *core.Session, m *measure, histogram map[int64]int64) []ranked {
	var all []ranked
	if m.drawing != nil {
		all = c.draw(session, m, histogram)
	} else {
		all = c.readTree(session, m, histogram)
	}
	asked := c.quantilesOf(m.value)
	for i := range all {
		if core.Noiseless() {
			all[i].moveTo(m.exactly(histogram, asked[i].rank))
		}
	}
	inOrder(all, asked)
	return all
}

// readTree reads the quantiles from a tree of noisy counts.
func (c *compiled) readTree(session *core.Session, m *measure, histogram map[int64]int64) []ranked {
	stdDev := math.Ldexp(m.law.StdDev(), -int(m.shift))
	tree := ranktree.New(m.shape, m.leaves(histogram), stdDev, func(counts []int64, noisy []float64) {
		m.noisyCounts(counts, session.Noise(m.law, len(counts)), noisy)
	})
	var all []ranked
	widths := m.widths()
	for _, asked := range c.quantilesOf(m.value) {
		r := m.search(tree, asked.rank, widths)
		if asked.bare {
			r.Lows, r.Highs = nil, nil
		}
		all = append(all, r)
	}
	return all
}

// exactly returns the quantile of the rows themselves, for tests without noise: the
// first point that at least the rank's share of all records does not exceed, and
// the lower bound if there are none.
func (m *measure) exactly(histogram map[int64]int64, rank float64) int64 {
	all := int64(0)
	for _, n := range histogram {
		all += n
	}
	want := exact.Decimal(rank)
	want.Mul(want, big.NewRat(all, 1))
	upTo := int64(0)
	for _, p := range slices.Sorted(maps.Keys(histogram)) {
		if upTo += histogram[p]; big.NewRat(upTo, 1).Cmp(want) >= 0 {
			return p
		}
	}
	least, _ := m.grid.Range()
	return least
}

// noisyCounts adds independent draws to the counts of a tree or a ladder. A sum that fits is
// added in 64 bits, which gives the same float.
func (m *measure) noisyCounts(counts, draws []int64, noisy []float64) {
	step := math.Ldexp(1, -int(m.shift))
	for i, n := range counts {
		draw := draws[i]
		if n < 1<<62>>m.shift && -1<<62 < draw && draw < 1<<62 {
			noisy[i] = float64(n<<m.shift+draw) * step
			continue
		}
		noisy[i] = exact.Int(n).Shl(m.shift).Add(exact.Int(draw)).Float64() * step
	}
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

// widths returns how many standard deviations the intervals of the ladder reach to
// either side.
func (m *measure) widths() []float64 {
	widths, kurtosis := make([]float64, len(ladder)), m.law.TreeKurtosis()
	for i, confidence := range ladder {
		widths[i] = core.Normal(confidence, kurtosis)
	}
	return widths
}

// search reads one quantile and its intervals from a noisy tree.
func (m *measure) search(tree *ranktree.Tree, rank float64, widths []float64) ranked {
	leaf, within := tree.Descend(rank)
	r := ranked{Point: m.pointOf(leaf, within)}
	for _, z := range widths {
		low, high := tree.Search(rank, -z), tree.Search(rank, z)
		r.Lows = append(r.Lows, min(m.pointOf(low, 0), r.Point))
		r.Highs = append(r.Highs, max(m.pointOf(high, 1), r.Point))
	}
	return r
}

// quantilesOf returns the quantiles that are asked of a value, in the order of the
// columns.
func (c *compiled) quantilesOf(v *value) []column {
	var all []column
	for _, asked := range c.columns {
		if asked.kind == kindQuantile && asked.value == v {
			all = append(all, asked)
		}
	}
	return all
}

// decode reads what encode wrote.
func decode[Key comparable](c *compiled, text []byte) (*Release[Key], error) {
	var s stored
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("aggregate: the stored release cannot be read: %w", err)
	}
	if s.Format != format {
		return nil, fmt.Errorf("aggregate: the stored release has format %q, must be %q", s.Format, format)
	}
	if s.Plan != c.fingerprint {
		return nil, fmt.Errorf("aggregate: the stored release answers another plan")
	}
	r := &Release[Key]{receipt: s.Receipt, index: make(map[Key]int, len(s.Groups))}
	for _, g := range s.Groups {
		key, err := keys.Decode[Key](g.Key)
		if err == nil {
			err = c.checkGroup(g)
		}
		if _, twice := r.index[key]; err == nil && twice {
			err = fmt.Errorf("group %s is there twice", g.Key)
		}
		if err != nil {
			return nil, fmt.Errorf("aggregate: the stored release cannot be read: %w", err)
		}
		r.index[key] = len(r.keys)
		r.keys = append(r.keys, key)
		r.cells = append(r.cells, Cell{c, g.Sums, g.Ranks})
	}
	return r, nil
}

// checkGroup returns an error if a stored group does not have the numbers that
// the plan asks for, or has numbers that no release can have.
func (c *compiled) checkGroup(g storedGroup) error {
	sums, ranks := 0, 0
	for _, m := range c.measures {
		sums += m.parts()
		if m.form != formRanks {
			continue
		}
		if len(g.Ranks) <= ranks || len(g.Ranks[ranks]) != len(c.quantilesOf(m.value)) {
			return errors.New("a group lacks quantiles")
		}
		for i, r := range g.Ranks[ranks] {
			if err := r.check(m.grid.Cells, c.quantilesOf(m.value)[i].bare); err != nil {
				return err
			}
		}
		ranks++
	}
	if len(g.Sums) != sums || len(g.Ranks) != ranks {
		return fmt.Errorf("a group has %d sums and %d lists of quantiles, must have %d and %d", len(g.Sums), len(g.Ranks), sums, ranks)
	}
	for _, sum := range g.Sums {
		if sum == nil || sum.BitLen() > 127 {
			return errors.New("a sum is missing or has more than 128 bits")
		}
	}
	return nil
}

// check returns an error if a quantile or its intervals are not on the grid, or
// an interval does not hold the quantile.
func (r ranked) check(cells int64, bare bool) error {
	ends := len(ladder)
	if bare {
		ends = 0
	}
	if len(r.Lows) != ends || len(r.Highs) != ends {
		return errors.New("a quantile lacks intervals, or has some that were not asked for")
	}
	if r.Point < 0 || r.Point > cells {
		return errors.New("a quantile is not within its bounds")
	}
	for i := range r.Lows {
		if r.Lows[i] < 0 || r.Lows[i] > r.Point || r.Highs[i] < r.Point || r.Highs[i] > cells {
			return errors.New("a quantile is not within its intervals and bounds")
		}
	}
	return nil
}
