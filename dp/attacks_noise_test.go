package dp_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

// alpha is the error probability of one audit of this file, and [holds] asks twice.
// Other tests are deterministic, or say how often they are red by chance.
const alpha = 1e-6

// holds audits a claim that must hold. What is refuted is audited again, with noise of its own, and fails t if it is
// refuted again: by chance with a probability of alpha² at most.
func holds(t *testing.T, trial dptest.Trial, a, b func() dptest.Sample) {
	t.Helper()
	if trial.Run(a, b).Refuted {
		dptest.Audit(t, trial, a, b)
	}
}

func calibrated(t testing.TB, loss dp.Loss, l0, linf int64) dp.Noise {
	t.Helper()
	n, err := dp.Calibrate(loss, dp.Sensitivity{L0: l0, LInf: linf})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func adds(n dp.Noise, xs ...int64) func() dptest.Sample {
	return func() dptest.Sample {
		var s dptest.Sample
		for _, e := range n.AddAll(xs) {
			s.Numbers = append(s.Numbers, float64(e.Value))
		}
		return s
	}
}

var someLosses = []dp.Loss{dp.Pure{Epsilon: 0.1}, dp.Pure{Epsilon: 1}, dp.Pure{Epsilon: 3}, dp.Concentrated{Rho: 0.5}, dp.Approx{Epsilon: 1, Delta: 0.01}, dp.Approx{Epsilon: 6, Delta: 0.2}}

// A1, A2, A10: no noise is refuted, at 1 and 2, at 0 and the largest change, and at
// numbers that floats cannot hold.
func TestNoiseIsNotRefuted(t *testing.T) {
	for _, loss := range someLosses {
		for _, c := range []struct{ linf, x, y int64 }{{1, 1, 2}, {1000, 0, 1000}, {3, math.MaxInt64 - 3, math.MaxInt64}} {
			n := calibrated(t, loss, 1, c.linf)
			holds(t, dptest.Trial{Claim: loss, Runs: 32_000, Alpha: alpha}, adds(n, c.x), adds(n, c.y))
		}
	}
}

// A7: at an epsilon above 1, where the classic formula is wrong, ours is not
// refuted.
func TestGaussianNoiseAboveEpsilonOneIsNotRefuted(t *testing.T) {
	for _, loss := range []dp.Approx{{6, 0.7}, {8, 0.1}} {
		n := calibrated(t, loss, 1, 1024)
		holds(t, dptest.Trial{Claim: loss, Runs: 300_000, Alpha: alpha}, adds(n, 0), adds(n, 1024))
	}
}

// A16: numbers of a vector have noise of their own.
func TestNumbersOfAVectorDoNotShareNoise(t *testing.T) {
	for _, loss := range someLosses {
		n := calibrated(t, loss, 1, 1)
		holds(t, dptest.Trial{Claim: loss, Runs: 32_000, Alpha: alpha}, adds(n, 0, 0, 0), adds(n, 0, 1, 0))
	}
}

// A3: noise is added in integers: next to 2^62, where floats are 1024 apart, every
// residue is seen, and nothing wraps at the ends of int64. All 8 residues are
// seen in 400 draws but for a probability of 8·(7/8)^400 < 1e-22.
func TestNoiseIsAddedInIntegers(t *testing.T) {
	n := calibrated(t, dp.Pure{Epsilon: 0.01}, 1, 1)
	seen := make(map[int64]bool)
	for range 400 {
		seen[(n.Add(1<<62).Value-1<<62)&7] = true
		if y := n.Add(math.MaxInt64).Value; y < math.MaxInt64-1<<20 {
			t.Fatalf("the largest number became %d", y)
		}
		if y := n.Add(math.MinInt64).Value; y > math.MinInt64+1<<20 {
			t.Fatalf("the smallest number became %d", y)
		}
	}
	if len(seen) != 8 {
		t.Errorf("of 8 residues %d are seen", len(seen))
	}
}

// A6: the samplers reach further than any shift: a scale is at most 2^40 and a draw
// has 63 bits, so what is cut off has a probability below e^-(2^22).
func TestNoiseReachesBeyondAnyShift(t *testing.T) {
	for _, epsilon := range []float64{1e-12, 0.1, 1, 20, 200} {
		for _, delta := range []float64{1e-2, 1e-9, 1e-20} {
			for _, linf := range []int64{1, 1 << 20, 1 << 40, math.MaxInt64} {
				n, err := dp.Calibrate(dp.Approx{Epsilon: epsilon, Delta: delta}, dp.Sensitivity{L0: 1, LInf: linf})
				if err != nil {
					continue // refused before any data is read
				}
				e := n.Event()
				scale, _ := e.Scale.Float64()
				if slack := math.Exp2(63) - float64(e.Sensitivity.LInf); scale > 1<<40 || slack < 60*scale {
					t.Errorf("ε=%g δ=%g LInf=%d: noise of scale %g for a change of %d", epsilon, delta, linf, scale, e.Sensitivity.LInf)
				}
			}
		}
	}
}

// trueDelta is δ(ε) of a Gaussian of μ standard deviations, by the integral over its
// privacy loss, in which nothing cancels: ∫ φ(u)·(1-exp(-μ(u-a))) du from
// a = ε/μ-μ/2 on (Balle, Wang 2018, Theorem 5).
func trueDelta(mu, epsilon float64) float64 {
	a := epsilon/mu - mu/2
	from, to := math.Max(a, -40), math.Max(a, 0)+40
	const steps = 20_000
	h := (to - from) / steps
	sum := 0.0
	for i := range steps + 1 {
		u := from + float64(i)*h
		f := math.Exp(-u*u/2) / math.Sqrt(2*math.Pi) * -math.Expm1(-mu*(u-a))
		switch {
		case i == 0 || i == steps:
			sum += f
		case i%2 == 1:
			sum += 4 * f
		default:
			sum += 2 * f
		}
	}
	return sum * h / 3
}

// discreteTrueDelta is δ(ε) of the discrete Gaussian against itself, moved by s,
// summed over the integers: Σ P(x)(1-exp(ε-L(x)))+.
func discreteTrueDelta(sigma float64, s int64, epsilon float64) float64 {
	reach := int64(40*sigma) + s + 2
	whole, sum := 0.0, 0.0
	for x := -reach; x <= reach; x++ {
		p := math.Exp(-float64(x) * float64(x) / (2 * sigma * sigma))
		whole += p
		if loss := float64(s) * (float64(s) - 2*float64(x)) / (2 * sigma * sigma); loss > epsilon {
			sum += p * -math.Expm1(epsilon-loss)
		}
	}
	return sum / whole
}

// A7, A8, A9: the δ of every calibrated Gaussian is at most what was asked, by an
// independent sum or integral, from ε = 1e-6 to 50 and δ down to 1e-15; and it is
// not needlessly small. So is that of Laplace noise.
func TestTheTrueDeltaIsAtMostTheAsked(t *testing.T) {
	gaussians := 0
	for _, epsilon := range []float64{1e-6, 1e-3, 0.1, 1, 3, 10, 50} {
		for _, delta := range []float64{0.5, 1e-1, 1e-3, 1e-6, 1e-10, 1e-15} {
			for _, linf := range []int64{1, 3, 1 << 20} {
				loss := dp.Approx{Epsilon: epsilon, Delta: delta}
				e := calibrated(t, loss, 1, linf).Event()
				scale, _ := e.Scale.Float64()
				if e.Mechanism == dp.DiscreteLaplace {
					if got := laplaceTrueDelta(scale, e.Sensitivity.LInf, epsilon); got > delta*(1+1e-9) {
						t.Errorf("%v, change of %d, Laplace scale %g: the true δ is %g", loss, linf, scale, got)
					}
					continue
				}
				gaussians++
				got := trueDelta(float64(e.Sensitivity.LInf)/scale, epsilon)
				if scale < 4096 {
					got = discreteTrueDelta(scale, e.Sensitivity.LInf, epsilon)
				}
				if got > delta*(1+1e-9) {
					t.Errorf("%v, change of %d, σ=%g: the true δ is %g", loss, linf, scale, got)
				}
				if linf == 1<<20 && e.Sensitivity.LInf == linf && got < delta*0.99 {
					t.Errorf("%v, change of %d, σ=%g: the true δ is %g, so there is too much noise", loss, linf, scale, got)
				}
			}
		}
	}
	if gaussians < 20 {
		t.Errorf("%d Gaussians, want at least 20", gaussians)
	}
}

// laplaceTrueDelta is δ(ε) of discrete Laplace noise against itself, moved by s. Of
// the loss, which is (s-2x)/scale from 0 to s and constant outside, the part
// above ε is added up.
func laplaceTrueDelta(scale float64, s int64, epsilon float64) float64 {
	q := math.Exp(-1 / scale)
	most := float64(s) / scale
	if most <= epsilon*(1+1e-12) {
		return 0
	}
	sum := 1 / (1 + q) * -math.Expm1(epsilon-most)
	for x := int64(1); float64(s-2*x)/scale > epsilon; x++ {
		sum += (1 - q) / (1 + q) * math.Exp(-float64(x)/scale) * -math.Expm1(epsilon-float64(s-2*x)/scale)
	}
	return sum
}

func checkLaplace(t testing.TB, e dp.Event, epsilon float64) {
	t.Helper()
	l1 := new(big.Rat).SetInt(new(big.Int).Mul(big.NewInt(e.Sensitivity.L0), big.NewInt(e.Sensitivity.LInf)))
	written, _ := new(big.Rat).SetString(fmt.Sprint(epsilon))
	need := new(big.Rat).Quo(l1, written)
	if e.Scale.Cmp(need) < 0 {
		t.Errorf("ε=%g, L1 %v: the scale is %v", epsilon, l1, e.Scale)
	}
}

// A7: the check of deltas is not blind: the classic formula fails it where it is wrong.
func TestTheClassicFormulaIsCaught(t *testing.T) {
	for _, c := range []dp.Approx{{6, 0.2}, {8, 0.1}, {20, 1e-3}} {
		classic := math.Sqrt(2*math.Log(1.25/c.Delta)) / c.Epsilon
		if trueDelta(1/classic, c.Epsilon) <= c.Delta {
			t.Errorf("%v: the classic formula is right?", c)
		}
	}
}

// A9: the variance of draws is that of the law. Red by chance with probability below
// 1e-9 for each law: 6.5 standard deviations, and as much for the kurtosis. A
// scale that is squared, or 5 % off, fails.
func TestTheVarianceOfDrawsIsRight(t *testing.T) {
	const n = 200_000
	zeros := make([]int64, n)
	for _, loss := range []dp.Loss{dp.Pure{Epsilon: 0.1}, dp.Concentrated{Rho: 0.01}} {
		noise := calibrated(t, loss, 1, 1)
		sum := 0.0
		for _, e := range noise.AddAll(zeros) {
			sum += float64(e.Value) * float64(e.Value)
		}
		variance := noise.StdDev() * noise.StdDev()
		if ratio := sum / n / variance; math.Abs(ratio-1) > 6.5*math.Sqrt(5.5/n) { // kurtosis of at most 6.1, so variance 5.1 of a square
			t.Errorf("%v: the variance of draws is %g of what it should be", noise, ratio)
		}
		if 0.95*0.95 > 1-6.5*math.Sqrt(5.5/n) {
			t.Error("a scale that is 5 % off would not be caught")
		}
	}
}

// A11: where e^ε overflows, there is still enough noise, or none is promised, and at
// once.
func TestLargeEpsilonsAreHandled(t *testing.T) {
	for _, epsilon := range []float64{700, 709, 710, 1e3, 1e15, 1e308, math.MaxFloat64} {
		for _, loss := range []dp.Loss{dp.Pure{Epsilon: epsilon}, dp.Approx{Epsilon: epsilon, Delta: 1e-9}, dp.Concentrated{Rho: epsilon}} {
			within(t, 5*time.Second, func() {
				n, err := dp.Calibrate(loss, dp.Sensitivity{L0: 1, LInf: 1})
				if err != nil {
					t.Errorf("%v: %v", loss, err)
				} else if s := n.Event().Scale; s.Cmp(big.NewRat(1, 1024)) < 0 {
					t.Errorf("%v: the scale is %v", loss, s)
				}
			})
		}
	}
}

// within fails t if f takes longer than the deadline. The deadline is that of the
// processor's time as far as a test can tell: on a busy machine f is tried
// three times.
func within(t testing.TB, deadline time.Duration, f func()) {
	t.Helper()
	var took time.Duration
	for range 3 {
		start := time.Now()
		f()
		if took = time.Since(start); took < deadline {
			return
		}
	}
	t.Errorf("took %v, must be below %v", took, deadline)
}

// A13, B19, F6: draws are symmetrical, and zero has the weight it should have. Red
// by chance with probability below 1e-9 each (6.2 standard deviations of a
// binomial); noise that is truncated towards zero, or a zero of half weight, is
// caught.
func TestNoiseIsSymmetrical(t *testing.T) {
	const n = 200_000
	noise := calibrated(t, dp.Pure{Epsilon: 1}, 1, 1)
	var below, zero, above float64
	for _, e := range noise.AddAll(make([]int64, n)) {
		switch {
		case e.Value < 0:
			below++
		case e.Value == 0:
			zero++
		default:
			above++
		}
	}
	q := math.Exp(-1)
	p0 := (1 - q) / (1 + q)
	check := func(name string, got, p float64) {
		if math.Abs(got-n*p) > 6.2*math.Sqrt(n*p*(1-p)) {
			t.Errorf("%s: %v of %d draws, want about %.0f", name, got, n, n*p)
		}
	}
	check("below zero", below, (1-p0)/2)
	check("zero", zero, p0)
	check("above zero", above, (1-p0)/2)
	if far := 6.2 * math.Sqrt(n*p0*(1-p0)); math.Abs((1-q)-p0)*n < far || p0/2*n < far {
		t.Error("truncation towards zero, or a zero of half weight, would not be caught")
	}
}

// F2: two releases never have the same noise: 64 draws of two calls agree with
// probability below 1e-100.
func TestCallsDoNotShareNoise(t *testing.T) {
	noise := calibrated(t, dp.Pure{Epsilon: 0.001}, 1, 1)
	a, b := noise.AddAll(make([]int64, 64)), noise.AddAll(make([]int64, 64))
	same := 0
	for i := range a {
		if a[i].Value == b[i].Value {
			same++
		}
	}
	if same > 32 {
		t.Errorf("%d of 64 draws of two calls are the same", same)
	}
}

// A Noise that many goroutines draw from at a time, as it is made and before anything is drawn: what it prepares, it
// prepares safely, which the race detector sees in CI; and nobody's draws are another's.
func TestASharedNoiseIsDrawnFromByManyAtOnce(t *testing.T) {
	const goroutines, draws = 8, 200
	for _, loss := range someLosses {
		noise := calibrated(t, loss, 2, 1000)
		var all [goroutines][]dp.Estimate[int64]
		var wait sync.WaitGroup
		for i := range all {
			wait.Go(func() {
				all[i] = noise.AddAll(make([]int64, draws))
				all[i][0].Interval(0.9)
			})
		}
		wait.Wait()
		for i, a := range all {
			for _, b := range all[:i] {
				if same := slices.EqualFunc(a, b, func(x, y dp.Estimate[int64]) bool { return x.Value == y.Value }); same {
					t.Errorf("%v: two goroutines drew the same %d numbers", loss, draws)
				}
			}
		}
	}
}

// A12, B9: whatever the arguments, Calibrate answers within a second, with enough
// noise for a sensitivity that is computed without overflow, or refuses.
func FuzzCalibrateIsEnoughOrRefuses(f *testing.F) {
	odd := []float64{0, 1, -1, 0.1, 1e-6, 1e-300, math.SmallestNonzeroFloat64, math.MaxFloat64, math.NaN(), math.Inf(1), math.Inf(-1), 0x1p-1022, 1 - 0x1p-53, 40}
	ints := []int64{0, 1, -1, 7, 1000, 1 << 31, 1 << 40, math.MaxInt64, math.MinInt64}
	for i, x := range odd {
		for j := range 3 {
			f.Add(uint8(j), x, odd[(i*5+j)%len(odd)], ints[(i+j)%len(ints)], ints[(i*2+3*j)%len(ints)])
			f.Add(uint8(j), x, 1e-6, ints[(i+j)%len(ints)], int64(1))
			f.Add(uint8(j), 1.0, x, int64(1+i), ints[(i+j)%len(ints)])
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, x, y float64, l0, linf int64) {
		loss := []dp.Loss{dp.Pure{Epsilon: x}, dp.Approx{Epsilon: x, Delta: y}, dp.Concentrated{Rho: x}}[kind%3]
		within(t, 5*time.Second, func() {
			s := dp.Sensitivity{L0: l0, LInf: linf}
			n, err := dp.Calibrate(loss, s)
			if err != nil {
				return
			}
			if dp.CheckLoss(loss) != nil || l0 < 1 || linf < 1 {
				t.Fatalf("%v %+v is accepted", loss, s)
			}
			e := n.Event()
			if err := e.Check(); err != nil {
				t.Fatal(err)
			}
			if _, pure := loss.(dp.Pure); pure {
				checkLaplace(t, e, x)
			} else if scale, _ := e.Scale.Float64(); e.Mechanism == dp.DiscreteLaplace && l0 == 1 && linf <= 1<<20 && laplaceTrueDelta(scale, e.Sensitivity.LInf, x) > y*(1+1e-9) {
				t.Errorf("%v, change of %d: Laplace scale %g is too small", loss, linf, scale)
			}
			if sd := n.StdDev(); !(sd >= 0) || math.IsInf(sd, 0) {
				t.Errorf("the standard deviation is %v", sd)
			}
			est := n.Add(linf)
			for _, confidence := range []float64{0, 0.95, 1, x, y, math.NaN()} {
				if lo, hi := est.Interval(confidence); lo > est.Value || hi < est.Value {
					t.Errorf("the interval of %d is [%d, %d]", est.Value, lo, hi)
				}
			}
			if d := est.Minus(n.Add(l0)); math.IsNaN(d.Value) {
				t.Error("a difference is NaN")
			}
		})
	})
}

// D5, A12: losses, events and charges from text: no panic, within a second, and what
// is accepted is written back the same.
func FuzzLossesEventsAndChargesAreReadOrRefused(f *testing.F) {
	for _, text := range []string{``, `{}`, `null`, `{"epsilon":"0.1"}`, `{"epsilon":"0.1","delta":"1e-06"}`, `{"rho":"0.5"}`, `{"rho":"NaN"}`, `{"epsilon":"1e999"}`, `{"epsilon":"-1"}`,
		`{"epsilon":"1","rho":"1"}`, `{"mechanism":"discrete laplace","scale":"1/3","sensitivity":{"l0":1,"linf":1},"count":1}`, `{"mechanism":"gaussian","scale":"1/0"}`, `{"mechanism":"threshold","delta":"2","count":-1}`,
		`{"scale":"1e1000"}`, `{"dataset":"d","purpose":"p","key":"k","loss":{"epsilon":"1"},"events":[{"mechanism":"declared","epsilon":"1","count":1}]}`, `{"loss":null}`, `{"loss":[]}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		within(t, 5*time.Second, func() {
			if loss, err := dp.UnmarshalLoss(text); err == nil {
				again, err := json.Marshal(loss)
				if err != nil {
					t.Fatal(err)
				}
				if back, err := dp.UnmarshalLoss(again); err != nil || back != loss {
					t.Errorf("%v reads back as %v, %v", loss, back, err)
				}
			}
			var e dp.Event
			if json.Unmarshal(text, &e) == nil {
				_ = e.Check() // whatever it finds, it does not panic
			}
			var c dp.Charge
			if json.Unmarshal(text, &c) == nil && c.Check() == nil {
				if _, err := json.Marshal(c); err != nil {
					t.Error(err)
				}
			}
		})
	})
}

// vectorTrueDelta is δ(ε) of a vector of l0 numbers that all move by s: the
// distribution of the loss of one number, on its lattice, convolved with itself,
// and then Σ P(L)(1-exp(ε-L))+. Nothing of it is shared with the calibration.
func vectorTrueDelta(e dp.Event, epsilon float64) float64 {
	scale, _ := e.Scale.Float64()
	s := float64(e.Sensitivity.LInf)
	reach := math.Ceil(60*scale) + s
	step, loss := s/(scale*scale), func(x float64) float64 { return s * (s - 2*x) / (2 * scale * scale) }
	weight := func(x float64) float64 { return math.Exp(-x * x / (2 * scale * scale)) }
	if e.Mechanism == dp.DiscreteLaplace {
		step, loss = 1/scale, func(x float64) float64 { return (math.Abs(x-s) - math.Abs(x)) / scale }
		weight = func(x float64) float64 { return math.Exp(-math.Abs(x) / scale) }
	}
	least := loss(reach)
	one := make([]float64, int(math.Round((loss(-reach)-least)/step))+1)
	whole := 0.0
	for x := -reach; x <= reach; x++ {
		whole += weight(x)
		one[int(math.Round((loss(x)-least)/step))] += weight(x)
	}
	for i := range one {
		one[i] /= whole
	}
	law := []float64{1}
	for range e.Sensitivity.L0 {
		next := make([]float64, len(law)+len(one)-1)
		for i, p := range law {
			for j, q := range one {
				next[i+j] += p * q
			}
		}
		law = next
	}
	sum := 0.0
	for i, p := range law {
		if l := float64(e.Sensitivity.L0)*least + float64(i)*step; l > epsilon {
			sum += p * -math.Expm1(epsilon-l)
		}
	}
	return sum
}

// A7, B10: of vectors too, the true δ of the composition is at most the asked one;
// and with a scale that is 5 % lower it is not, where the noise is smooth enough
// for that to show.
func TestTheTrueDeltaOfVectorsIsAtMostTheAsked(t *testing.T) {
	vectors, caught := 0, 0
	for _, epsilon := range []float64{0.5, 1, 2, 4} {
		for _, delta := range []float64{0.1, 1e-3, 1e-6} {
			for l0 := int64(2); l0 <= 5; l0++ {
				for _, linf := range []int64{1, 3} {
					loss := dp.Approx{Epsilon: epsilon, Delta: delta}
					e := calibrated(t, loss, l0, linf).Event()
					vectors++
					if got := vectorTrueDelta(e, epsilon); got > delta*(1+1e-9)+1e-15 {
						t.Errorf("%v, %d numbers move by %d, %s of scale %v: the true δ is %g", loss, l0, linf, e.Mechanism, e.Scale.FloatString(4), got)
					}
					e.Scale = new(big.Rat).Mul(e.Scale, big.NewRat(95, 100))
					if vectorTrueDelta(e, epsilon) > delta {
						caught++
					}
				}
			}
		}
	}
	if caught < vectors*9/10 {
		t.Errorf("a scale that is 5 %% lower is caught for %d of %d vectors", caught, vectors)
	}
}
