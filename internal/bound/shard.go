package bound

import "github.com/equipoise-dp/equipoise/internal/scratch"

// Shards are those of the parts of which a source has rows: of few rows most have none.
type shards[Unit comparable] struct {
	places [Parts]uint16 // of the shard of a part in the list, plus one; 0 if there is none
	list   []shard[Unit]
}

// of returns the shard of the part that a unit with a hash is in, until there is another one.
func (s *shards[Unit]) of(hash uint64) *shard[Unit] {
	place := &s.places[hash>>(64-partBits)]
	if *place == 0 {
		s.list = append(s.list, shard[Unit]{})
		*place = uint16(len(s.list))
	}
	return &s.list[*place-1]
}

// has reports whether there are rows of a part.
func (s *shards[Unit]) has(part int) bool { return s.places[part] != 0 }

// part returns the shard of a part, or nil if there are no rows of it.
func (s *shards[Unit]) part(part int) *shard[Unit] {
	if !s.has(part) {
		return nil
	}
	return &s.list[s.places[part]-1]
}

// A shard has the rows of one part: those that came, and before them those that were kept
// when it was condensed.
type shard[Unit comparable] struct {
	came log[Unit]
	kept *columns[Unit] // or nil

	pieces    []scratch.Piece // of a file, with rows that came before all these; then nothing is kept
	rows      int             // in pieces
	text      int64           // bytes of strings, but for the last page
	keptBytes int64           // of what is kept
}

// appendTo appends the rows of a shard, those that were kept first.
func (s *shard[Unit]) appendTo(rows *columns[Unit]) {
	if s.kept != nil {
		rows.append(s.kept)
	}
	for _, page := range s.came.pages[:s.came.used] {
		rows.append(page)
	}
}

// emptied empties a shard, and returns its pages.
func (s *shard[Unit]) emptied() []*columns[Unit] {
	pages := s.came.pages
	for _, page := range pages {
		page.clear()
	}
	if s.kept != nil {
		s.kept.clear()
	}
	s.kept, s.came = nil, log[Unit]{}
	return pages
}
