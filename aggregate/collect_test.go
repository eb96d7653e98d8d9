package aggregate

import (
	"context"
	"errors"
	"iter"
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// plainly adds up rows of which caps cut nothing off, as a program would that keeps a map
// of everything: the sums of a group, and its points.
func plainly(p *Plan[fact, int, int], rows []fact) map[int]group {
	groups := map[int]group{}
	of := func(key int) group {
		if _, ok := groups[key]; !ok {
			groups[key] = p.newGroup()
		}
		return groups[key]
	}
	plus := func(key, at int, x *big.Int) {
		g := of(key)
		sum := new(big.Int).Add(g.sums[at].Big(), x)
		low := new(big.Int).And(sum, new(big.Int).SetUint64(math.MaxUint64))
		g.sums[at] = exact.Int128{Hi: new(big.Int).Rsh(sum, 64).Int64(), Lo: low.Uint64()}
	}
	add := func(m *measure, key int, point int64) {
		g := of(key)
		if m.form == formRanks {
			g.points[m.list] = append(g.points[m.list], point)
			slices.Sort(g.points[m.list])
			return
		}
		for i, x := range recordOf(m, point) {
			plus(key, m.first+i, x)
		}
	}
	addVector := func(m *measure, key int, points func(input int) int64) {
		plus(key, m.first, big.NewInt(m.joint.times[0]))
		for i, input := range m.joint.inputs {
			x := big.NewInt(2*points(input) - m.joint.grids[i].Cells)
			plus(key, m.first+1+i, x.Mul(x, big.NewInt(m.joint.times[1+i])))
		}
	}
	type cell struct{ who, group int }
	cells := map[cell][]fact{}
	for _, r := range rows {
		if !slices.Contains(p.query.Groups, r.group) {
			continue
		}
		cells[cell{r.who, r.group}] = append(cells[cell{r.who, r.group}], r)
	}
	for at, rows := range cells {
		for _, m := range p.measures {
			switch {
			case m.form == formDistinct:
				for _, r := range rows {
					g := of(at.group)
					points := append(g.points[m.list], p.reads[m.input](r))
					slices.Sort(points)
					g.points[m.list] = slices.Compact(points)
					g.sums[m.first] = exact.Int(int64(len(g.points[m.list])))
				}
			case m.joint != nil && m.perUnit():
				addVector(m, at.group, func(input int) int64 {
					var t total
					for _, r := range rows {
						t.add(p.inputs[input], p.reads[input](r))
					}
					return t.point(p.inputs[input])
				})
			case m.joint != nil:
				for _, r := range rows {
					addVector(m, at.group, func(input int) int64 { return p.reads[input](r) })
				}
			case m.value == nil && m.perUnit():
				add(m, at.group, 0)
			case m.perUnit():
				var t total
				for _, r := range rows {
					t.add(p.inputs[m.input], p.reads[m.input](r))
				}
				add(m, at.group, t.point(p.inputs[m.input]))
			default:
				for _, r := range rows {
					point := int64(0)
					if m.value != nil {
						point = p.reads[m.input](r)
					}
					add(m, at.group, point)
				}
			}
		}
	}
	people := map[int]bool{}
	for at := range cells {
		people[at.who] = true
	}
	for _, m := range p.measures {
		for _, key := range p.query.Groups {
			if m.joint != nil && m.joint.centre != nil {
				plus(key, m.first+1+len(m.joint.values), big.NewInt(int64(len(people))))
			}
		}
	}
	return groups
}

// recordOf returns the parts of a record, by the formulas of docs/proofs/moments.md.
func recordOf(m *measure, point int64) []*big.Int {
	one := big.NewInt(1)
	if m.value == nil {
		return []*big.Int{one}
	}
	x, w := big.NewInt(point), big.NewInt(m.grid.Cells)
	rest := new(big.Int).Sub(w, x)
	switch m.form {
	case formTotal:
		return []*big.Int{new(big.Int).Add(x, big.NewInt(m.grid.First()))}
	case formPair:
		return []*big.Int{rest, x}
	}
	var parts []*big.Int
	for _, part := range triple(m.law.Family, point, m.grid.Cells) {
		parts = append(parts, part.Big())
	}
	return parts
}

// spread spreads rows over some sources.
func spread(rng *rand.Rand, rows []fact) []iter.Seq2[fact, error] {
	parts := make([][]fact, 1+rng.IntN(4))
	for _, r := range rows {
		i := rng.IntN(len(parts))
		parts[i] = append(parts[i], r)
	}
	var sources []iter.Seq2[fact, error]
	for _, part := range parts {
		sources = append(sources, Slice(part))
	}
	return sources
}

// Where caps cut nothing off, every sum and every point is that of a plain program, in
// every form of measure, from however many sources rows come.
func TestWhereNothingIsCutOffAPlainProgramHasTheSameNumbers(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 1))
	odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64}
	for _, loss := range []dp.Loss{dp.Pure{Epsilon: 1}, dp.Concentrated{Rho: 0.5}} {
		for _, b := range smallBounds {
			p := facts(t, loss, b, 5, 100)
			for range 8 {
				rows := randomFacts(rng, b, odd, 30, 20)
				rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
				part, err := p.Collect(t.Context(), spread(rng, rows)...)
				if err != nil {
					t.Fatal(err)
				}
				want := plainly(p, rows)
				for i, key := range part.state().groups {
					w, ok := want[key]
					if !ok {
						w = p.newGroup()
					}
					got := part.state().group(i)
					if !slices.Equal(got.sums, w.sums) {
						t.Fatalf("%v: the sums of group %d are %v, want %v", loss, key, got.sums, w.sums)
					}
					for l := range got.points {
						if !slices.Equal(got.points[l], w.points[l]) {
							t.Fatalf("%v: the points of group %d are %v, want %v", loss, key, got.points[l], w.points[l])
						}
					}
					delete(want, key)
				}
				if len(want) > 0 {
					t.Fatalf("groups %v are missing", want)
				}
			}
		}
	}
}

// One worker and several make the same choices, also where shards are condensed while they
// are read, and where two Partials are one.
func TestNumbersDoNotDependOnHowManyWork(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 2))
	p := facts(t, dp.Concentrated{Rho: 0.5}, limits{-10, 1, 1}, 2, 3)
	var sources []iter.Seq2[fact, error]
	for range 2 {
		var rows []fact
		for range 80_000 {
			rows = append(rows, fact{int(rng.ExpFloat64() * 1000), rng.IntN(5), rng.Int64N(9) - 8, 3 * rng.NormFloat64()})
		}
		sources = append(sources, Slice(rows))
	}
	collect := func(procs int) *partial[int] {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		part, err := p.collect(t.Context(), theSeed, nil, sources...)
		if err != nil {
			t.Fatal(err)
		}
		return part.state()
	}
	if one, two := collect(1), collect(2); !sameSums(one, two) {
		t.Error("two workers have other numbers than one")
	}
}

// Sources are read at the same time: of these two, each waits for a row of the other.
func TestSourcesAreReadAtTheSameTime(t *testing.T) {
	p := facts(t, dp.Pure{Epsilon: 1}, limits{-10, 1, 1}, 2, 2)
	a, b := make(chan bool), make(chan bool)
	source := func(mine, other chan bool) iter.Seq2[fact, error] {
		return func(yield func(fact, error) bool) {
			close(mine)
			<-other
			yield(fact{}, nil)
		}
	}
	if _, err := p.Collect(t.Context(), source(a, b), source(b, a)); err != nil {
		t.Error(err)
	}
}

// A source that fails, or a context that ends, ends the others at their next row, and no
// goroutine is left: the bubble ends only when all that were started in it have.
func TestOneSourceThatFailsEndsTheOthers(t *testing.T) {
	p := facts(t, dp.Pure{Epsilon: 1}, limits{-10, 1, 1}, 2, 2)
	endless := func(yield func(fact, error) bool) {
		for yield(fact{}, nil) {
			runtime.Gosched()
		}
	}
	broken := errors.New("broken")
	fails := func(yield func(fact, error) bool) { yield(fact{}, broken) }
	synctest.Test(t, func(t *testing.T) {
		if part, err := p.Collect(t.Context(), endless, fails, endless); part != nil || !errors.Is(err, broken) {
			t.Errorf("got %v, %v", part, err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancels := func(yield func(fact, error) bool) { cancel() }
		if part, err := p.Collect(ctx, endless, cancels); part != nil || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, %v", part, err)
		}
	})
}

// A function of the caller that panics, or ends its goroutine as a failing test does, does
// so in the goroutine of the caller, also where several sources are read.
func TestPanicsOfSourcesReachTheCaller(t *testing.T) {
	p := facts(t, dp.Pure{Epsilon: 1}, limits{-10, 1, 1}, 2, 2)
	panics := func(func(fact, error) bool) { panic("of the caller") }
	exits := func(func(fact, error) bool) { runtime.Goexit() }
	for _, last := range []iter.Seq2[fact, error]{panics, exits} {
		for _, sources := range [][]iter.Seq2[fact, error]{{last}, {Slice[fact](nil), last}} {
			var caught any
			returned := false
			var wait sync.WaitGroup
			wait.Go(func() {
				defer func() { caught = recover() }()
				p.Collect(t.Context(), sources...)
				returned = true
			})
			wait.Wait()
			if returned || (reflect.ValueOf(last).Pointer() == reflect.ValueOf(panics).Pointer()) != (caught == "of the caller") {
				t.Errorf("of %d sources: returned %t, panic %v", len(sources), returned, caught)
			}
		}
	}
}
