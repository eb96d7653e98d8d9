package questioner

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
)

// A product asks a question of the library.
type product interface {
	// plan returns the library's plan of the question.
	plan(*question) (plan, error)
	unitCount() int
	keyCount() int
}

// A plan is the library's plan of a question, without its types.
type plan interface {
	charge() dp.Charge
	run(context.Context, aggregate.Budget) (release, error)
}

// A release is what the library released, without its types.
type release struct {
	keys    []int // -1 is a key that nobody asked for
	cells   [][]shown
	receipt aggregate.Receipt
}

// A shown is an estimate without its type.
type shown struct {
	value    any
	unknown  bool
	stdDev   float64
	interval func(confidence float64) (low, high any)
	raw      func(confidence float64) (low, high float64) // as the noise left it
}

// types are the types that units and keys have: units and keys that differ, keys
// in the order in which a release has them.
type types[U, K comparable] struct {
	units []U
	keys  []K
}

type cents int64

type (
	patient struct {
		hospital string // a unit is not stored, so its fields need no names of others
		number   int32
	}
	ward struct {
		Name  string
		Floor int8
	}
	night struct {
		Ward ward
		Late bool
	}
	month [2]uint16
	code  string
)

var everyType = []product{
	types[int64, string]{
		[]int64{0, -1, 1, math.MinInt64, math.MaxInt64, 7},
		[]string{"", "\x00", "\x00ff", " ", `"`, "A", "a", "a,b", "ä", "\xff"},
	},
	types[string, int]{
		[]string{"", "\x00", "a", "A", "a\xff", "\xff"},
		[]int{math.MinInt, -10, -9, -1, 0, 1, 2, 10, 100, math.MaxInt},
	},
	types[uint8, bool]{
		[]uint8{0, 1, 2, 127, 128, 255},
		[]bool{false, true},
	},
	types[patient, month]{
		[]patient{{}, {"", 1}, {"a", 1}, {"a", -1}, {"b", 1}, {"ab", 0}},
		[]month{{0, 0}, {0, 1}, {1, 0}, {9, 10}, {10, 9}, {2025, 12}, {2026, 1}, {2026, 2}, {2026, 10}, {65535, 0}},
	},
	types[bool, ward]{
		[]bool{false, true},
		[]ward{{"", -1}, {"", 0}, {"1", 0}, {"10", -128}, {"10", 127}, {"2", 0}, {"a", 1}, {"a", 2}, {"a\x00", 0}, {"b", 0}},
	},
	types[[2]string, uint64]{
		[][2]string{{"", ""}, {"a", ""}, {"", "a"}, {"a", "b"}, {"ab", ""}, {"b", "a"}},
		[]uint64{0, 1, 2, 9, 10, 1 << 31, 1 << 53, 1<<53 + 1, 1 << 63, math.MaxUint64},
	},
	types[cents, night]{
		[]cents{0, 1, -1, 100, -100, 5},
		[]night{{ward{"", 0}, false}, {ward{"", 0}, true}, {ward{"", 1}, false}, {ward{"a", -1}, true}, {ward{"a", 0}, false}, {ward{"b", 0}, true}},
	},
	types[int8, code]{
		[]int8{-128, -1, 0, 1, 2, 127},
		[]code{"", "0", "00", "1", "10", "2", "Z", "a", "é", "\xfe"},
	},
}

func (t types[U, K]) unitCount() int { return len(t.units) }

func (t types[U, K]) keyCount() int { return len(t.keys) }

func (t types[U, K]) plan(q *question) (plan, error) {
	query := &aggregate.Query[fact, U, K]{
		Dataset: "facts", UnitName: "unit", MaxGroups: q.maxKeys, MaxRowsPerGroup: q.maxRows,
		Unit: func(f fact) U { return t.units[f.unit] },
	}
	if q.keyed {
		query.Group = func(f fact) K { return t.keys[f.key] }
	}
	for _, k := range q.given {
		query.Groups = append(query.Groups, t.keys[k])
	}
	p := &typedPlan[U, K]{types: t, facts: q.facts, keyed: q.keyed}
	var asked []aggregate.AnyColumn
	values := make([]columns[U, K], len(q.values))
	for i := range q.values {
		if c := q.values[i].distinct; c != nil {
			values[i] = values[c.at].distinct(q.values[i].name, c.most)
			continue
		}
		if c := q.values[i].cuts; c != nil {
			values[i] = values[c.at].cut()
			continue
		}
		values[i] = columnsOf[U, K](query, &q.values[i], i)
	}
	for _, c := range q.columns {
		var any aggregate.AnyColumn
		var read func(aggregate.Cell) shown
		switch c.what {
		case "count":
			any, read = readable(query.Count())
		case "units":
			any, read = readable(query.Units())
		default:
			any, read = values[c.value].column(c)
		}
		if c.weight != 0 {
			any = aggregate.Weighted{AnyColumn: any, Weight: c.weight}
		}
		asked, p.reads = append(asked, any), append(p.reads, read)
	}
	var err error
	p.Plan, err = query.Plan(q.loss, asked...)
	return p, err
}

type typedPlan[U, K comparable] struct {
	*aggregate.Plan[fact, U, K]
	types types[U, K]
	facts []fact
	keyed bool
	reads []func(aggregate.Cell) shown
}

var request = aggregate.Request{Key: "k", Purpose: "test"}

func (p *typedPlan[U, K]) charge() dp.Charge { return p.Charge(request) }

func (p *typedPlan[U, K]) run(ctx context.Context, b aggregate.Budget) (release, error) {
	r, err := p.Run(ctx, b, request, aggregate.Slice(p.facts))
	if err != nil {
		return release{}, err
	}
	out := release{receipt: r.Receipt()}
	for k, cell := range r.All() {
		out.keys = append(out.keys, p.place(k))
		var line []shown
		for _, read := range p.reads {
			line = append(line, read(cell))
		}
		out.cells = append(out.cells, line)
	}
	return out, nil
}

// place returns where a key is in the list. Without keys, the only one is zero.
func (p *typedPlan[U, K]) place(k K) int {
	if p.keyed {
		return slices.Index(p.types.keys, k)
	}
	if zero := *new(K); k != zero {
		return -1
	}
	return 0
}

// readable is a column and how to read it.
func readable[T dp.Number](c aggregate.Column[T]) (aggregate.AnyColumn, func(aggregate.Cell) shown) {
	return c, func(cell aggregate.Cell) shown {
		e := c.Of(cell)
		interval := func(confidence float64) (any, any) { low, high := e.Interval(confidence); return low, high }
		return shown{e.Value, e.Unknown, e.StdDev, interval, e.Raw().Interval}
	}
}

// columns makes the columns of a value of some type.
type columns[U, K comparable] struct {
	column func(column) (aggregate.AnyColumn, func(aggregate.Cell) shown)
	// of the function of the value, which is none of floats
	distinct func(name string, most int) columns[U, K]
	cut      func() columns[U, K] // of the value that tells what the bounds cut
}

func columnsOf[U, K comparable](q *aggregate.Query[fact, U, K], s *spec, at int) columns[U, K] {
	switch s.lower.(type) {
	case int:
		return columnsOfType[int](q, s, at)
	case int8:
		return columnsOfType[int8](q, s, at)
	case int16:
		return columnsOfType[int16](q, s, at)
	case int32:
		return columnsOfType[int32](q, s, at)
	case int64:
		return columnsOfType[int64](q, s, at)
	case uint:
		return columnsOfType[uint](q, s, at)
	case uint8:
		return columnsOfType[uint8](q, s, at)
	case uint16:
		return columnsOfType[uint16](q, s, at)
	case uint32:
		return columnsOfType[uint32](q, s, at)
	case uint64:
		return columnsOfType[uint64](q, s, at)
	case float32:
		return columnsOfType[float32](q, s, at)
	case float64:
		return columnsOfType[float64](q, s, at)
	case time.Duration:
		return columnsOfType[time.Duration](q, s, at)
	case cents:
		return columnsOfType[cents](q, s, at)
	}
	panic("no such type")
}

func columnsOfType[T dp.Number, U, K comparable](q *aggregate.Query[fact, U, K], s *spec, at int) columns[U, K] {
	of := func(f fact) T { return f.values[at].(T) }
	bounds := aggregate.Bounds[T]{Lower: s.lower.(T), Upper: s.upper.(T), Step: s.step.(T)}
	v := aggregate.PerRow(q, s.name, of, bounds)
	if s.perUnit {
		v = aggregate.PerUnit(q, s.name, of, bounds)
	}
	return columns[U, K]{
		column: columnsOfValue(v),
		cut:    func() columns[U, K] { return columns[U, K]{column: columnsOfValue(v.Cut())} },
		distinct: func(name string, most int) columns[U, K] {
			any, read := readable(aggregate.Distinct(q, name, of, most))
			return columns[U, K]{column: func(column) (aggregate.AnyColumn, func(aggregate.Cell) shown) { return any, read }}
		},
	}
}

func columnsOfValue[T dp.Number](v *aggregate.Value[T]) func(column) (aggregate.AnyColumn, func(aggregate.Cell) shown) {
	return func(c column) (aggregate.AnyColumn, func(aggregate.Cell) shown) {
		switch c.what {
		case "sum":
			return readable(v.Sum())
		case "mean":
			return readable(v.Mean())
		case "variance":
			return readable(v.Variance())
		case "deviation":
			return readable(v.StdDev())
		}
		return readable(v.Quantile(c.rank))
	}
}

// A purse is a Budget that affords everything.
type purse struct{ kept []byte }

func (p *purse) Afford(context.Context, dp.Charge) error { return nil }

func (p *purse) Spend(context.Context, dp.Charge) (dp.Payment, error) { return dp.Payment{}, nil }

func (p *purse) Kept(context.Context, dp.Charge) ([]byte, error) { return p.kept, nil }

func (p *purse) Keep(_ context.Context, _ dp.Charge, release []byte) ([]byte, error) {
	p.kept = release
	return p.kept, nil
}
