package aggregate

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

func finderOf(t testing.TB, epsilon, delta float64, l0 int64) *finder {
	t.Helper()
	f, err := question{selects: true, l0: l0, loss: dp.Approx{Epsilon: epsilon, Delta: delta}}.finder()
	if err != nil {
		t.Fatalf("ε=%v δ=%v L0=%d: %v", epsilon, delta, l0, err)
	}
	return f
}

func looksOf(t testing.TB, epsilon, delta float64, l0 int64) []*look {
	t.Helper()
	looks, err := newLooks(exact.Decimal(epsilon), exact.Decimal(delta), l0)
	if err != nil {
		t.Fatalf("ε=%v δ=%v L0=%d: %v", epsilon, delta, l0, err)
	}
	return looks
}

// A unit adds weights whose squares are at most that of the event, and hardly less; one
// step more in each would be too much.
func TestAUnitMovesWeightsByNoMoreThanDeclared(t *testing.T) {
	for _, l := range looksOf(t, 1, 1e-6, 500) {
		most := float64(l.event.Sensitivity.LInf)
		for s := int64(1); s <= 500; s++ {
			w := l.weight(s)
			if norm := math.Sqrt(float64(s)) * float64(w); norm > most || norm < most-math.Sqrt(float64(s)) {
				t.Errorf("a unit in %d groups moves them by %v of %v", s, norm, most)
			}
			if s*(w+1)*(w+1) <= int64(most)*int64(most) {
				t.Errorf("a unit in %d groups could give more", s)
			}
		}
	}
}

// The tails are those of the continuous law, which hold for the discrete one a step
// before (docs/proofs/threshold.md), by another function than the library takes.
func TestAUnitThatIsAloneIsHardlyEverFound(t *testing.T) {
	for _, epsilon := range []float64{0.01, 0.1, 1, 5, 50} {
		for _, delta := range []float64{0.3, 1e-3, 1e-6, 1e-12} {
			for _, l0 := range []int64{2, 5, 32, 201, 1000, 1e9} {
				sum := 0.0
				for _, l := range looksOf(t, epsilon, delta, l0) {
					worst := 0.0
					for _, s := range []int64{1, 2, 3, 5, 8, 17, 32, 100, 200, 201, 202, 1000, 1e6, 1e9} {
						if s <= l0 {
							z := float64(l.at-l.weight(s)-1) / exact.FloatUp(l.law.Scale)
							worst = max(worst, float64(s)*math.Erfc(z/math.Sqrt2)/2)
						}
					}
					declared := float(l.delta)
					if worst > declared*(1+1e-6) {
						t.Errorf("ε=%v δ=%v L0=%d: a unit that is alone is found with probability %v, declared is %v", epsilon, delta, l0, worst, declared)
					}
					if l0 <= 200 && worst < declared*0.9 {
						t.Errorf("ε=%v δ=%v L0=%d: the threshold is too high: %v of %v", epsilon, delta, l0, worst, declared)
					}
					sum += declared
				}
				if sum > delta*0.5*(1+1e-12) {
					t.Errorf("thresholds have δ=%v of %v", sum, delta)
				}
			}
		}
	}
}

// foundLaw returns the law of what looks show of some units, look by look: the product
// of the probabilities of its keys, which are those of the continuous law.
func foundLaw(looks []*look, weigh func(*look, int64) int64, maxGroups int, units [][]int) distribution {
	law := distribution{}
	var look func(i int, shown map[int]bool, output string, p float64)
	look = func(i int, shown map[int]bool, output string, p float64) {
		if i == len(looks) {
			law[output] += p
			return
		}
		l := looks[i]
		weights := countUnits(&watch{ctx: context.Background()}, slices.Values(units), maxGroups, shown, func(s int64) int64 { return weigh(l, s) })
		keys := slices.Sorted(maps.Keys(weights))
		for set := range 1 << len(keys) {
			q, now, text := p, maps.Clone(shown), output
			for j, key := range keys {
				z := (float64(l.at-weights[key]) - 0.5) / exact.FloatUp(l.law.Scale)
				passes := math.Erfc(z/math.Sqrt2) / 2
				if set>>j&1 == 1 {
					now[key] = true
					text += fmt.Sprint(i, key, " ")
				} else {
					passes = 1 - passes
				}
				q *= passes
			}
			look(i+1, now, text, q)
		}
	}
	look(0, map[int]bool{}, "", 1)
	return law
}

// What both looks show together, of inputs with a unit and without it, keeps the claim:
// the law is added up over everything that can be shown. Planted mistakes do not.
func TestLooksKeepTheirClaimAndMistakesDoNot(t *testing.T) {
	const epsilon, delta, maxGroups = 1, 0.02, 4
	right := func(l *look, s int64) int64 { return l.weight(s) }
	changed := func(change func(*look)) []*look {
		looks := looksOf(t, epsilon, delta, maxGroups)
		for _, l := range looks {
			change(l)
		}
		return looks
	}
	r := rand.New(rand.NewPCG(3, 4))
	var inputs [][][]int
	for range 70 {
		var units [][]int
		for kind := range 1 + r.IntN(3) {
			groups := r.Perm(4)[:1+r.IntN(4)]
			for range r.IntN([]int{4, 12, 30}[kind]) {
				units = append(units, groups)
			}
		}
		inputs = append(inputs, append([][]int{r.Perm(5)[:1+r.IntN(5)]}, units...))
	}
	inputs = append(inputs, [][]int{{0, 1, 2, 3}}, [][]int{{0}})
	worst := func(looks []*look, weigh func(*look, int64) int64, maxGroups int) float64 {
		most := 0.0
		for _, units := range inputs {
			both := pair{foundLaw(looks, weigh, maxGroups, units), foundLaw(looks, weigh, maxGroups, units[1:])}
			most = max(most, both.a.beyondAny(epsilon, both.b), both.b.beyondAny(epsilon, both.a))
		}
		return most
	}
	if got := worst(changed(func(*look) {}), right, maxGroups); got > delta {
		t.Errorf("δ is %v, claimed is %v", got, delta)
	}
	narrow := func(l *look) {
		var err error
		if l.law, err = core.NewLaw(core.Gaussian, exact.Float(exact.FloatUp(l.law.Scale)/2)); err != nil {
			t.Fatal(err)
		}
	}
	for mistake, got := range map[string]float64{
		"the threshold is a third lower":      worst(changed(func(l *look) { l.at -= l.at / 3 }), right, maxGroups),
		"the noise is half":                   worst(changed(narrow), right, maxGroups),
		"weights are not divided":             worst(changed(func(*look) {}), func(l *look, s int64) int64 { return l.weight(1) }, maxGroups),
		"weights are divided by a cube root":  worst(changed(func(l *look) { l.at = l.at * 4 / 5 }), func(l *look, s int64) int64 { return int64(float64(l.weight(1)) / math.Cbrt(float64(s))) }, maxGroups),
		"a threshold for a unit in one group": worst(thresholdsFor(t, epsilon, delta, 1), func(l *look, s int64) int64 { return l.weight(1) }, maxGroups),
	} {
		if got <= delta {
			t.Errorf("%s: δ is %v, and nothing notices", mistake, got)
		}
	}
}

func thresholdsFor(t *testing.T, epsilon, delta float64, l0 int64) []*look {
	return looksOf(t, epsilon, delta, l0)
}

// beyondAny is beyond, also for outputs that the other law does not have.
func (d distribution) beyondAny(epsilon float64, other distribution) (delta float64) {
	for output, p := range d {
		delta += max(0, p-math.Exp(epsilon)*other[output])
	}
	return delta
}

// What a unit does in a look follows from its own groups, in their order, and from what
// was shown: never more than maxGroups, nothing that was shown, weights of as many.
func TestUnitsForgetWhatWasShown(t *testing.T) {
	got := countUnits(&watch{ctx: context.Background()}, slices.Values([][]string{{"a", "b", "c", "d"}, {"b"}, {"a", "b"}}), 2, map[string]bool{"b": true}, func(s int64) int64 { return 100 / s })
	if want := map[string]int64{"a": 50 + 100, "c": 50}; !maps.Equal(got, want) {
		t.Errorf("weights are %v, want %v", got, want)
	}
}

// A unit in few groups throws coins, one in many takes looks: the choice is by numbers
// that do not depend on rows, and the half-way count of a coin grows by no more than
// its cap does.
func TestFewGroupsThrowCoinsAndManyTakeLooks(t *testing.T) {
	for _, epsilon := range []float64{0.1, 1, 5} {
		for l0 := int64(1); l0 <= 40; l0++ {
			f := finderOf(t, epsilon, 1e-6, l0)
			if coin := f.coin != nil; coin && l0 > 3 || !coin && l0 == 1 {
				t.Errorf("ε=%v L0=%d: a coin is %v", epsilon, l0, coin)
			}
			if f.coin == nil && l0 > 4 {
				last := finderOf(t, epsilon, 1e-6, l0-1)
				if a, b := last.looks[1].units(), f.looks[1].units(); b > 1.1*a {
					t.Errorf("ε=%v: a cap of %d raises the threshold from %v to %v", epsilon, l0, a, b)
				}
			}
		}
	}
}

// A price list says from how many units on a coin shows a group half of the time and 95 % of
// the time, which the recursion of the most that (ε, δ) allows gives (Desfontaines, Voss,
// Gipson, Mandayam 2022, Theorem 1).
func TestAPriceListSaysWhenCoinsShow(t *testing.T) {
	for _, epsilon := range []float64{0.3, 1, 5} {
		var from []int
		shown := 0.0
		for n := 1; len(from) < 2; n++ {
			shown = min(math.Exp(epsilon)*shown+1e-6, 1-math.Exp(-epsilon)*(1-shown-1e-6), 1)
			for len(from) < 2 && shown >= []float64{0.5, 0.95}[len(from)] {
				from = append(from, n)
			}
		}
		says := fmt.Sprintf("half of the time from %d units on, 95 %% of the time from %d\n", from[0], from[1])
		if got := finderOf(t, epsilon, 1e-6, 1).String(); !strings.Contains(got, "one coin for each\n") || !strings.Contains(got, says) {
			t.Errorf("ε=%v: %q, want %q", epsilon, got, says)
		}
	}
}

// Looks with a ρ spend all of it on noise and all of δ on thresholds, and what both show together
// keeps the (ε, δ) that follow; without a part of the δ it does not.
func TestLooksOfARhoKeepTheirClaim(t *testing.T) {
	const maxGroups = 3
	loss := dp.Concentrated{Rho: 0.25, Delta: 0.05}
	f, err := question{selects: true, l0: maxGroups, loss: loss}.finder()
	if err != nil || f.coin != nil || len(f.looks) != 2 {
		t.Fatalf("%+v, %v", f, err)
	}
	rho, delta := 0.0, new(big.Rat)
	for _, l := range f.looks {
		ratio := math.Ldexp(1, int(l.shift)) / float(l.law.Scale)
		rho += ratio * ratio / 2
		delta.Add(delta, l.delta)
	}
	if rho > loss.Rho*(1+1e-12) || rho < loss.Rho*(1-1e-6) || delta.Cmp(exact.Decimal(loss.Delta)) != 0 {
		t.Errorf("looks have ρ=%v and δ=%v of %v", rho, delta.RatString(), loss)
	}
	weigh := func(l *look, s int64) int64 { return l.weight(s) }
	units := [][]int{{0, 1, 2}, {0, 1}, {0, 1}, {0}, {0}, {0}, {0}, {1}}
	alone := [][]int{{0, 1, 2}}
	least := math.Inf(1)
	for _, d := range []float64{1e-4, 1e-3, 0.01, 0.1} {
		implied := loss.Approx(loss.Delta + d)
		for _, units := range [][][]int{units, alone} {
			both := pair{foundLaw(f.looks, weigh, maxGroups, units), foundLaw(f.looks, weigh, maxGroups, units[1:])}
			got := max(both.a.beyondAny(implied.Epsilon, both.b), both.b.beyondAny(implied.Epsilon, both.a))
			if got > implied.Delta {
				t.Errorf("δ is %v at ε=%v, claimed is %v", got, implied.Epsilon, implied.Delta)
			}
			if len(units) == 1 {
				least = min(least, got)
			}
		}
	}
	if least < 0.8*loss.Delta {
		t.Errorf("a unit that is alone is shown with %v, and the δ of thresholds is %v", least, loss.Delta)
	}
	if _, err := (question{selects: true, l0: 1, loss: dp.Concentrated{Rho: 1}}).finder(); err == nil {
		t.Error("groups are found without a δ")
	}
}

// Losses for which there is no finder are refused, and others are not.
func TestOddLossesOfFindersAreRefusedInWords(t *testing.T) {
	for _, c := range []struct {
		epsilon, delta float64
		l0             int64
		ok             bool
	}{
		{1, 1e-6, 1, true}, {1e-9, 1e-6, 1, true}, {1e-9, 1e-6, 50, true}, {5000, 1e-6, 1, true}, {800, 1e-6, 3, true},
		{1, 0.7, 1, true}, {1, 0.999, 1 << 40, true}, {1, 1e-299, 1, true}, {1, 1e-299, 1 << 40, false}, {1, 1e-6, math.MaxInt64, true},
	} {
		_, err := question{selects: true, l0: c.l0, loss: dp.Approx{Epsilon: c.epsilon, Delta: c.delta}}.finder()
		if (err == nil) != c.ok {
			t.Errorf("ε=%v δ=%v L0=%d: %v", c.epsilon, c.delta, c.l0, err)
		}
	}
}
