package aggregate

import (
	"errors"
	"fmt"
	"math/bits"
	"runtime"

	"github.com/equipoise-dp/equipoise/internal/bound"
)

// A Size says how much there is to collect, as it is known from what is public or assumed.
type Size struct {
	Rows    int // that are read
	Units   int // that have rows
	Pairs   int // of a unit and a group that it has rows in, at most as many groups of each unit as the cap says
	Groups  int // that have rows
	Sources int // that are read at a time
}

// A Need is what collecting takes, in bytes.
type Need struct {
	Memory int64 // without a limit
	Least  int64 // the least Memory.Most that does, unless one unit has rows in much of it
	Disk   int64 // of temporary files, if nearly all rows are written
}

// Needs says what collecting takes for a size, at most: of memory that is in use at a time, which was found to be a fourth of it or more, also with
// units that have very different numbers of rows. Strings of
// units and groups are not in it; those of the units of all rows, and of all groups, come on top. It reads no row.
func (p *Plan[Row, Unit, Group]) Needs(s Size) (Need, error) {
	if err := s.check(); err != nil {
		return Need{}, err
	}
	groups := int64(s.Groups)
	if given := p.query.given(); given != nil {
		groups = int64(len(given))
	}
	workers := runtime.GOMAXPROCS(0)
	kept := p.kept(s)
	return Need{
		Memory: p.rowBytes(s) + groups*p.groupBytes(s.Sources, workers) + p.partBytes(s)*int64(workers) + kept,
		Least: max(p.leastMemory(s.Sources), partOfGroups*groups*p.groupBytes(s.Sources, 1),
			p.leastRest(groups*p.groupBytes(s.Sources, 1)+p.shares()*kept, s.Sources)),
		Disk: int64(s.Rows) * bound.DiskBytes[Unit](len(p.inputs)),
	}, nil
}

// mostSize bounds what a size says.
const mostSize = 1 << 40

func (s Size) check() error {
	var errs []error
	for _, field := range []struct {
		name string
		n    int
	}{{"Rows", s.Rows}, {"Units", s.Units}, {"Pairs", s.Pairs}, {"Groups", s.Groups}, {"Sources", s.Sources}} {
		if field.n < 1 || field.n > mostSize {
			errs = append(errs, fmt.Errorf("aggregate: Size.%s is %d, must be 1 to %d", field.name, field.n, mostSize))
		}
	}
	if len(errs) == 0 && (s.Units > s.Pairs || s.Pairs > s.Rows) {
		errs = append(errs, fmt.Errorf("aggregate: Size has %d Units, %d Pairs and %d Rows, must have no more of each than of the next: a unit has a row in each group that it is in", s.Units, s.Pairs, s.Rows))
	}
	return errors.Join(errs...)
}

// mostKept returns how many rows the caps let through, at most.
func (p *Plan[Row, Unit, Group]) mostKept(s Size) int64 {
	of := p.caps()
	hi, kept := bits.Mul64(uint64(s.Pairs), uint64(of.Rows))
	if p.finder != nil { // which keeps more groups of a unit than the cap says
		hi, kept = bits.Mul64(uint64(s.Units), uint64(of.Keys))
	}
	if hi > 0 || kept > uint64(s.Rows) {
		return int64(s.Rows)
	}
	return int64(kept)
}

// kept is how many bytes the values take that quantiles are of, or the lists of groups.
func (p *Plan[Row, Unit, Group]) kept(s Size) int64 {
	if p.finder != nil {
		return listBytes*int64(s.Units) + placeBytes*p.mostKept(s)
	}
	return recordBytes * int64(p.histograms) * p.mostKept(s)
}

// rowBytes is how many bytes rows take that wait. A part is condensed when it is large and twice what is kept
// of it, and after it was tried in vain when it is four times as large: so there are at most nine times as many rows as
// are kept. Its last page is not full, and may be as large as all before.
func (p *Plan[Row, Unit, Group]) rowBytes(s Size) int64 {
	row, _ := bound.RowBytes[Unit](len(p.inputs))
	kept := p.mostKept(s)
	waiting := min(int64(s.Rows), 9*kept+bound.Parts*256*int64(s.Sources))
	unfull := min(waiting, int64(s.Sources)*bound.Parts*512) + 32*min(waiting, bound.Parts*int64(s.Sources))
	return row*(waiting+unfull) + 16*min(kept, int64(s.Rows)-kept)
}

// partBytes is how many bytes a worker takes for a part, where no unit has rows in much of it.
func (p *Plan[Row, Unit, Group]) partBytes(s Size) int64 {
	_, worker := bound.RowBytes[Unit](len(p.inputs))
	return worker * (2*int64(s.Rows)/bound.Parts + 1024)
}
