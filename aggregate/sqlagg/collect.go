package sqlagg

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"math"
	"reflect"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/internal/engine"
	"github.com/equipoise-dp/equipoise/internal/unsaid"
)

// Collect is Plan.Collect in the database: it bounds and adds up there, by one statement, and
// reads what came out. Where caps cut nothing it returns what Plan.Collect does; where they
// cut, rows and groups are chosen uniformly. What cannot be pushed down is read and
// collected here, as by [Rows]; [Explain] says so before.
//
// The sums are exact and private. Nothing about the rows can make it fail; errors say nothing of what
// is in them, nor what the driver says. It fails soon after ctx is done. Proof: docs/proofs/sql.md.
func Collect[Unit, Group comparable](ctx context.Context, s Source, p *aggregate.Plan[Row, Unit, Group]) (*aggregate.Partial[Group], error) {
	v, st, not, err := prepare(ctx, s, p)
	if err != nil {
		return nil, err
	}
	if len(not) > 0 {
		return p.Collect(ctx, Rows(ctx, s, p))
	}
	text := st.write()
	rows, err := s.DB.QueryContext(ctx, text, secretly(st.args)...)
	if err != nil {
		return nil, failed(ctx, err)
	}
	defer rows.Close()
	r := newReading(v, st, v.Begin(ctx))
	if err := r.read(ctx, rows); err != nil {
		return nil, err
	}
	part, err := r.end()
	if err != nil {
		return nil, err
	}
	return part.(*aggregate.Partial[Group]), nil
}

// prepare checks everything, before a row is read.
func prepare[Unit, Group comparable](ctx context.Context, s Source, p *aggregate.Plan[Row, Unit, Group]) (*engine.View[Row, Unit, Group], *statement, []string, error) {
	v, b, err := bind(p)
	if err := errors.Join(s.check(), err); err != nil {
		return nil, nil, nil, err
	}
	columns, err := s.columns(ctx, b.all())
	if err != nil {
		return nil, nil, nil, err
	}
	st, not := statementOf(s, v, b, columns)
	return v, st, not, nil
}

// failed returns what is said of an error of the database.
func failed(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return unsaid.Error("sqlagg: the database failed; what it says may hold values, so it is not repeated: look into its log", err)
}

// secretly puts a secret into parameters, which is drawn for each run: it makes choices, and no noise.
func secretly(args []any) []any {
	var b [32]byte
	rand.Read(b[:]) // never fails
	secret := hex.EncodeToString(b[:])
	all := make([]any, len(args))
	for i, a := range args {
		if _, ok := a.(secretArg); ok {
			a = secret
		}
		all[i] = a
	}
	return all
}

// reading is what came out of a statement.
type reading[Unit, Group comparable] struct {
	st     *statement
	v      *engine.View[Row, Unit, Group]
	to     engine.Sums[Group]
	out    *outputs
	people int64
	unsure map[string]*unit[Group]
}

// A unit is what one unit has in a group, where the database could not decide.
type unit[Group comparable] struct {
	group  Group
	rows   int
	values []int64
}

func newReading[Unit, Group comparable](v *engine.View[Row, Unit, Group], st *statement, to engine.Sums[Group]) *reading[Unit, Group] {
	return &reading[Unit, Group]{st: st, v: v, to: to, out: newOutputs(st.outputs()), unsure: make(map[string]*unit[Group])}
}

func (r *reading[Unit, Group]) read(ctx context.Context, rows *sql.Rows) error {
	for rows.Next() {
		if err := rows.Scan(r.out.into...); err != nil {
			return failed(ctx, err)
		}
		if err := r.row(); err != nil {
			return err
		}
	}
	return failed(ctx, rows.Err())
}

// row takes one row of the results.
func (r *reading[Unit, Group]) row() error {
	out := r.out
	switch group := r.group(); out.int("tag") {
	case tagGroup:
		return r.to.Total(group, out.int("n"), out.int("people"), r.totals())
	case tagPoint:
		return r.to.Points(group, int(out.int("value")), out.int("point"), out.int("n"))
	case tagPeople:
		r.people = out.int("people")
	case tagUnsure:
		r.wait(group)
	}
	return nil
}

// group makes the group of what its columns hold, and calls no function for it.
func (r *reading[Unit, Group]) group() (g Group) {
	if len(r.st.group) == 0 {
		return g
	}
	for i, leaf := range leaves(reflect.ValueOf(&g).Elem(), nil) {
		name := r.st.groups()[i]
		if leaf.Kind() == reflect.String {
			leaf.SetString(r.out.text(name))
		} else {
			leaf.SetInt(r.out.int(name))
		}
	}
	return g
}

func (r *reading[Unit, Group]) totals() []engine.Total {
	totals := make([]engine.Total, len(r.st.gauges))
	for i := range r.st.gauges {
		g := &r.st.gauges[i]
		totals[i] = engine.Total{
			Points:  engine.Wide{High: r.out.int(g.col("sh")), Low: r.out.int(g.col("sl"))},
			Squares: engine.Wide{High: r.out.int(g.col("qh")), Low: r.out.int(g.col("ql"))},
		}
	}
	return totals
}

// wait adds a row to a unit that was not decided.
func (r *reading[Unit, Group]) wait(group Group) {
	name := r.out.name(append(r.st.units(), r.st.groups()...))
	u := r.unsure[name]
	if u == nil {
		u = &unit[Group]{group: group}
		r.unsure[name] = u
	}
	u.rows++
	for i := range r.st.gauges {
		g := &r.st.gauges[i]
		x := math.NaN()
		if !g.Integer && r.out.there(g.col("x")) {
			x = r.out.float(g.col("x"))
		}
		u.values = append(u.values, expected(g.Value, r.out.int(g.col("x")), x))
	}
}

// end adds the units that were not decided.
func (r *reading[Unit, Group]) end() (any, error) {
	for _, u := range r.unsure {
		if err := r.to.Unit(u.group, u.rows, u.values); err != nil {
			return nil, err
		}
	}
	return r.to.Partial(r.people)
}
