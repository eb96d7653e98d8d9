package aggregate

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"

	"github.com/equipoise-dp/equipoise/internal/keys"
)

// stored is the form in which a release is kept: the noisy integers, from which
// every estimate follows.
type stored struct {
	Format   string        `json:"format"`
	Plan     string        `json:"plan"`
	Question string        `json:"question,omitempty"`
	Receipt  Receipt       `json:"receipt"`
	Groups   []storedGroup `json:"groups"`
}

type storedGroup struct {
	Key   string     `json:"key"`
	Sums  []*big.Int `json:"sums,omitempty"`
	Ranks [][]ranked `json:"ranks,omitempty"`
}

const format = "equipoise release 1"

// encode writes a release in the form in which it is kept.
func encode[Group comparable](c *compiled, receipt Receipt, released []Group, cells []Cell) []byte {
	s := stored{Format: format, Plan: c.fingerprint, Question: c.question, Receipt: receipt}
	for i, key := range released {
		s.Groups = append(s.Groups, storedGroup{Key: keys.Encode(key), Sums: cells[i].sums, Ranks: cells[i].ranks})
	}
	text, err := json.Marshal(s)
	if err != nil {
		panic("aggregate: internal error: a release cannot be written as JSON: " + err.Error())
	}
	return text
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
	r := &Release[Group]{receipt: s.Receipt, index: make(map[Group]int, len(s.Groups))}
	for _, g := range s.Groups {
		key, err := keys.Decode[Group](g.Key)
		if err == nil {
			err = c.checkGroup(g)
		}
		if _, twice := r.index[key]; err == nil && twice {
			err = fmt.Errorf("group %s is there twice", g.Key)
		}
		if err != nil {
			return nil, fmt.Errorf("aggregate: the stored release cannot be read: %w", err)
		}
		r.index[key] = len(r.groups)
		r.groups = append(r.groups, key)
		r.cells = append(r.cells, Cell{plan: c, sums: g.Sums, ranks: g.Ranks})
	}
	if err := c.checkCommon(s.Groups); err != nil {
		return nil, fmt.Errorf("aggregate: the stored release cannot be read: %w", err)
	}
	return r, nil
}

// checkGroup returns an error if a stored group does not have the numbers that
// the plan asks for, or has numbers that no release can have.
func (c *compiled) checkGroup(g storedGroup) error {
	if len(g.Sums) != c.sums || len(g.Ranks) != c.histograms {
		return fmt.Errorf("a group has %d sums and %d lists of quantiles, must have %d and %d", len(g.Sums), len(g.Ranks), c.sums, c.histograms)
	}
	for _, m := range c.measures {
		if m.form != formRanks {
			continue
		}
		if err := m.checkRanks(g.Ranks[m.list]); err != nil {
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
