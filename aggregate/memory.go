package aggregate

import (
	"errors"
	"fmt"
	"os"
	"reflect"

	"github.com/equipoise-dp/equipoise/internal/bound"
	"github.com/equipoise-dp/equipoise/internal/keys"
)

// A Memory says how much memory collecting may take.
type Memory struct {
	Most   int64  // bytes, see [Plan.Within]
	Folder string // where temporary files are; where the system has them, if empty
}

// Within returns the same plan, which collects in so much memory: rows that have no room in it
// are written to temporary files, and what is collected is the same. A release costs and tells what it
// would without. Counted are the bytes that are in use at a time for rows, groups and sums, as [Plan.Needs] says
// beforehand; Go's collector of garbage adds to them what GOGC allows, and not the rows that the caller has.
// [Plan.Run], [Plan.Collect], [Plan.CollectShard] and the workers of package aggregate/beamagg know of it; what something else collects ([Plan.RunFrom],
// package aggregate/sqlagg), and a [Series] or an [Alert] with the same query, does not.
//
// The files are encrypted with a key that is in memory only. They have no name, so that nothing is left of them however the
// process ends; on Windows they have one until then. Their length tells roughly how many rows there are.
//
// Where not even groups, or the values that quantiles are of, have room, collecting fails, and so does it if
// files cannot be written. Whether it does follows from the rows without noise, as running out of memory would: who
// must not know how much there is must not be told.
func (p *Plan[Row, Unit, Group]) Within(m Memory) (*Plan[Row, Unit, Group], error) {
	if err := errors.Join(p.checkMemory(m, 1), checkFolder(m.Folder)); err != nil {
		return nil, err
	}
	within := *p
	within.memory = &m
	if p.earlier != nil {
		earlier := *p.earlier
		earlier.memory, within.earlier = &m, &earlier
	}
	return &within, nil
}

func checkFolder(folder string) error {
	if folder == "" {
		return nil
	}
	info, err := os.Stat(folder)
	if err == nil && !info.IsDir() {
		err = errors.New("it is no folder")
	}
	if err != nil {
		return fmt.Errorf("aggregate: Memory.Folder is %q: %w", folder, err)
	}
	return nil
}

// checkMemory returns every reason why so much memory cannot do for so many sources.
func (p *Plan[Row, Unit, Group]) checkMemory(m Memory, sources int) error {
	var errs []error
	if least := p.leastMemory(sources); m.Most < least {
		errs = append(errs, fmt.Errorf("aggregate: Memory.Most is %d bytes, must be at least %d to read from %d sources at a time", m.Most, least, sources))
	}
	if err := keys.Check(reflect.TypeFor[Unit](), true); err != nil {
		errs = append(errs, fmt.Errorf("aggregate: rows of units of this type cannot be written to temporary files: %w", err))
	}
	return errors.Join(errs...)
}

// Of the memory that there is, rows that were read get a fourth, and groups and sums at most half;
// workers have the rest.
const (
	partOfRows   = 4
	partOfGroups = 2
)

// limit returns the limit of collecting from so many sources.
func (p *Plan[Row, Unit, Group]) limit(sources int) bound.Limit {
	return bound.Limit{
		Rows: p.memory.Most / partOfRows, Groups: p.memory.Most / partOfGroups, PerGroup: p.groupBytes(sources, 1), Folder: p.memory.Folder,
	}
}

// leastMemory is how many bytes do for any rows at all: hardly any groups.
func (p *Plan[Row, Unit, Group]) leastMemory(sources int) int64 {
	rows := bound.LeastRows[Unit](len(p.inputs), sources) * partOfRows
	return max(rows, p.leastRest(0, sources), partOfGroups*int64(len(p.query.given()))*p.groupBytes(sources, 1))
}

// leastRest is how much memory workers and groups need, of which there are so many bytes: a
// worker has a piece of a file, and what is kept of a few units from all sources.
func (p *Plan[Row, Unit, Group]) leastRest(groups int64, sources int) int64 {
	row, worker := bound.RowBytes[Unit](len(p.inputs))
	caps := p.caps()
	kept := min(int64(caps.Keys)*int64(caps.Rows), 1<<20) * int64(sources)
	part := worker * 4 * (bound.Piece/row + kept)
	return (groups + part*p.shares()) * partOfRows / (partOfRows - 1)
}

// shares is into how many equal parts the memory is split that groups leave: one is for the values
// that quantiles are of.
func (p *Plan[Row, Unit, Group]) shares() int64 {
	if p.histograms > 0 || p.finder != nil {
		return 2
	}
	return 1
}

// groupBytes is how many bytes of memory a group takes that comes from any of some sources and is added up by
// some workers: where it is found, and its sums, also in the order of release. Strings are not in it.
func (p *Plan[Row, Unit, Group]) groupBytes(sources, workers int) int64 {
	var none Group
	key := int64(reflect.TypeFor[Group]().Size())
	named := 2*(key+8+8) + 32 // keys and two hashes, grown, and places in a table
	bytes := named + key + 8
	if sources > 1 {
		bytes += (named + 4) * int64(sources)
	}
	if p.query.given() == nil {
		bytes += 4 + 24*int64(1+len(keys.Append(nil, none))/8) // to be sorted
	}
	return bytes + int64(exactBytes*p.sums*(workers+1)+3*8*p.histograms)
}

const exactBytes = 16

// recordBytes is how many bytes a value takes that quantiles are of: with its group, and in order.
const recordBytes = 4 + 8 + 8

// A room is how much memory is left to one worker.
type room struct {
	workers int
	part    int64  // bytes of rows, for one worker
	records *stock // for all of them; nil where there is no limit
}

// rooms splits what memory is left when all rows are read, and returns an error if there is none.
func (p *Plan[Row, Unit, Group]) rooms(held int64, groups, sources, workers int) (room, error) {
	for ; workers > 0; workers-- {
		left := p.memory.Most - held - int64(groups)*p.groupBytes(sources, workers)
		if r := (room{workers, left / p.shares() / int64(workers), newStock(left / 2)}); p.isRoom(r) {
			return r, nil
		}
	}
	return room{}, p.errRoom(bound.ErrRoom)
}

// isRoom reports whether a worker can work.
func (p *Plan[Row, Unit, Group]) isRoom(r room) bool {
	row, worker := bound.RowBytes[Unit](len(p.inputs))
	return r.part > 2*worker*bound.Piece/row
}

// errRoom says what to do where something does not fit.
func (p *Plan[Row, Unit, Group]) errRoom(err error) error {
	if errors.Is(err, bound.ErrRoom) {
		return fmt.Errorf("aggregate: collecting in Memory.Most, %d bytes: what is kept has no room; Plan.Needs says how much it takes", p.memory.Most)
	}
	return fmt.Errorf("aggregate: collecting in Memory.Most, %d bytes: %w", p.memory.Most, err)
}
