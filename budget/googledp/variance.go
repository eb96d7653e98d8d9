package googledp

import (
	"github.com/google/differential-privacy/go/v2/dpagg"

	"github.com/equipoise-dp/equipoise/dp"
)

// Variance returns the events of a dpagg.BoundedVariance with these options: a
// count, a sum and a sum of squares, which share ε and δ.
func Variance(opt dpagg.BoundedVarianceOptions) ([]dp.Event, error) {
	c := &checker{options: "BoundedVarianceOptions"}
	c.variance(opt)
	return c.events(declared("google variance", opt.Epsilon, opt.Delta))
}

// StandardDeviation returns the events of a dpagg.BoundedStandardDeviation with
// these options. It is the root of a variance.
func StandardDeviation(opt dpagg.BoundedStandardDeviationOptions) ([]dp.Event, error) {
	c := &checker{options: "BoundedStandardDeviationOptions"}
	c.variance(dpagg.BoundedVarianceOptions(opt))
	return c.events(declared("google standard deviation", opt.Epsilon, opt.Delta))
}

func (c *checker) variance(opt dpagg.BoundedVarianceOptions) {
	b := bounded{noise: opt.Noise, epsilon: opt.Epsilon, delta: opt.Delta, l0: opt.MaxPartitionsContributed, rows: opt.MaxContributionsPerPartition, lower: opt.Lower, upper: opt.Upper}
	if c.bounded(b) {
		_ = c.drawn(b.share(3, 1, true)) && c.drawn(b.share(3, b.half(), false)) && c.drawn(b.share(3, b.half()*b.half(), false))
	}
}
