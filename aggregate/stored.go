package aggregate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"

	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/keys"
)

// stored is the form in which a release is kept: the noisy integers, from which
// every estimate follows.
type stored struct {
	storedHead
	Receipt Receipt       `json:"receipt"`
	Groups  []storedGroup `json:"groups"`
}

// storedHead says what is stored.
type storedHead struct {
	Format   string `json:"format"`
	Plan     string `json:"plan"`
	Question string `json:"question,omitempty"`
}

type storedGroup struct {
	Key   string     `json:"key"`
	Sums  []*big.Int `json:"sums,omitempty"`
	Ranks [][]ranked `json:"ranks,omitempty"`
}

const format = "equipoise release 1"

// encode writes a release in the form in which it is kept: as encoding/json writes stored,
// without making it.
func encode[Group comparable](c *compiled, receipt Receipt, released []Group, cells *results) []byte {
	head, err := json.Marshal(storedHead{Format: format, Plan: c.fingerprint, Question: c.question})
	said, failed := receipt.MarshalJSON()
	if err := errors.Join(err, failed); err != nil {
		panic("aggregate: internal error: a release cannot be written as JSON: " + err.Error())
	}
	text := slices.Concat(bytes.TrimSuffix(head, []byte("}")), []byte(`,"receipt":`), said, []byte(`,"groups":`))
	if len(released) == 0 {
		return append(text, "null}"...)
	}
	text = append(text, '[')
	writer, begin := keys.NewWriter[Group](), len(text)
	for i, key := range released {
		if i == sampled {
			each := (len(text) - begin) / sampled
			text = slices.Grow(text, (each+each/16)*(len(released)-sampled)+2)
		}
		if i > 0 {
			text = append(text, ',')
		}
		text = cells.append(writer.AppendJSON(append(text, `{"key":`...), key), i)
	}
	return append(text, "]}"...)
}

// sampled is of how many groups the text says about how long that of all will be.
const sampled = 1000

// append appends what is stored of a cell after its key.
func (r *results) append(to []byte, cell int) []byte {
	for i, sum := range r.sums[cell*r.plan.sums:][:r.plan.sums] {
		to = sum.Append(append(to, separated(i, `,"sums":[`)...))
	}
	if r.plan.sums > 0 {
		to = append(to, ']')
	}
	for _, m := range r.plan.measures {
		if m.form != formRanks {
			continue
		}
		to = append(to, separated(m.ranked, `,"ranks":[`)...)
		for i, q := range r.ranksOf(cell, m) {
			to = q.append(append(to, separated(i, "[")...))
		}
		to = append(to, ']')
	}
	if r.plan.rankings > 0 {
		to = append(to, ']')
	}
	return append(to, '}')
}

// append appends what is stored of a quantile.
func (r ranked) append(to []byte) []byte {
	to = strconv.AppendInt(append(to, `{"point":`...), r.Point, 10)
	for i, low := range r.Lows {
		to = strconv.AppendInt(append(to, separated(i, `,"lows":[`)...), low, 10)
	}
	for i, high := range r.Highs {
		to = strconv.AppendInt(append(to, separated(i, `],"highs":[`)...), high, 10)
	}
	if len(r.Lows) > 0 {
		to = append(to, ']')
	}
	return append(to, '}')
}

// separated is what stands before the i-th element of a list: how it begins, or a comma.
func separated(i int, first string) string {
	if i == 0 {
		return first
	}
	return ","
}

// decode reads what encode wrote.
func decode[Group comparable](c *compiled, text []byte) (*Release[Group], error) {
	var s stored
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("aggregate: the stored release cannot be read: %w", err)
	}
	if s.Format != format {
		return nil, fmt.Errorf("aggregate: the stored release has format %q, must be %q", s.Format, format)
	}
	c, err := c.answeredBy(&s)
	if err != nil {
		return nil, err
	}
	if err := c.checkTop(s.Groups); err != nil {
		return nil, fmt.Errorf("aggregate: the stored release cannot be read: %w", err)
	}
	c = c.bare()
	cells, all, index := c.newResults(len(s.Groups)), make([]Group, 0, len(s.Groups)), make(map[Group]int, len(s.Groups))
	for i, g := range s.Groups {
		key, err := keys.Decode[Group](g.Key)
		if err == nil {
			err = c.checkGroup(g)
		}
		if _, twice := index[key]; err == nil && twice {
			err = fmt.Errorf("group %s is there twice", g.Key)
		}
		if err != nil {
			return nil, fmt.Errorf("aggregate: the stored release cannot be read: %w", err)
		}
		index[key] = i
		all = append(all, key)
		cells.set(i, g)
	}
	if err := c.checkCommon(s.Groups); err != nil {
		return nil, fmt.Errorf("aggregate: the stored release cannot be read: %w", err)
	}
	receipt := s.Receipt
	cells.hash = receipt.Hash
	return &Release[Group]{groups: all, cells: cells, index: func() map[Group]int { return index }, receipt: func() Receipt { return receipt }}, nil
}

// set puts what is stored of a group into a cell.
func (r *results) set(cell int, g storedGroup) {
	for i, sum := range g.Sums {
		r.sums[cell*r.plan.sums+i] = exact.FromBig(sum)
	}
	copy(r.ranks[cell*r.plan.ranks:], slices.Concat(g.Ranks...))
}

// checkGroup returns an error if a stored group does not have the numbers that
// the plan asks for, or has numbers that no release can have.
func (c *compiled) checkGroup(g storedGroup) error {
	if len(g.Sums) != c.sums || len(g.Ranks) != c.rankings {
		return fmt.Errorf("a group has %d sums and %d lists of quantiles, must have %d and %d", len(g.Sums), len(g.Ranks), c.sums, c.rankings)
	}
	for _, m := range c.measures {
		if m.form != formRanks {
			continue
		}
		if err := m.checkRanks(g.Ranks[m.ranked]); err != nil {
			return err
		}
	}
	for _, sum := range g.Sums {
		if sum == nil || sum.BitLen() > 127 {
			return errors.New("a sum is missing or has more than 128 bits")
		}
	}
	return nil
}

func (m *measure) checkRanks(ranks []ranked) error {
	if len(ranks) != len(m.quantiles) {
		return errors.New("a group lacks quantiles")
	}
	for i, r := range ranks {
		if err := r.check(m.grid.Cells, m.quantiles[i].bare); err != nil {
			return err
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
