package bound

import (
	"cmp"
	"hash/maphash"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

type row struct{ unit, key, n int }

func never() bool { return false }

// kept returns what a bounder keeps of each unit, of rows that several sources have. The
// number of a row is its only value.
func kept(seed maphash.Seed, caps Caps, sources ...[]row) map[int][]row {
	all, _ := bounded(New[int](caps, 1, []int(nil), seed, never), sources...)
	return all
}

func bounded(b *Bounder[int, int], sources ...[]row) (of map[int][]row, groups []int) {
	byNumber := map[int]row{}
	for _, rows := range sources {
		s := b.Source()
		for _, r := range rows {
			byNumber[r.n] = r
			if group, ok := s.Group(r.key); ok {
				s.Add(r.unit, group)[0] = int64(r.n)
			}
		}
	}
	groups = b.Groups()
	of = make(map[int][]row)
	w := b.Worker()
	for part := range Parts {
		w.Each(part, func(group uint32, rows int, values []int64) bool {
			if rows != len(values) || rows == 0 {
				panic("a value is missing")
			}
			for _, n := range values {
				r := byNumber[int(n)]
				if r.key != groups[group] {
					panic("a row of another group")
				}
				of[r.unit] = append(of[r.unit], r)
			}
			return true
		})
	}
	if w.Err() != nil {
		panic(w.Err())
	}
	for _, rows := range of {
		slices.SortFunc(rows, func(a, b row) int { return cmp.Or(a.key-b.key, a.n-b.n) })
	}
	return of, groups
}

func random(rng *rand.Rand, units, keys, most int) []row {
	var rows []row
	for range rng.IntN(most) {
		rows = append(rows, row{rng.IntN(units), rng.IntN(keys), len(rows)})
	}
	return rows
}

// few returns rows of so few units that their shards are condensed again and again, and so
// many of some that they are condensed in vain first.
func few(rng *rand.Rand, n int) []row {
	var rows []row
	for i := range n {
		u := rng.IntN(4)
		if rng.IntN(3) == 0 {
			u = 4 + rng.IntN(n)
		}
		rows = append(rows, row{u, rng.IntN(20), i})
	}
	return rows
}

// With the seed held fixed, what is kept of everyone else does not change when one unit is
// removed, nor when units come in another order, nor when shards are condensed at other
// times. So what one unit moves is its own rows. B12. Deterministic: no false positives.
func TestWhatIsKeptOfAUnitDoesNotDependOnOthers(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 400 {
		rows := random(rng, 6, 8, 200)
		if i%40 == 0 {
			rows = few(rng, 20_000)
		}
		seed, caps := maphash.MakeSeed(), Caps{1 + rng.IntN(4), 1 + rng.IntN(4)}
		with := kept(seed, caps, rows)
		gone := rng.IntN(4)
		without := kept(seed, caps, slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r.unit == gone }))
		delete(with, gone)
		if !reflect.DeepEqual(with, without) {
			t.Fatalf("removing unit %d changed what is kept of others", gone)
		}
		// A stable sort keeps the order of rows within each.
		slices.SortStableFunc(rows, func(a, b row) int { return b.unit - a.unit })
		sorted := kept(seed, caps, rows)
		delete(sorted, gone)
		if !reflect.DeepEqual(sorted, without) {
			t.Fatal("another order of the units keeps other rows")
		}
	}
}

// Of rows that several sources have the same is true. Each keeps the order of its own.
func TestWhatIsKeptOfSourcesDoesNotDependOnOtherUnits(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		seed, caps := maphash.MakeSeed(), Caps{1 + rng.IntN(4), 1 + rng.IntN(4)}
		var sources, without [3][]row
		for _, r := range few(rng, 20_000) {
			i := rng.IntN(3)
			sources[i] = append(sources[i], r)
			if r.unit != 1 {
				without[i] = append(without[i], r)
			}
		}
		with := kept(seed, caps, sources[:]...)
		delete(with, 1)
		if !reflect.DeepEqual(with, kept(seed, caps, without[:]...)) {
			t.Fatal("removing unit 1 changed what is kept of others")
		}
	}
}

// When shards are condensed, and how often, changes nothing.
func TestWhatIsKeptDoesNotDependOnMemory(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for range 60 {
		seed, caps := maphash.MakeSeed(), Caps{1 + rng.IntN(4), 1 + rng.IntN(4)}
		sources := make([][]row, 1+rng.IntN(3))
		for _, r := range few(rng, 3_000) {
			i := rng.IntN(len(sources))
			sources[i] = append(sources[i], r)
		}
		want := kept(seed, caps, sources...)
		for _, limit := range []int{1, 7, 50, math.MaxInt} {
			b := New[int](caps, 1, []int(nil), seed, never)
			b.limit = limit
			if got, _ := bounded(b, sources...); !reflect.DeepEqual(got, want) {
				t.Fatalf("of %d sources, other rows are kept with limit %d", len(sources), limit)
			}
		}
	}
}

// A cap for all units together is not independent, and the tests above would see it. B12.
func TestACapForAllUnitsTogetherIsCaught(t *testing.T) {
	rows := random(rand.New(rand.NewPCG(1, 1)), 9, 7, 200)
	everyone := func(rows []row) []row { return slices.Clone(rows)[:20] }
	notZero := func(r row) bool { return r.unit == 0 }
	with := slices.DeleteFunc(everyone(rows), notZero)
	if reflect.DeepEqual(with, everyone(slices.DeleteFunc(slices.Clone(rows), notZero))) {
		t.Error("the first rows of everyone do not depend on unit 0")
	}
}

// check compares what is kept with a naive oracle: the groups and rows that may be kept,
// and how many must be.
func check(t *testing.T, caps Caps, rows []row, all map[int][]row) {
	t.Helper()
	there := map[row]bool{}
	cells := map[[2]int]int{}
	groups := map[int]int{}
	for _, r := range rows {
		there[r] = true
		if cells[[2]int{r.unit, r.key}]++; cells[[2]int{r.unit, r.key}] == 1 {
			groups[r.unit]++
		}
	}
	for unit, rs := range all {
		byKey := map[int]int{}
		for _, x := range rs {
			if !there[x] {
				t.Fatalf("unit %d: %v was not added, or is kept twice", unit, x)
			}
			delete(there, x)
			byKey[x.key]++
		}
		if len(byKey) != min(caps.Keys, groups[unit]) {
			t.Fatalf("unit %d has %d groups of %d, at most %d", unit, len(byKey), groups[unit], caps.Keys)
		}
		for key, n := range byKey {
			if n != min(caps.Rows, cells[[2]int{unit, key}]) {
				t.Fatalf("unit %d has %d rows of %d in group %d, at most %d", unit, n, cells[[2]int{unit, key}], key, caps.Rows)
			}
		}
		delete(groups, unit)
	}
	if len(groups) > 0 {
		t.Fatalf("nothing is kept of units %v", groups)
	}
}

// Whatever comes, in whatever order and from however many sources, at most so many groups
// and so many rows in each are kept of a unit, and as many as that if there are. B11, B17.
func TestCapsHoldForEverySequence(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 17))
	for i := range 300 {
		caps := Caps{1 + rng.IntN(4), 1 + rng.IntN(4)}
		rows := random(rng, 1+rng.IntN(5), 1+rng.IntN(10), 300)
		if i%30 == 0 {
			rows = few(rng, 30_000)
		}
		sources := make([][]row, 1+rng.IntN(3))
		for _, r := range rows {
			j := rng.IntN(len(sources))
			sources[j] = append(sources[j], r)
		}
		check(t, caps, rows, kept(maphash.MakeSeed(), caps, sources...))
	}
}

// Where hashes are all the same, caps hold too: sensitivity does not rest on them.
func TestCapsHoldIfAllPrioritiesAreEqual(t *testing.T) {
	for n := 1; n < 40; n++ {
		for most := 1; most < n; most++ {
			c := newCut(make([]uint64, n), most)
			passed := 0
			for range n {
				if c.keeps(0) {
					passed++
				}
			}
			if passed != most {
				t.Fatalf("%d of %d equal ones pass, at most %d may", passed, n, most)
			}
		}
	}
}

// The cut is where sorting says.
func TestTheSmallestAreFoundAsSortingFindsThem(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for range 3000 {
		x := make([]uint64, 1+rng.IntN(60))
		for i := range x {
			x[i] = rng.Uint64N(1 + rng.Uint64N(100))
		}
		sorted := slices.Sorted(slices.Values(x))
		n := 1 + rng.IntN(len(x))
		if got := smallest(x, n); got != sorted[n-1] {
			t.Fatalf("number %d of %v is %d, not %d", n, sorted, sorted[n-1], got)
		}
	}
}

// listed returns the groups of each unit as they are listed. Every unit has groups of its
// own, so that it is seen whose list it is.
func listed(b *Bounder[int, int], units int, sources ...[]row) map[int][]int {
	for _, rows := range sources {
		s := b.Source()
		for _, r := range rows {
			group, _ := s.Group(r.key*units + r.unit)
			s.Add(r.unit, group)
		}
	}
	groups := b.Groups()
	of := map[int][]int{}
	w := b.Worker()
	for part := range Parts {
		w.EachUnit(part, func(ids []uint32) bool {
			for _, id := range ids {
				of[groups[id]%units] = append(of[groups[id]%units], groups[id]/units)
			}
			return true
		})
	}
	return of
}

// The list of a unit is a function of the set of its own groups and of the seed: each
// once, those of the least priorities, in their order, whatever the order of rows, how
// often they come and from where, when shards are condensed, and who else is there.
func TestListedGroupsAreAFunctionOfAUnitsOwnGroups(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	const units = 5
	for range 100 {
		seed, caps := maphash.MakeSeed(), Caps{1 + rng.IntN(30), 1}
		rows := random(rng, units, 60, 1000)
		want := map[int][]int{}
		p := newPart(New[int](caps, 0, []int(nil), seed, never))
		for u := range units {
			var own []int
			for _, r := range rows {
				if r.unit == u && !slices.Contains(own, r.key) {
					own = append(own, r.key)
				}
			}
			priority := func(key int) uint64 {
				p.groups = []uint64{maphash.Comparable(seed, key*units+u)}
				return p.priority(maphash.Comparable(seed, u), 0)
			}
			slices.SortFunc(own, func(a, b int) int { return cmp.Compare(priority(a), priority(b)) })
			if len(own) > 0 {
				want[u] = own[:min(caps.Keys, len(own))]
			}
		}
		for range 3 {
			rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
			b := New[int](caps, 0, []int(nil), seed, never)
			b.limit = 1 + rng.IntN(100)
			half := rng.IntN(len(rows) + 1)
			if got := listed(b, units, rows[:half], rows[half:]); !reflect.DeepEqual(got, want) {
				t.Fatalf("listed are %v, want %v", got, want)
			}
		}
	}
}

// Groups that share a priority are found by content: none is listed twice.
func TestNoGroupIsListedTwiceWhateverTheHash(t *testing.T) {
	p := newPart(New[int](Caps{100, 1}, 0, []int(nil), maphash.MakeSeed(), never))
	p.begin(make([]uint64, 10), 0)
	var rows []uint32
	for i := range uint32(100) {
		p.rows.key = append(p.rows.key, i%10)
		rows = append(rows, i)
	}
	if groups, ok := p.inOrder(1, rows); !ok || len(groups) != 10 {
		t.Errorf("%d of 10 groups are listed", len(groups))
	}
}

// If groups are given, rows of others are left out, and do not use up the caps.
func TestGroupsThatAreNotGivenDoNotCount(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	for range 100 {
		given := rng.Perm(12)[:1+rng.IntN(6)]
		rows := random(rng, 5, 12, 300)
		wanted := slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return !slices.Contains(given, r.key) })
		all, groups := bounded(New[int](Caps{2, 2}, 1, given, maphash.MakeSeed(), never), rows[:len(rows)/2], rows[len(rows)/2:])
		if !slices.Equal(groups, given) {
			t.Fatalf("the groups are %v, want %v", groups, given)
		}
		check(t, Caps{2, 2}, wanted, all)
	}
}

// A law is how often rows, groups and pairs of them are chosen. All must be as likely as
// the next. A chi-square with 9 degrees of freedom is above 70 with a probability of 1.5e-11.
// That of pairs of three groups is 1.75 times one with 9 degrees and 0.75 times one with
// 35, which is above 170 with one below 1.5e-11 (Chernoff).
func TestChoicesAreUniformWhereverRowsComeFrom(t *testing.T) {
	const n = 3_000
	for name, sources := range map[string]int{"one source": 1, "three sources": 3, "one source, condensed": -1} {
		var groups, lines [10]float64
		pairs := map[[2]int]float64{}
		for i := range n {
			all := make([][]row, max(sources, 1))
			add := func(unit, key int) {
				j := (i + key + unit) % len(all)
				all[j] = append(all[j], row{unit, key, 1000*j + len(all[j])})
			}
			for k := range 10 {
				add(1, k)
			}
			wide := 1
			if sources < 0 { // a thousand rows, so that some come before a shard is condensed, and some after
				if i%8 != 0 {
					continue
				}
				wide = 100
			}
			for j := range 10 * wide {
				all[j%len(all)] = append(all[j%len(all)], row{2, 0, 20_000 + j})
			}
			k := kept(maphash.MakeSeed(), Caps{3, 3}, all...)
			for _, r := range k[1] {
				groups[r.key]++
				for _, other := range k[1] {
					if r.key < other.key {
						pairs[[2]int{r.key, other.key}]++
					}
				}
			}
			for _, r := range k[2] {
				lines[(r.n-20_000)/wide]++
			}
		}
		uniform(t, name+": groups", groups[:], 70)
		uniform(t, name+": rows", lines[:], 70)
		var counts []float64
		for _, c := range pairs {
			counts = append(counts, c)
		}
		if len(counts) != 45 {
			t.Errorf("%s: only %d pairs", name, len(counts))
		}
		uniform(t, name+": pairs of groups", counts, 170)
	}
}

// With one seed, the choices of many units are as if each were drawn by itself.
func TestChoicesOfUnitsAreIndependent(t *testing.T) {
	var rows []row
	const units, keys = 40_000, 5
	for u := range units {
		for k := range keys {
			rows = append(rows, row{u, k, len(rows)})
		}
	}
	first := func(r []row) int { return r[0].key }
	all := kept(maphash.MakeSeed(), Caps{1, 1}, rows)
	one, two := make([]float64, keys), make([]float64, keys*keys)
	for u := range units {
		one[first(all[u])]++
		if u%2 == 0 {
			two[first(all[u])*keys+first(all[u+1])]++
		}
	}
	uniform(t, "groups", one, 60)                // 4 degrees: 3e-12
	uniform(t, "groups of neighbours", two, 110) // 24 degrees: 4e-13
}

func uniform(t *testing.T, what string, counts []float64, most float64) {
	t.Helper()
	sum, chi := 0.0, 0.0
	for _, c := range counts {
		sum += c
	}
	for _, c := range counts {
		want := sum / float64(len(counts))
		chi += math.Pow(c-want, 2) / want
	}
	if chi > most {
		t.Errorf("%s are chosen %v times: chi-square %.1f", what, counts, chi)
	}
}

// FuzzBounder compares with a naive oracle.
func FuzzBounder(f *testing.F) {
	f.Add([]byte{1, 2, 3, 1, 1, 1, 2, 2}, uint8(1), uint8(1), uint8(1))
	f.Add([]byte{0, 0, 0, 0, 16, 32, 48, 64}, uint8(2), uint8(2), uint8(3))
	f.Fuzz(func(t *testing.T, data []byte, k, r, n uint8) {
		caps := Caps{int(k%5) + 1, int(r%5) + 1}
		sources := make([][]row, int(n%4)+1)
		var rows []row
		for i, b := range data {
			x := row{int(b % 4), int(b >> 4), i}
			rows = append(rows, x)
			j := int(b>>2) % len(sources)
			sources[j] = append(sources[j], x)
		}
		check(t, caps, rows, kept(maphash.MakeSeed(), caps, sources...))
	})
}

// keyedBy are hashes that a test knows.
func keyedBy(key uint64, in func(unit int) bool) *Keyed[int, int] {
	return &Keyed[int, int]{
		Unit:  func(u int) (uint64, bool) { return mix(key + mix(uint64(u))), in(u) },
		Group: func(k int) uint64 { return mix(key ^ mix(uint64(k)+1)) },
	}
}

// Whoever has the key of the hashes makes the same choices, with whatever seed, in whatever
// order units come, and whenever shards are condensed; with another key they are others.
func TestKeyedChoicesDoNotDependOnTheSeed(t *testing.T) {
	rng := rand.New(rand.NewPCG(16, 1))
	everyone := func(int) bool { return true }
	different := 0
	for i := range 60 {
		caps := Caps{1 + rng.IntN(4), 1 + rng.IntN(4)}
		sources := make([][]row, 1+rng.IntN(3))
		for _, r := range few(rng, 3_000) {
			j := rng.IntN(len(sources))
			sources[j] = append(sources[j], r)
		}
		keep := func(key uint64, limit int) map[int][]row {
			b := New[int](caps, 1, []int(nil), maphash.MakeSeed(), never)
			b.ChooseBy(keyedBy(key, everyone))
			b.limit = limit
			all, _ := bounded(b, sources...)
			return all
		}
		want := keep(uint64(i), firstLimit)
		check(t, caps, slices.Concat(sources...), want)
		if !reflect.DeepEqual(want, keep(uint64(i), 1+rng.IntN(50))) {
			t.Fatal("another seed makes other choices")
		}
		for _, rows := range sources {
			slices.SortStableFunc(rows, func(a, b row) int { return b.unit - a.unit })
		}
		if !reflect.DeepEqual(want, keep(uint64(i), math.MaxInt)) {
			t.Fatal("another order of units makes other choices")
		}
		if !reflect.DeepEqual(want, keep(uint64(i)+1000, firstLimit)) {
			different++
		}
	}
	if different < 50 {
		t.Errorf("of 60 other keys, %d make other choices", different)
	}
}

// By value, what is kept is a function of which rows there are: not of their order, of the
// sources that they come from, nor of when shards are condensed.
func TestChoicesByValueDoNotDependOnTheOrderOfRows(t *testing.T) {
	rng := rand.New(rand.NewPCG(16, 12))
	for i := range 60 {
		caps, distinct := Caps{1 + rng.IntN(4), 1 + rng.IntN(4)}, 1+rng.IntN(5)
		rows := few(rng, 3_000)
		keep := func() map[[2]int][]int64 {
			b := New[int](caps, 1, []int(nil), maphash.MakeSeed(), never)
			k := keyedBy(uint64(i), func(int) bool { return true })
			k.ByValue = true
			b.ChooseBy(k)
			b.limit = 1 + rng.IntN(100)
			rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
			return cellsOf(b, rng, rows, distinct)
		}
		want, units, most := keep(), map[int]int{}, map[[2]int]int{}
		for _, r := range rows {
			most[[2]int{r.unit, r.key}]++
		}
		for at, values := range want {
			if units[at[0]]++; units[at[0]] > caps.Keys || len(values) != min(caps.Rows, most[at]) {
				t.Fatalf("%d rows of %d in group %d of %d", len(values), most[at], units[at[0]], caps.Keys)
			}
		}
		for range 3 {
			if got := keep(); !reflect.DeepEqual(got, want) {
				t.Fatal("another order of rows keeps others")
			}
		}
	}
}

// cellsOf returns the values that are kept of each unit and group. A value tells the unit, and
// of so many kinds of rows which it is.
func cellsOf(b *Bounder[int, int], rng *rand.Rand, rows []row, distinct int) map[[2]int][]int64 {
	sources := make([]*Source[int, int], 1+rng.IntN(3))
	for i := range sources {
		sources[i] = b.Source()
	}
	for _, r := range rows {
		s := sources[rng.IntN(len(sources))]
		group, _ := s.Group(r.key)
		s.Add(r.unit, group)[0] = int64(r.unit*100 + r.n%distinct)
	}
	groups, w, of := b.Groups(), b.Worker(), map[[2]int][]int64{}
	for part := range Parts {
		w.Each(part, func(group uint32, rows int, values []int64) bool {
			values = slices.Clone(values)
			slices.Sort(values)
			of[[2]int{int(values[0]) / 100, groups[group]}] = values
			return true
		})
	}
	return of
}

// By value, rows are as likely as the next, also where some are equal: of ten rows of which
// six are equal, three are kept. 9 degrees of freedom: above 70 with a probability of 1.5e-11.
func TestChoicesByValueAreUniform(t *testing.T) {
	const units = 20_000
	b := New[int](Caps{1, 3}, 1, []int(nil), maphash.MakeSeed(), never)
	k := keyedBy(1, func(int) bool { return true })
	k.ByValue = true
	b.ChooseBy(k)
	s := b.Source()
	for u := range units {
		for n := range 10 {
			group, _ := s.Group(0)
			s.Add(u, group)[0] = int64(min(n, 4))
		}
	}
	b.Groups()
	w, counts := b.Worker(), make([]float64, 5)
	for part := range Parts {
		w.Each(part, func(_ uint32, _ int, values []int64) bool {
			for _, v := range values {
				counts[v]++
			}
			return true
		})
	}
	counts[4] /= 6
	for range 5 {
		counts = append(counts, counts[4])
	}
	uniform(t, "rows", counts, 70)
}

// Of units that are not in nothing is kept, and what is kept of the others is what it is
// without them.
func TestUnitsThatAreNotInLeaveNoTrace(t *testing.T) {
	rng := rand.New(rand.NewPCG(16, 2))
	even := func(u int) bool { return u%2 == 0 }
	for i := range 60 {
		rows, caps := few(rng, 3_000), Caps{1 + rng.IntN(4), 1 + rng.IntN(4)}
		keep := func(rows []row) map[int][]row {
			b := New[int](caps, 1, []int(nil), maphash.MakeSeed(), never)
			b.ChooseBy(keyedBy(uint64(i), even))
			all, _ := bounded(b, rows)
			return all
		}
		evens := slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return !even(r.unit) })
		got := keep(rows)
		check(t, caps, evens, got)
		if !reflect.DeepEqual(got, keep(evens)) {
			t.Fatal("units that are not in change what is kept of others")
		}
	}
}
