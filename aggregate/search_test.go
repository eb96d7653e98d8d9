package aggregate_test

import (
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

func search[T dp.Number](t testing.TB, q *aggregate.Query[bill, int, int], v *aggregate.Value[T], loss dp.Loss) *aggregate.BoundsPlan[T, bill, int, int] {
	t.Helper()
	p, err := aggregate.FindBounds(q, v, loss)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func found[T dp.Number](t testing.TB, p *aggregate.BoundsPlan[T, bill, int, int], rows []bill) *aggregate.FoundBounds[T] {
	t.Helper()
	f, err := p.Run(t.Context(), till{}, aggregate.Request{Key: "k", Purpose: "test"}, aggregate.Slice(rows))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// votesOf returns the numbers of votes without those that are 0.
func votesOf[T dp.Number](f *aggregate.FoundBounds[T]) map[int]int {
	votes := map[int]int{}
	for size, cell := range f.Release().All() {
		if n := cell.Noisy()[0]; n != 0 {
			votes[size] = int(n)
		}
	}
	return votes
}

// plainSize is the size of a number of steps: of each, how often a square of 1 must be doubled.
func plainSize(steps int64) int {
	if steps == 0 {
		return 0
	}
	h := 0
	for k := math.Abs(float64(steps)); k*k > math.Ldexp(1, h); h++ {
	}
	if steps < 0 {
		return -1 - h
	}
	return 1 + h
}

// Without noise, units whose numbers are all of one size have the votes that a plain program
// counts, and all others one vote each for one of their sizes. Caps cut off nothing.
func TestVotesAreThoseOfAPlainProgram(t *testing.T) {
	dptest.NoNoise(t)
	r := rand.New(rand.NewPCG(3, 1))
	for run := range 200 {
		var given []int
		if run%2 == 0 {
			given = []int{0, 2, 3}
		}
		q := bills(given, 1, 1)
		perUnit := run%4 < 2
		bounds := aggregate.Bounds[int64]{Lower: -1 << 20, Upper: 1 << 20}
		v := aggregate.PerRow(q, "whole", whole, bounds)
		if perUnit {
			v = aggregate.PerUnit(q, "whole", whole, bounds)
		}
		var rows []bill
		for range r.IntN(60) {
			rows = append(rows, bill{r.IntN(20), r.IntN(4), math.Round(math.Ldexp(r.NormFloat64(), r.IntN(24)))})
		}
		possible := map[int]map[int]bool{}
		sums := map[[2]int]int64{}
		add := func(unit int, x int64) {
			if possible[unit] == nil {
				possible[unit] = map[int]bool{}
			}
			possible[unit][plainSize(min(max(x, -1<<20-1), 1<<20+1))] = true
		}
		for _, b := range rows {
			if given != nil && b.where == 1 {
				continue
			}
			sums[[2]int{b.who, b.where}] += int64(b.x)
			if !perUnit {
				add(b.who, int64(b.x))
			}
		}
		for at, sum := range sums {
			if perUnit {
				add(at[0], sum)
			}
		}
		surely, maybe, all := map[int]int{}, map[int]int{}, 0
		for _, sizes := range possible {
			for size := range sizes {
				maybe[size]++
				if len(sizes) == 1 {
					surely[size]++
				}
			}
		}
		votes := votesOf(found(t, search(t, q, v, pure), rows))
		for size, n := range votes {
			all += n
			if n < surely[size] || n > maybe[size] {
				t.Errorf("run %d: %d votes for size %d, must be %d to %d", run, n, size, surely[size], maybe[size])
			}
		}
		if all != len(possible) {
			t.Errorf("run %d: %d votes of %d units", run, all, len(possible))
		}
	}
}

// Of four rows each is drawn as often, and of two groups each. 2,000 units are off by 6.5 standard deviations with a
// probability below 1e-10 (normal law; 1e-9 for the binomial one, Hoeffding 1963, would be 8.3 of them at worst).
func TestAVoteIsDrawnEvenly(t *testing.T) {
	dptest.NoNoise(t)
	q := bills(nil, 1, 1)
	bounds := aggregate.Bounds[float64]{Lower: 0, Upper: 100, Step: 1}
	var rows []bill
	const units = 2000
	for who := range units {
		rows = append(rows, bill{who, 0, 1}, bill{who, 0, 1}, bill{who, 1, 50}, bill{who, 0, 1})
	}
	for _, c := range []struct {
		v     *aggregate.Value[float64]
		size  int
		share float64
	}{
		{aggregate.PerRow(q, "row", amount, bounds), plainSize(50), 0.25},
		{aggregate.PerUnit(q, "unit", amount, bounds), plainSize(50), 0.5},
	} {
		n := votesOf(found(t, search(t, q, c.v, pure), rows))[c.size]
		if off := math.Abs(float64(n) - c.share*units); off > 8.3*math.Sqrt(units*0.25) {
			t.Errorf("%d of %d votes, must be a share of %v", n, units, c.share)
		}
	}
}

// A1: votes hide a unit with many rows of many sizes in many groups, and a plan that takes
// every row for a unit does not: so the audit sees what there is to see.
func TestASearchHidesEveryUnit(t *testing.T) {
	one := []bill{{9, 0, 1e9}, {9, 1, 1}, {9, 2, -3}, {9, 3, math.NaN()}, {9, 0, math.Inf(1)}, {9, 4, 50}, {9, 5, 50}, {9, 6, 50}}
	others := payers(1, 0, 50)
	noisy := func(p *aggregate.BoundsPlan[float64, bill, int, int], rows []bill) func() dptest.Sample {
		return func() (s dptest.Sample) {
			for _, cell := range found(t, p, rows).Release().All() {
				s.Numbers = append(s.Numbers, cell.Noisy()...)
			}
			return s
		}
	}
	for _, loss := range []dp.Loss{dp.Pure{Epsilon: 2}, dp.Concentrated{Rho: 1}} {
		for _, perUnit := range []bool{false, true} {
			make := func(unit func(bill) int) *aggregate.BoundsPlan[float64, bill, int, int] {
				q := bills(nil, 100, 100)
				q.Unit = unit
				bounds := aggregate.Bounds[float64]{Lower: -100, Upper: 100, Step: 1}
				if perUnit {
					return search(t, q, aggregate.PerUnit(q, "amount", amount, bounds), loss)
				}
				return search(t, q, aggregate.PerRow(q, "amount", amount, bounds), loss)
			}
			p := make(func(b bill) int { return b.who })
			trial := dptest.Trial{Claim: loss, Runs: 2 * runs, Alpha: alpha}
			holds(t, trial, noisy(p, append(one, others...)), noisy(p, others))
			holds(t, trial, noisy(p, one), noisy(p, nil))
			mutant := make(func(b bill) int { return b.who*100 + b.where })
			if r := dptest.Audit(silent{t}, trial, noisy(mutant, one), noisy(mutant, nil)); !r.Refuted {
				t.Errorf("%v, per unit %t: that every group is a unit is not refuted: %v", loss, perUnit, r)
			}
		}
	}
}

// One payment has one answer, that there are too few units too; it is read without rows, and nobody
// pays for it again. What differs in the value, its bounds or its groups is another question.
func TestASearchIsPaidForAndKeptOnce(t *testing.T) {
	account, err := budget.Create(t.Context(), budget.Memory(), budget.Terms{Dataset: "bills", Unit: "payer", Limit: dp.Pure{Epsilon: 1}})
	if err != nil {
		t.Fatal(err)
	}
	q := bills(group, 1, 1)
	widest := aggregate.Bounds[float64]{Lower: 0, Upper: 1e6}
	v := aggregate.PerUnit(q, "amount", amount, widest)
	p, request := search(t, q, v, dp.Pure{Epsilon: 0.6}), aggregate.Request{Key: "k", Purpose: "test"}
	first, err := p.Run(t.Context(), account, request, aggregate.Slice(payers(1, 2, 3)))
	if err != nil {
		t.Fatal(err)
	}
	if b, ok := first.For(3, 1); ok {
		t.Errorf("three units tell %v", b)
	}
	never := iter.Seq2[bill, error](func(func(bill, error) bool) { t.Error("rows are read again") })
	again, err := p.Run(t.Context(), account, request, never)
	if err != nil || fmt.Sprint(votesOf(again)) != fmt.Sprint(votesOf(first)) {
		t.Errorf("another answer, or %v", err)
	}
	if c := p.Charge(request); len(c.States.Columns) != 1 || c.States.Columns[0] != (dp.StatedColumn{Name: "amount", Per: "unit", Lower: "0", Upper: "1000000"}) {
		t.Errorf("the charge states %+v", c.States)
	}
	if _, err := p.Run(t.Context(), account, aggregate.Request{Key: "l", Purpose: "test"}, never); err == nil {
		t.Error("0.6 is paid twice out of 1")
	}
	marks := map[string]bool{p.Charge(request).Question: true}
	two := bills([]int{0, 1}, 1, 1)
	for _, other := range []*aggregate.BoundsPlan[float64, bill, int, int]{
		search(t, q, aggregate.PerRow(q, "amount", amount, widest), dp.Pure{Epsilon: 0.6}),
		search(t, q, aggregate.PerUnit(q, "amount", amount, aggregate.Bounds[float64]{Lower: 0, Upper: 1e6 + 1e-6}), dp.Pure{Epsilon: 0.6}),
		search(t, two, aggregate.PerUnit(two, "amount", amount, widest), dp.Pure{Epsilon: 0.6}),
		search(t, q, v, dp.Pure{Epsilon: 0.5}),
	} {
		question := other.Charge(request).Question
		if marks[question] {
			t.Error("two searches are taken for one question")
		}
		marks[question] = true
	}
}

// Bounds that are found have the sides that votes are for, and are within the widest.
func TestFoundBoundsAreOnTheSidesOfTheVotes(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	for _, c := range []struct {
		draw                  func() float64
		lower, upper          float64
		low, lows, high, tops float64 // the bounds are from low to lows, and from high to tops
	}{
		{func() float64 { return 10 * r.ExpFloat64() }, 0, 1e6, 0, 0, 20, 120},
		{func() float64 { return 10 * r.ExpFloat64() }, -1e6, 1e6, 0, 0, 20, 120},
		{func() float64 { return -10 * r.ExpFloat64() }, -1e6, 1e6, -120, -20, 0, 0},
		{func() float64 { return 10 * r.NormFloat64() }, -1e6, 1e6, -60, -15, 15, 60},
		{func() float64 { return 10 * r.ExpFloat64() }, 0, 12, 0, 0, 12, 12},
	} {
		var xs []float64
		for range 20_000 {
			xs = append(xs, c.draw())
		}
		q := bills(group, 1, 1)
		p := search(t, q, aggregate.PerRow(q, "amount", amount, aggregate.Bounds[float64]{Lower: c.lower, Upper: c.upper}), dp.Pure{Epsilon: 1})
		b, ok := found(t, p, payers(xs...)).For(20_000, 3)
		if !ok || b.Lower < c.low || b.Lower > c.lows || b.Upper < c.high || b.Upper > c.tops {
			t.Errorf("%v, %t; must be %+v", b, ok, c)
		}
	}
	q := bills(group, 1, 1)
	p := search(t, q, aggregate.PerRow(q, "amount", amount, aggregate.Bounds[float64]{Lower: 0, Upper: 1e6}), dp.Pure{Epsilon: 1})
	for _, rows := range [][]bill{nil, payers(make([]float64, 1000)...)} {
		if b, ok := found(t, p, rows).For(1000, 1); ok {
			t.Errorf("%d votes for nothing tell %v", len(rows), b)
		}
	}
}

func TestASearchOfWhatIsWrongIsRefused(t *testing.T) {
	q, other := bills(group, 1, 1), bills(group, 1, 1)
	bounds := aggregate.Bounds[float64]{Lower: 0, Upper: 1}
	v := aggregate.PerRow(q, "amount", amount, bounds)
	for want, ask := range map[string]func() error{
		"belongs to another query": func() error { _, err := aggregate.FindBounds(other, v, pure); return err },
		"which is a Cut":           func() error { _, err := aggregate.FindBounds(q, v.Cut(), pure); return err },
		"no value":                 func() error { _, err := aggregate.FindBounds[float64](q, nil, pure); return err },
		"must be finite": func() error {
			_, err := aggregate.FindBounds(q, aggregate.PerRow(q, "amount", amount, aggregate.Bounds[float64]{Upper: math.Inf(1)}), pure)
			return err
		},
		"epsilon is 0": func() error { _, err := aggregate.FindBounds(q, v, dp.Pure{}); return err },
	} {
		if err := ask(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, must say %q", err, want)
		}
	}
}

// A twentieth of the loss finds a bound for what the rest then asks.
func ExampleFindBounds() {
	q := bills([]int{1, 2, 3}, 3, math.MaxInt)
	widest := aggregate.PerUnit(q, "spent", amount, aggregate.Bounds[float64]{Lower: 0, Upper: 1e6})
	search, err := aggregate.FindBounds(q, widest, dp.Pure{Epsilon: 0.05})
	if err != nil {
		fmt.Println(err)
		return
	}
	var rows []bill
	for who := range 100_000 {
		rows = append(rows, bill{who, 1 + who%3, float64(who % 100)})
	}
	ctx, b := context.Background(), till{}
	found, err := search.Run(ctx, b, aggregate.Request{Key: "May, bounds", Purpose: "report"}, aggregate.Slice(rows))
	if err != nil {
		fmt.Println(err)
		return
	}
	bounds, ok := found.For(30_000, 2)
	fmt.Println(ok, bounds.Lower, bounds.Upper >= 99) // beyond the largest, since a few votes could not be seen
	spent := aggregate.PerUnit(q, "spent", amount, bounds)
	plan, err := q.Plan(dp.Pure{Epsilon: 0.95}, spent.Sum(), spent.Cut().Sum())
	fmt.Println(err, plan.Charge(aggregate.Request{}).Loss)
	// Output:
	// true 0 true
	// <nil> ε=0.95
}
