package aggregate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
	"github.com/equipoise-dp/equipoise/internal/keys"
)

func tops(maxGroups, maxRows int, given ...int) *Query[fact, int, int] {
	return &Query[fact, int, int]{
		Dataset: "facts", UnitName: "unit", MaxGroups: maxGroups, MaxRowsPerGroup: maxRows, Groups: given,
		Unit: func(f fact) int { return f.who }, Group: func(f fact) int { return f.group },
	}
}

// comparedBy are all columns that groups are compared by.
func comparedBy(q *Query[fact, int, int], lower, upper int64) []AnyColumn {
	n, x := func(f fact) int64 { return f.n }, func(f fact) float64 { return float64(f.n) / 4 }
	return []AnyColumn{
		q.Units(), q.Count(), PerRow(q, "n", n, Bounds[int64]{Lower: lower, Upper: upper}).Sum(), PerUnit(q, "n of a unit", n, Bounds[int64]{Lower: lower, Upper: upper}).Sum(),
		PerRow(q, "x", x, Bounds[float64]{Lower: float64(lower) / 4, Upper: float64(upper) / 4, Step: 0.25}).Sum(),
	}
}

// Without noise the largest groups are those of a plain reference, whatever they are compared by and however they are
// chosen: the largest first, and of equal ones the first of those given. Caps cut nothing off.
func TestLargestGroupsAreThoseOfAReference(t *testing.T) {
	dptest.NoNoise(t)
	r := rand.New(rand.NewPCG(18, 1))
	for range 60 {
		maxGroups := []int{5, 500}[r.IntN(2)]
		q := tops(maxGroups, 40, 4, 3, 2, 1, 0)
		var rows []fact
		for range r.IntN(40) {
			rows = append(rows, fact{who: r.IntN(6), group: r.IntN(7), n: int64(r.IntN(20) - 8)})
		}
		k := 1 + r.IntN(5)
		for i, by := range comparedBy(q, -3, 9) {
			p, err := q.PlanTop([]dp.Loss{dp.Pure{Epsilon: 1}, dp.Concentrated{Rho: 0.1}, dp.Approx{Epsilon: 1, Delta: 1e-6}}[r.IntN(3)], k, by)
			if err != nil {
				t.Fatal(err)
			}
			release, err := p.Run(t.Context(), newTill(), report, Slice(rows))
			if err != nil {
				t.Fatal(err)
			}
			var got []int
			for g := range release.All() {
				got = append(got, g)
			}
			want := slices.Clone(q.Groups)
			slices.SortStableFunc(want, func(a, b int) int { return numberOf(rows, b, i) - numberOf(rows, a, i) })
			if !slices.Equal(got, want[:k]) {
				t.Errorf("the %d largest by %v are %v, got %v", k, by, want[:k], got)
			}
		}
	}
}

// numberOf is the number of a group: its units, rows, or sums per row, per unit and of quarters per row.
func numberOf(rows []fact, group, kind int) (number int) {
	units, sums := map[int]bool{}, map[int]int64{}
	clamp := func(n int64) int64 { return min(max(n, -3), 9) }
	total := 0
	for _, f := range rows {
		if f.group == group {
			units[f.who] = true
			sums[f.who] += f.n
			total += int(clamp(f.n))
			number++
		}
	}
	switch kind {
	case 0:
		return len(units)
	case 2, 4:
		return total
	case 3:
		number = 0
		for _, s := range sums {
			number += int(clamp(s))
		}
	}
	return number
}

// No unit moves the numbers that are compared by more than what draws are calibrated to, from the least to
// the most, and some move them by just that.
func TestNoUnitMovesNumbersBeyondTheWidthOfDraws(t *testing.T) {
	r := rand.New(rand.NewPCG(18, 2))
	for _, bounds := range [][2]int64{{0, 7}, {-3, 9}, {-8, -2}, {2, 5}} {
		q := tops(4, 3, 0, 1, 2, 3)
		for _, by := range comparedBy(q, bounds[0], bounds[1]) {
			p, err := q.PlanTop(dp.Concentrated{Rho: 0.1}, 1, by)
			if err != nil {
				t.Fatal(err)
			}
			c, err := question{wants: []want{{p.measures[0].form, p.measures[0].value}}, loss: p.loss, l0: 4, rows: 3, groups: 4}.drawnTop(1, p.top.by)
			if err != nil {
				t.Fatal(err)
			}
			each, _ := c.top.choice.Event().Epsilon.Float64()
			width := math.Round(c.top.choice.StdDev() * math.Sqrt(6) / math.Pi * each)
			reached := 0.0
			for i := range 200 {
				var rows []fact
				for range r.IntN(20) {
					rows = append(rows, fact{who: 1 + r.IntN(3), group: r.IntN(4), n: r.Int64N(25) - 12})
				}
				without := p.collectedFor(t, rows)
				for at := range 6 { // as much as there is, up in one group and down in another
					if i == 0 {
						rows = append(rows, fact{who: 0, group: at % 2, n: int64(24*(at%2) - 12)})
					}
				}
				for range r.IntN(13) * min(i, 1) {
					rows = append(rows, fact{who: 0, group: r.IntN(4), n: []int64{-12, r.Int64N(25) - 12, 12}[r.IntN(3)]})
				}
				with := p.collectedFor(t, rows)
				least, most := 0.0, 0.0
				for i := range with.groups {
					moved := float64(with.sums[i].Sub(without.sums[i]).Big().Int64())
					least, most = min(least, moved), max(most, moved)
				}
				reached = max(reached, most-least)
			}
			if reached > width || reached < width {
				t.Errorf("by %v in %v a unit moves numbers by a range of %v, draws are for %v", by, bounds, reached, width)
			}
		}
	}
}

// Whichever is nearer is taken: noise on all groups where a unit is in few of them or many are asked for, draws where it may be in many.
func TestTheNearerWayToTheLargestIsTaken(t *testing.T) {
	given := make([]int, 100)
	for i := range given {
		given[i] = i
	}
	for _, c := range []struct {
		loss      dp.Loss
		k         int
		maxGroups int
		mechanism dp.Mechanism
	}{
		{dp.Pure{Epsilon: 1}, 1, 1, dp.PermuteAndFlip}, {dp.Pure{Epsilon: 1}, 2, 1, dp.DiscreteLaplace}, {dp.Pure{Epsilon: 1}, 2, 100, dp.BoundedRange},
		{dp.Approx{Epsilon: 1, Delta: 1e-6}, 50, 1, dp.DiscreteLaplace}, {dp.Approx{Epsilon: 1, Delta: 1e-6}, 50, 12, dp.DiscreteGaussian},
		{dp.Approx{Epsilon: 1, Delta: 1e-6}, 50, 100, dp.BoundedRange}, {dp.Concentrated{Rho: 0.1}, 1, 100, dp.BoundedRange},
	} {
		q := tops(c.maxGroups, 1, given...)
		p, err := q.PlanTop(c.loss, c.k, q.Units())
		if err != nil {
			t.Fatal(err)
		}
		if price := p.Prices()[0]; price.Mechanism != c.mechanism || price.PlusMinus <= price.StdDev {
			t.Errorf("%v, %d largest, a unit in up to %d: %+v, want %s", c.loss, c.k, c.maxGroups, price, c.mechanism)
		}
		if _, err := p.Forecast(Assumed{Units: 3}); err == nil {
			t.Error("the largest groups have no column to forecast")
		}
	}
}

// A key that was paid returns its groups, in their order; what is no answer is refused.
func TestTheLargestAreKeptAndReadBack(t *testing.T) {
	for _, maxGroups := range []int{1, 3} {
		q := tops(maxGroups, 1, 0, 1, 2)
		p, err := q.PlanTop(dp.Pure{Epsilon: 30}, 2, q.Units())
		if err != nil {
			t.Fatal(err)
		}
		var rows []fact
		for who := range 90 {
			rows = append(rows, fact{who: who, group: []int{2, 2, 0}[who%3]})
		}
		account := newTill()
		for range 2 {
			release, err := p.Run(t.Context(), account, report, Slice(rows))
			if err != nil {
				t.Fatal(err)
			}
			var got []int
			for g, cell := range release.All() {
				if got = append(got, g); len(cell.Noisy()) > 0 {
					t.Errorf("a number is shown: %v", cell.Noisy())
				}
			}
			receipt := release.Receipt()
			if !slices.Equal(got, []int{2, 0}) || !slices.Equal(receipt.Columns, []string{"2 largest by units"}) || len(receipt.Measures) != 1 {
				t.Errorf("got %v, with %+v", got, receipt)
			}
			rows = nil // what was paid for is not asked of rows again
		}
		kept := func(groups string) error {
			head := fmt.Sprintf(`{"format":%q,"plan":%q,"receipt":{"loss":{"epsilon":30}},"groups":`, format, p.fingerprint)
			for g := range 10 {
				groups = strings.ReplaceAll(groups, fmt.Sprintf(`:"%d"`, g), ":"+strconv.Quote(keys.Encode(g)))
			}
			_, err := decode[int](p.compiled, []byte(head+groups+"}"))
			return err
		}
		for groups, word := range map[string]string{
			`[{"key":"1"},{"key":"0"}]`: "", `[{"key":"1"}]`: "must have 2", `null`: "must have 2", `[{"key":"1"},{"key":"1"}]`: "twice",
			`[{"key":"1"},{"key":"7"}]`: "not among those given", `[{"key":"1"},{"key":"0","sums":[3]}]`: "sums",
		} {
			if err := kept(groups); (err == nil) != (word == "") || err != nil && !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %v, want %q", groups, err, word)
			}
		}
	}
}

// Every mistake of the question is named, and questions that differ are told apart.
func TestMistakesOfAQuestionForTheLargestAreNamed(t *testing.T) {
	q := tops(2, 1, 0, 1, 2)
	v := PerRow(q, "n", func(f fact) int64 { return f.n }, Bounds[int64]{Upper: 4})
	for _, c := range []struct {
		q    *Query[fact, int, int]
		k    int
		by   AnyColumn
		word string
	}{
		{q, 0, q.Units(), "must be 1 to 3"}, {q, 4, q.Units(), "must be 1 to 3"}, {q, 1, v.Mean(), "must be by Units, Count or the Sum"},
		{q, 1, nil, "a column is nil"}, {tops(2, 1), 1, q.Units(), "which is nil"}, {tops(2, 1, 0), 1, q.Units(), "belongs to another query"},
	} {
		if _, err := c.q.PlanTop(dp.Pure{Epsilon: 1}, c.k, c.by); err == nil || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%d by %v: %v, want %q", c.k, c.by, err, c.word)
		}
	}
	huge := tops(2, math.MaxInt, 0, 1)
	if _, err := huge.PlanTop(dp.Pure{Epsilon: 1}, 1, PerRow(huge, "n", func(f fact) int64 { return f.n }, Bounds[int64]{Upper: 4, Step: 1}).Sum()); err == nil {
		t.Error("a unit that moves numbers by more than 2^63 is planned")
	}
	seen := map[string]bool{}
	for _, by := range []AnyColumn{q.Units(), q.Count(), v.Sum()} {
		for k := 1; k <= 2; k++ {
			p, err := q.PlanTop(dp.Pure{Epsilon: 1}, k, by)
			if err != nil {
				t.Fatal(err)
			}
			plain, err := q.Plan(dp.Pure{Epsilon: 1}, by)
			if err != nil {
				t.Fatal(err)
			}
			for _, print := range []string{p.fingerprint, p.question, plain.question} {
				if seen[print] && print != plain.question {
					t.Errorf("%d by %v has the fingerprint of another", k, by)
				}
				seen[print] = true
			}
		}
	}
}
