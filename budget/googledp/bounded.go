package googledp

import (
	"math"

	"github.com/google/differential-privacy/go/v2/noise"
)

// bounded is what the options of means, variances and quantiles have in common.
type bounded struct {
	noise          noise.Noise
	epsilon, delta float64
	l0, rows       int64
	lower, upper   float64
}

func (c *checker) bounded(b bounded) bool {
	ok := c.privacy(b.noise, b.epsilon, b.delta, b.l0)
	ok = c.must(b.rows > 0, "MaxContributionsPerPartition", b.rows,
		"must be at least 1", "bound the rows of each unit in a partition, and say to how many") && ok
	return c.must(b.lower < b.upper && !math.IsInf(b.upper-b.lower, 1), "Lower", b.lower,
		"must be below Upper by a finite amount", "give the bounds of a value") && ok
}

// half is the largest distance of a value from the middle of its bounds.
func (b bounded) half() float64 { return b.upper - (b.lower + (b.upper-b.lower)/2) }

// share is one of several noisy numbers that ε and δ are split between.
func (b bounded) share(parts int, largest float64, whole bool) noisy {
	p := float64(parts)
	return noisy{noise: b.noise, epsilon: b.epsilon / p, delta: b.delta / p, l0: b.l0, lInf: largest * float64(b.rows), whole: whole}
}
