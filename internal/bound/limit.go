package bound

import (
	"errors"
	"math"
	"reflect"

	"github.com/equipoise-dp/equipoise/internal/keys"
	"github.com/equipoise-dp/equipoise/internal/scratch"
)

// A Limit is how much memory rows may take. Rows that have no room are written to temporary
// files, part by part, in the order in which they came; so what is kept is what would be
// kept without a limit.
type Limit struct {
	Rows     int64  // bytes of rows that were read, of all sources together
	Groups   int64  // bytes of groups, of each source
	PerGroup int64  // bytes of a group, without its strings
	Part     int64  // bytes of the rows that a worker looks at
	Folder   string // of temporary files
}

// ErrRoom says that what is kept does not fit in a limit.
var ErrRoom = errors.New("there is no room for it")

// Within sets a limit. It is called before there are sources, if it is called, and [Bounder.Close] at the end.
func (b *Bounder[Unit, Key]) Within(l Limit) { b.within = &l }

// Spread sets how many bytes of rows a worker looks at, before there are any.
func (b *Bounder[Unit, Key]) Spread(part int64) { b.within.Part = part }

// Close removes the temporary files.
func (b *Bounder[Unit, Key]) Close() error {
	var errs []error
	for _, s := range b.sources {
		errs = append(errs, s.waiting.close())
	}
	return errors.Join(errs...)
}

// Held returns how many bytes rows take that were read.
func (b *Bounder[Unit, Key]) Held() (bytes int64) {
	for _, s := range b.sources {
		bytes += s.waiting.held
	}
	return bytes
}

// RowBytes is how many bytes of memory a row takes that has so many values, without the strings of its
// unit; and at least those of a worker for it.
func RowBytes[Unit comparable](width int) (row, worker int64) {
	row = int64(reflect.TypeFor[Unit]().Size()) + 4 + 8*int64(width)
	return row, 2*(row+rankBytes) + memberBytes
}

// DiskBytes is how many bytes of a file such a row takes: units are written in whole words, and pages and pieces
// have a few bytes of their own.
func DiskBytes[Unit comparable](width int) int64 {
	var none Unit
	return int64(len(keys.Append(nil, none))) + 4 + 8*int64(width) + 8
}

// What a priority and a number take, and what a part needs to sort a row: its unit, two places,
// slots of which half are free, its cell and where it is among the cells.
const (
	rankBytes   = 16
	memberBytes = 100
)

// LeastRows is how many bytes Limit.Rows has at least, for so many sources.
func LeastRows[Unit comparable](width, sources int) int64 {
	row, _ := RowBytes[Unit](width)
	return int64(sources) * Parts * leastPage * row * shareOfPages
}

const (
	leastPage    = 8 // rows of a page
	shareOfPages = 4 // of a source, pages that are not full may take one in so many
)

// A waiting is what a source that has a limit knows of the rows that wait.
type waiting[Unit comparable] struct {
	most   int64            // bytes
	held   int64            // bytes, of pages that are free too
	file   *scratch.File    // or nil
	free   []*columns[Unit] // pages
	page   int              // rows of a page
	text   func(Unit) int   // bytes of the strings of a unit; or nil
	buffer []byte           // what is written next
}

// limited returns what a source waits with. All sources are known when the first row is.
func (s *Source[Unit, Key]) limited() *waiting[Unit] {
	w := &s.waiting
	if w.page == 0 {
		row, _ := RowBytes[Unit](s.b.width)
		w.most = s.b.within.Rows / int64(len(s.b.sources))
		w.page = int(min(largePage, max(leastPage, w.most/shareOfPages/Parts/row)))
		w.text = keys.Text[Unit]()
	}
	return w
}

func (w *waiting[Unit]) close() error {
	clear(w.buffer[:cap(w.buffer)])
	if w.file == nil {
		return nil
	}
	return w.file.Close()
}

// textOf returns how many bytes strings of rows have.
func (w *waiting[Unit]) textOf(c *columns[Unit]) (bytes int64) {
	if w.text == nil || c == nil {
		return 0
	}
	for _, u := range c.unit {
		bytes += int64(w.text(u))
	}
	return bytes
}

// Err returns why rows cannot be added any more, or nil.
func (s *Source[Unit, Key]) Err() error {
	if s.err == nil && s.names.bytes > s.mostGroups {
		s.err = ErrRoom
	}
	return s.err
}

// turnLimited begins a page where there is a limit. If there is no room, everything is
// written before.
func (s *Source[Unit, Key]) turnLimited(shard *shard[Unit]) {
	w := s.limited()
	row, worker := RowBytes[Unit](s.b.width)
	rows := shard.came.len() + shard.kept.len()
	if len(shard.pieces) == 0 && shard.came.len() >= max(s.limit, shard.kept.len()) && int64(rows)*worker <= w.most/shareOfPages {
		if s.condense(shard) {
			w.count(shard, w.textOf(shard.kept), int64(shard.kept.len())*(row+rankBytes))
		} else {
			s.limit = 4 * max(s.limit, rows)
		}
	}
	w.count(shard, shard.text+w.textOf(shard.came.last), shard.keptBytes)
	page := int64(0)
	if len(w.free) == 0 {
		page = int64(w.page) * row
	}
	if w.held+page > w.most-w.most/shareOfPages && s.err == nil {
		s.err = s.write()
	}
	shard.came.next(func(int) *columns[Unit] { return s.freePage(row) })
}

// count sets how many bytes a shard has in strings, and in what is kept of it.
func (w *waiting[Unit]) count(shard *shard[Unit], text, kept int64) {
	w.held += text - shard.text + kept - shard.keptBytes
	shard.text, shard.keptBytes = text, kept
}

// freePage returns a page.
func (s *Source[Unit, Key]) freePage(row int64) *columns[Unit] {
	w := &s.waiting
	if n := len(w.free); n > 0 {
		page := w.free[n-1]
		w.free = w.free[:n-1]
		return page
	}
	w.held += int64(w.page) * row
	return newColumns[Unit](w.page, s.b.width)
}

// write writes all rows to the file, so that all pages are free.
func (s *Source[Unit, Key]) write() (err error) {
	w := &s.waiting
	if w.file == nil {
		if w.file, err = scratch.New(s.b.within.Folder); err != nil {
			return err
		}
	}
	for i := range s.shards.list {
		if s.b.done() {
			return nil // whoever ended it knows
		}
		if err := s.writeShard(&s.shards.list[i]); err != nil {
			return err
		}
	}
	return nil
}

// Piece is about how long a piece of a file is.
const Piece = 1 << 16

func (s *Source[Unit, Key]) writeShard(shard *shard[Unit]) error {
	w := &s.waiting
	if err := s.writeRows(shard, shard.kept); err != nil {
		return err
	}
	for _, page := range shard.came.pages[:shard.came.used] {
		if err := s.writeRows(shard, page); err != nil {
			return err
		}
	}
	if err := s.writePiece(shard, 0); err != nil {
		return err
	}
	w.count(shard, 0, 0)
	w.free = append(w.free, shard.emptied()...)
	return nil
}

// writeRows writes rows, as soon as they are a piece.
func (s *Source[Unit, Key]) writeRows(shard *shard[Unit], c *columns[Unit]) error {
	for from := 0; from < c.len(); from += largePage {
		s.waiting.buffer = c.pack(s.waiting.buffer, from, min(from+largePage, c.len()), s.b.width)
		if err := s.writePiece(shard, Piece); err != nil {
			return err
		}
	}
	shard.rows += c.len()
	return nil
}

// writePiece writes the buffer if it is longer than so many bytes.
func (s *Source[Unit, Key]) writePiece(shard *shard[Unit], least int) error {
	w := &s.waiting
	if len(w.buffer) <= least {
		return nil
	}
	piece, err := w.file.Append(w.buffer)
	shard.pieces = append(shard.pieces, piece)
	w.buffer = w.buffer[:0]
	return err
}

// none is a limit that nothing reaches.
const none = math.MaxInt64
