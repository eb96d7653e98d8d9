package aggregate

import (
	"context"

	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// An adder adds up what is kept of units. Sums are exact, so what it has does not depend on
// the order.
type adder struct {
	*compiled
	rows, units []*measure // whose records are of rows, or of units
	distinct    []*measure // whose records are the different values of a unit
	totals      []total    // of the inputs that are per unit
	perUnit     []int      // which these are

	sums    []exact.Int128 // of all groups
	points  []log          // of the measures of ranks
	people  int64          // how many units there were
	room    func() ([]uint32, []int64)
	chosen  func(values []int64, n int) []int64 // of the values of a unit in a group, so many different ones
	scratch []int64
	ration  ration // of bytes that points may still take
	adding  watch
}

// A log is a list of records of a measure of ranks: their groups and their points.
type log struct {
	pages []page
}

type page struct {
	groups []uint32
	points []int64
}

func (c *compiled) newAdder(ctx context.Context, groups int, room func() ([]uint32, []int64)) *adder {
	a := &adder{
		compiled: c, totals: make([]total, len(c.inputs)), room: room, adding: watch{ctx: ctx, doing: phaseAdding},
		sums: make([]exact.Int128, groups*c.sums), points: make([]log, c.histograms),
	}
	for _, m := range c.measures {
		if m.form == formDistinct {
			a.distinct = append(a.distinct, m)
		} else if m.perUnit() {
			a.units = append(a.units, m)
		} else {
			a.rows = append(a.rows, m)
		}
	}
	for i, in := range c.inputs {
		if in.perUnit && in.most == 0 {
			a.perUnit = append(a.perUnit, i)
		}
	}
	return a
}

// add adds what one unit contributes to one group: some rows, and their values one after
// the other. It reports false if it had to end.
func (a *adder) add(group uint32, rows int, values []int64) bool {
	if a.ration.gone {
		return false
	}
	width := len(a.inputs)
	a.addDistinct(group, values)
	sums := a.sums[int(group)*a.compiled.sums:][:a.compiled.sums]
	for range rows {
		if a.adding.stop() {
			return false
		}
		row := values[:width]
		values = values[width:]
		for _, m := range a.rows {
			if m.joint != nil {
				m.joint.record(func(i int) int64 { return row[i] }, partsOf(m, sums))
				continue
			}
			a.record(m, group, m.at(row), sums)
		}
		for _, i := range a.perUnit {
			a.totals[i].add(a.inputs[i], row[i])
		}
	}
	for _, m := range a.units {
		if m.joint != nil {
			m.joint.record(func(i int) int64 { return a.totals[i].point(a.inputs[i]) }, partsOf(m, sums))
			continue
		}
		at := int64(0)
		if m.value != nil {
			at = a.totals[m.input].point(a.inputs[m.input])
		}
		a.record(m, group, at, sums)
	}
	for _, i := range a.perUnit {
		a.totals[i] = total{}
	}
	return true
}

// at returns the point of a row.
func (m *measure) at(row []int64) int64 {
	if m.value == nil {
		return 0
	}
	return row[m.input]
}

// record adds one record at a point of the grid.
func (a *adder) record(m *measure, group uint32, point int64, sums []exact.Int128) {
	if m.form == formRanks {
		a.list(m, group, point)
		return
	}
	m.record(point, sums[m.first:])
}

// list adds a point to those of a measure.
func (a *adder) list(m *measure, group uint32, point int64) {
	a.ration.take(recordBytes)
	a.points[m.list].add(group, point, a.room)
}

// record adds the parts of a record at a point of the grid: of all grids, if the measure
// has several numbers.
func (m *measure) record(point int64, parts []exact.Int128) {
	switch m.form {
	case formRows, formUnits, formDistinct:
		parts[0] = parts[0].Add(exact.Int(1))
	case formTotal:
		parts[0] = parts[0].Add(exact.Int(m.grid.First() + point))
	case formPair:
		parts[0] = parts[0].Add(exact.Int(m.grid.Cells - point))
		parts[1] = parts[1].Add(exact.Int(point))
	case formTriple:
		for i, x := range triple(m.law.Family, point, m.grid.Cells) {
			parts[i] = parts[i].Add(x)
		}
	case formJoint:
		m.joint.record(func(int) int64 { return point }, parts)
	}
}

// triple returns the parts of formTriple: Bernstein's basis for Laplace noise,
// Lagrange's at 0, w/2 and w for Gaussian noise, times w².
func triple(f core.Family, x, w int64) [3]exact.Int128 {
	if f == core.Laplace {
		return [3]exact.Int128{exact.Mul(w-x, w-x), exact.Mul(2*x, w-x), exact.Mul(x, x)}
	}
	return [3]exact.Int128{exact.Mul(w-2*x, w-x), exact.Mul(4*x, w-x), exact.Mul(x, 2*x-w)}
}

// newPage returns room for some records.
func newPage() ([]uint32, []int64) { return make([]uint32, 0, 512), make([]int64, 0, 512) }

func (l *log) add(group uint32, point int64, room func() ([]uint32, []int64)) {
	n := len(l.pages)
	if n == 0 || len(l.pages[n-1].groups) == cap(l.pages[n-1].groups) {
		groups, points := room()
		l.pages = append(l.pages, page{groups, points})
		n++
	}
	last := &l.pages[n-1]
	last.groups, last.points = append(last.groups, group), append(last.points, point)
}

// addGroup adds what a Partial has of a group.
func (a *adder) addGroup(to uint32, g group) {
	if a.adding.stop() {
		return
	}
	for i, s := range g.sums {
		at := &a.sums[int(to)*a.compiled.sums+i]
		*at = at.Add(s)
	}
	for i, points := range g.points {
		for _, point := range points {
			if a.adding.stop() {
				return
			}
			a.points[i].add(to, point, a.room)
		}
	}
}
