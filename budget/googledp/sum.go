package googledp

import (
	"math"

	"github.com/google/differential-privacy/go/v2/dpagg"

	"github.com/equipoise-dp/equipoise/dp"
)

// SumInt64 returns the events of a dpagg.BoundedSumInt64 with these options.
// Each unit may add one value per partition.
func SumInt64(opt dpagg.BoundedSumInt64Options) ([]dp.Event, error) {
	c := &checker{options: "BoundedSumInt64Options"}
	c.sumInt64(opt)
	return c.events(declared("google sum", opt.Epsilon, opt.Delta))
}

// ThresholdedSumInt64 returns the events of BoundedSumInt64.ThresholdedResult(delta).
func ThresholdedSumInt64(opt dpagg.BoundedSumInt64Options, delta float64) ([]dp.Event, error) {
	c := &checker{options: "BoundedSumInt64Options"}
	var over float64
	if n, ok := c.sumInt64(opt); ok {
		over = c.thresholded(n, ": ThresholdedResult", delta)
	}
	return c.events(declared("google sum", opt.Epsilon, opt.Delta), threshold("google sum, keys", over))
}

// SumFloat64 returns the events of a dpagg.BoundedSumFloat64 with these options.
// Each unit may add one value per partition.
func SumFloat64(opt dpagg.BoundedSumFloat64Options) ([]dp.Event, error) {
	c := &checker{options: "BoundedSumFloat64Options"}
	c.sumFloat64(opt)
	return c.events(declared("google sum", opt.Epsilon, opt.Delta))
}

// ThresholdedSumFloat64 returns the events of
// BoundedSumFloat64.ThresholdedResult(delta).
func ThresholdedSumFloat64(opt dpagg.BoundedSumFloat64Options, delta float64) ([]dp.Event, error) {
	c := &checker{options: "BoundedSumFloat64Options"}
	var over float64
	if n, ok := c.sumFloat64(opt); ok {
		over = c.thresholded(n, ": ThresholdedResult", delta)
	}
	return c.events(declared("google sum", opt.Epsilon, opt.Delta), threshold("google sum, keys", over))
}

func (c *checker) sumInt64(opt dpagg.BoundedSumInt64Options) (noisy, bool) {
	ok := c.privacy(opt.Noise, opt.Epsilon, opt.Delta, opt.MaxPartitionsContributed)
	ok = c.must(opt.Lower > math.MinInt64, "Lower", opt.Lower, "has no absolute value in 64 bits", "raise it") && ok
	ok = c.must(opt.Lower <= opt.Upper && (opt.Lower != 0 || opt.Upper != 0), "Lower", opt.Lower,
		"must be at most Upper and not 0 together with it", "give the bounds of a value") && ok
	lInf := math.Max(math.Abs(float64(opt.Lower)), math.Abs(float64(opt.Upper)))
	n := noisy{opt.Noise, opt.Epsilon, opt.Delta, opt.MaxPartitionsContributed, lInf, true}
	return n, ok && c.drawn(n)
}

func (c *checker) sumFloat64(opt dpagg.BoundedSumFloat64Options) (noisy, bool) {
	ok := c.privacy(opt.Noise, opt.Epsilon, opt.Delta, opt.MaxPartitionsContributed)
	ok = c.must(opt.Lower <= opt.Upper && (opt.Lower != 0 || opt.Upper != 0), "Lower", opt.Lower,
		"must be at most Upper and not 0 together with it", "give the bounds of a value") && ok
	lInf := math.Max(math.Abs(opt.Lower), math.Abs(opt.Upper))
	ok = ok && c.must(!math.IsInf(lInf, 1), "Lower", opt.Lower,
		"cannot be vouched for: bounds must be finite, and the noise follows from them", "give the bounds of a value")
	n := noisy{opt.Noise, opt.Epsilon, opt.Delta, opt.MaxPartitionsContributed, lInf, false}
	return n, ok && c.drawn(n)
}
