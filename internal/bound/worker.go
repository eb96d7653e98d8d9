package bound

// A Worker chooses what is kept, one part after the other. It is used by one goroutine.
type Worker[Unit, Key comparable] struct {
	b      *Bounder[Unit, Key]
	part   *part[Unit]
	values []int64
	spare  []*columns[Unit]

	reader *part[Unit] // of one source, if there is a limit
	bytes  []byte      // of a piece of a file
	err    error

	unit  uint64 // what is yielded of: the hash of a unit,
	group uint32 // and a group

	// Units is how many units there were in what was yielded so far.
	Units int64
}

// Worker returns a new worker. All rows must have been added, and [Bounder.Groups] called.
func (b *Bounder[Unit, Key]) Worker() *Worker[Unit, Key] {
	return &Worker[Unit, Key]{b: b, part: newPart(b)}
}

// Each yields what is kept of the units of a part, once: for each group of each unit how
// many rows, and their values, which are overwritten after. It ends when yield returns false.
func (w *Worker[Unit, Key]) Each(part int, yield func(group uint32, rows int, values []int64) bool) {
	p := w.part
	width := p.width
	keep := func(c *cell, rows []uint32) bool {
		w.group = c.group
		if len(rows) == 1 {
			return yield(c.group, 1, p.rows.values[int(rows[0])*width:][:width])
		}
		w.values = w.values[:0]
		for _, row := range rows {
			w.values = append(w.values, p.rows.values[int(row)*width:][:width]...)
		}
		return yield(c.group, len(rows), w.values)
	}
	w.loads(part, func() {
		p.each(func(unit uint64, rows []uint32) bool {
			w.Units, w.unit = w.Units+1, unit
			return p.choose(unit, rows, keep)
		})
	})
}

// EachUnit yields of every unit of a part, once, the groups that are kept, in the order of
// their priorities, which is as random as they are. It ends when yield returns false.
func (w *Worker[Unit, Key]) EachUnit(part int, yield func(groups []uint32) bool) {
	w.loads(part, func() {
		w.part.each(func(unit uint64, rows []uint32) bool {
			groups, ok := w.part.inOrder(unit, rows)
			return ok && yield(groups)
		})
	})
}

// loads loads the rows of a part from all sources, which keep none of them, and does
// something with them; where they do not fit in memory it does so unit by unit.
func (w *Worker[Unit, Key]) loads(part int, do func()) {
	if w.b.within != nil {
		w.loadsLimited(part, do)
		return
	}
	p := w.part
	p.begin(w.b.hashes, 0)
	for i, s := range w.b.sources {
		shard := s.shards.part(part)
		p.loadShard(shard, w.b.renamed[i])
		if shard != nil {
			w.spare = append(w.spare, shard.emptied()...)
		}
	}
	do()
}

// Room returns empty memory for numbers of groups and as many values. It is that of rows
// that were read, if there are any left of it.
func (w *Worker[Unit, Key]) Room() (groups []uint32, values []int64) {
	if n := len(w.spare); n > 0 && w.b.width > 0 {
		page := w.spare[n-1]
		w.spare = w.spare[:n-1]
		return page.key[:0:cap(page.key)], page.values[:0:cap(page.key)]
	}
	return make([]uint32, 0, largePage), make([]int64, 0, largePage)
}
