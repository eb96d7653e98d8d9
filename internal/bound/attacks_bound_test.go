package bound

import (
	"hash/maphash"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

type row struct{ unit, key, n int }

// kept lists what a bounder with a given seed keeps of each unit.
func kept(seed maphash.Seed, maxKeys, maxRows int, rows []row) map[int][]row {
	b := newSeeded[int, int, row](maxKeys, maxRows, seed)
	for _, r := range rows {
		b.Add(r.unit, r.key, r)
	}
	of := make(map[int][]row)
	for _, cell := range b.Kept() {
		for r := range cell {
			of[r.unit] = append(of[r.unit], r)
		}
	}
	for unit := range of {
		slices.SortFunc(of[unit], func(a, b row) int { return a.n - b.n })
	}
	return of
}

func randomRows(r *rand.Rand, n, units, keys int) []row {
	var rows []row
	for i := range n {
		rows = append(rows, row{r.IntN(units), r.IntN(keys), i})
	}
	return rows
}

// B12: with the randomness held fixed, what is kept of everyone else does not
// change when one unit is removed, nor when units come in another order. So what
// one unit moves is its own rows, and they are bounded. Deterministic: no false
// positives.
func TestWhatIsKeptOfAUnitDoesNotDependOnOthers(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 12))
	for range 300 {
		seed := maphash.MakeSeed()
		maxKeys, maxRows := 1+r.IntN(4), 1+r.IntN(4)
		rows := randomRows(r, 200, 9, 7)
		with := kept(seed, maxKeys, maxRows, rows)
		without := kept(seed, maxKeys, maxRows, slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r.unit == 0 }))
		delete(with, 0)
		if !reflect.DeepEqual(with, without) {
			t.Fatalf("removing unit 0 changes what is kept of others:\n%v\n%v", with, without)
		}
		byUnit := slices.Clone(rows)
		slices.SortStableFunc(byUnit, func(a, b row) int { return b.unit - a.unit })
		delete(with, 0)
		other := kept(seed, maxKeys, maxRows, byUnit)
		delete(other, 0)
		if !reflect.DeepEqual(with, other) {
			t.Fatal("another order of the units changes what is kept")
		}
	}
}

// B12: a cap for all units together is not independent, and the test above would
// see it.
func TestACapForAllUnitsTogetherIsCaught(t *testing.T) {
	rows := randomRows(rand.New(rand.NewPCG(1, 1)), 200, 9, 7)
	everyone := func(rows []row) []row { return slices.Clone(rows)[:20] }
	notZero := func(r row) bool { return r.unit == 0 }
	with := slices.DeleteFunc(everyone(rows), notZero)
	if reflect.DeepEqual(with, everyone(slices.DeleteFunc(slices.Clone(rows), notZero))) {
		t.Error("the first rows of everyone do not depend on unit 0")
	}
}

// B11, B17: whatever comes, in whatever order, at most maxKeys groups and maxRows
// rows in each are kept of a unit, and as many as that if there are.
func TestCapsHoldForEverySequence(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 17))
	for range 300 {
		maxKeys, maxRows := 1+r.IntN(4), 1+r.IntN(4)
		rows := randomRows(r, 1+r.IntN(300), 1+r.IntN(5), 1+r.IntN(10))
		there := make(map[int]map[int]int)
		for _, r := range rows {
			if there[r.unit] == nil {
				there[r.unit] = make(map[int]int)
			}
			there[r.unit][r.key]++
		}
		for unit, of := range kept(maphash.MakeSeed(), maxKeys, maxRows, rows) {
			counts := make(map[int]int)
			for _, r := range of {
				counts[r.key]++
			}
			if want := min(maxKeys, len(there[unit])); len(counts) != want {
				t.Fatalf("%d groups of a unit are kept, want %d", len(counts), want)
			}
			for key, n := range counts {
				if want := min(maxRows, there[unit][key]); n != want {
					t.Fatalf("%d rows of a unit and group are kept, want %d", n, want)
				}
			}
		}
	}
}
