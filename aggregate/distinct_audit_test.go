package aggregate

import (
	"math/rand/v2"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/purse"
)

// kindsOf returns a plan for the distinct values of facts, of which so many of a unit count.
func kindsOf(t testing.TB, loss dp.Loss, most, maxGroups, maxRows int) *Plan[fact, int, int] {
	t.Helper()
	q := &Query[fact, int, int]{
		Dataset: "facts", UnitName: "unit", MaxGroups: maxGroups, MaxRowsPerGroup: maxRows, Groups: []int{0, 1, 2, 3},
		Unit: func(f fact) int { return f.who }, Group: func(f fact) int { return f.group },
	}
	p, err := q.Plan(loss, Distinct(q, "kinds", func(f fact) int64 { return f.n }, most))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// kinds are rows of one unit in a group, each of another value.
func kinds(who, group, from, n int) (rows []fact) {
	for i := range n {
		rows = append(rows, fact{who: who, group: group, n: int64(from + i)})
	}
	return rows
}

// A1: a unit with many values that nobody else has, and one with values that others have, alone and among others.
// Three mistakes are refuted: a cap that is not applied, a charge for fewer values than count, and values that are
// counted once a row.
func TestDistinctValuesHideEveryUnit(t *testing.T) {
	release := func(p *Plan[fact, int, int], rows []fact) func() dptest.Sample {
		return func() (s dptest.Sample) {
			r, err := p.Run(t.Context(), purse.Free{}, Request{Key: "k", Purpose: "audit"}, Slice(rows))
			if err != nil {
				t.Error(err)
				return s
			}
			for _, cell := range r.All() {
				s.Numbers = append(s.Numbers, cell.Noisy()...)
			}
			return s
		}
	}
	others := append(kinds(1, 0, 0, 2), kinds(2, 0, 1, 2)...)
	for _, loss := range []dp.Loss{dp.Pure{Epsilon: 2}, dp.Concentrated{Rho: 1}} {
		trial := dptest.Trial{Claim: loss, Runs: 1500, Alpha: 1e-9}
		for _, unit := range [][]fact{kinds(9, 0, 10, 9), append(kinds(9, 0, 0, 3), kinds(9, 1, 0, 9)...)} {
			p := kindsOf(t, loss, 2, 1, 9)
			dptest.Audit(t, trial, release(p, others), release(p, append(unit, others...)))
		}
		for name, plant := range map[string]func(*Plan[fact, int, int]) []fact{
			"the cap is not applied": func(p *Plan[fact, int, int]) []fact { p.inputs[0].most = 9; return kinds(9, 0, 10, 9) },
			"fewer are charged than count": func(p *Plan[fact, int, int]) []fact {
				*p = *kindsOf(t, loss, 1, 1, 9)
				p.inputs[0].most = 8
				return kinds(9, 0, 10, 8)
			},
			"values are counted once a row": func(p *Plan[fact, int, int]) []fact {
				p.inputs[0].bind(nil)
				p.counts(&p.reads[0])
				p.inputs[0].most = 9
				return kinds(9, 0, 10, 1)
			},
		} {
			p := kindsOf(t, loss, 2, 1, 9)
			unit := plant(p)
			if name == "values are counted once a row" {
				for range 8 {
					unit = append(unit, unit[0])
				}
			}
			if r := trial.Run(release(p, others), release(p, append(unit, others...))); !r.Refuted {
				t.Errorf("%v, %s: the claim is not refuted: %v", loss, name, r)
			}
		}
	}
}

// counts makes every row a value of its own, as a mistake would.
func (p *Plan[Row, Unit, Group]) counts(read *func(Row) int64) {
	n := int64(0)
	*read = func(Row) int64 { n++; return n }
}

// Over random small inputs, at every cap, one unit moves the number of a group by no more than the cap, in no more groups than
// it may be in, and no group's number falls by more rows; and some unit moves them by all of that.
func TestAUnitMovesDistinctValuesByNoMoreThanTheirCap(t *testing.T) {
	rng := rand.New(rand.NewPCG(18, 3))
	for _, caps := range [][3]int{{1, 1, 9}, {2, 1, 9}, {1, 3, 9}, {3, 2, 2}, {9, 4, 4}} {
		p := kindsOf(t, dp.Pure{Epsilon: 1}, caps[0], caps[1], caps[2])
		most, groups := int64(min(caps[0], caps[2])), int64(caps[1])
		if s := p.paid[0].Sensitivity; s.L0 != groups || s.LInf != most {
			t.Fatalf("caps %v: it is charged as %+v", caps, s)
		}
		largest := int64(0)
		for range 400 {
			var others, mine []fact
			for range rng.IntN(12) {
				others = append(others, fact{who: rng.IntN(4), group: rng.IntN(4), n: rng.Int64N(5)})
			}
			for range rng.IntN(60) {
				mine = append(mine, fact{who: -1, group: rng.IntN(4), n: rng.Int64N(25)})
			}
			with, without := p.collectedFor(t, append(mine, others...)), p.collectedFor(t, others)
			moved, all := int64(0), int64(0)
			for i := range with.sums {
				switch d := with.sums[i].Sub(without.sums[i]); {
				case d.Cmp(exact.Int(0)) < 0 || d.Cmp(exact.Int(most)) > 0:
					t.Fatalf("caps %v: a number moves by %v", caps, d.Big())
				case d != exact.Int(0):
					moved, all = moved+1, all+d.Clamp()
				}
			}
			if moved > groups {
				t.Fatalf("caps %v: %d numbers move", caps, moved)
			}
			largest = max(largest, all)
		}
		if largest != groups*most {
			t.Errorf("caps %v: at most %d values are moved, of %d", caps, largest, groups*most)
		}
	}
}

// Which values of a unit count is drawn evenly and independently of what other units have drawn: of two units
// with the same six values, of which one counts, both have one value in a sixth of all draws.
func TestChoicesOfValuesAreIndependent(t *testing.T) {
	p := kindsOf(t, dp.Pure{Epsilon: 1}, 1, 1, 9)
	same, n := 0, 3000
	for range n {
		part, err := p.Collect(t.Context(), Slice(append(kinds(1, 0, 0, 6), kinds(2, 0, 0, 6)...)))
		if err != nil {
			t.Fatal(err)
		}
		if part.state().sums[0] == exact.Int(1) {
			same++
		}
	}
	// 500 are expected, with a variance of 417; to be off by 145 has a probability below 1e-9 (Bernstein's inequality: 2·exp(-145²/2/(417+145/3))).
	if same < 355 || same > 645 {
		t.Errorf("two units choose one value in %d of %d draws", same, n)
	}
}
