package aggregate

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/maphash"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/equipoise-dp/equipoise/internal/bound"
	"github.com/equipoise-dp/equipoise/internal/keys"
)

// A Collector collects rows as they come, for a service that runs all day. It is safe for
// concurrent use, has no goroutine of its own, and needs memory for what caps let through,
// not for the rows. It is private, and shows nothing: it ends as a [Partial], and leaves its process
// as a sealed snapshot, from which [Plan.Restore] makes one that goes on. A Collector and all that are
// restored from its snapshots hold the same units, so of their Partials only one can be released.
//
// Of several Collectors, each in its process, no unit may be in two, or each has its [Shard].
type Collector[Row any, Unit, Group comparable] struct {
	state func() *collecting[Row, Unit, Group] // as in a Partial, so that nothing prints it
}

type collecting[Row any, Unit, Group comparable] struct {
	plan    *Plan[Row, Unit, Group]
	choices *sliced
	drawn   []byte // the secret of the choices, where no shard has one
	seed    maphash.Seed
	bounder *bound.Bounder[Unit, Group]
	stripes []stripe[Unit, Group] // each has the rows of some units
	ending  atomic.Pointer[context.Context]
}

type stripe[Unit, Group comparable] struct {
	sync.Mutex
	source *bound.Source[Unit, Group]
	rows   int
	ended  bool
}

// Collector returns a Collector of this plan: of one shard, or, with the zero Shard, of all units. Rows of
// units of other shards are left out. Plans with a limit of memory ([Plan.Within]) are refused: a snapshot takes all that is kept at any time and is sealed
// in memory, so files would save none where it is needed most. [Plan.Needs] says what the caps let through; shards split it. Queries with Consent or Retention are refused, since whether a row
// counts is found out when it is released, and not when it comes.
func (p *Plan[Row, Unit, Group]) Collector(s Shard) (*Collector[Row, Unit, Group], error) {
	if s != (Shard{}) {
		choices, err := p.sliced(s)
		if err != nil {
			return nil, err
		}
		return p.collector(choices, nil, stripesOf())
	}
	drawn := make([]byte, leastSecret)
	rand.Read(drawn) // never fails
	return p.collector(p.drawing(drawn, newSpace()), drawn, stripesOf())
}

// drawing returns the choices of a secret that no shard has, in a space of their own.
func (p *Plan[Row, Unit, Group]) drawing(drawn []byte, in space) *sliced {
	choices := p.choosing(drawn)
	choices.origin = origin{space: in, of: 1}
	return choices
}

// stripesOf returns in how many stripes rows are added at the same time.
func stripesOf() int { return min(runtime.GOMAXPROCS(0), 16) }

func (p *Plan[Row, Unit, Group]) collector(choices *sliced, drawn []byte, stripes int) (*Collector[Row, Unit, Group], error) {
	if err := p.checkCollector(); err != nil {
		return nil, err
	}
	c := &collecting[Row, Unit, Group]{
		plan: p, choices: choices, drawn: drawn, seed: maphash.MakeSeed(), stripes: make([]stripe[Unit, Group], stripes),
	}
	done := func() bool {
		ctx := c.ending.Load()
		return ctx != nil && (*ctx).Err() != nil
	}
	c.bounder = bound.New[Unit](p.caps(), len(p.inputs), p.query.given(), c.seed, done)
	by := chosenBy[Unit, Group](choices)
	by.ByValue = false // no two processes read the same rows, and memory must not follow them
	c.bounder.ChooseBy(by)
	for i := range c.stripes {
		c.stripes[i].source = c.bounder.Source()
	}
	return &Collector[Row, Unit, Group]{func() *collecting[Row, Unit, Group] { return c }}, nil
}

// checkCollector returns every reason why rows cannot be collected as they come.
func (p *Plan[Row, Unit, Group]) checkCollector() error {
	var errs []error
	if p.query.dates() {
		errs = append(errs, errors.New("aggregate: a Collector cannot be had with Query.Consent or Query.Retention, which are asked when rows are released; keep the rows and use Plan.Collect"))
	}
	if p.memory != nil {
		errs = append(errs, errors.New("aggregate: a Collector cannot be had of a plan with a limit of memory: what it keeps is in memory, since a snapshot takes all of it at any time; use Plan.Collect, or the plan that Plan.Within was called on"))
	}
	if err := keys.Check(reflect.TypeFor[Unit](), true); err != nil {
		errs = append(errs, fmt.Errorf("aggregate: unit type: %w", err))
	}
	return errors.Join(errs...)
}

// stripe returns where the rows of a unit are.
func (c *collecting[Row, Unit, Group]) stripe(u Unit) *stripe[Unit, Group] {
	return &c.stripes[maphash.Comparable(c.seed, u)%uint64(len(c.stripes))]
}

var errEnded = errors.New("aggregate: the Collector has ended; make another")

// Add adds a row. It fails after [Collector.Partial] was called, and for nothing else.
func (c *Collector[Row, Unit, Group]) Add(row Row) error {
	state := c.state()
	p := state.plan
	unit, group := p.query.Unit(row), p.key(row)
	var few [8]int64
	values := few[:0]
	for _, read := range p.reads { // functions of the caller, so not under the lock
		values = append(values, read(row))
	}
	to := state.stripe(unit)
	to.Lock()
	defer to.Unlock()
	if to.ended {
		return errEnded
	}
	if id, ok := to.source.Group(group); ok {
		copy(to.source.Add(unit, id), values)
		to.rows++
	}
	return nil
}

// Partial ends the Collector and returns what it collected, to be released or sealed. Soon after
// ctx is done it fails, and what was collected is lost: take a snapshot before, if that may be.
func (c *Collector[Row, Unit, Group]) Partial(ctx context.Context) (*Partial[Group], error) {
	state := c.state()
	rows := 0
	for i := range state.stripes {
		s := &state.stripes[i]
		s.Lock()
		defer s.Unlock()
		if s.ended {
			return nil, errEnded
		}
		rows += s.rows
	}
	for i := range state.stripes {
		state.stripes[i].ended = true
	}
	state.ending.Store(&ctx)
	reduced, err := state.plan.reduced(ctx, state.bounder, len(state.stripes), rows)
	state.bounder = nil
	for i := range state.stripes {
		state.stripes[i].source = nil
	}
	clear(state.drawn)
	if err != nil {
		return nil, err
	}
	reduced.origins, reduced.seals = []origin{state.choices.origin}, state.choices.seals
	return newPartial(reduced), nil
}
