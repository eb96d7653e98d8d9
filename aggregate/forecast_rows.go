package aggregate

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/big"

	"github.com/equipoise-dp/equipoise/internal/grid"
)

// Seen is what a plan would make of rows that were looked at. It is made of exact numbers.
type Seen[Group comparable] struct {
	Source string // of the rows, as it was stated

	// Groups are the forecasts of all groups that rows are in, or that are given: of as many units
	// and rows as caps leave in them, with the means that values have within their bounds. One
	// in which nobody is has no columns.
	Groups map[Group]Forecast

	// Shown is how many of them are shown in the mean of all draws of noise.
	Shown float64

	// Units and Rows are what caps leave out: of the groups that units are in, and of the rows, as
	// parts of 1.
	Units, Rows float64

	// Cut says of each value, by its name, what its bounds cut off.
	Cut map[string]SeenCut

	// Sizes are the groups by how many units caps leave in them: none, below 10, below 100 and so
	// on, the small ones first. Sizes of no group are not listed.
	Sizes []SeenSize
}

// SeenSize says how near to the truth groups of about one size would be.
type SeenSize struct {
	Least, Most int     // units of such a group
	Groups      int     // how many there are
	Shown       float64 // how many of them are shown in the mean of all draws of noise

	// Columns have the means of all these groups: of the values and of PlusMinus. Groups in
	// which nobody is have none.
	Columns []Expected
}

// SeenCut is what bounds cut off.
type SeenCut struct {
	Values float64 // of the values, those beyond a bound, as a part of 1
	Sum    float64 // by which part of it the sum of all of them moves, but for those that are no number; NaN where it is 0
}

// ForecastOn says what the plan would make of rows that may be looked at: public ones, made-up
// ones, or those of an older report that were released as they are. It says how many groups
// would be shown, how near to the truth their numbers would be, and what caps and bounds would
// cut off. Nothing is paid, no noise is drawn, and Consent and Retention are not asked.
//
// It is not private: what it returns are exact numbers about the rows. Never give it rows of
// people that an account protects, or what it says of them has been released for nothing. So
// source must say where the rows are from and why they may be looked at, and stands
// in what is returned. Caps and bounds that are chosen by looking at rows must not be
// those of the report about the same rows.
//
// All rows are held in memory. Of rows that caps leave out at random, those that are kept
// are taken to be like the others.
func (p *Plan[Row, Unit, Group]) ForecastOn(ctx context.Context, source string, rows iter.Seq2[Row, error]) (*Seen[Group], error) {
	var errs []error
	if source == "" {
		errs = append(errs, errors.New("aggregate: no source is given; say where the rows are from, and why they may be looked at"))
	}
	if rows == nil {
		errs = append(errs, errors.New("aggregate: no rows given; for none use Slice of an empty slice"))
	}
	if p.finder != nil || p.top != nil {
		errs = append(errs, errNoColumn)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	l := newViewing(p)
	if err := l.read(ctx, rows); err != nil {
		return nil, err
	}
	return l.seen(source)
}

// A viewing holds all rows, by unit and group, as points of grids that reach far beyond the
// bounds.
type viewing[Row any, Unit, Group comparable] struct {
	plan  *Plan[Row, Unit, Group]
	wide  []input
	ends  [][2]float64 // bounds of the values
	reads []func(Row) int64
	rows  map[Unit]map[Group][][]int64 // of each row, its values
	given map[Group]bool               // nil if groups are selected
}

func newViewing[Row any, Unit, Group comparable](p *Plan[Row, Unit, Group]) *viewing[Row, Unit, Group] {
	l := &viewing[Row, Unit, Group]{plan: p, rows: map[Unit]map[Group][][]int64{}}
	for _, in := range p.inputs {
		most := new(big.Rat).Mul(in.grid.Step, new(big.Rat).SetInt64(1<<60))
		wide := input{in.value, grid.New(new(big.Rat).Neg(most), most, in.grid.Step)}
		l.wide, l.reads = append(l.wide, wide), append(l.reads, wide.bind(wide.grid).(func(Row) int64))
		lower, _ := in.lower.Float64()
		upper, _ := in.upper.Float64()
		l.ends = append(l.ends, [2]float64{valueAt(wide.grid, wide.grid.Float(lower)), valueAt(wide.grid, wide.grid.Float(upper))})
	}
	if given := p.query.given(); given != nil {
		l.given = map[Group]bool{}
		for _, g := range given {
			l.given[g] = true
		}
	}
	return l
}

func (l *viewing[Row, Unit, Group]) read(ctx context.Context, rows iter.Seq2[Row, error]) error {
	reading := &watch{ctx: ctx, doing: phaseReading}
	for row, err := range rows {
		if err != nil {
			return fmt.Errorf("aggregate: reading rows: %w", err)
		}
		if reading.ask() != nil {
			break
		}
		unit, group := l.plan.query.Unit(row), l.plan.key(row)
		if l.given != nil && !l.given[group] {
			continue
		}
		if l.rows[unit] == nil {
			l.rows[unit] = map[Group][][]int64{}
		}
		values := make([]int64, len(l.reads))
		for i, read := range l.reads {
			values[i] = read(row)
		}
		l.rows[unit][group] = append(l.rows[unit][group], values)
	}
	return reading.ask()
}

// A tally is what is expected of a group after the caps.
type tally struct {
	units, rows float64
	sums        []float64 // of each value
}

// A cutOff adds up values as they are, and within their bounds.
type cutOff struct{ values, beyond, all, within float64 }

// count adds a value and returns it within its bounds.
func (c *cutOff) count(x float64, ends [2]float64) float64 {
	y := within(x, ends)
	if c.values++; x != y {
		c.beyond++
	}
	if !math.IsInf(x, 0) {
		c.all, c.within = c.all+x, c.within+y
	}
	return y
}

func within(x float64, ends [2]float64) float64 { return min(max(x, ends[0]), ends[1]) }

func (l *viewing[Row, Unit, Group]) seen(source string) (*Seen[Group], error) {
	s := &Seen[Group]{Source: source, Groups: map[Group]Forecast{}, Cut: map[string]SeenCut{}}
	groups, cuts := map[Group]*tally{}, make([]cutOff, len(l.wide))
	for g := range l.given {
		groups[g] = &tally{sums: make([]float64, len(l.wide))}
	}
	var pairs, rows, keptPairs, keptRows float64
	for _, of := range l.rows {
		kept := min(1, float64(l.plan.maxGroups)/float64(len(of)))
		for group, all := range of {
			if groups[group] == nil {
				groups[group] = &tally{sums: make([]float64, len(l.wide))}
			}
			few := min(1, float64(l.plan.maxRows)/float64(len(all)))
			g, n := groups[group], few*float64(len(all))
			g.units += kept
			g.rows += kept * n
			l.add(g, cuts, all, kept, few)
			pairs, rows = pairs+1, rows+float64(len(all))
			keptPairs, keptRows = keptPairs+kept, keptRows+kept*n
		}
	}
	if pairs > 0 {
		s.Units, s.Rows = 1-keptPairs/pairs, 1-keptRows/rows
	}
	for i, in := range l.wide {
		if in.most > 0 {
			continue
		}
		c := cuts[i]
		s.Cut[in.name] = SeenCut{Values: c.beyond / max(1, c.values), Sum: (c.within - c.all) / math.Abs(c.all)}
	}
	for group, g := range groups {
		f, err := l.forecast(g)
		if err != nil {
			return nil, err
		}
		s.Groups[group], s.Shown = f, s.Shown+f.Shown
		s.addSize(int(math.Round(g.units)), f)
	}
	s.meanSizes()
	return s, nil
}

// add adds the rows that one unit has in one group, which is kept with a probability,
// and of which a part is kept.
func (l *viewing[Row, Unit, Group]) add(g *tally, cuts []cutOff, rows [][]int64, kept, few float64) {
	for i, in := range l.wide {
		if in.most > 0 {
			continue
		}
		if !in.perUnit {
			for _, row := range rows {
				x := valueAt(in.grid, row[i])
				g.sums[i] += kept * few * cuts[i].count(x, l.ends[i])
			}
			continue
		}
		var t total
		for _, row := range rows {
			t.add(in, row[i])
		}
		x := valueAt(in.grid, t.point(in))
		cuts[i].count(x, l.ends[i])
		g.sums[i] += kept * within(x*few, l.ends[i])
	}
}

// valueAt returns the value of a point; an infinite one at the ends of the grid, where
// whatever is no number is too.
func valueAt(g *grid.Grid, point int64) float64 {
	switch least, most := g.Range(); point {
	case least:
		return math.Inf(-1)
	case most:
		return math.Inf(1)
	}
	x, _ := g.Value(new(big.Rat).SetInt64(point)).Float64()
	return x
}

// forecast is that of a group of which so much is expected.
func (l *viewing[Row, Unit, Group]) forecast(g *tally) (Forecast, error) {
	of := Assumed{Units: int(math.Round(g.units)), Rows: 1, Means: map[string]float64{}}
	if of.Units == 0 {
		if l.given == nil {
			return Forecast{Shown: l.plan.threshold.shown(0)}, nil
		}
		return Forecast{Shown: 1}, nil
	}
	of.Rows = min(max(1, g.rows/g.units), float64(l.plan.maxRows))
	for i, in := range l.wide {
		if in.most > 0 {
			continue
		}
		records := g.rows
		if in.perUnit {
			records = g.units
		}
		lower, _ := in.lower.Float64()
		upper, _ := in.upper.Float64()
		of.Means[in.name] = within(g.sums[i]/records, [2]float64{lower, upper})
	}
	return l.plan.Forecast(of)
}
