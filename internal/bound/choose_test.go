package bound

import (
	"hash/maphash"
	"slices"
	"testing"
)

// The first numbers of SplitMix64 from 1234567, as its authors' program prints them.
func TestMixIsTheFinaliserOfSplitMix64(t *testing.T) {
	for i, want := range []uint64{6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821} {
		if got := mix(1234567 + uint64(i+1)*0x9e3779b97f4a7c15); got != want {
			t.Errorf("number %d is %d, must be %d", i+1, got, want)
		}
	}
}

// The priorities of the rows of a cell are the numbers of SplitMix64, one sequence for
// each source; those that were given before a shard was condensed stay, and the rows after
// them go on where they were.
func TestPrioritiesOfRowsAreOneSequenceForEachSource(t *testing.T) {
	p := newPart(New[int](Caps{1, 1}, 0, []int(nil), maphash.MakeSeed(), never))
	sequence := func(source uint64, n int) (all []uint64) {
		state := mix(77 ^ mix(source+1))
		for range n {
			state += 0x9e3779b97f4a7c15
			all = append(all, mix(state))
		}
		return all
	}
	c := cell{priority: 77}
	p.ends = []int{0, 3, 3, 5}
	p.rank(&c, []uint32{0, 2, 3, 4})
	if want := append(sequence(1, 2), sequence(3, 2)...); !slices.Equal(p.priorities, want) || c.seen != 2 {
		t.Errorf("priorities are %v, and %d are seen; must be %v, and 2", p.priorities, c.seen, want)
	}
	p.ends = []int{5}
	p.rows.seen, p.rows.priority = []uint64{9, 9, 0, 0, 0}, []uint64{5, 6, 0, 0, 0}
	p.rank(&c, []uint32{0, 1, 2, 3, 4})
	if want := append([]uint64{5, 6}, sequence(0, 12)[9:]...); !slices.Equal(p.priorities, want) || c.seen != 12 {
		t.Errorf("after a shard is condensed priorities are %v, and %d are seen; must be %v, and 12", p.priorities, c.seen, want)
	}
}

// Every loop asks once for so many rows whether it must end, and ends when it must: finding
// the units, sorting by them, going through them, and finding the cells of one.
func TestLongLoopsAskWhetherTheyMustEnd(t *testing.T) {
	asked, last := 0, 0
	done := func() bool { asked++; return asked == last }
	p := newPart(New[int](Caps{1, 1}, 0, []int(nil), maphash.MakeSeed(), done))
	fill := func(rows int) (all []uint32) {
		asked, last = 0, 0
		p.begin(make([]uint64, 1), 0)
		for i := range rows {
			p.rows.unit = append(p.rows.unit, i)
			p.rows.key = append(p.rows.key, 0)
			all = append(all, uint32(i))
		}
		return all
	}
	for _, rows := range []int{often - 1, often, 2*often - 1, 2 * often} {
		fill(rows)
		if p.each(func(uint64, []uint32) bool { return true }); asked != 3*(rows/often) {
			t.Errorf("units of %d rows: asked %d times, must be %d", rows, asked, 3*(rows/often))
		}
		all := fill(rows)
		if !p.findCells(all) || asked != rows/often {
			t.Errorf("cells of %d rows: asked %d times, must be %d", rows, asked, rows/often)
		}
		all = fill(rows)
		if last = rows / often; last > 0 && (p.findCells(all) || asked != last) {
			t.Errorf("cells of %d rows: it went on after it was told to end", rows)
		}
	}
	for at, want := range map[int]int{1: 0, 2: 0, 3: 0, 4: 0, 5: often - 1, 6: 2*often - 1, 7: 2 * often} {
		fill(2 * often)
		last = at
		units := 0
		if p.each(func(uint64, []uint32) bool { units++; return true }); units != want || asked != min(at, 6) {
			t.Errorf("told to end when asked for the %d. time, %d units are yielded, must be %d", at, units, want)
		}
	}
}

// Room is what rows had that were read, if there was any, and else new; always empty, and
// of as many values as groups.
func TestRoomIsEmptyMemory(t *testing.T) {
	for _, width := range []int{0, 2} {
		b := New[int](Caps{9, 9}, width, []int(nil), maphash.MakeSeed(), never)
		s := b.Source()
		for i := range 3 {
			group, _ := s.Group(i)
			for j, values := 0, s.Add(1, group); j < width; j++ {
				values[j] = 7
			}
		}
		b.Groups()
		w := b.Worker()
		check := func(when string, least int) {
			groups, values := w.Room()
			if len(groups)+len(values) != 0 || cap(groups) < least || cap(values) != cap(groups) {
				t.Errorf("%d values, %s: room for %d groups and %d values, of which %d and %d are taken", width, when, cap(groups), cap(values), len(groups), len(values))
			}
		}
		check("before rows are read", largePage)
		for part := range Parts {
			w.Each(part, func(uint32, int, []int64) bool { return true })
		}
		check("after rows are read", smallPage)
		check("after that is taken", largePage)
	}
}
