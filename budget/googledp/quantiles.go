package googledp

import (
	"cmp"
	"math"

	"github.com/google/differential-privacy/go/v2/dpagg"

	"github.com/equipoise-dp/equipoise/dp"
)

// Quantiles returns the events of a dpagg.BoundedQuantiles with these options:
// a tree of counts that answers for any number of ranks.
func Quantiles(opt dpagg.BoundedQuantilesOptions) ([]dp.Event, error) {
	c := &checker{options: "BoundedQuantilesOptions"}
	b := bounded{noise: opt.Noise, epsilon: opt.Epsilon, delta: opt.Delta, l0: opt.MaxPartitionsContributed, rows: opt.MaxContributionsPerPartition, lower: opt.Lower, upper: opt.Upper}
	height := cmp.Or(opt.TreeHeight, dpagg.DefaultTreeHeight)
	if c.bounded(b) && c.tree(height, cmp.Or(opt.BranchingFactor, dpagg.DefaultBranchingFactor), b.l0) {
		n := b.share(1, 1, true)
		n.l0 *= int64(height)
		c.drawn(n)
	}
	return c.events(declared("google quantiles", opt.Epsilon, opt.Delta))
}

// tree checks that nodes can be numbered, so that a value counts once per level.
func (c *checker) tree(height, branching int, partitions int64) bool {
	ok := c.must(height >= 1, "TreeHeight", height, "must be at least 1", "leave it out")
	ok = c.must(branching >= 2, "BranchingFactor", branching, "must be at least 2", "leave it out") && ok
	if !ok {
		return false
	}
	leaves := math.Pow(float64(branching), float64(height))
	ok = c.follows(leaves <= 0x1p31, ": BranchingFactor^TreeHeight", leaves,
		"must be at most 2^31, so that nodes can be numbered", "use a lower tree")
	return c.follows(float64(height)*float64(partitions) <= 0x1p52, ": TreeHeight·MaxPartitionsContributed", float64(height)*float64(partitions),
		"must be at most 2^52", "contribute to fewer partitions") && ok
}
