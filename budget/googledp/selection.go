package googledp

import (
	"github.com/google/differential-privacy/go/v2/dpagg"
	"github.com/google/differential-privacy/go/v2/noise"

	"github.com/equipoise-dp/equipoise/dp"
)

// SelectPartitions returns the events of choosing which partitions to show with
// dpagg.PreAggSelectPartition. What is then shown of them is paid for besides.
func SelectPartitions(opt dpagg.PreAggSelectPartitionOptions) ([]dp.Event, error) {
	c := &checker{options: "PreAggSelectPartitionOptions"}
	delta := c.selection(opt)
	return c.events(declared("google partition selection", opt.Epsilon, delta))
}

// selection returns δ. For units in more than three partitions that library
// takes half of it for a Gaussian count and half for a threshold on it.
func (c *checker) selection(opt dpagg.PreAggSelectPartitionOptions) float64 {
	ok := c.privacy(nil, opt.Epsilon, 0, opt.MaxPartitionsContributed)
	ok = c.must(opt.Delta >= 1e-12 && opt.Delta < 1, "Delta", opt.Delta,
		"must be in [1e-12, 1): probabilities of keeping are computed to 53 bits", "give the delta of this choice") && ok
	if !ok || opt.MaxPartitionsContributed <= mostExact {
		return opt.Delta
	}
	half := opt.Delta / 2
	n := noisy{noise: noise.Gaussian(), epsilon: opt.Epsilon, delta: half, l0: opt.MaxPartitionsContributed, lInf: 1, whole: true}
	if !c.drawn(n) {
		return opt.Delta
	}
	return atLeast(opt.Delta, half+c.thresholded(n, ".Delta", half))
}

// mostExact is up to how many partitions the optimal probabilities are used.
const mostExact = 3
