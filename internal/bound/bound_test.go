package bound_test

import (
	"cmp"
	"hash/maphash"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/equipoise-dp/equipoise/internal/bound"
)

type row struct{ unit, key, n int }

func kept(rows []row, maxKeys, maxRows int, seed maphash.Seed) map[int][]row {
	b := bound.New[int, int, row](maxKeys, maxRows, seed)
	for _, r := range rows {
		b.Add(r.unit, r.key, r)
	}
	all := map[int][]row{}
	for key, rows := range b.Kept() {
		for r := range rows {
			if r.key != key {
				panic("a row of another group")
			}
			all[r.unit] = append(all[r.unit], r)
		}
	}
	for _, rs := range all {
		slices.SortFunc(rs, func(a, b row) int { return cmp.Or(a.key-b.key, a.n-b.n) })
	}
	return all
}

func random(rng *rand.Rand, units, keys, most int) []row {
	var rows []row
	for range rng.IntN(most) {
		rows = append(rows, row{rng.IntN(units), rng.IntN(keys), len(rows)})
	}
	return rows
}

// B12: what is kept of a unit does not depend on other units.
func TestRemovingAUnitChangesNobodyElse(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		rows, seed := random(rng, 6, 8, 200), maphash.MakeSeed()
		maxKeys, maxRows := 1+rng.IntN(4), 1+rng.IntN(4)
		with := kept(rows, maxKeys, maxRows, seed)
		gone := rng.IntN(6)
		without := kept(slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r.unit == gone }), maxKeys, maxRows, seed)
		delete(with, gone)
		if !reflect.DeepEqual(with, without) {
			t.Fatalf("removing unit %d changed what is kept of others:\n%v\n%v", gone, with, without)
		}
		// Nor on the order in which units come: a stable sort keeps the order of rows within each.
		slices.SortStableFunc(rows, func(a, b row) int { return b.unit - a.unit })
		sorted := kept(rows, maxKeys, maxRows, seed)
		delete(sorted, gone)
		if !reflect.DeepEqual(sorted, without) {
			t.Fatalf("another order of units keeps other rows")
		}
	}
}

// Every group of a unit is chosen with the same probability, and every row of a
// cell: chi-square with 9 degrees of freedom, of which 70 has a probability of
// 1.5e-11.
func TestChoicesAreUniform(t *testing.T) {
	const n = 20_000
	var groups, lines [10]float64
	for range n {
		var rows []row
		for key := range 10 {
			rows = append(rows, row{1, key, 0})
		}
		for i := range 10 {
			rows = append(rows, row{2, 0, i})
		}
		k := kept(rows, 3, 3, maphash.MakeSeed())
		for _, r := range k[1] {
			groups[r.key]++
		}
		for _, r := range k[2] {
			lines[r.n]++
		}
	}
	for name, counts := range map[string][10]float64{"groups": groups, "rows": lines} {
		chi := 0.0
		for _, c := range counts {
			chi += math.Pow(c-n*0.3, 2) / (n * 0.3)
		}
		if chi > 70 {
			t.Errorf("%s are chosen %v times of %d: chi-square %.1f", name, counts, n, chi)
		}
	}
}

// FuzzBounder compares with a naive oracle: the groups and rows that may be kept,
// and how many must be.
func FuzzBounder(f *testing.F) {
	f.Add([]byte{1, 2, 3, 1, 1, 1, 2, 2}, uint8(1), uint8(1))
	f.Add([]byte{0, 0, 0, 0, 16, 32, 48, 64}, uint8(2), uint8(2))
	f.Fuzz(func(t *testing.T, data []byte, k, r uint8) {
		maxKeys, maxRows := int(k%5)+1, int(r%5)+1
		var rows []row
		cells := map[[2]int]int{}
		groups := map[int]int{}
		for i, b := range data {
			x := row{int(b % 4), int(b >> 4), i}
			rows = append(rows, x)
			if cells[[2]int{x.unit, x.key}] == 0 {
				groups[x.unit]++
			}
			cells[[2]int{x.unit, x.key}]++
		}
		for unit, rs := range kept(rows, maxKeys, maxRows, maphash.MakeSeed()) {
			byKey, seen := map[int]int{}, map[row]bool{}
			for _, x := range rs {
				if rows[x.n] != x || seen[x] {
					t.Fatalf("unit %d: %v was not added, or is kept twice", unit, x)
				}
				seen[x] = true
				byKey[x.key]++
			}
			if len(byKey) != min(maxKeys, groups[unit]) {
				t.Fatalf("unit %d has %d groups of %d, at most %d", unit, len(byKey), groups[unit], maxKeys)
			}
			for key, n := range byKey {
				if n != min(maxRows, cells[[2]int{unit, key}]) {
					t.Fatalf("unit %d has %d rows of %d in group %d, at most %d", unit, n, cells[[2]int{unit, key}], key, maxRows)
				}
			}
			delete(groups, unit)
		}
		if len(groups) > 0 {
			t.Fatalf("nothing is kept of units %v", groups)
		}
	})
}
