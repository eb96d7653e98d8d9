package aggregate

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/equipoise-dp/equipoise/internal/keys"
)

// A Query says whose privacy is protected, how rows are grouped, and how much
// one unit may contribute. Every field but Key, KeyName and Keys is required. A Query
// reads nothing and costs nothing; mistakes in it are reported by [Query.Plan].
//
// Unit and Key must be types that compare by content: integers, strings,
// booleans, and arrays and structs of them. A type of its own for the unit, such
// as type CustomerID int64, keeps other numbers from being taken for it.
type Query[Row any, Unit, Key comparable] struct {
	// Dataset names what the rows are of. The account that pays must be of the
	// same name.
	Dataset string

	// UnitName says in a word who is protected, such as "customer". It stands in
	// receipts and reports.
	UnitName string

	// Unit returns whose row it is. All rows of one unit are protected together.
	Unit func(Row) Unit

	// Key returns the group of a row. If nil, there is one group, whose key is
	// the zero Key.
	Key func(Row) Key

	// KeyName says in words what Key returns, such as "month of purchase". It
	// tells questions apart that differ in nothing but the function, so that one
	// is not answered with the stored release of the other. It may be empty.
	KeyName string

	// MaxKeys is how many groups one unit may appear in. If a unit appears in
	// more, MaxKeys of them are chosen at random.
	MaxKeys int

	// MaxRowsPerKey is how many rows one unit may have in one group. If a unit
	// has more, MaxRowsPerKey of them are chosen at random. Noise grows with it where
	// rows are counted or have values of their own. Where everything is per unit it
	// costs nothing, and math.MaxInt keeps all rows.
	MaxRowsPerKey int

	// Keys are the groups to release, if they are known without looking at the
	// rows. Every one of them is released, empty ones too, in this order; rows of
	// other groups are left out. If nil, and Key is not, groups are selected
	// privately, which needs a [dp.Approx], and come in the order of their keys.
	Keys []Key
}

// Count asks how many rows are in a group.
func (q *Query[Row, Unit, Key]) Count() Column[int64] {
	return Column[int64]{column{query: q, kind: kindCount}}
}

// Units asks how many units are in a group. Where groups are selected, its interval
// also holds among those that are shown: they are shown because this number is large,
// so that it is too large on average for groups near the threshold.
func (q *Query[Row, Unit, Key]) Units() Column[int64] {
	return Column[int64]{column{query: q, kind: kindUnits}}
}

// check returns every mistake of the query itself, joined.
func (q *Query[Row, Unit, Key]) check() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf("aggregate: "+format, args...)) }
	if q.Dataset == "" {
		fail("Query.Dataset is empty; name what the rows are of")
	}
	if q.UnitName == "" {
		fail(`Query.UnitName is empty; say who is protected, such as "customer"`)
	}
	if q.Unit == nil {
		fail("Query.Unit is nil; it must say whose row it is")
	}
	if q.MaxKeys <= 0 {
		fail("Query.MaxKeys is %d, must be at least 1", q.MaxKeys)
	}
	if q.MaxRowsPerKey <= 0 {
		fail("Query.MaxRowsPerKey is %d, must be at least 1", q.MaxRowsPerKey)
	}
	if err := keys.Check(reflect.TypeFor[Unit](), false); err != nil {
		fail("unit type: %w", err)
	}
	if err := keys.Check(reflect.TypeFor[Key](), true); err != nil {
		fail("key type: %w", err)
	} else {
		errs = append(errs, q.checkKeys())
	}
	return errors.Join(errs...)
}

func (q *Query[Row, Unit, Key]) checkKeys() error {
	switch {
	case q.Keys == nil:
		return nil
	case q.Key == nil:
		return errors.New("aggregate: Query.Keys is given but Query.Key is nil; without Key there is one group")
	case len(q.Keys) == 0:
		return errors.New("aggregate: Query.Keys is empty; list the groups to release, or leave it nil to select them privately")
	}
	seen := make(map[Key]bool, len(q.Keys))
	for _, k := range q.Keys {
		if seen[k] {
			return fmt.Errorf("aggregate: Query.Keys has %s twice", keys.Encode(k))
		}
		seen[k] = true
	}
	return nil
}

// selects reports whether groups are selected privately.
func (q *Query[Row, Unit, Key]) selects() bool { return q.Key != nil && q.Keys == nil }

// given returns the groups that are released whatever the rows, and nil if they
// are selected.
func (q *Query[Row, Unit, Key]) given() []Key {
	if q.Key == nil {
		return make([]Key, 1)
	}
	return q.Keys
}

// maxKeys returns how many groups one unit can appear in.
func (q *Query[Row, Unit, Key]) maxKeys() int {
	if given := q.given(); given != nil {
		return min(q.MaxKeys, len(given))
	}
	return q.MaxKeys
}
