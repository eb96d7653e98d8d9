package aggregate

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/equipoise-dp/equipoise/internal/bound"
)

// Collect is the first half of [Plan.Run]: it reads, bounds and sums. An engine
// that works elsewhere (in a database, in Beam) replaces this half, and no other.
//
// Several sources, such as the files that a table is in, are read at the same time; the
// functions of the question are then called by several goroutines. Rows may come in any
// order, and those of a unit from any source. Where a query has Consent or Retention the
// sources are read one after the other, since a unit is asked once. Memory follows what the caps let through,
// not the rows.
//
// It fails if a row cannot be read, or soon after ctx is done, with the error of
// ctx. Nothing else about the rows can make it fail.
func (p *Plan[Row, Unit, Group]) Collect(ctx context.Context, rows ...iter.Seq2[Row, error]) (*Partial[Group], error) {
	return p.collect(ctx, maphash.MakeSeed(), nil, rows...)
}

// collect collects all units with the choices of a seed, or those of a slice with its choices.
func (p *Plan[Row, Unit, Group]) collect(ctx context.Context, seed maphash.Seed, of *sliced, sources ...iter.Seq2[Row, error]) (*Partial[Group], error) {
	if len(sources) == 0 || slices.ContainsFunc(sources, func(s iter.Seq2[Row, error]) bool { return s == nil }) {
		return nil, errors.New("aggregate: no rows given; for none use Slice of an empty slice")
	}
	if p.query.dates() {
		sources = []iter.Seq2[Row, error]{p.query.admitted(ctx, inTurn(sources))}
	}
	return p.bounded(ctx, seed, of, len(sources), func(bounder *bound.Bounder[Unit, Group]) (int, error) {
		return p.readAll(ctx, bounder, sources)
	})
}

// bounded bounds and sums the rows that read puts into so many sources of a bounder.
func (p *Plan[Row, Unit, Group]) bounded(ctx context.Context, seed maphash.Seed, of *sliced, sources int, read func(*bound.Bounder[Unit, Group]) (int, error)) (*Partial[Group], error) {
	began := time.Now()
	bounder := bound.New[Unit](p.caps(), len(p.inputs), p.query.given(), seed, func() bool { return ctx.Err() != nil })
	if of != nil {
		bounder.ChooseBy(chosenBy[Unit, Group](of))
	}
	if p.memory != nil {
		if err := p.checkMemory(*p.memory, sources); err != nil {
			return nil, err
		}
		bounder.Within(p.limit(sources))
		defer bounder.Close()
	}
	n, err := during(ctx, phaseReading, func(context.Context) (int, error) { return read(bounder) })
	if err != nil {
		return nil, err
	}
	reduced, err := p.reduced(ctx, bounder, sources, n)
	if err != nil {
		return nil, err
	}
	reduced.origins = []origin{{space: newSpace(), of: 1}}
	if of != nil {
		reduced.origins, reduced.seals = []origin{of.origin}, of.seals
	}
	if p.query.dates() {
		reduced.dated = began
	}
	return newPartial(reduced), nil
}

// reduced bounds and sums rows that were read, of which there are n.
func (p *Plan[Row, Unit, Group]) reduced(ctx context.Context, bounder *bound.Bounder[Unit, Group], sources, n int) (*partial[Group], error) {
	reduce, phase := p.sum, phaseAdding
	if p.finder != nil {
		reduce, phase = p.list, phaseListing
	}
	groups := bounder.Groups()
	if err := p.ended(ctx, nil); err != nil { // and then groups may have no numbers among all
		return nil, err
	}
	to := room{workers: max(1, min(runtime.GOMAXPROCS(0), n/(fewRows+len(groups))))}
	if p.memory != nil {
		var err error
		if to, err = p.rooms(bounder.Held(), len(groups), sources, to.workers); err != nil {
			return nil, err
		}
		bounder.Spread(to.part)
	}
	return during(ctx, phase, func(ctx context.Context) (*partial[Group], error) { return reduce(ctx, bounder, groups, to) })
}

// inTurn yields the rows of sources one after the other.
func inTurn[Row any](sources []iter.Seq2[Row, error]) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for _, rows := range sources {
			for row, err := range rows {
				if !yield(row, err) {
					return
				}
			}
		}
	}
}

// fewRows, and as many as there are groups, are not worth a worker of their own.
const fewRows = 1 << 16

// readAll reads every source, at the same time if there are several, and returns how many
// rows there are.
func (p *Plan[Row, Unit, Group]) readAll(ctx context.Context, bounder *bound.Bounder[Unit, Group], sources []iter.Seq2[Row, error]) (int, error) {
	readers := make([]*bound.Source[Unit, Group], len(sources))
	for i := range readers {
		readers[i] = bounder.Source()
	}
	var failed atomic.Bool
	var n atomic.Int64
	errs := make([]error, len(sources))
	inParallel(len(sources), len(sources), func(int) func(int) {
		return func(i int) {
			rows, err := p.read(&watch{ctx: ctx, doing: phaseReading}, &failed, readers[i], sources[i])
			n.Add(int64(rows))
			if errs[i] = err; err != nil {
				failed.Store(true)
			}
		}
	})
	return int(n.Load()), errors.Join(errs...)
}

// read reads one source until it ends, or another one failed.
func (p *Plan[Row, Unit, Group]) read(reading *watch, failed *atomic.Bool, to *bound.Source[Unit, Group], rows iter.Seq2[Row, error]) (n int, err error) {
	for row, err := range rows {
		if err != nil {
			return n, fmt.Errorf("aggregate: reading rows: %w", err)
		}
		if reading.ask() != nil || failed.Load() || to.Err() != nil { // at every row, since rows may come slowly
			break
		}
		n++
		if group, ok := to.Group(p.key(row)); ok {
			values := to.Add(p.query.Unit(row), group)
			for i, read := range p.reads {
				values[i] = read(row)
			}
		}
	}
	if err := reading.ask(); err != nil || to.Err() == nil {
		return n, err
	}
	return n, p.errRoom(to.Err())
}

func (p *Plan[Row, Unit, Group]) key(row Row) (key Group) { return p.query.groupOf(row) }

// sum adds up what is kept, with so many workers.
func (p *Plan[Row, Unit, Group]) sum(ctx context.Context, bounder *bound.Bounder[Unit, Group], groups []Group, to room) (*partial[Group], error) {
	adders, errs, parts := make([]*adder, to.workers), make([]error, to.workers), bounder.Filled()
	inParallel(to.workers, len(parts), func(i int) func(task int) {
		w := bounder.Worker()
		a := p.newAdder(ctx, len(groups), w.Room)
		a.ration.stock, a.chosen = to.records, w.Distinct
		adders[i] = a
		return func(task int) {
			if a.adding.err == nil && errs[i] == nil {
				w.Each(parts[task], a.add)
				a.people = w.Units
				if errs[i] = w.Err(); a.ration.gone {
					errs[i] = bound.ErrRoom
				}
			}
		}
	})
	if err := p.ended(ctx, errs); err != nil {
		return nil, err
	}
	return p.settle(groups, adders)
}

// ended returns why workers ended before all was done, or nil.
func (p *Plan[Row, Unit, Group]) ended(ctx context.Context, errs []error) error {
	if err := (&watch{ctx: ctx, doing: phaseAdding}).ask(); err != nil {
		return err
	}
	for _, err := range errs {
		if err != nil {
			return p.errRoom(err)
		}
	}
	return nil
}

// list lists the groups of each unit: what a finder needs.
func (p *Plan[Row, Unit, Group]) list(ctx context.Context, bounder *bound.Bounder[Unit, Group], groups []Group, to room) (*partial[Group], error) {
	units, errs, parts := make([]listing, to.workers), make([]error, to.workers), bounder.Filled()
	inParallel(to.workers, len(parts), func(i int) func(task int) {
		w, listing, left := bounder.Worker(), &watch{ctx: ctx, doing: phaseListing}, ration{stock: to.records}
		return func(task int) {
			if errs[i] != nil {
				return
			}
			w.EachUnit(parts[task], func(of []uint32) bool {
				if left.take(listBytes + placeBytes*int64(len(of))); left.gone {
					return false
				}
				units[i].add(of)
				return !listing.stop()
			})
			if errs[i] = w.Err(); left.gone {
				errs[i] = bound.ErrRoom
			}
		}
	})
	if err := p.ended(ctx, errs); err != nil {
		return nil, err
	}
	return p.listed(&watch{ctx: ctx, doing: phaseListing}, groups, joined(units))
}

// How many bytes a unit takes, and each of its groups, in a listing that grows and is then put into one with others.
const listBytes, placeBytes = 4 * 8, 4 * 4

// Slice yields the rows of a slice.
func Slice[Row any](rows []Row) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}
