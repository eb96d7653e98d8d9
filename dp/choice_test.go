package dp_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

// Which of some menus people like best, by votes of which each person has one for every menu: a
// charge for it is made of its event, and an account's Once draws it once.
func ExampleCalibrateChoice() {
	menus, votes := []string{"soup", "pasta", "curry", "salad"}, []int64{210, 890, 4100, 330}
	choice, err := dp.CalibrateChoice(dp.Pure{Epsilon: 0.5}, 1, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	event := choice.Event()
	fmt.Println(event.Mechanism, event.Epsilon.RatString())
	fmt.Printf("one that is left out has at most %.0f votes more than the one that is chosen, 99 times in 100\n", choice.Margin(0.99, len(menus)))
	for _, i := range choice.Among(votes) {
		fmt.Println(menus[i])
	}
	_, err = dp.CalibrateChoice(dp.Pure{Epsilon: 0.5}, 0, 0)
	fmt.Println(err)
	// Output:
	// permute and flip 1/2
	// one that is left out has at most 12 votes more than the one that is chosen, 99 times in 100
	// curry
	// dp: a choice of 0 candidates, must be 1 to 1048576
	// dp: width is 0, must be at least 1: how far apart a unit can move two scores
}

// chosenLaw returns the probability of every list of candidates, by the definitions of the mechanisms.
func chosenLaw(flips bool, rate float64, k int, scores []int64) map[string]float64 {
	law := map[string]float64{}
	if flips {
		for i := range scores {
			law[fmt.Sprint([]int{i})] = flipped(rate, scores, i)
		}
		return law
	}
	var draw func(p float64, chosen []int)
	draw = func(p float64, chosen []int) {
		if len(chosen) == k {
			law[fmt.Sprint(chosen)] += p
			return
		}
		sum := 0.0
		for i, s := range scores {
			if !slices.Contains(chosen, i) {
				sum += math.Exp(rate * float64(s))
			}
		}
		for i, s := range scores {
			if !slices.Contains(chosen, i) {
				draw(p*math.Exp(rate*float64(s))/sum, append(slices.Clone(chosen), i))
			}
		}
	}
	draw(1, nil)
	return law
}

// flipped adds up all outcomes of the coins: one of those that came up is drawn.
func flipped(rate float64, scores []int64, i int) (sum float64) {
	most := slices.Max(scores)
	for coins := range 1 << len(scores) {
		p, up := 1.0, 0
		for j, s := range scores {
			heads := math.Exp(-rate * float64(most-s))
			if coins>>j&1 == 1 {
				p, up = p*heads, up+1
			} else {
				p *= 1 - heads
			}
		}
		if coins>>i&1 == 1 {
			sum += p / float64(up)
		}
	}
	return sum
}

// vectors yields all vectors of n numbers from low to high.
func vectors(n int, low, high int64) (all [][]int64) {
	if n == 0 {
		return [][]int64{nil}
	}
	for _, rest := range vectors(n-1, low, high) {
		for x := low; x <= high; x++ {
			all = append(all, append(slices.Clone(rest), x))
		}
	}
	return all
}

// worst returns the largest loss over all small scores and all that a unit can do to them, which is to add
// an amount from low to high to each, and the largest range of losses.
func worst(flips bool, rate float64, k int, low, high int64) (loss, ranged float64) {
	for _, scores := range vectors(3, 0, 3) {
		law := chosenLaw(flips, rate, k, scores)
		for _, moves := range vectors(3, low, high) {
			moved := slices.Clone(scores)
			for i, x := range moves {
				moved[i] += x
			}
			least, most := math.Inf(1), math.Inf(-1)
			other := chosenLaw(flips, rate, k, moved)
			for list, p := range law {
				least, most = min(least, math.Log(p/other[list])), max(most, math.Log(p/other[list]))
			}
			loss, ranged = max(loss, most, -least), max(ranged, most-least)
		}
	}
	return loss, ranged
}

// By brute force over all small scores and all that a unit can do to them, a choice loses what its event says and
// nothing more, and each draw has its range. Where a unit moves scores farther than the width, it does not: also where it
// moves each by no more than the width, but one up and another down.
func TestAChoiceLosesWhatItsEventSays(t *testing.T) {
	const near, slack = 0.9, 1 + 1e-9
	for _, c := range []struct {
		loss             dp.Loss
		k                int
		width, low, high int64
		refuted          bool
	}{
		{dp.Pure{Epsilon: 1}, 1, 1, 0, 1, false}, {dp.Pure{Epsilon: 1}, 1, 2, 0, 2, false}, {dp.Pure{Epsilon: 1}, 1, 2, -1, 1, false},
		{dp.Concentrated{Rho: 0.5}, 1, 1, 0, 1, false}, {dp.Concentrated{Rho: 0.5}, 1, 2, -1, 1, false},
		{dp.Pure{Epsilon: 2}, 2, 1, 0, 1, false}, {dp.Pure{Epsilon: 2}, 2, 2, -1, 1, false},
		{dp.Pure{Epsilon: 1}, 1, 1, 0, 2, true}, {dp.Pure{Epsilon: 1}, 1, 1, -1, 1, true},
		{dp.Concentrated{Rho: 0.5}, 1, 1, -1, 1, true}, {dp.Pure{Epsilon: 2}, 2, 1, -1, 1, true},
	} {
		choice, err := dp.CalibrateChoice(c.loss, c.k, c.width)
		if err != nil {
			t.Fatal(err)
		}
		event := choice.Event()
		each, _ := event.Epsilon.Float64()
		flips := event.Mechanism == dp.PermuteAndFlip
		loss, ranged := worst(flips, each/float64(c.width), c.k, c.low, c.high)
		over := loss > float64(c.k)*each*slack || !flips && c.k == 1 && ranged > each*slack
		if over != c.refuted || !over && c.k == 1 && max(loss, ranged) < near*each {
			t.Errorf("%+v: the loss is %v and its range %v, of %d × %v", c, loss, ranged, c.k, each)
		}
	}
}

// What Among draws has the law of the mechanism, with a false alarm once in 10⁹ (the bound of Bretagnolle, Huber and
// Carol for multinomial laws), and not that of a rate that is a quarter off.
func TestChoicesHaveTheirLaw(t *testing.T) {
	const runs = 20_000
	scores := []int64{3, 0, 2, 3}
	for _, c := range []struct {
		loss dp.Loss
		k    int
	}{{dp.Pure{Epsilon: 1}, 1}, {dp.Concentrated{Rho: 0.125}, 1}, {dp.Pure{Epsilon: 2}, 2}, {dp.Approx{Epsilon: 2, Delta: 1e-3}, 2}} {
		choice, err := dp.CalibrateChoice(c.loss, c.k, 1)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]float64{}
		for range runs {
			seen[fmt.Sprint(choice.Among(scores))] += 1.0 / runs
		}
		each, _ := choice.Event().Epsilon.Float64()
		for _, off := range []float64{1, 1.25, 0.75} {
			law, distance := chosenLaw(choice.Event().Mechanism == dp.PermuteAndFlip, off*each, c.k, scores), 0.0
			for list, p := range law {
				distance += math.Abs(seen[list] - p)
			}
			limit := math.Sqrt(2 / float64(runs) * (float64(len(law))*math.Ln2 + 9*math.Ln10))
			if (distance > limit) != (off != 1) {
				t.Errorf("%v of %d at %v of its rate: %v from the law, at most %v by chance", c.loss, c.k, off, distance, limit)
			}
		}
	}
}

// With a δ, many draws have ranges that add up as squares do; with a ρ they are what it says.
func TestManyDrawsAddUpAsSquaresDo(t *testing.T) {
	of := func(loss dp.Loss, k int) float64 {
		choice, err := dp.CalibrateChoice(loss, k, 1)
		if err != nil {
			t.Fatal(err)
		}
		each, _ := choice.Event().Epsilon.Float64()
		return each
	}
	if each := of(dp.Approx{Epsilon: 1, Delta: 1e-6}, 50); each < 0.06 || each > 0.08 {
		t.Errorf("each of 50 draws has range %v, want about 0.063", each)
	}
	if each := of(dp.Approx{Epsilon: 1, Delta: 1e-6}, 2); each < 0.5 || each > 0.52 {
		t.Errorf("each of two draws has range %v, want half of ε or a little more", each)
	}
	if each := of(dp.Concentrated{Rho: 0.5}, 4); math.Abs(each-1) > 1e-9 || each > 1 {
		t.Errorf("each of four draws has range %v, want √(8ρ/4)", each)
	}
}

// Margins hold at their confidence where all but the best are farther away than that, with a false alarm once in
// 10⁹, and half of them do not.
func TestMarginsOfChoicesHold(t *testing.T) {
	const runs, confidence, candidates = 3000, 0.5, 40
	by := math.Sqrt(runs * 9 * math.Ln10 / 2) // Hoeffding 1963, Theorem 1
	for _, loss := range []dp.Loss{dp.Pure{Epsilon: 0.3}, dp.Concentrated{Rho: 0.01}} {
		choice, err := dp.CalibrateChoice(loss, 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		wrong := func(gap float64) (n float64) {
			scores := make([]int64, candidates)
			scores[7] = int64(math.Floor(gap)) + 1
			for range runs {
				if choice.Among(scores)[0] != 7 {
					n++
				}
			}
			return n
		}
		margin := choice.Margin(confidence, candidates)
		if n, half := wrong(margin), wrong(margin/2); n > runs*(1-confidence)+by || half < runs*(1-confidence)+by {
			t.Errorf("%v: another is chosen in %v of %d at a margin of %v, and in %v at half of it", loss, n, runs, margin, half)
		}
	}
	choice, err := dp.CalibrateChoice(dp.Pure{Epsilon: 1}, 5, 1)
	if err != nil {
		t.Fatal(err)
	}
	if !math.IsInf(choice.Margin(1, 40), 1) || choice.Margin(0.9, 5) != 0 || choice.Margin(0.9, 6) <= 0 {
		t.Errorf("margins at the ends: %v, %v", choice.Margin(1, 40), choice.Margin(0.9, 5))
	}
}

func TestChoicesAtTheirEnds(t *testing.T) {
	choice, err := dp.CalibrateChoice(dp.Pure{Epsilon: 1}, 3, math.MaxInt64)
	if err != nil {
		t.Fatal(err)
	}
	if got := choice.Among(nil); got != nil {
		t.Errorf("of nobody %v are chosen", got)
	}
	got := choice.Among([]int64{math.MinInt64, math.MaxInt64})
	if slices.Sort(got); !slices.Equal(got, []int{0, 1}) {
		t.Errorf("of two candidates %v are chosen", got)
	}
	dptest.NoNoise(t)
	if got := choice.Among([]int64{1, 7, 7, -3, 9}); !slices.Equal(got, []int{4, 1, 2}) {
		t.Errorf("without noise %v are chosen", got)
	}
	for _, k := range []int{-1, 1<<20 + 1} {
		if _, err := dp.CalibrateChoice(dp.Pure{}, k, -5); err == nil || strings.Count(err.Error(), "\n") != 2 {
			t.Errorf("not all mistakes are named: %v", err)
		}
	}
	one, err := dp.CalibrateChoice(dp.Approx{Epsilon: 1, Delta: 1e-6}, 1, 2)
	if err != nil || !slices.Equal(one.Among([]int64{1, 7, 7}), []int{1}) || one.StdDev() != 2 {
		t.Errorf("without noise, of one: %v", err)
	}
}
