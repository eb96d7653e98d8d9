package googledp

import (
	"github.com/google/differential-privacy/go/v2/dpagg"

	"github.com/equipoise-dp/equipoise/dp"
)

// Count returns the events of a dpagg.Count with these options. Each unit may be
// counted once per partition.
func Count(opt dpagg.CountOptions) ([]dp.Event, error) {
	c := &checker{options: "CountOptions"}
	n, _ := c.count(opt)
	return c.answer("google count", n)
}

// ThresholdedCount returns the events of Count.ThresholdedResult(delta).
func ThresholdedCount(opt dpagg.CountOptions, delta float64) ([]dp.Event, error) {
	c := &checker{options: "CountOptions"}
	n, ok := c.count(opt)
	return c.selected("google count", n, ok, delta)
}

func (c *checker) count(opt dpagg.CountOptions) (noisy, bool) {
	n := noisy{noise: opt.Noise, epsilon: opt.Epsilon, delta: opt.Delta, l0: opt.MaxPartitionsContributed, lInf: 1, whole: true}
	return n, c.privacy(n.noise, n.epsilon, n.delta, n.l0) && c.drawn(n)
}
