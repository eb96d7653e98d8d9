package dptest

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// A mutant is a mechanism with one mistake that has been made before, on
// neighbouring inputs, and with what it wrongly claims.
type mutant struct {
	name  string
	row   string // of docs/attacks.md
	claim dp.Loss
	runs  int // that are enough to refute it
	pair  func(*rand.Rand) (a, b func() Sample)
}

// of makes a pair of samples from a mechanism that takes one number.
func of(x, y float64, mechanism func(r *rand.Rand, x float64) Sample) func(*rand.Rand) (a, b func() Sample) {
	return func(r *rand.Rand) (a, b func() Sample) {
		return func() Sample { return mechanism(r, x) }, func() Sample { return mechanism(r, y) }
	}
}

// on makes a pair from a mechanism that takes a list.
func on[T any](x, y []T, mechanism func(r *rand.Rand, xs []T) Sample) func(*rand.Rand) (a, b func() Sample) {
	return func(r *rand.Rand) (a, b func() Sample) {
		return func() Sample { return mechanism(r, x) }, func() Sample { return mechanism(r, y) }
	}
}

// floatLaplace is what textbooks say, and not private in floats.
func floatLaplace(r *rand.Rand, scale float64) float64 {
	u := r.Float64() - 0.5
	return -scale * math.Copysign(math.Log(1-2*math.Abs(u)), u)
}

func sum(xs []float64) float64 {
	total := 0.0
	for _, x := range xs {
		total += x
	}
	return total
}

// countByKey returns the keys in the order of their first row, and their counts.
func countByKey(keys []string) (order []string, counts map[string]float64) {
	counts = make(map[string]float64)
	for _, k := range keys {
		if counts[k] == 0 {
			order = append(order, k)
		}
		counts[k]++
	}
	return order, counts
}

var pure1 = dp.Pure{Epsilon: 1}

// mutants is the list of mistakes. Each must be refuted with Alpha = 1e-6.
var mutants = []mutant{
	{"half-scale", "A10", pure1, 2_000, of(0, 1, func(r *rand.Rand, x float64) Sample { return numbers(x + laplace(r, 2)) })},
	{"scale-30-percent-low", "A10", pure1, 8_000, of(0, 1, func(r *rand.Rand, x float64) Sample { return numbers(x + laplace(r, 1/0.7)) })},
	{"scale-10-percent-low", "A10", dp.Pure{Epsilon: 1.5}, 32_000, of(0, 1, func(r *rand.Rand, x float64) Sample { return numbers(x + laplace(r, 1.5/0.9)) })},
	{"variance-taken-for-scale", "A9", dp.Pure{Epsilon: 0.25}, 8_000, of(0, 1, func(r *rand.Rand, x float64) Sample { return numbers(x + laplace(r, 0.5)) })},
	{"half-scale-gaussian", "A9", dp.Concentrated{Rho: 0.5}, 4_000, of(0, 64, func(r *rand.Rand, x float64) Sample { return numbers(x + math.Round(32*r.NormFloat64())) })},
	{"textbook-float-laplace", "A1", dp.Pure{Epsilon: 0.1}, 8_000, of(1, 2, func(r *rand.Rand, x float64) Sample { return numbers(x + floatLaplace(r, 10)) })},
	{"float-laplace-on-nobody", "A2", pure1, 8_000, of(0, 1, func(r *rand.Rand, x float64) Sample { return numbers(x + floatLaplace(r, 1)) })},
	{"float-gaussian", "A2", dp.Approx{Epsilon: 1, Delta: 1e-5}, 8_000, of(0, 1, func(r *rand.Rand, x float64) Sample { return numbers(x + 5*r.NormFloat64()) })},
	{"grid-noise-on-a-third", "A4", pure1, 4_000, of(0, 1.0/3, func(r *rand.Rand, x float64) Sample { return numbers(x + laplace(r, 1.0/1024)/1024) })},
	{"grid-that-depends-on-data", "A5", pure1, 4_000, of(1, 2, func(r *rand.Rand, x float64) Sample {
		step := math.Ldexp(1, math.Ilogb(x)-10)
		return numbers(math.Round(x/step)*step + laplace(r, step)*step)
	})},
	{"noise-that-ends", "A6", pure1, 8_000, of(0, 1, func(r *rand.Rand, x float64) Sample {
		return numbers(x + max(-3, min(3, laplace(r, 1))))
	})},
	{"classic-gaussian-above-epsilon-1", "A7", dp.Approx{Epsilon: 6, Delta: 0.7}, 200_000, of(0, 1024, func(r *rand.Rand, x float64) Sample {
		sigma := 1024 * math.Sqrt(2*math.Log(1.25/0.7)) / 6
		return numbers(x + math.Round(sigma*r.NormFloat64()))
	})},
	{"noise-that-can-be-nan", "A13", dp.Pure{Epsilon: 0.5}, 4_000, of(0, 1, func(r *rand.Rand, x float64) Sample {
		return numbers(x*math.Log(r.Float64()-0.02) + laplace(r, 0.5))
	})},
	{"negative-zero", "A13", pure1, 4_000, of(0, math.Copysign(0, -1), func(r *rand.Rand, x float64) Sample {
		if n := laplace(r, 1); n != 0 {
			return numbers(n)
		}
		return numbers(x)
	})},
	{"shared-noise", "A16", pure1, 2_000, on([]float64{0, 0}, []float64{1, 0}, func(r *rand.Rand, xs []float64) Sample {
		n := laplace(r, 1)
		return numbers(xs[0]+n, xs[1]+n)
	})},
	{"noise-reused-for-the-next-question", "F2", dp.Pure{Epsilon: 2}, 2_000, on([]float64{3, 5}, []float64{4, 5}, func(r *rand.Rand, xs []float64) Sample {
		n := laplace(r, 1) // the sum should have had noise of its own, twice as large
		return numbers(xs[0]+n, xs[1]+2*n)
	})},
	{"noisy-max-value", "A17", dp.Pure{Epsilon: 0.5}, 64_000, on([]float64{0, 0, 0, 0, 0, 0, 0, 0}, []float64{1, 1, 1, 1, 1, 1, 1, 1}, func(r *rand.Rand, xs []float64) Sample {
		best := math.Inf(-1)
		for _, x := range xs {
			best = max(best, x+laplace(r, 0.5))
		}
		return numbers(best)
	})},
	{"threshold-noise-forgotten", "A17", pure1, 16_000, on([]float64{0, 0, 0, 0, 0, 0, 0, 0}, []float64{1, 1, 1, 1, -1, -1, -1, -1}, func(r *rand.Rand, xs []float64) Sample {
		above := ""
		for _, x := range xs {
			above += fmt.Sprint(x+laplace(r, 0.5) >= 1, " ")
		}
		return Sample{Tag: above}
	})},
	{"understated-sensitivity", "B5", pure1, 2_000, of(0, -10, func(r *rand.Rand, x float64) Sample {
		const upper = 5 // of [-10, 5]
		return numbers(x + laplace(r, 1.0/upper))
	})},
	{"replace-one-with-noise-for-add-remove", "B18", pure1, 2_000, of(-1, 1, func(r *rand.Rand, x float64) Sample { return numbers(x + laplace(r, 1)) })},
	{"odd-width-halved-in-integers", "B6", pure1, 8_000, of(0, 3, func(r *rand.Rand, x float64) Sample {
		const width = 3
		return numbers(2*x + laplace(r, 1.0/(width/2*4))) // should be 2·3 = 6
	})},
	{"l0-forgotten", "B10", pure1, 2_000, on([]float64{0, 0, 0, 0}, []float64{1, 1, 1, 1}, func(r *rand.Rand, xs []float64) Sample {
		return numbers(xs[0]+laplace(r, 1), xs[1]+laplace(r, 1), xs[2]+laplace(r, 1), xs[3]+laplace(r, 1))
	})},
	{"l2-for-laplace", "B10", pure1, 8_000, on([]float64{0, 0, 0, 0}, []float64{1, 1, 1, 1}, func(r *rand.Rand, xs []float64) Sample {
		out := make([]float64, len(xs))
		for i, x := range xs {
			out[i] = x + laplace(r, 0.5) // 1/√4
		}
		return numbers(out...)
	})},
	{"rows-taken-for-people", "B17", pure1, 2_000, of(0, 4, func(r *rand.Rand, x float64) Sample { return numbers(x + laplace(r, 1)) })},
	{"mean-with-a-public-size", "B7", pure1, 8_000, on([]float64{1}, []float64{1, 0}, func(r *rand.Rand, xs []float64) Sample {
		n := float64(len(xs))
		return numbers(math.Round(1024*sum(xs)/n) + laplace(r, n/1024))
	})},
	{"bounds-from-the-data", "B15", pure1, 2_000, on([]float64{1, 2}, []float64{1, 2, 1000}, func(r *rand.Rand, xs []float64) Sample {
		width := slices.Max(xs) - slices.Min(xs)
		return numbers(sum(xs) + laplace(r, 1/width))
	})},
	{"sum-that-overflows", "B3", pure1, 2_000, on([]float64{0x1p1023, -0x1p1023, -0x1p1023}, []float64{0x1p1023, 0x1p1023, -0x1p1023, -0x1p1023}, func(r *rand.Rand, xs []float64) Sample {
		return numbers(sum(xs) + 0x1p1023*laplace(r, 1))
	})},
	{"integers-that-wrap", "B4", pure1, 2_000, on([]int64{1 << 62}, []int64{1 << 62, 1 << 62}, func(r *rand.Rand, xs []int64) Sample {
		var total int64
		for _, x := range xs {
			total += x >> 32 << 32
		}
		return numbers(float64(total) + 0x1p62*laplace(r, 1))
	})},
	{"rows-kept-depend-on-others", "B12", pure1, 4_000, on([]float64{5, 5, 0, 0}, []float64{9, 5, 5, 0, 0}, func(r *rand.Rand, xs []float64) Sample {
		kept := xs[:2] // a cap for all people together
		return numbers(kept[0]+laplace(r, 0.5), kept[1]+laplace(r, 0.5))
	})},
	{"distinct-values-not-bounded", "B11", pure1, 2_000, on([]float64{}, []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, func(r *rand.Rand, xs []float64) Sample {
		return numbers(sum(xs) + laplace(r, 1))
	})},
	{"nan-not-clamped", "B13", pure1, 2_000, on([]float64{1}, []float64{1, math.NaN()}, func(r *rand.Rand, xs []float64) Sample {
		total := 0.0
		for _, x := range xs {
			total += math.Max(0, math.Min(1, x))
		}
		return numbers(total + laplace(r, 1))
	})},
	{"infinity-not-clamped", "B13", pure1, 2_000, on([]float64{1}, []float64{1, math.Inf(-1)}, func(r *rand.Rand, xs []float64) Sample {
		return numbers(min(sum(xs), 10) + laplace(r, 0.1))
	})},
	{"nan-counted-and-not-summed", "B14", pure1, 4_000, on([]float64{4}, []float64{4, math.NaN()}, func(r *rand.Rand, xs []float64) Sample {
		total, n := 0.0, 0.0
		for _, x := range xs {
			n++
			if !math.IsNaN(x) {
				total += x - 4 // deviations from the middle: noise for a sum alone
			}
		}
		return numbers(total+laplace(r, 0.25), n+laplace(r, 4))
	})},
	{"noise-truncated-towards-zero", "B19", pure1, 16_000, of(0, 1, func(r *rand.Rand, x float64) Sample { return numbers(x + math.Trunc(floatLaplace(r, 1))) })},
	{"threshold-30-percent-low", "C1", dp.Approx{Epsilon: 1, Delta: 0.01}, 20_000, of(0, 1, func(r *rand.Rand, x float64) Sample {
		threshold := 0.7 * (1 + math.Log(1/(2*0.01)))
		if n := x + math.Round(64*floatLaplace(r, 1))/64; x > 0 && n >= threshold {
			return Sample{[]float64{n}, "shown"}
		}
		return Sample{}
	})},
	{"off-by-one-at-the-threshold", "C3", dp.Approx{Epsilon: 1, Delta: 0.0135}, 20_000, of(0, 1, func(r *rand.Rand, x float64) Sample {
		const threshold = 5 // P(1+X ≥ 5) = e^-4/(1+1/e) = 0.01339
		if n := x + laplace(r, 1); x > 0 && n >= threshold-1 {
			return Sample{[]float64{n}, "shown"}
		}
		return Sample{}
	})},
	{"laplace-threshold-for-gaussian-noise", "C2", dp.Approx{Epsilon: 1, Delta: 1e-3}, 100_000, of(0, 1, func(r *rand.Rand, x float64) Sample {
		threshold := 1 + math.Log(1/(2*1e-3))
		if n := x + math.Round(64*3.5*r.NormFloat64())/64; x > 0 && n >= threshold {
			return Sample{[]float64{n}, "shown"}
		}
		return Sample{}
	})},
	{"delta-per-group-not-per-person", "C11", dp.Approx{Epsilon: 1, Delta: 0.01}, 20_000, of(0, 10, func(r *rand.Rand, x float64) Sample {
		var s Sample
		for range int(x) {
			if n := 1 + laplace(r, 1); n >= 1+math.Ceil(math.Log(1/(0.01*(1+math.Exp(-1))))) {
				s.Numbers = append(s.Numbers, n)
			}
		}
		return s
	})},
	{"empty-group-skipped", "C9", pure1, 2_000, on([]string{"a"}, []string{"a", "b"}, func(r *rand.Rand, keys []string) Sample {
		var s Sample
		_, counts := countByKey(keys)
		for _, k := range []string{"a", "b"} { // both are public
			if counts[k] > 0 {
				s.Numbers = append(s.Numbers, counts[k]+laplace(r, 1))
			}
		}
		return s
	})},
	{"empty-group-without-noise", "C9", pure1, 2_000, on([]string{"a"}, []string{"a", "b"}, func(r *rand.Rand, keys []string) Sample {
		_, counts := countByKey(keys)
		s := numbers(counts["a"]+laplace(r, 1), counts["b"])
		if counts["b"] > 0 {
			s.Numbers[1] += laplace(r, 1)
		}
		return s
	})},
	{"error-on-an-empty-group", "C7", pure1, 2_000, on([]float64{}, []float64{0.5}, func(r *rand.Rand, xs []float64) Sample {
		if len(xs) == 0 {
			return Sample{Tag: errors.New("no rows").Error()}
		}
		return numbers(sum(xs) + laplace(r, 1))
	})},
	{"keys-in-the-order-of-rows", "C8", dp.Pure{Epsilon: 2}, 2_000, on([]string{"b", "a"}, []string{"a", "b", "a"}, func(r *rand.Rand, keys []string) Sample {
		order, counts := countByKey(keys)
		return Sample{[]float64{counts["a"] + laplace(r, 1), counts["b"] + laplace(r, 1)}, strings.Join(order, ",")}
	})},
	{"gate-on-the-raw-count", "C10", pure1, 2_000, of(4, 5, func(r *rand.Rand, x float64) Sample {
		if x < 5 {
			return Sample{Tag: "too few"}
		}
		return numbers(x + laplace(r, 1))
	})},
	{"count-of-dropped-rows-shown", "C12", pure1, 2_000, of(3, 4, func(r *rand.Rand, x float64) Sample {
		return Sample{[]float64{min(x, 2) + laplace(r, 1)}, fmt.Sprintf("dropped %v", x-min(x, 2))}
	})},
	{"two-draws-for-one-payment", "D1", pure1, 16_000, of(0, 1, func(r *rand.Rand, x float64) Sample { return numbers(x+laplace(r, 1), x+laplace(r, 1)) })},
	{"error-text-with-a-value", "D9", pure1, 2_000, of(41, 42, func(r *rand.Rand, x float64) Sample {
		return Sample{[]float64{x + laplace(r, 1)}, fmt.Sprintf("warning: %v is out of bounds", x)}
	})},
	{"interval-from-the-raw-value", "D12", pure1, 2_000, of(10, 11, func(r *rand.Rand, x float64) Sample {
		y := x + laplace(r, 1)
		return numbers(y, y-math.Sqrt(x), y+math.Sqrt(x))
	})},
	{"charge-skipped-for-no-rows", "E17", pure1, 2_000, of(0, 1, func(r *rand.Rand, x float64) Sample {
		return Sample{[]float64{x + laplace(r, 1)}, fmt.Sprintf("spent %v", x > 0)}
	})},
	{"seed-of-16-bits", "F1", pure1, 60_000, of(0, 0.5, func(r *rand.Rand, x float64) Sample {
		seeded := rand.New(rand.NewPCG(uint64(r.Uint32()>>16), 1))
		return numbers(math.Round((x+floatLaplace(seeded, 1))*0x1p40) / 0x1p40)
	})},
	{"noise-on-one-side", "A14", pure1, 4_000, of(0, 1, func(r *rand.Rand, x float64) Sample { return numbers(x + math.Abs(laplace(r, 1))) })},
	{"uniform-noise", "A14", pure1, 8_000, of(0, 1, func(r *rand.Rand, x float64) Sample { return numbers(x + float64(r.IntN(21)-10)) })},
	{"no-noise", "A14", pure1, 2_000, of(0, 1, func(r *rand.Rand, x float64) Sample { return numbers(x) })},
	{"length-of-the-answer", "G3", pure1, 2_000, of(3, 4, func(r *rand.Rand, x float64) Sample { return Sample{Numbers: make([]float64, int(x))} })},
	{"loss-spread-over-many-numbers", "B10", pure1, 20_000, of(0, 1, func(r *rand.Rand, x float64) Sample {
		s := Sample{Numbers: make([]float64, 16)}
		for i := range s.Numbers {
			s.Numbers[i] = x + laplace(r, 0.5) // should be 1/16
		}
		return s
	})},
}

// Every mutant is refuted, by name, with the runs that the table gives. The
// fixtures are seeded: a mutant is refuted every time or never.
func TestEveryMutantIsRefuted(t *testing.T) {
	const want = 24
	if len(mutants) < want {
		t.Fatalf("%d mutants, want at least %d", len(mutants), want)
	}
	seen := make(map[string]bool)
	for i, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			if seen[m.name] {
				t.Fatal("two mutants have this name")
			}
			seen[m.name] = true
			a, b := m.pair(seeded(uint64(i)))
			r := Trial{Claim: m.claim, Runs: m.runs, Alpha: 1e-6}.Run(a, b)
			if !r.Refuted {
				t.Errorf("%s: %v survives: %v", m.row, m.claim, r)
			}
			t.Logf("%s: %v", m.row, r)
		})
	}
}
