package googledp

import (
	"fmt"
	"math"

	"github.com/google/differential-privacy/go/v2/noise"

	"github.com/equipoise-dp/equipoise/internal/normal"
	"github.com/equipoise-dp/equipoise/internal/pld"
)

// noisy is one noisy number per partition, as that library draws it.
type noisy struct {
	noise          noise.Noise
	epsilon, delta float64
	l0             int64   // partitions that a unit is in
	lInf           float64 // by how much it changes each
	whole          bool    // the numbers without noise are integers
}

// The floating-point arithmetic of that library may be off by these parts of ε
// and δ. Its Laplace noise is a multiple of a power of two that is at most 2⁻³⁹
// of its scale, and so is its input, rounded.
const (
	epsilonSlack = 0x1p-20
	deltaSlack   = 1e-3
	laplaceGrain = 0x1p-39

	// gaussianReach is the number of standard deviations beyond which Gaussian
	// noise is never drawn: 2·√(ln(2⁵⁶)/2).
	gaussianReach = 8.81
)

// privacy checks what every options struct has.
func (c *checker) privacy(n noise.Noise, epsilon, delta float64, partitions int64) bool {
	ok := c.must(epsilon >= 1e-6 && !math.IsInf(epsilon, 1), "Epsilon", epsilon,
		"must be finite and at least 1e-06, below which rounding counts", "give the epsilon of this release; zero is not a default")
	ok = c.must(partitions > 0, "MaxPartitionsContributed", partitions,
		"must be at least 1", "bound the partitions of each unit, and say to how many") && ok
	switch n {
	case nil, noise.Laplace():
		return c.must(delta == 0, "Delta", delta,
			"must be 0 with Laplace noise", "leave it out, or use noise.Gaussian()") && ok
	case noise.Gaussian():
		return c.must(delta > 0 && delta < 1, "Delta", delta,
			"must be in (0, 1) with Gaussian noise", "give the delta of this release, or use noise.Laplace()") && ok
	}
	return c.must(false, "Noise", fmt.Sprintf("a %T", n),
		"cannot be vouched for: its distribution is not known here", "use noise.Laplace() or noise.Gaussian()")
}

// drawn checks the noise itself. The options passed [checker.privacy].
func (c *checker) drawn(n noisy) bool {
	if !c.follows(n.lInf > 0 && !math.IsInf(n.lInf, 1), ": the largest contribution to a partition", n.lInf,
		"must be positive and finite", "give narrower bounds") {
		return false
	}
	if n.gaussian() {
		return c.inRange(n, ": the standard deviation of the noise", n.scale()) && c.gaussian(n)
	}
	return c.inRange(n, ": MaxPartitionsContributed·contribution/Epsilon", n.scale()) && c.laplace(n)
}

func (c *checker) inRange(n noisy, what string, scale float64) bool {
	if n.whole {
		return c.follows(scale > 0 && scale <= 0x1p52, what, scale,
			"must be positive and at most 2^52: results are 64 bits wide and the noise has to fit them", "lower the bounds, or raise epsilon")
	}
	return c.follows(scale >= 0x1p-900 && scale <= 0x1p900, what, scale,
		"must be in [2^-900, 2^900], where floats are exact enough", "express values in another unit of measure")
}

// laplace refuses noise whose grain is not small beside what one partition
// adds: each of l0 inputs is rounded to it, and the noise allows for one.
func (c *checker) laplace(n noisy) bool {
	if n.l0 == 1 || n.whole && n.scale() < 1/laplaceGrain {
		return true
	}
	ratio := float64(n.l0) / n.epsilon
	return c.follows(ratio <= epsilonSlack/laplaceGrain, ": MaxPartitionsContributed/Epsilon", ratio,
		"must be at most 2^19: beyond, rounding every partition is not covered by epsilon", "contribute to fewer partitions, or use noise.Gaussian()")
}

// gaussian compares δ with what σ gives exactly (Balle, Wang 2018, Theorem 8)
// and with what the sampler cuts off.
func (c *checker) gaussian(n noisy) bool {
	sigma := n.scale()
	cut := float64(n.l0) * normal.Tail(gaussianReach-n.lInf/sigma)
	got := pld.GaussianDelta(math.Sqrt(float64(n.l0))*n.lInf/sigma, n.epsilon) + cut
	return c.must(got <= n.delta*(1+deltaSlack), "Delta", n.delta,
		fmt.Sprintf("cannot be vouched for: the noise of one of its numbers has a delta of %.3g", got), "use a smaller epsilon, a larger delta, or noise.Laplace()")
}

func (n noisy) gaussian() bool { return n.noise == noise.Gaussian() }

// scale returns the scale of Laplace noise or the σ of Gaussian noise.
func (n noisy) scale() float64 {
	if n.gaussian() {
		return noise.SigmaForGaussian(n.l0, n.lInf, n.epsilon, n.delta)
	}
	return float64(n.l0) * n.lInf / n.epsilon
}

// tail returns the probability that the noise is at least x.
func (n noisy) tail(x float64) float64 {
	switch z := x / n.scale(); {
	case n.gaussian():
		return normal.Tail(z)
	case z < 0:
		return 1 - math.Exp(z)/2
	default:
		return math.Exp(-z) / 2
	}
}
