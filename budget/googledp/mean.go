package googledp

import (
	"github.com/google/differential-privacy/go/v2/dpagg"

	"github.com/equipoise-dp/equipoise/dp"
)

// Mean returns the events of a dpagg.BoundedMean with these options: a count and
// a sum, which share ε and δ.
func Mean(opt dpagg.BoundedMeanOptions) ([]dp.Event, error) {
	c := &checker{options: "BoundedMeanOptions"}
	b := bounded{noise: opt.Noise, epsilon: opt.Epsilon, delta: opt.Delta, l0: opt.MaxPartitionsContributed, rows: opt.MaxContributionsPerPartition, lower: opt.Lower, upper: opt.Upper}
	if c.bounded(b) {
		_ = c.drawn(b.share(2, 1, true)) && c.drawn(b.share(2, b.half(), false))
	}
	return c.events(declared("google mean", opt.Epsilon, opt.Delta))
}
