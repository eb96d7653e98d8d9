package dp

import (
	"flag"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"runtime/debug"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/internal/calibrate"
	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

var long = flag.Bool("long", false, "run the longer versions of tests")

// The heap of these tests is small and lives shortly: collected at each doubling, it took a sixth of their time.
var _ = debug.SetGCPercent(400)

// The published grid: every scale is proven noise by the oracle of this package,
// and at most 0.1 % more than the least that is.
var (
	gridEpsilon = []float64{1e-6, 1e-4, 0.01, 0.1, 0.5, 1, 2, 5, 10, 20, 50}
	gridDelta   = []float64{0, 1e-3, 1e-6, 1e-9, 1e-12, 1e-15}
	gridLInf    = []int64{1, 3, 1 << 20, 1 << 40}
	gridL0      = []int64{1, 2, 10}
)

const allowed = 1.001

// A7, A8, A9.
func TestNoiseIsEnoughAndHardlyMore(t *testing.T) {
	worst := map[string]float64{}
	isolated := 0
	for _, epsilon := range gridEpsilon {
		for _, delta := range gridDelta {
			for _, linf := range gridLInf {
				for _, l0 := range gridL0 {
					if l0 > 1 && !*long && (linf > 3 || epsilon < 0.5) {
						continue
					}
					loss := Loss(Approx{epsilon, delta})
					if delta == 0 {
						loss = Pure{epsilon}
					}
					s := Sensitivity{l0, linf}
					n, err := Calibrate(loss, s)
					if err != nil {
						t.Errorf("%v, %+v: %v", loss, s, err)
						continue
					}
					c := checked{n, worst, &isolated}
					if err := c.check(); err != nil {
						t.Errorf("%v, %+v: %v is %v", loss, s, n, err)
					}
				}
			}
		}
	}
	for what, ratio := range worst {
		t.Logf("%s: at most %.6f times the optimum", what, ratio)
	}
	t.Logf("%d points have an isolated smaller scale that is also enough", isolated)
}

// leastScale is the smallest scale that is used.
var leastScale = big.NewRat(1, 1024)

func changeOf(s Sensitivity) calibrate.Change {
	return calibrate.Change{L0: big.NewInt(s.L0), LInf: big.NewInt(s.LInf)}
}

func squaredL2(s Sensitivity) *big.Rat {
	linf := big.NewInt(s.LInf)
	square := new(big.Int).Mul(linf, linf)
	return new(big.Rat).SetInt(square.Mul(square, big.NewInt(s.L0)))
}

type checked struct {
	Noise
	worst    map[string]float64
	isolated *int
}

func (c checked) note(what string, ratio float64) {
	c.worst[what] = max(c.worst[what], ratio)
}

func (c checked) check() error {
	law, s := c.law, c.Event().Sensitivity
	step := math.Ldexp(1, int(c.coarse))
	coarsening := step * float64(s.LInf) / float64(c.sensitivity.LInf)
	floor := law.Scale.Cmp(leastScale) == 0
	l1 := new(big.Rat).SetInt(new(big.Int).Mul(big.NewInt(s.L0), big.NewInt(s.LInf)))
	if l, ok := c.loss.(Pure); ok {
		pure := new(big.Rat).Quo(l1, law.Scale)
		if pure.Cmp(exact.Decimal(l.Epsilon)) > 0 {
			return fmt.Errorf("not enough: it is ε=%v", pure.FloatString(20))
		}
		ratio, _ := new(big.Rat).Quo(exact.Decimal(l.Epsilon), pure).Float64()
		return c.ratio("pure laplace", ratio*coarsening, floor)
	}
	l := c.loss.(Approx)
	e, d, _ := PartsOf(l).Exact()
	epsilon, delta := fromRat(e), fromRat(d)
	if law.Family == core.Laplace && s.L0 > 1 && s.LInf > 3 {
		return soundness(c.Noise) // too many losses to convolve
	}
	deltaAt := c.curve(s, epsilon)
	if got := deltaAt(law.Scale); got.Cmp(delta) > 0 {
		return fmt.Errorf("not enough: it is δ=%v", got.Text('g', 20))
	}
	least := c.least(deltaAt, delta)
	return c.ratio("approx "+law.Family.String(), float(quo(fromRat(law.Scale), least))*coarsening, floor)
}

func (c checked) ratio(what string, ratio float64, floor bool) error {
	if floor {
		return nil
	}
	c.note(what, ratio)
	if ratio > allowed {
		return fmt.Errorf("%.5f times the optimum", ratio)
	}
	return nil
}

// curve returns δ as a function of the scale. A vector of Gaussians at a scale of
// 4096 and more is priced by the continuous law with μ larger by 2e-6, which is
// proven to be more (docs/proofs/accounting-vector.md).
func (c checked) curve(s Sensitivity, epsilon *big.Float) func(*big.Rat) *big.Float {
	if c.law.Family == core.Laplace {
		return func(scale *big.Rat) *big.Float { return trueLaplaceDelta(scale, s.L0, s.LInf, epsilon) }
	}
	l2 := mul(root(fromInt(s.L0)), fromInt(s.LInf))
	fine := c.law.Scale.Cmp(big.NewRat(4096, 1)) >= 0
	return func(scale *big.Rat) *big.Float {
		if !fine {
			return trueGaussianDelta(scale, s.L0, s.LInf, epsilon)
		}
		mu := quo(l2, fromRat(scale))
		if scale == c.law.Scale {
			mu = mul(mu, quo(num(1000002), num(1000000)))
		}
		return continuousDelta(mu, epsilon)
	}
}

// least returns the least scale, in steps of one part in 5,000, from which on δ is
// at most what is asked, and not more than the scale that was chosen. On the
// integers δ can be small again at a much smaller scale, where all the noise is
// in one or two values: such isolated scales are counted and not compared.
func (c checked) least(deltaAt func(*big.Rat) *big.Float, delta *big.Float) *big.Float {
	scaled := func(f float64) *big.Rat { return new(big.Rat).Mul(c.law.Scale, exact.Float(f)) }
	enough := func(f float64) bool { return deltaAt(scaled(f)).Cmp(delta) <= 0 }
	low, high, resolution := 1/1.002, 1.0, 2e-4
	if *long {
		resolution = 1e-5
	}
	if enough(low) {
		low = 0.5
	}
	for high-low > resolution {
		if mid := (low + high) / 2; enough(mid) {
			high = mid
		} else {
			low = mid
		}
	}
	if f, _ := c.law.Scale.Float64(); f < 1 {
		for g := 0.4; g < 0.99; g += 0.05 {
			if enough(g) {
				*c.isolated++
				break
			}
		}
	}
	return fromRat(scaled(high))
}

func TestConcentratedNoiseIsExact(t *testing.T) {
	for _, rho := range []float64{1e-9, 1e-3, 0.1, 0.5, 3, 1e3, 1e9} {
		for _, linf := range gridLInf {
			for _, l0 := range []int64{1, 7, 1 << 40} {
				n, err := Calibrate(Concentrated{Rho: rho}, Sensitivity{l0, linf})
				if err != nil {
					t.Logf("ρ=%v, L0 %d, LInf %d: %v", rho, l0, linf, err)
					continue
				}
				s := n.Event().Sensitivity
				square := new(big.Rat).Mul(n.law.Scale, n.law.Scale)
				spent := square.Quo(squaredL2(s), square.Add(square, square)) // L2²/2σ²
				ratio, _ := new(big.Rat).Quo(exact.Decimal(rho), spent).Float64()
				ratio = math.Sqrt(ratio) * math.Ldexp(float64(s.LInf), int(n.coarse)) / float64(linf)
				if spent.Cmp(exact.Decimal(rho)) > 0 || ratio > allowed && n.law.Scale.Cmp(leastScale) > 0 {
					t.Errorf("ρ=%v, L0 %d, LInf %d: %v costs %v, %.6f times the noise that is needed", rho, l0, linf, n, spent.FloatString(20), ratio)
				}
			}
		}
	}
}

// The standard deviation is that of the discrete law, summed up here.
func TestApproxNoiseSaysItsStandardDeviation(t *testing.T) {
	chosen := map[core.Family]int{}
	for _, epsilon := range gridEpsilon {
		for _, delta := range gridDelta[1:] {
			for _, l0 := range []int64{1, 2, 5, 10, 100, 1000} {
				l, s := Approx{epsilon, delta}, Sensitivity{l0, 1}
				n, err := Calibrate(l, s)
				if err != nil {
					t.Errorf("%v, %+v: %v", l, s, err)
					continue
				}
				chosen[n.law.Family]++
				got := variance(n.law.Family, n.law.Scale)
				if want := float(got); math.Abs(n.law.StdDev()/math.Sqrt(want)-1) > 1e-9 {
					t.Errorf("%v, %+v: %v has standard deviation %v, says %v", l, s, n, math.Sqrt(want), n.law.StdDev())
				}
			}
		}
	}
	if chosen[core.Laplace] == 0 || chosen[core.Gaussian] == 0 {
		t.Errorf("the grid does not compare: %v", chosen)
	}
}

// variance of Laplace noise is 2q/(1-q)², and of Gaussian noise σ² but for 1e-15
// of it from σ = 4 on.
func variance(f core.Family, scale *big.Rat) *big.Float {
	if f == core.Laplace {
		q := exp(quo(num(-1), fromRat(scale)))
		p := sub(num(1), q)
		return quo(mul(num(2), q), mul(p, p))
	}
	v := mul(fromRat(scale), fromRat(scale))
	if float(v) > 16 {
		return v
	}
	law, first := sumLaw(v, float(v), 1, 0)
	sum := num(0)
	for i, p := range law {
		x := fromInt(first + int64(i))
		sum = add(sum, mul(p, mul(x, x)))
	}
	return sum
}

// Rounding two numbers to a coarser grid moves them apart by no more than the
// sensitivity on that grid says, and sometimes by that.
func TestCoarseSensitivityIsExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for k := range uint(12) {
		for _, linf := range []int64{1, 2, 3, 7, 8, 9, 1000, 1024, 1025} {
			bound, reached := coarsened(Sensitivity{1, linf}, k).LInf, int64(0)
			for range 2000 {
				x := rng.Int64N(1<<20) - 1<<19
				far := exact.Int(x + linf).RoundShift(k).Sub(exact.Int(x).RoundShift(k)).Clamp()
				near := exact.Int(x + rng.Int64N(linf)).RoundShift(k).Sub(exact.Int(x).RoundShift(k)).Clamp()
				reached = max(reached, far, near)
			}
			if reached > bound || reached < bound && k < 6 {
				t.Errorf("LInf %d rounded to 2^%d: moves by %d, says %d", linf, k, reached, bound)
			}
		}
	}
}

// A11, A12, B9: extreme parameters give noise that is enough, or an error, within
// a second, and never a panic.
func TestExtremeParametersGiveEnoughNoiseOrAnError(t *testing.T) {
	extremes := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, -1, math.SmallestNonzeroFloat64, 1e-300, 1e-17, 1e-6, 1, 700, 709, 710, 1e3, 1e17, 1e300, math.MaxFloat64}
	sizes := []int64{math.MinInt64, -1, 0, 1, 3, 1 << 20, 1 << 31, 1 << 40, math.MaxInt64}
	slowest, rng := time.Duration(0), rand.New(rand.NewPCG(3, 4))
	for _, a := range extremes {
		for _, b := range append(extremes, 0.5, 1-1e-16, 1e-5) {
			for _, l0 := range sizes {
				for _, linf := range sizes {
					for _, l := range []Loss{Pure{a}, Approx{a, b}, Concentrated{Rho: a}} {
						if _, approx := l.(Approx); !approx && b != 1 {
							continue
						}
						if !*long && rng.IntN(10) > 0 {
							continue
						}
						start := time.Now()
						n, err := Calibrate(l, Sensitivity{l0, linf})
						took := time.Since(start)
						if took > slowest {
							slowest = took
							t.Logf("%v, L0 %d, LInf %d took %v", l, l0, linf, took)
						}
						if took > 5*time.Second {
							t.Errorf("%v, L0 %d, LInf %d took %v", l, l0, linf, took)
						}
						if err == nil {
							if err := soundness(n); err != nil {
								t.Errorf("%v, L0 %d, LInf %d: %v: %v", l, l0, linf, n, err)
							}
						}
					}
				}
			}
		}
	}
	t.Logf("the slowest took %v", slowest)
}

// soundness checks noise by bounds that are exact in rationals, or by the
// continuous law, where the oracle would take too long.
func soundness(n Noise) error {
	if err := n.Event().Check(); err != nil {
		return err
	}
	if !(n.StdDev() > 0) && n.law.Scale.Cmp(big.NewRat(1, 32)) > 0 || math.IsInf(n.StdDev(), 1) {
		return fmt.Errorf("standard deviation %v", n.StdDev())
	}
	s := n.Event().Sensitivity
	if exact.Mul(s.LInf, 1<<n.coarse).Cmp(exact.Int(n.sensitivity.LInf)) < 0 || s.L0 != n.sensitivity.L0 {
		return fmt.Errorf("sensitivity %+v became %+v", n.sensitivity, s)
	}
	var epsilon *big.Rat
	switch l := n.loss.(type) {
	case Pure:
		epsilon = exact.Decimal(l.Epsilon)
	case Approx:
		if n.law.Family == core.Gaussian || n.law.Scale.Cmp(changeOf(s).Laplace(exact.Decimal(l.Epsilon))) < 0 {
			return nil // the grid checks these
		}
		epsilon = exact.Decimal(l.Epsilon)
	case Concentrated:
		square := new(big.Rat).Mul(n.law.Scale, n.law.Scale)
		if spent := square.Quo(squaredL2(s), square.Add(square, square)); spent.Cmp(exact.Decimal(l.Rho)) > 0 {
			return fmt.Errorf("costs ρ=%v", spent)
		}
		return nil
	}
	l1 := new(big.Rat).SetInt(new(big.Int).Mul(big.NewInt(s.L0), big.NewInt(s.LInf)))
	if l1.Quo(l1, n.law.Scale).Cmp(epsilon) > 0 {
		return fmt.Errorf("costs ε=%v", l1.FloatString(20))
	}
	return nil
}
