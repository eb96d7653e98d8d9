package bound

import (
	"errors"
	"hash/maphash"
	"math/rand/v2"
	"os"
	"reflect"
	"strconv"
	"testing"
)

// tight is a limit that a few hundred rows reach.
func tight(t *testing.T, part int64) Limit {
	return Limit{Rows: LeastRows[int](1, 1), Groups: none, Part: part, Folder: t.TempDir()}
}

// What is kept with a limit is what is kept without, whatever is written to files and when,
// how often a part is read, and how often it is condensed while it is: so whether there was room, which
// other units decide, has no part in it.
func TestWhatIsKeptDoesNotDependOnALimit(t *testing.T) {
	rng := rand.New(rand.NewPCG(41, 42))
	written, passes := 0, 0
	for i := range 30 {
		seed, caps := maphash.MakeSeed(), Caps{1 + rng.IntN(4), 1 + rng.IntN(4)}
		sources := make([][]row, 1+rng.IntN(3))
		rows := few(rng, 30_000)
		if i%2 == 0 {
			rows = random(rng, 20_000, 50, 40_000)
		}
		for _, r := range rows {
			at := rng.IntN(len(sources))
			sources[at] = append(sources[at], r)
		}
		keyed := keyedBy(rng.Uint64(), func(u int) bool { return u%5 != 4 })
		keyed.ByValue = i%3 == 2
		with, without := New[int](caps, 1, []int(nil), seed, never), New[int](caps, 1, []int(nil), seed, never)
		if i%3 > 0 {
			with.ChooseBy(keyed)
			without.ChooseBy(keyed)
		}
		_, bytes := RowBytes[int](1)
		limit := tight(t, bytes*int64(rng.IntN(2000)+400))
		if i%3 == 2 {
			limit.Part = none / 2
		}
		with.Within(limit)
		a, _ := bounded(with, sources...)
		b, _ := bounded(without, sources...)
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("case %d: a limit changes what is kept", i)
		}
		for _, s := range with.sources {
			if s.waiting.file != nil {
				written++
				n := 0
				for i := range s.shards.list {
					n += s.shards.list[i].rows
				}
				if size := s.waiting.file.Size(); size > int64(n)*(DiskBytes[int](1)+rankBytes) || i%3 == 2 && size > int64(n)*DiskBytes[int](1) {
					t.Errorf("a file of %d rows has %d bytes", n, size)
				}
			}
			if s.Err() != nil {
				t.Fatal(s.Err())
			}
		}
		for part := range Parts {
			n := 0
			for _, s := range with.sources {
				if shard := s.shards.part(part); shard != nil {
					n += shard.rows
				}
			}
			if int64(n)*bytes > limit.Part {
				passes++
			}
		}
		if err := with.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if written < 25 || passes < 10 {
		t.Errorf("%d files were written and %d parts read more than once: the test shows nothing", written, passes)
	}
}

// Names are of any length, and rows have what they take.
func TestRowsOfUnitsWithStringsAreWrittenToo(t *testing.T) {
	const n = 40_000
	b := New[string](Caps{2, 3}, 2, []string(nil), maphash.MakeSeed(), never)
	b.Within(Limit{Rows: LeastRows[string](2, 1), Groups: none, PerGroup: 8, Part: none, Folder: t.TempDir()})
	defer b.Close()
	s := b.Source()
	for i := range n {
		id, _ := s.Group("g" + strconv.Itoa(i%3))
		at := s.Add("unit "+strconv.Itoa(i/2), id)
		at[0], at[1] = int64(i), -int64(i)
		if s.waiting.held > s.waiting.most {
			t.Fatalf("%d bytes are held, the limit is %d", s.waiting.held, s.waiting.most)
		}
	}
	if s.waiting.file == nil || s.names.bytes != 3*(8+2) || s.Err() != nil {
		t.Errorf("nothing was written, or groups have %d bytes: %v", s.names.bytes, s.Err())
	}
	b.Groups()
	w := b.Worker()
	var rows int
	for part := range Parts {
		w.Each(part, func(_ uint32, n int, values []int64) bool {
			rows += n
			for i := 0; i < len(values); i += 2 {
				if values[i] != -values[i+1] {
					t.Fatal("values are mixed up")
				}
			}
			return true
		})
	}
	if rows != n || w.Units != n/2 || w.Err() != nil {
		t.Errorf("%d rows of %d units: %v", rows, w.Units, w.Err())
	}
}

// What does not fit is an error, and no panic: groups, the rows of one unit, files.
func TestWhatHasNoRoomIsAnError(t *testing.T) {
	b := New[int](Caps{1, 1}, 1, []int(nil), maphash.MakeSeed(), never)
	b.Within(Limit{Rows: none, Groups: 1000, PerGroup: 10, Part: none})
	s := b.Source()
	for i := range 101 {
		if (s.Err() != nil) != (i > 100) {
			t.Fatalf("group %d: %v", i, s.Err())
		}
		s.Group(i)
	}
	if !errors.Is(s.Err(), ErrRoom) {
		t.Error(s.Err())
	}

	_, bytes := RowBytes[int](1)
	b = New[int](Caps{1, 1 << 20}, 1, []int(nil), maphash.MakeSeed(), never)
	b.Within(tight(t, 100*bytes))
	defer b.Close()
	bounded := b.Source()
	for i := range 50_000 {
		id, _ := bounded.Group(1)
		bounded.Add(7, id)[0] = int64(i)
	}
	b.Groups()
	w := b.Worker()
	for part := range Parts {
		w.Each(part, func(uint32, int, []int64) bool { t.Fatal("rows that had no room are there"); return false })
	}
	if !errors.Is(w.Err(), ErrRoom) {
		t.Error(w.Err())
	}
}

func TestAFolderThatIsNotThereIsAnErrorOfTheSource(t *testing.T) {
	b := New[int](Caps{1, 1}, 1, []int(nil), maphash.MakeSeed(), never)
	limit := tight(t, none)
	limit.Folder = "/nowhere/at/all"
	b.Within(limit)
	s := b.Source()
	for i := 0; s.Err() == nil && i < 50_000; i++ {
		id, _ := s.Group(1)
		s.Add(i, id)
	}
	if !errors.Is(s.Err(), os.ErrNotExist) {
		t.Error(s.Err())
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

// After the end nothing is written, read, or given a number.
func TestNothingIsWrittenReadOrNumberedAfterTheEnd(t *testing.T) {
	ended := false
	b := New[int](Caps{2, 2}, 1, []int(nil), maphash.MakeSeed(), func() bool { return ended })
	b.Within(Limit{Rows: LeastRows[int](1, 2), Groups: 1 << 24, PerGroup: 100, Folder: t.TempDir()})
	defer b.Close()
	s, other := b.Source(), b.Source()
	for i := 0; s.waiting.file == nil || i < 40_000; i++ {
		group, _ := s.Group(i % 20_000)
		s.Add(i, group)[0] = 1
	}
	other.Group(-1)
	ended = true
	size := s.waiting.file.Size()
	if err := s.write(); err != nil || s.waiting.file.Size() != size {
		t.Errorf("%d bytes are written after the end: %v", s.waiting.file.Size()-size, err)
	}
	if b.Groups(); len(b.renamed[0]) >= 20_000 {
		t.Errorf("%d groups get numbers after the end", len(b.renamed[0]))
	}
	b.Spread(1 << 30)
	w := b.Worker()
	w.reader = newPart(b)
	for part := range Parts {
		if shard := s.shards.part(part); shard != nil && len(shard.pieces) > 0 {
			b.renamed[0] = nil
			if err := w.loadSource(0, shard, nil); err != nil || w.bytes != nil {
				t.Fatalf("%d bytes are read after the end: %v", len(w.bytes), err)
			}
			return
		}
	}
	t.Error("nothing was written")
}
