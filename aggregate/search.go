package aggregate

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/keys"
)

// A BoundsPlan finds bounds of a value which nobody knows, with a part of a loss, for a plan that gets
// the rest. It is immutable and safe for concurrent use; every run is paid for.
type BoundsPlan[T dp.Number, Row any, Unit, Group comparable] struct {
	query Query[Row, Unit, Group]
	given map[Group]bool // whose rows vote; all, if the query gives no groups
	value *value
	sizes *sizes
	read  func(Row) int64
	votes *Plan[vote[Unit], Unit, int]
	units Column[int64]
}

// A vote is one number of a unit, by its size.
type vote[Unit comparable] struct {
	unit Unit
	size int
	at   time.Time // of its latest row, where rows are forgotten
}

// FindBounds plans a search for bounds of v, whose own bounds are the widest that there may
// be. Every unit has one vote, over all groups of q together: the value of one of its rows or,
// of a value per unit, its sum in one of its groups, chosen at random. What is released are
// the noisy numbers of votes by size: half octaves, of either sign. It is as private as loss says,
// whatever q's caps are, and that there are too few units is an answer like others, paid
// for and kept. Proof: docs/proofs/bounds.md.
//
// Pay it from the same account as the plan that it is for, under a key of its own:
//
//	search, err := aggregate.FindBounds(q, widest, dp.Pure{Epsilon: 0.05})
//	found, err := search.Run(ctx, account, aggregate.Request{Key: "May, bounds", Purpose: purpose}, rows)
//	bounds, ok := found.For(400, noise) // for sums in groups of 400 records
//
// An account with a policy allows it for purposes that list its groups, which are sizes of the value, by the name that
// BoundsPlan.Charge states (dp.Statement.Groups), with groups that may be given.
//
// All mistakes are reported, joined, and none depends on rows. It costs nothing.
func FindBounds[T dp.Number, Row any, Unit, Group comparable](q *Query[Row, Unit, Group], v *Value[T], loss dp.Loss) (*BoundsPlan[T, Row, Unit, Group], error) {
	if err := errors.Join(dp.CheckLoss(loss), q.check(), checkSearched(q, v)); err != nil {
		return nil, err
	}
	p := &BoundsPlan[T, Row, Unit, Group]{query: *q, value: v.value, sizes: newSizes(v.value)}
	p.query.Groups, p.given = slices.Clone(q.Groups), make(map[Group]bool)
	for _, k := range q.Groups {
		p.given[k] = true
	}
	p.query.Consent, p.query.Retention = copied(q.Consent), copied(q.Retention)
	p.read = v.value.bind(p.sizes.grid).(func(Row) int64)
	inner := p.ballot()
	p.units = inner.Units()
	var err error
	if p.votes, err = inner.Plan(loss, p.units); err != nil {
		return nil, err
	}
	return p, nil
}

func checkSearched[T dp.Number, Row any, Unit, Group comparable](q *Query[Row, Unit, Group], v *Value[T]) error {
	switch {
	case v == nil || v.value == nil:
		return errors.New("aggregate: no value to find bounds of; PerRow and PerUnit make one")
	case v.query != q.identity():
		return fmt.Errorf("aggregate: value %q belongs to another query", v.value.name)
	case v.value.err == nil && v.value.beyond != nil:
		return fmt.Errorf("aggregate: bounds of %q are to be found, which is a Cut; find those of the value itself", v.value.name)
	}
	return v.value.err
}

// ballot returns the question that is asked about votes: how many units there are of each
// size. A unit counts once, in one of them.
func (p *BoundsPlan[T, Row, Unit, Group]) ballot() *Query[vote[Unit], Unit, int] {
	q := &p.query
	inner := &Query[vote[Unit], Unit, int]{
		Dataset: q.Dataset, UnitName: q.UnitName, UnitIsEvent: q.UnitIsEvent, Consent: q.Consent,
		Unit: func(v vote[Unit]) Unit { return v.unit }, Group: func(v vote[Unit]) int { return v.size }, GroupName: p.name(),
		MaxGroups: 1, MaxRowsPerGroup: 1, Groups: p.sizes.all(),
		states: []input{{p.value, p.sizes.grid}},
	}
	if q.Retention != nil {
		inner.Retention = &Retention[vote[Unit]]{Days: q.Retention.Days, Time: func(v vote[Unit]) time.Time { return v.at }}
	}
	return inner
}

// name says what is counted, and tells apart what differs in anything but functions.
func (p *BoundsPlan[T, Row, Unit, Group]) name() string {
	g, per := p.sizes.grid, input{p.value, p.sizes.grid}.per()
	name := fmt.Sprintf("size of %s per %s in [%s, %s], steps of %s", p.value.name, per, p.value.lower.RatString(), p.value.upper.RatString(), g.Step.RatString())
	if p.value.perUnit && p.query.Group != nil {
		name += fmt.Sprintf(" and %q", p.query.GroupName)
	}
	if p.query.Groups != nil {
		var all strings.Builder
		for _, k := range p.query.Groups {
			fmt.Fprintf(&all, "%q", keys.Encode(k))
		}
		name += fmt.Sprintf(" in %d groups %x", len(p.query.Groups), sha256.Sum256([]byte(all.String())))
	}
	return name
}

// Charge returns what one run costs: it is fixed before rows are read.
func (p *BoundsPlan[T, Row, Unit, Group]) Charge(r Request) dp.Charge { return p.votes.Charge(r) }

// String says what is released, for which loss, and how noisy it is.
func (p *BoundsPlan[T, Row, Unit, Group]) String() string { return p.votes.String() }

// Run returns the stored answer if the request was answered before, and never draws another
// one. Else it asks what b can afford, reads rows, pays, adds noise, keeps and releases, as
// [Plan.Run] does, and fails as it does. What it returns is private in the sense of the loss.
//
// Of every unit it keeps one vote in memory while it reads and, of a value per unit, the sum
// of all its rows in every group.
func (p *BoundsPlan[T, Row, Unit, Group]) Run(ctx context.Context, b Budget, r Request, rows iter.Seq2[Row, error]) (*FoundBounds[T], error) {
	if rows == nil {
		return nil, errors.New("aggregate: no rows given; for none use Slice of an empty slice")
	}
	release, err := p.votes.Run(ctx, b, r, p.count(ctx, rows))
	if err != nil {
		return nil, err
	}
	return &FoundBounds[T]{release, p.value, p.sizes, p.units}, nil
}
