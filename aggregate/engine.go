package aggregate

import (
	"context"
	"errors"
	"math/big"

	"github.com/equipoise-dp/equipoise/internal/engine"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// Engines of this module see a plan by a hook, and not by an exported method: so nothing
// else can make a Partial of numbers of its own.
func init() {
	engine.ViewOf = func(plan any) any { return plan.(interface{ view() any }).view() }
}

// view is what engines see of the plan.
func (p *Plan[Row, Unit, Group]) view() any {
	v := &engine.View[Row, Unit, Group]{
		MaxGroups: p.maxGroups, MaxRows: p.maxRows, Unit: p.query.Unit, Group: p.query.Group, Given: p.query.given(),
		Begin:       func(ctx context.Context) engine.Sums[Group] { return p.gathering(ctx) },
		Fingerprint: p.fingerprint, Shards: p.placing,
	}
	if p.earlier != nil {
		v.Earlier = p.earlier.view()
	}
	if p.finder != nil {
		v.Not = append(v.Not, "no column is asked for, so the groups of each unit are needed, and not sums")
	}
	if p.query.Consent != nil {
		v.Not = append(v.Not, "Query.Consent asks a source in this process")
	}
	if p.query.Retention != nil {
		v.Not = append(v.Not, "Query.Retention reads the time of a row in this process")
	}
	for i, in := range p.inputs {
		v.Values = append(v.Values, engine.Value[Row]{Name: in.name, Integer: in.integer, PerUnit: in.perUnit, Grid: in.grid, Read: p.reads[i], Distinct: in.most > 0})
	}
	for _, m := range p.measures {
		if m.joint != nil {
			v.People = v.People || m.joint.centre != nil
			for _, i := range m.joint.inputs {
				v.Values[i].Sums = true
			}
		} else if m.value != nil {
			of := &v.Values[m.input]
			of.Points = of.Points || m.form == formRanks
			of.Sums = of.Sums || m.form != formRanks
			of.Squares = of.Squares || m.form == formTriple
		}
	}
	return v
}

// gathered is what an engine has found so far.
type gathered[Row any, Unit, Group comparable] struct {
	plan   *Plan[Row, Unit, Group]
	adder  *adder
	groups []Group
	ids    map[Group]uint32
	parts  map[*measure][]polynomial
}

func (p *Plan[Row, Unit, Group]) gathering(ctx context.Context) *gathered[Row, Unit, Group] {
	g := &gathered[Row, Unit, Group]{plan: p, adder: p.newAdder(ctx, 0, newPage), ids: make(map[Group]uint32), parts: make(map[*measure][]polynomial)}
	for _, m := range p.measures {
		g.parts[m] = m.polynomials(len(p.inputs))
	}
	for _, k := range p.query.given() {
		g.id(k)
	}
	return g
}

// id returns the number of a group.
func (g *gathered[Row, Unit, Group]) id(k Group) uint32 {
	id, ok := g.ids[k]
	if !ok {
		id = uint32(len(g.groups))
		g.ids[k], g.groups = id, append(g.groups, k)
		g.adder.sums = append(g.adder.sums, make([]exact.Int128, g.plan.sums)...)
	}
	return id
}

var errEngine = errors.New("aggregate: internal error: the engine returned numbers that no rows have")

// known returns the number of a group that may be there.
func (g *gathered[Row, Unit, Group]) known(k Group) (uint32, error) {
	if _, ok := g.ids[k]; !ok && g.plan.query.given() != nil {
		return 0, errEngine
	}
	return g.id(k), g.adder.adding.ask()
}

// Total implements engine.Sums.
func (g *gathered[Row, Unit, Group]) Total(k Group, rows, units int64, of []engine.Total) error {
	id, err := g.known(k)
	if err != nil {
		return err
	}
	if units < 1 || rows < units || len(of) != len(g.plan.inputs) {
		return errEngine
	}
	totals := make([]bigTotal, len(of))
	for i, t := range of {
		totals[i] = bigTotal{wide(t.Points), wide(t.Squares)}
	}
	sums := g.adder.sums[int(id)*g.plan.sums:][:g.plan.sums]
	for _, m := range g.plan.measures {
		n := rows
		if m.perUnit() {
			n = units
		}
		if !m.possible(g.plan.inputs, n, totals) {
			return errEngine
		}
		for i, f := range g.parts[m] {
			sums[m.first+i] = sums[m.first+i].Add(f.of(n, totals))
		}
	}
	return nil
}

// possible reports whether so many records can have the totals that the measure reads: points
// are within the grid. So what an engine adds up wrongly is no more than what rows could be.
func (m *measure) possible(inputs []input, n int64, totals []bigTotal) bool {
	for _, i := range m.reads() {
		w := big.NewInt(inputs[i].grid.Cells)
		most := new(big.Int).Mul(w, big.NewInt(n))
		t := totals[i]
		if t.points.Sign() < 0 || t.points.Cmp(most) > 0 {
			return false
		}
		if m.form == formTriple && (t.squares.Cmp(t.points) < 0 || t.squares.Cmp(most.Mul(w, t.points)) > 0) {
			return false
		}
	}
	return true
}

// reads returns the inputs whose sums the measure is made of.
func (m *measure) reads() []int {
	switch {
	case m.joint != nil:
		return m.joint.inputs
	case m.value == nil || m.form == formRanks || m.form == formDistinct:
		return nil
	}
	return []int{m.input}
}

// Points implements engine.Sums.
func (g *gathered[Row, Unit, Group]) Points(k Group, value int, point, times int64) error {
	id, err := g.known(k)
	if err != nil {
		return err
	}
	in := g.plan.inputs[value]
	if least, most := in.grid.Range(); point < least || point > most || times < 1 {
		return errEngine
	}
	for _, m := range g.plan.measures {
		if m.form != formRanks || m.input != value {
			continue
		}
		for range times {
			if g.adder.adding.stop() {
				return g.adder.adding.ask()
			}
			g.adder.points[m.list].add(id, point, g.adder.room)
		}
	}
	return nil
}

// Unit implements engine.Sums.
func (g *gathered[Row, Unit, Group]) Unit(k Group, rows int, values []int64) error {
	id, err := g.known(k)
	if err != nil || g.adder.add(id, rows, values) {
		return err
	}
	if err := g.adder.adding.ask(); err != nil {
		return err
	}
	return errLeftOut
}

var errLeftOut = errors.New("aggregate: a unit was not added up, so nothing is released")

// Partial implements engine.Sums.
func (g *gathered[Row, Unit, Group]) Partial(people int64) (any, error) {
	g.adder.people = people
	settled, err := g.plan.settle(g.groups, []*adder{g.adder})
	if err != nil {
		return nil, err
	}
	settled.origins = []origin{{space: newSpace(), of: 1}}
	return newPartial(settled), nil
}

// bigTotal is an engine.Total.
type bigTotal struct{ points, squares *big.Int }

func wide(w engine.Wide) *big.Int {
	x := new(big.Int).Lsh(big.NewInt(w.High), 31)
	return x.Add(x, big.NewInt(w.Low))
}

// A polynomial is what a part of a measure adds up of a record: a constant and, of the point of each input,
// so many times it and its square. It is found by recording points 0, 1 and 2, so there is one
// place that says what a record is.
type polynomial struct {
	constant        *big.Int
	linear, squared []*big.Int
}

// polynomials returns those of the parts of a measure. That there are no higher powers, and no
// products of two inputs, is in docs/proofs/moments.md and docs/proofs/cube.md.
func (m *measure) polynomials(inputs int) []polynomial {
	recorded := func(input int, point int64) []exact.Int128 {
		parts := make([]exact.Int128, m.parts())
		switch {
		case m.form == formRanks:
		case m.joint != nil:
			m.joint.record(func(i int) int64 {
				if i == input {
					return point
				}
				return 0
			}, parts)
		case m.value == nil || m.input == input:
			m.record(point, parts)
		default:
			m.record(0, parts)
		}
		return parts
	}
	all := make([]polynomial, m.parts())
	at0 := recorded(0, 0)
	for part := range all {
		all[part].constant = at0[part].Big()
	}
	for input := range inputs {
		at1, at2 := recorded(input, 1), recorded(input, 2)
		for part := range all {
			step := at1[part].Sub(at0[part])
			twice := at2[part].Sub(at1[part]).Sub(step).Big() // twice the coefficient of the square
			squared := twice.Rsh(twice, 1)
			all[part].squared = append(all[part].squared, squared)
			all[part].linear = append(all[part].linear, new(big.Int).Sub(step.Big(), squared))
		}
	}
	return all
}

// of returns what so many records add up to.
func (f polynomial) of(n int64, totals []bigTotal) exact.Int128 {
	sum := new(big.Int).Mul(f.constant, big.NewInt(n))
	for i, t := range totals {
		sum.Add(sum, new(big.Int).Mul(f.linear[i], t.points))
		sum.Add(sum, new(big.Int).Mul(f.squared[i], t.squares))
	}
	return exact.FromBig(sum)
}
