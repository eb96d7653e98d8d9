package bound

import (
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"testing"
)

// rosterOf returns the groups of one unit.
func rosterOf(reach int, seed maphash.Seed, rows [][2]int, unit int) []int {
	r := NewRoster[int, int](reach, seed)
	for _, row := range rows {
		r.Add(row[0], row[1])
	}
	only := NewRoster[int, int](reach, seed)
	for _, row := range rows {
		if row[0] == unit {
			only.Add(row[0], row[1])
		}
	}
	var all [][]int
	for groups := range r.Units() {
		all = append(all, groups)
	}
	for groups := range only.Units() {
		if slices.ContainsFunc(all, func(g []int) bool { return slices.Equal(g, groups) }) {
			return groups
		}
	}
	return nil
}

// What is kept of a unit is a function of the set of its own groups and of the seed:
// each once, those of the least priorities, in their order, whatever the order of rows,
// how often they come, and who else is there.
func TestARosterIsAFunctionOfAUnitsOwnGroups(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		seed, reach := maphash.MakeSeed(), 1+r.IntN(40)
		var rows [][2]int
		for range r.IntN(400) {
			rows = append(rows, [2]int{r.IntN(4), r.IntN(90)})
		}
		rows = append(rows, [2]int{2, 5})
		var want []int
		for _, row := range rows {
			if row[0] == 2 && !slices.Contains(want, row[1]) {
				want = append(want, row[1])
			}
		}
		first := func(k int) uint64 { return maphash.Comparable(seed, pair[int, int]{2, k}) }
		slices.SortFunc(want, func(a, b int) int {
			if first(a) < first(b) {
				return -1
			}
			return 1
		})
		want = want[:min(reach, len(want))]
		for range 3 {
			r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
			if got := rosterOf(reach, seed, rows, 2); !slices.Equal(got, want) {
				t.Fatalf("reach %d: kept %v, want %v", reach, got, want)
			}
		}
	}
}

// That a group is there once does not rest on the hash: here all have one priority.
func TestARosterHasNoGroupTwiceWhateverTheHash(t *testing.T) {
	p := &places[int]{}
	for i := range 100 {
		p.all = append(p.all, item[int]{7, i % 10})
	}
	p.order(1000)
	if len(p.all) != 10 {
		t.Errorf("%d of 10 groups are there", len(p.all))
	}
}
