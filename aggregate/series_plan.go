package aggregate

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/calibrate"
	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/matrix"
)

// A SeriesPlan is a checked [Series] with a price. It is immutable and safe for
// concurrent use. [Advance] runs it.
type SeriesPlan[Row any, Unit, Group comparable] struct {
	*seriesCore
	series Series[Row, Unit, Group]
	inner  *Plan[Row, Unit, seriesPair[Group]] // reads rows and adds them up, by pairs
	given  []Group
	on     *schedule[Row]
	first  int // number of the first period in the calendar
}

// A seriesPair is a group in a period of the series.
type seriesPair[Group comparable] struct {
	Group  Group
	Period int
}

// A seriesCore is a plan of a series without its types.
type seriesCore struct {
	*compiled
	measures []*shared // in the order of those of compiled
	views    []View
	spans    []matrix.View // of the views
	periods  int
	step     Step
	labels   []string
	cap      int // pairs of a unit
	pairs    int // that there are
	atOnce   bool
	level    bool
	events   []dp.Event // of one period; the whole series has as many as it has periods
	mark     string     // fingerprint
}

// shared is a measure whose noise is shared over the periods.
type shared struct {
	*measure
	strategy *matrix.Strategy
	reader   *matrix.Reader
	law      *core.Law // of one row
	extra    uint      // rows are times 2^extra, so that the noise is on a fine grid
	choices  []choice
}

// A choice is a strategy that a measure could have.
type choice struct {
	strategy *matrix.Strategy
	squares  *big.Int  // of the sensitivity, in steps times 2^-matrix.Bits
	relative []float64 // noise of each view beside that of independent noise
	cost     float64   // weighted mean of their squares
}

// fine is how many bits below a step rows of a measure go.
func (m *shared) fine() uint { return matrix.Bits + m.extra }

// Plan checks the declaration, chooses how noise is shared and splits loss among the
// measures that answer the columns. All mistakes are reported, joined, and none
// depends on rows. It costs nothing.
//
// The whole series, however long and in however many runs it is released, is (ε, δ)- or
// ρ-private as loss says, for a unit's whole history, also if what people do depends on
// what was published. Proofs: docs/proofs/series.md.
//
// Columns are counts, units, sums, means, variances and standard deviations; quantiles
// are not summed over periods. The loss is a [dp.Approx] or a [dp.Concentrated].
func (s *Series[Row, Unit, Group]) Plan(loss dp.Loss, columns ...AnyColumn) (*SeriesPlan[Row, Unit, Group], error) {
	if err := errors.Join(s.check(), dp.CheckLoss(loss)); err != nil {
		return nil, err
	}
	columns, weights, weightErr := unweighted(columns)
	asked, err := s.Query.checkColumns(columns)
	if err := errors.Join(err, weightErr, checkSeriesColumns(asked)); err != nil {
		return nil, err
	}
	budget, err := gaussianBudget(loss)
	if err != nil {
		return nil, err
	}
	p := s.lay()
	p.series.Query.Consent, p.series.Query.Retention = copied(s.Query.Consent), copied(s.Query.Retention)
	ws, weightOf := wants(asked, weights, false)
	question := question{
		wants: ws, weights: weightOf, loss: loss, l0: int64(p.cap), rows: int64(s.Query.MaxRowsPerGroup), ranks: ranksAsked(asked), groups: p.pairs,
		apart: true, // a series has strategies for single numbers
	}
	calibrated, err := question.gaussianFor(budget, matrix.Bits+2)
	if err != nil {
		return nil, err
	}
	inner := &Query[Row, Unit, seriesPair[Group]]{
		Dataset: s.Query.Dataset, UnitName: s.Query.UnitName, Unit: s.Query.Unit, Group: p.pair, GroupName: s.Query.GroupName,
		MaxGroups: p.cap, MaxRowsPerGroup: s.Query.MaxRowsPerGroup, Groups: p.allPairs(),
	}
	p.inner = inner.compile(loss, asked, calibrated)
	p.compiled = p.inner.compiled
	if err := p.share(question, budget); err != nil {
		return nil, err
	}
	p.mark = p.describe()
	return p, nil
}

// gaussianBudget returns the bound on Σ(L2/σ)² that a loss allows.
func gaussianBudget(loss dp.Loss) (*big.Rat, error) {
	epsilon, delta, rho := dp.PartsOf(loss).Exact()
	switch {
	case rho.Sign() > 0:
		return rho.Add(rho, rho), nil
	case delta.Sign() > 0:
		if budget := calibrate.FineBudget(epsilon, delta); budget != nil {
			return budget, nil
		}
		return nil, fmt.Errorf("aggregate: no Gaussian noise is wide enough for %v", loss)
	}
	return nil, fmt.Errorf("aggregate: the noise of a series is Gaussian, which %v has no room for; use a dp.Approx or a dp.Concentrated", loss)
}

func checkSeriesColumns(asked []column) error {
	var errs []error
	if len(asked) == 0 {
		errs = append(errs, errors.New("aggregate: no columns given; ask for at least one, such as Query.Units"))
	}
	for _, c := range asked {
		if c.kind == kindDistinct {
			errs = append(errs, fmt.Errorf("aggregate: column %v counts distinct values, of which those of one period may be in others, so that they cannot be added up over the periods of a series; ask for it in a Plan", c))
		}
		if c.kind == kindQuantile {
			errs = append(errs, fmt.Errorf("aggregate: column %v is a quantile, which cannot be added up over the periods of a series; ask for it in a Plan, or let Query.Group name ranges of the value, whose counts add up and say between which of them a quantile is", c))
		}
	}
	return errors.Join(errs...)
}

// lay lays out the periods.
func (s *Series[Row, Unit, Group]) lay() *SeriesPlan[Row, Unit, Group] {
	query := *s.Query
	query.Groups = slices.Clone(query.Groups)
	given := query.given()
	p := &SeriesPlan[Row, Unit, Group]{
		seriesCore: &seriesCore{periods: s.Periods, step: s.Step, views: slices.Clone(s.Views), pairs: len(given) * s.Periods, atOnce: s.AtOnce, level: s.Level},
		series:     *s, given: given, on: s.schedule(),
	}
	p.first, p.labels = p.on.first(), p.on.labels()
	p.series.Query = &query
	p.cap = min(query.MaxGroups, p.pairs)
	for _, v := range s.Views {
		p.spans = append(p.spans, v.over(p.first, s.Periods, s.Step))
	}
	return p
}

// over returns the spans of a view.
func (v View) over(first, periods int, step Step) matrix.View {
	switch v.kind {
	case viewToDate:
		return matrix.ToDate(periods, v.weight)
	case viewCalendar:
		view := matrix.View{Weight: v.weight}
		from := 0
		for t := 1; t <= periods; t++ {
			if t == periods || v.step.number(step.middle(first+t)) != v.step.number(step.middle(first+from)) {
				view.Spans = append(view.Spans, matrix.Span{From: from, To: t})
				from = t
			}
		}
		return view
	}
	return matrix.Rolling(periods, min(v.length, periods), v.weight)
}

// pair returns the pair of a row. One outside the series is in no period.
func (p *SeriesPlan[Row, Unit, Group]) pair(row Row) seriesPair[Group] {
	k := seriesPair[Group]{Period: p.on.period(row, p.first)}
	if p.series.Query.Group != nil {
		k.Group = p.series.Query.Group(row)
	}
	return k
}

func (p *SeriesPlan[Row, Unit, Group]) allPairs() []seriesPair[Group] {
	var all []seriesPair[Group]
	for _, g := range p.given {
		for t := range p.periods {
			all = append(all, seriesPair[Group]{g, t})
		}
	}
	return all
}

// share chooses the strategy of every measure and gives it noise.
func (c *seriesCore) share(q question, budget *big.Rat) error {
	var errs []error
	groups := c.pairs / c.periods
	common := matrix.Choices(c.periods, c.cap, c.spans)
	if c.level {
		common = append(common, matrix.Level(c.periods, c.spans))
	}
	for i, m := range c.compiled.measures {
		s := &shared{measure: m}
		norm := new(big.Int).Mul(m.norm(), q.records(m))
		for _, strategy := range common {
			squares := strategy.Squares(c.cap, groups == 1)
			s.choices = append(s.choices, c.judge(strategy, squares.Mul(squares, norm).Mul(squares, norm), norm))
		}
		if c.atOnce && c.cap == c.pairs && m.parts() == 1 {
			low, high := m.ends()
			strategy := matrix.Centred(c.periods, low*q.records(m).Int64(), high*q.records(m).Int64(), c.spans)
			s.choices = append(s.choices, c.judge(strategy, strategy.CentredSquares(groups), norm))
		}
		best := slices.MinFunc(s.choices, func(a, b choice) int {
			switch {
			case a.cost < b.cost*(1-1e-9):
				return -1
			case b.cost < a.cost*(1-1e-9):
				return 1
			}
			return 0
		})
		s.strategy, s.reader = best.strategy, best.strategy.Reader()
		event, err := s.calibrate(best.squares, c.periods, new(big.Rat).Mul(q.share(q.wants[i]), budget))
		errs = append(errs, err)
		c.measures, c.events = append(c.measures, s), append(c.events, event)
	}
	return errors.Join(errs...)
}

// ends returns the least and the most that one record adds to a measure of one part.
func (m *measure) ends() (low, high int64) {
	if m.form == formTotal {
		return m.grid.First(), m.grid.First() + m.grid.Cells
	}
	return 0, 1
}

// judge says how much noise a strategy has in the views.
func (c *seriesCore) judge(strategy *matrix.Strategy, squares, norm *big.Int) choice {
	ch := choice{strategy: strategy, squares: squares}
	independent := new(big.Int).Lsh(big.NewInt(int64(c.cap)), 2*matrix.Bits)
	independent.Mul(independent, norm).Mul(independent, norm)
	ratio, _ := new(big.Rat).SetFrac(squares, independent).Float64()
	reader, all := strategy.Reader(), 0.0
	for _, v := range c.spans {
		r := reader.Relative(v, ratio, 1)
		ch.relative = append(ch.relative, r)
		ch.cost, all = ch.cost+v.Weight*r*r, all+v.Weight
	}
	ch.cost /= all
	return ch
}

// calibrate gives the rows of a measure noise for a share of the budget, and returns the
// event of one period: a T-th of the whole (docs/proofs/series.md, section 4).
func (m *shared) calibrate(squares *big.Int, periods int, budget *big.Rat) (dp.Event, error) {
	each := func() *big.Int {
		all := new(big.Int).Lsh(squares, 2*m.extra)
		return rootUp(ceilQuo(all, int64(periods)))
	}
	change := calibrate.Change{L0: big.NewInt(int64(periods)), LInf: each()}
	for { // once more where rounding up took less of the finer grid's change
		more := calibrate.Fineness(change.Gaussian(budget))
		if more == 0 {
			break
		}
		m.extra += more
		change.LInf = each()
	}
	scale := change.Gaussian(budget)
	if !calibrate.Fits(scale) {
		approx, _ := scale.Float64()
		return dp.Event{}, fmt.Errorf("aggregate: %v needs noise of scale %.3g, must be at most 2^40; use a larger loss, smaller caps, or a coarser step", m.measure, approx)
	}
	if !change.LInf.IsInt64() { // the scale is at most 2^40 of more than 2^63
		return dp.Event{}, fmt.Errorf("aggregate: %v needs noise of less than 2^-22 of what one unit moves, which is none; use a smaller loss", m.measure)
	}
	law, err := calibrate.Law(core.Gaussian, scale)
	if err != nil {
		return dp.Event{}, fmt.Errorf("aggregate: %v: %w", m.measure, err)
	}
	m.law = law
	return dp.Event{
		Mechanism: dp.DiscreteGaussian, For: m.measure.String() + ", one period of a series", Scale: law.Scale, Count: 1,
		Sensitivity: dp.Sensitivity{L0: 1, LInf: change.LInf.Int64()},
	}, nil
}

func ceilQuo(x *big.Int, by int64) *big.Int {
	q, rest := new(big.Int).QuoRem(x, big.NewInt(by), new(big.Int))
	if rest.Sign() > 0 {
		q.Add(q, big.NewInt(1))
	}
	return q
}

// rootUp returns the least integer whose square is at least x.
func rootUp(x *big.Int) *big.Int {
	r := new(big.Int).Sqrt(x)
	if new(big.Int).Mul(r, r).Cmp(x) < 0 {
		r.Add(r, big.NewInt(1))
	}
	return r
}

// Periods returns the names of all periods, such as "2026-W05".
func (p *SeriesPlan[Row, Unit, Group]) Periods() []string { return slices.Clone(p.labels) }

// Charge returns what the whole series costs. [Advance] reserves it.
func (p *SeriesPlan[Row, Unit, Group]) Charge(r Request) dp.Charge {
	c := p.draw(r, 0)
	c.Key = r.Key
	for i := range c.Events {
		c.Events[i].Count = p.periods
	}
	return c
}

// draw returns what a release of period t is drawn by. That of a series that is
// released at once draws everything.
func (p *SeriesPlan[Row, Unit, Group]) draw(r Request, t int) dp.Charge {
	c := dp.Charge{
		Dataset: p.dataset, Unit: p.unitName, Purpose: r.Purpose, Key: r.Key + " " + p.labels[t], Plan: p.mark, Question: p.mark,
		Analyst: r.Analyst, Periods: slices.Clone(r.Periods), Loss: p.loss, Events: cloned(p.events), States: p.states(),
	}
	if p.atOnce {
		c.Key = r.Key + " all"
		for i := range c.Events {
			c.Events[i].Count = p.periods
		}
	}
	return c
}

// releases returns how many releases there are of the first periods.
func (p *seriesCore) releases(through int) int {
	if p.atOnce {
		return 1
	}
	return through
}

// rowsOf returns the rows of a release, of a measure: one period, or all of them.
func (p *seriesCore) rowsOf(m *shared, release int) (from, to int) {
	if p.atOnce {
		return 0, m.strategy.Rows()
	}
	return release, release + 1
}

// describe hashes all that stands in the declaration and its noise.
func (p *SeriesPlan[Row, Unit, Group]) describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "equipoise series 1\n%s\n%v %q %d %d %t\n", p.fingerprint, p.step, p.series.Zone.String(), p.first, p.periods, p.atOnce)
	b.WriteString(p.series.Query.conditions())
	if p.series.Arrived != nil {
		fmt.Fprintf(&b, "rows arrive within %v\n", p.series.Wait)
	}
	for i, m := range p.measures {
		e := p.events[i]
		fmt.Fprintf(&b, "measure %q %q %d %+v %v\n", m.measure, m.strategy.Name, m.extra, e.Sensitivity, e.Scale)
	}
	hash := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(hash[:])
}
