package aggregate

import (
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"slices"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// checkSelection returns an error if groups are selected without a delta.
func (q *Query[Row, Unit, Group]) checkSelection(loss dp.Loss) error {
	if loss == nil || dp.PartsOf(loss).Delta > 0 || !q.selects() {
		return nil
	}
	return fmt.Errorf("aggregate: groups are selected privately, which needs a loss with a δ, not %v; or list them in Query.Groups", loss)
}

// checkColumns returns the columns without repetitions, and every mistake in
// them.
func (q *Query[Row, Unit, Group]) checkColumns(columns []AnyColumn) ([]column, error) {
	var asked []column
	var errs []error
	checked := map[*value]bool{nil: true}
	if len(columns) == 0 && !q.selects() {
		errs = append(errs, errors.New("aggregate: no columns given; ask for at least one, such as Query.Count"))
	}
	for _, any := range columns {
		if isNil(any) {
			errs = append(errs, errors.New("aggregate: a column is nil"))
			continue
		}
		c := any.id()
		if c.kind == 0 {
			errs = append(errs, errors.New("aggregate: a column is the zero Column; columns come from a Query or a Value"))
			continue
		}
		if c.query != q.identity() {
			errs = append(errs, fmt.Errorf("aggregate: column %v belongs to another query", c))
		}
		if c.kind == kindQuantile && !(c.rank > 0 && c.rank < 1) { // written so that NaN fails
			errs = append(errs, fmt.Errorf("aggregate: quantile rank of %q is %v, must be in (0, 1)", c.value.name, c.rank))
		}
		if c.kind == kindSum && c.value.integer && c.value.bits < 64 {
			errs = append(errs, fmt.Errorf("aggregate: the sum of %q does not fit its type of %d bits; return an int64 from its function", c.value.name, c.value.bits))
		}
		if !checked[c.value] {
			checked[c.value] = true
			errs = append(errs, c.value.err)
		}
		if !slices.Contains(asked, c) {
			asked = append(asked, c)
		}
	}
	return asked, errors.Join(append(errs, checkNames(asked), checkIntervals(asked))...)
}

// unweighted returns the columns without weights, and the weights: of a column
// that is asked for twice, the larger.
func unweighted(columns []AnyColumn) (plain []AnyColumn, weights map[column]*big.Rat, err error) {
	weights = make(map[column]*big.Rat)
	var errs []error
	for _, c := range columns {
		weight := big.NewRat(1, 1)
		for w, ok := asWeighted(c); ok; w, ok = asWeighted(c) {
			c = w.AnyColumn
			if x := exact.Decimal(w.Weight); x != nil && x.Sign() > 0 {
				weight.Mul(weight, x)
			} else {
				errs = append(errs, fmt.Errorf("aggregate: weight of a column is %v, must be positive and finite", w.Weight))
			}
		}
		plain = append(plain, c)
		if isNil(c) {
			continue
		}
		if old := weights[c.id()]; old == nil || old.Cmp(weight) < 0 {
			weights[c.id()] = weight
		}
	}
	return plain, weights, errors.Join(errs...)
}

func asWeighted(c AnyColumn) (w Weighted, ok bool) {
	if p, ok := c.(*Weighted); ok && p != nil {
		return *p, true
	}
	w, ok = c.(Weighted)
	return w, ok
}

// isNil reports whether a column is nil, or a nil pointer to one.
func isNil(c AnyColumn) bool {
	return c == nil || reflect.ValueOf(c).Kind() == reflect.Pointer && reflect.ValueOf(c).IsNil()
}

// identity is what columns remember their query by.
func (q *Query[Row, Unit, Group]) identity() any {
	if q.of != nil {
		return q.of
	}
	return q
}

// checkNames returns an error if two values have one name, which would make
// receipts ambiguous.
func checkNames(columns []column) error {
	byName := make(map[string]*value)
	var errs []error
	for _, v := range valuesOf(columns) {
		if byName[v.name] != nil {
			errs = append(errs, fmt.Errorf("aggregate: two values have the name %q", v.name))
		}
		byName[v.name] = v
	}
	return errors.Join(errs...)
}
