package aggregate

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/equipoise-dp/equipoise/internal/keys"
)

// A Query says whose privacy is protected, how rows are grouped, and how much
// one unit may contribute. Every field down to MaxRowsPerGroup is required, but Group and GroupName. A Query
// reads nothing and costs nothing; mistakes in it are reported by [Query.Plan].
//
// Unit and Group must be types that compare by content: integers, strings,
// booleans, and arrays and structs of them. A type of its own for the unit, such
// as type CustomerID int64, keeps other numbers from being taken for it.
type Query[Row any, Unit, Group comparable] struct {
	// Dataset names what the rows are of. The account that pays must be of the
	// same name.
	Dataset string

	// UnitName says in a word who is protected, such as "customer". It stands in
	// receipts and reports.
	UnitName string

	// UnitIsEvent says that a unit is one event, such as a purchase, and not whoever made
	// it. Receipts say so then, as they do where UnitName is a word for an event.
	UnitIsEvent bool

	// Unit returns whose row it is. All rows of one unit are protected together.
	Unit func(Row) Unit

	// Group returns the group of a row. If nil, there is one group, the zero value of its
	// type.
	Group func(Row) Group

	// GroupName says in words what Group returns, such as "month of purchase". It
	// tells questions apart that differ in nothing but the function, so that one
	// is not answered with the stored release of the other. It may be empty.
	GroupName string

	// MaxGroups is how many groups one unit may appear in. If a unit appears in
	// more, MaxGroups of them are chosen at random.
	MaxGroups int

	// MaxRowsPerGroup is how many rows one unit may have in one group. If a unit
	// has more, MaxRowsPerGroup of them are chosen at random. Noise grows with it where
	// rows are counted or have values of their own. Where everything is per unit it
	// costs nothing, and math.MaxInt keeps all rows.
	MaxRowsPerGroup int

	// Groups are those to release, if they are known without looking at the
	// rows. Every one of them is released, empty ones too, in this order; rows of
	// other groups are left out. If nil, and Group is not, groups are selected
	// privately, which needs a loss with a δ, and come in their own order.
	Groups []Group

	// LeastGroup is the least noisy number of units with which a group is shown, where groups
	// are selected and that needs fewer. It costs nothing.
	LeastGroup int

	// Consent says whose rows count; nil counts everybody's.
	Consent *Consent[Unit]

	// Retention says for how long rows count; nil counts them for ever.
	Retention *Retention[Row]

	of     any     // the query that this one is, but for a cap; nil if it is its own
	states []input // what else it reads, for whoever decides whether it may
}

// WithMaxGroups returns the same query with another cap on the groups of a unit. It
// takes the columns of q.
func (q *Query[Row, Unit, Group]) WithMaxGroups(n int) *Query[Row, Unit, Group] {
	other := *q
	other.MaxGroups, other.of = n, q.identity()
	return &other
}

// mostLeast bounds Query.LeastGroup.
const mostLeast = 1 << 31

// Count asks how many rows are in a group.
func (q *Query[Row, Unit, Group]) Count() Column[int64] {
	return Column[int64]{column{query: q.identity(), kind: kindCount}}
}

// Units asks how many units are in a group. Where groups are selected, its interval
// also holds among those that are shown: they are shown because this number is large,
// so that it is too large on average for groups near the threshold.
func (q *Query[Row, Unit, Group]) Units() Column[int64] {
	return Column[int64]{column{query: q.identity(), kind: kindUnits}}
}

// check returns every mistake of the query itself, joined.
func (q *Query[Row, Unit, Group]) check() error {
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
	if q.MaxGroups <= 0 {
		fail("Query.MaxGroups is %d, must be at least 1", q.MaxGroups)
	}
	if q.MaxRowsPerGroup <= 0 {
		fail("Query.MaxRowsPerGroup is %d, must be at least 1", q.MaxRowsPerGroup)
	}
	if q.LeastGroup < 0 || q.LeastGroup > mostLeast || q.LeastGroup > 0 && !q.selects() {
		fail("Query.LeastGroup is %d, must be 0 to %d, and 0 unless groups are selected: those that are given are shown however few are in them", q.LeastGroup, mostLeast)
	}
	errs = append(errs, q.Consent.check(), q.Retention.check())
	if err := keys.Check(reflect.TypeFor[Unit](), false); err != nil {
		fail("unit type: %w", err)
	}
	if err := keys.Check(reflect.TypeFor[Group](), true); err != nil {
		fail("key type: %w", err)
	} else {
		errs = append(errs, q.checkKeys())
	}
	return errors.Join(errs...)
}

func (q *Query[Row, Unit, Group]) checkKeys() error {
	switch {
	case q.Groups == nil:
		return nil
	case q.Group == nil:
		return errors.New("aggregate: Query.Groups is given but Query.Group is nil; without it there is one group")
	case len(q.Groups) == 0:
		return errors.New("aggregate: Query.Groups is empty; list the groups to release, or leave it nil to select them privately")
	}
	seen := make(map[Group]bool, len(q.Groups))
	for _, k := range q.Groups {
		if seen[k] {
			return fmt.Errorf("aggregate: Query.Groups has %s twice", keys.Encode(k))
		}
		seen[k] = true
	}
	return nil
}

// groupOf returns the group of a row.
func (q *Query[Row, Unit, Group]) groupOf(row Row) (group Group) {
	if q.Group == nil {
		return group
	}
	return q.Group(row)
}

// selects reports whether groups are selected privately.
func (q *Query[Row, Unit, Group]) selects() bool { return q.Group != nil && q.Groups == nil }

// given returns the groups that are released whatever the rows, and nil if they
// are selected.
func (q *Query[Row, Unit, Group]) given() []Group {
	if q.Group == nil {
		return make([]Group, 1)
	}
	return q.Groups
}

// maxGroups returns how many groups one unit can appear in.
func (q *Query[Row, Unit, Group]) maxGroups() int {
	if given := q.given(); given != nil {
		return min(q.MaxGroups, len(given))
	}
	return q.MaxGroups
}
