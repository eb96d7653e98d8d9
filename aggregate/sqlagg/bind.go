package sqlagg

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/internal/engine"
)

// A binding says which columns a plan reads.
type binding struct {
	unit, group []place // the parts of what identifies them, in order
	values      []place
}

// all returns all columns, each once, units and groups first.
func (b *binding) all() (all []place) {
	seen := make(map[place]bool)
	for _, list := range [][]place{b.unit, b.group, b.values} {
		for _, p := range list {
			if !seen[p] {
				seen[p] = true
				all = append(all, p)
			}
		}
	}
	return all
}

// keys returns how many of all columns are of units and groups.
func (b *binding) keys() int { return len((&binding{unit: b.unit, group: b.group}).all()) }

// bind finds the columns behind the functions of a query by calling them with rows that are
// made up, and refuses functions that do more than read columns. That what a database groups by is what identifies
// does not rest on it: the functions of units and groups are not called again where the plan is pushed down.
func bind[Unit, Group comparable](p *aggregate.Plan[Row, Unit, Group]) (v *engine.View[Row, Unit, Group], b *binding, err error) {
	if p == nil {
		return nil, nil, errors.New("sqlagg: the plan is nil; Query.Plan makes one")
	}
	v, b = engine.ViewOf(p).(*engine.View[Row, Unit, Group]), &binding{}
	var errs [3]error
	if b.unit, errs[0] = parts(v.Unit); errs[0] != nil {
		errs[0] = fmt.Errorf("sqlagg: Query.Unit %w", errs[0])
	}
	if v.Group != nil {
		if b.group, errs[1] = parts(v.Group); errs[1] != nil {
			errs[1] = fmt.Errorf("sqlagg: Query.Group %w", errs[1])
		}
	}
	for _, value := range v.Values {
		at, err := columnOf(value)
		if err != nil {
			errs[2] = errors.Join(errs[2], fmt.Errorf("sqlagg: value %q %w", value.Name, err))
		}
		b.values = append(b.values, at)
	}
	return v, b, errors.Join(errs[:]...)
}

var errMore = errors.New("does more than read columns by Int, Float and Text; compute in Source.Query, so that it can be done in the database")

// called calls a function of the caller, which may not expect what a row has that is made up.
func called[T any](f func(Row) T, b *probe) (t T, err error) {
	defer func() {
		if recover() != nil {
			err = errMore
		}
	}()
	return f(Row{&cells{probe: b}}), nil
}

// parts returns the columns that make up what a function returns.
func parts[T comparable](f func(Row) T) (columns []place, err error) {
	for seed := range rounds {
		b := &probe{seed: seed, value: math.NaN()}
		got, err := called(f, b)
		if err != nil {
			return nil, err
		}
		var found []place
		used := make(map[place]bool)
		for _, leaf := range leaves(reflect.ValueOf(got), nil) {
			at, ok := b.column(leaf)
			if !ok {
				return nil, errMore
			}
			found = append(found, at)
			used[at] = true
		}
		if len(found) == 0 || len(used) != len(b.asked) || seed > 0 && !reflect.DeepEqual(found, columns) {
			return nil, errMore
		}
		columns = found
	}
	return columns, nil
}

// column returns the column of the probe that has a value.
func (b *probe) column(leaf reflect.Value) (place, bool) {
	for _, p := range b.asked {
		if p.kind == whole && leaf.CanInt() && leaf.Int() == b.int(p) || p.kind == text && leaf.Kind() == reflect.String && leaf.String() == b.text(p) {
			return p, true
		}
	}
	return place{}, false
}

// leaves returns the parts of a value that have no parts.
func leaves(v reflect.Value, to []reflect.Value) []reflect.Value {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			to = leaves(v.Field(i), to)
		}
	case reflect.Array:
		for i := range v.Len() {
			to = leaves(v.Index(i), to)
		}
	default:
		to = append(to, v)
	}
	return to
}

// columnOf returns the column of a value.
func columnOf(v engine.Value[Row]) (at place, err error) {
	if v.Distinct {
		return at, errors.New("counts distinct values, which are chosen and united where rows are read; read them in this process, with Plan.Run")
	}
	kind := double
	if v.Integer {
		kind = whole
	}
	for round, x := range samples(v) {
		b := &probe{amount: true, value: x}
		got, err := called(v.Read, b)
		switch {
		case err != nil:
			return at, err
		case len(b.asked) != 1 || round > 0 && b.asked[0] != at:
			return at, errMore
		case b.asked[0].kind != kind:
			return at, fmt.Errorf("is a %s and its column is read by %v; read it by %s", map[bool]string{true: "whole number", false: "float"}[v.Integer], b.asked[0], kindNames[kind])
		}
		at = b.asked[0]
		if want := expected(v, b.int(at), x); got != want {
			return at, errMore
		}
	}
	return at, nil
}

// samples returns numbers within the bounds of a value and beyond.
func samples[R any](v engine.Value[R]) []float64 {
	all := []float64{0, 1, -1, 0.1, math.Inf(1), -math.MaxFloat64}
	if !v.Integer {
		all = append(all, math.NaN())
	}
	for i := range int64(17) {
		x, _ := v.Grid.Value(new(big.Rat).Mul(new(big.Rat).SetInt64(v.Grid.Cells), big.NewRat(i*i+1, 290))).Float64()
		all = append(all, x)
	}
	return all
}

// expected returns what a value reads that reads its column and nothing else.
func expected[R any](v engine.Value[R], whole int64, double float64) int64 {
	switch {
	case v.Integer && v.PerUnit:
		return whole
	case v.Integer:
		return v.Grid.Int(whole)
	case v.PerUnit:
		return int64(math.Float64bits(double))
	}
	return v.Grid.Float(double)
}
