package aggregate

import (
	"fmt"
	"math"
	"math/big"
	"slices"

	"github.com/equipoise-dp/equipoise/internal/matrix"
)

// A Trend is what has been released of a series. Every sum over periods and groups is
// read from the same noisy numbers, so they add up; reading costs nothing.
type Trend[Group comparable] struct {
	core     *seriesCore
	given    []Group
	index    map[Group]int
	released int
	totals   [][][]*big.Int // of groups and parts: of the first i periods, in steps of the rows
	receipts []Receipt
	rows     [][][]*big.Int // as they were released
}

// A Stretch is what a number is about: groups, and the periods from the one with the number From, counted
// from 0, to the one before To. No Groups are all of them.
type Stretch[Group comparable] struct {
	Groups   []Group
	From, To int
}

// Trend reads releases again.
func (p *SeriesPlan[Row, Unit, Group]) trend(kept [][]byte) (*Trend[Group], error) {
	t := &Trend[Group]{core: p.seriesCore, given: p.given, index: make(map[Group]int), released: len(kept)}
	if p.atOnce {
		t.released = p.periods
	}
	rows := make([][][]*big.Int, len(p.given))
	for g, key := range p.given {
		t.index[key] = g
		rows[g] = make([][]*big.Int, p.sums)
	}
	for i, text := range kept {
		s, err := p.decode(i, text)
		if err != nil {
			return nil, err
		}
		t.receipts = append(t.receipts, s.Receipt)
		for g := range s.Groups {
			for i, part := range s.Groups[g].Parts {
				rows[g][i] = append(rows[g][i], part...)
			}
		}
	}
	t.rows = rows
	for g := range rows {
		t.totals = append(t.totals, make([][]*big.Int, p.sums))
		for _, m := range p.measures {
			for i := range m.parts() {
				t.totals[g][m.first+i] = m.strategy.Decode(rows[g][m.first+i])
			}
		}
	}
	return t, nil
}

// Periods returns the names of the periods that were released, such as "2026-W05".
func (t *Trend[Group]) Periods() []string { return slices.Clone(t.core.labels[:t.released]) }

// Receipts returns the public records of the releases, in the order of the periods.
func (t *Trend[Group]) Receipts() []Receipt { return slices.Clone(t.receipts) }

// Noisy returns the noisy numbers that were released, from which every estimate follows.
// It is for audits; most programs want [Trend.Over].
func (t *Trend[Group]) Noisy() []float64 {
	var numbers []float64
	for _, group := range t.rows {
		for _, row := range slices.Concat(group...) {
			f, _ := new(big.Float).SetInt(row).Float64()
			numbers = append(numbers, f)
		}
	}
	return numbers
}

// Over returns the estimates of sums over a stretch, for [Column.Of]. Means and variances
// are those of all records of the stretch together. It returns an error if the stretch
// is not within what was released.
//
// An interval holds for one number. Many hold together, whatever noise they share, at the
// confidence that [dp.Jointly] says.
func (t *Trend[Group]) Over(s Stretch[Group]) (Cell, error) {
	groups, err := t.groups(s)
	if err != nil {
		return Cell{}, err
	}
	return t.cell(groups, nil, matrix.Span{From: s.From, To: s.To}, matrix.Span{}), nil
}

// groups returns the places of the groups of a stretch, or why it cannot be read.
func (t *Trend[Group]) groups(s Stretch[Group]) ([]int, error) {
	if s.From < 0 || s.From >= s.To || s.To > t.released {
		return nil, fmt.Errorf("aggregate: Stretch is from %d to %d, must be within the %d periods that are released, and of at least one", s.From, s.To, t.released)
	}
	if s.Groups == nil {
		s.Groups = t.given
	}
	var groups []int
	for _, k := range s.Groups {
		g, ok := t.index[k]
		if !ok {
			return nil, fmt.Errorf("aggregate: Stretch has group %v, which is not in the series", k)
		}
		if slices.Contains(groups, g) {
			return nil, fmt.Errorf("aggregate: Stretch has group %v twice", k)
		}
		groups = append(groups, g)
	}
	return groups, nil
}

// cell returns the sums over some groups and a span, less those over others.
func (t *Trend[Group]) cell(plus, minus []int, v, w matrix.Span) Cell {
	sums := make([]*big.Int, t.core.sums)
	for i := range sums {
		sum := new(big.Int)
		for _, g := range plus {
			sum.Add(sum, t.totals[g][i][v.To]).Sub(sum, t.totals[g][i][v.From])
		}
		for _, g := range minus {
			sum.Sub(sum, t.totals[g][i][w.To]).Add(sum, t.totals[g][i][w.From])
		}
		sums[i] = sum
	}
	cell := cellOf(t.core.read(func(m *shared) float64 { return math.Sqrt(m.variance(plus, minus, v, w)) }, minus != nil), sums)
	cell.of.sources = t.sources(append(plus[:len(plus):len(plus)], minus...)...)
	return cell
}

// variance returns that of the difference of two sums, in those of a row.
func (m *shared) variance(plus, minus []int, v, w matrix.Span) float64 {
	variance := float64(len(plus)) * m.reader.Covariance(v, v)
	if len(minus) > 0 {
		variance += float64(len(minus))*m.reader.Covariance(w, w) - 2*m.covariance(plus, minus, v, w)
	}
	return max(variance, 0)
}

// covariance returns that of two sums, in variances of a row. Groups have independent
// noise.
func (m *shared) covariance(plus, minus []int, v, w matrix.Span) float64 {
	both := 0
	for _, g := range plus {
		if slices.Contains(minus, g) {
			both++
		}
	}
	return float64(both) * m.reader.Covariance(v, w)
}

// read returns the plan that says how numbers are read whose noise is so many times
// that of a row. Those of differences have no range.
func (c *seriesCore) read(times func(*shared) float64, difference bool) *compiled {
	plan := *c.compiled
	plan.calibration.measures = make([]*measure, len(c.measures))
	plan.answers = slices.Clone(plan.answers)
	for i, m := range c.measures {
		plan.calibration.measures[i] = m.read(times(m))
		for j := range plan.answers {
			if a := &plan.answers[j]; a.measure == m.measure {
				a.measure = plan.calibration.measures[i]
				if difference {
					a.within = span{}
				}
			}
		}
	}
	return &plan
}

// read returns the measure as it is read where noise is so many times that of a row.
func (m *shared) read(times float64) *measure {
	r := *m.measure
	r.shift, r.law = m.fine(), m.law.Times(times)
	return &r
}
