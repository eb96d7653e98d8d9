package bound

import (
	"hash/maphash"

	"github.com/equipoise-dp/equipoise/internal/scratch"
)

// Err returns why a worker ended before it was told to, or nil.
func (w *Worker[Unit, Key]) Err() error { return w.err }

// mostPasses is how often a part is read at most.
const mostPasses = 1 << 10

// loadsLimited reads a part as often as it does not fit in memory, each time the rows of
// other units.
func (w *Worker[Unit, Key]) loadsLimited(part int, do func()) {
	rows := 0
	for _, s := range w.b.sources {
		shard := s.shards.part(part)
		if shard == nil {
			continue
		}
		rows += shard.rows + shard.kept.len() + shard.came.len()
	}
	passes := 1
	for most := w.mostRows(); rows/passes > most/2 && passes < mostPasses; passes *= 2 {
	}
	for pass := range passes {
		if w.err != nil || w.b.done() {
			return
		}
		if w.err = w.loadPass(part, pass, passes); w.err == nil {
			do()
		}
	}
}

// mostRows returns how many rows a worker may look at.
func (w *Worker[Unit, Key]) mostRows() int {
	_, bytes := RowBytes[Unit](w.b.width)
	return max(1, int(w.b.within.Part/bytes))
}

// loadPass loads the rows of some units of a part from all sources.
func (w *Worker[Unit, Key]) loadPass(part, pass, passes int) error {
	if w.reader == nil {
		w.reader = newPart(w.b)
	}
	w.part.begin(w.b.hashes, 0)
	for i, s := range w.b.sources {
		if shard := s.shards.part(part); shard != nil {
			if err := w.loadSource(i, shard, w.reads(pass, passes)); err != nil {
				return err
			}
			if pass == passes-1 {
				w.spare = append(w.spare, shard.emptied()...)
			}
			w.part.rows.append(&w.reader.rows)
		}
		w.part.ends = append(w.part.ends, w.part.rows.len())
		if w.part.rows.len() > w.mostRows() {
			return ErrRoom
		}
	}
	return nil
}

// reads returns which units a pass is of, by bits of their hash that do not say in which part
// they are; nil if there is one pass.
func (w *Worker[Unit, Key]) reads(pass, passes int) func(Unit) bool {
	if passes == 1 {
		return nil
	}
	return func(u Unit) bool {
		return maphash.Comparable(w.b.seed, u)>>(64-partBits-10)&uint64(passes-1) == uint64(pass)
	}
}

// loadSource reads what one source has of a part into the reader. Where that is much it is condensed.
func (w *Worker[Unit, Key]) loadSource(source int, shard *shard[Unit], reads func(Unit) bool) error {
	r, file := w.reader, w.b.sources[source].waiting.file
	r.begin(w.b.hashes, source)
	condensing := w.mostRows() / 2
	for _, piece := range shard.pieces {
		if w.b.done() {
			return nil // whoever ended it knows
		}
		if err := w.loadPiece(file, piece, source, reads); err != nil {
			return err
		}
		if r.rows.len() <= condensing {
			continue
		}
		if w.condense(source); r.rows.len() > w.mostRows() {
			return ErrRoom
		}
		condensing = max(condensing, 2*r.rows.len())
	}
	from := r.rows.len()
	shard.appendTo(&r.rows)
	w.loaded(from, source, reads)
	if r.rows.len() > w.mostRows()/2 {
		w.condense(source)
	}
	return nil
}

// loadPiece appends a piece of a file to the reader.
func (w *Worker[Unit, Key]) loadPiece(file *scratch.File, piece scratch.Piece, source int, reads func(Unit) bool) (err error) {
	from := w.reader.rows.len()
	if w.bytes, err = file.Read(piece, w.bytes); err != nil {
		return err
	}
	for rest := w.bytes; len(rest) > 0 && err == nil; {
		rest, err = w.reader.rows.unpack(rest, w.reader.width)
	}
	clear(w.bytes)
	w.loaded(from, source, reads)
	return err
}

// loaded leaves of the rows from one on those of a pass, and gives their groups the numbers that
// they have among all.
func (w *Worker[Unit, Key]) loaded(from, source int, reads func(Unit) bool) {
	r := w.reader
	if reads != nil {
		r.rows.only(from, r.width, reads)
	}
	if renamed := w.b.renamed[source]; renamed != nil {
		for i, k := range r.rows.key[from:] {
			r.rows.key[from+i] = renamed[k]
		}
	}
}

// condense leaves in the reader what is kept of it, if that is at most half.
func (w *Worker[Unit, Key]) condense(source int) {
	r := w.reader
	r.ends = append(r.ends[:source], r.rows.len())
	if kept := r.condensed(); kept != nil {
		r.begin(w.b.hashes, source)
		r.rows.append(kept)
	}
}
