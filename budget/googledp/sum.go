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
	n, _ := c.sumInt64(opt)
	return c.answer("google sum", n)
}

// ThresholdedSumInt64 returns the events of BoundedSumInt64.ThresholdedResult(delta).
func ThresholdedSumInt64(opt dpagg.BoundedSumInt64Options, delta float64) ([]dp.Event, error) {
	c := &checker{options: "BoundedSumInt64Options"}
	n, ok := c.sumInt64(opt)
	return c.selected("google sum", n, ok, delta)
}

// SumFloat64 returns the events of a dpagg.BoundedSumFloat64 with these options.
// Each unit may add one value per partition.
func SumFloat64(opt dpagg.BoundedSumFloat64Options) ([]dp.Event, error) {
	c := &checker{options: "BoundedSumFloat64Options"}
	n, _ := c.sumFloat64(opt)
	return c.answer("google sum", n)
}

// ThresholdedSumFloat64 returns the events of
// BoundedSumFloat64.ThresholdedResult(delta).
func ThresholdedSumFloat64(opt dpagg.BoundedSumFloat64Options, delta float64) ([]dp.Event, error) {
	c := &checker{options: "BoundedSumFloat64Options"}
	n, ok := c.sumFloat64(opt)
	return c.selected("google sum", n, ok, delta)
}

// bounds notes bounds that hold no value, or nothing but 0.
func bounds[T int64 | float64](c *checker, lower, upper T) bool {
	return c.must(lower <= upper && (lower != 0 || upper != 0), "Lower", lower,
		"must be at most Upper and not 0 together with it", "give the bounds of a value")
}

func (c *checker) sumInt64(opt dpagg.BoundedSumInt64Options) (noisy, bool) {
	ok := c.privacy(opt.Noise, opt.Epsilon, opt.Delta, opt.MaxPartitionsContributed)
	ok = c.must(opt.Lower > math.MinInt64, "Lower", opt.Lower, "has no absolute value in 64 bits", "raise it") && ok
	ok = bounds(c, opt.Lower, opt.Upper) && ok
	lInf := math.Max(math.Abs(float64(opt.Lower)), math.Abs(float64(opt.Upper)))
	n := noisy{noise: opt.Noise, epsilon: opt.Epsilon, delta: opt.Delta, l0: opt.MaxPartitionsContributed, lInf: lInf, whole: true}
	return n, ok && c.drawn(n)
}

func (c *checker) sumFloat64(opt dpagg.BoundedSumFloat64Options) (noisy, bool) {
	ok := c.privacy(opt.Noise, opt.Epsilon, opt.Delta, opt.MaxPartitionsContributed)
	ok = bounds(c, opt.Lower, opt.Upper) && ok
	lInf := math.Max(math.Abs(opt.Lower), math.Abs(opt.Upper))
	ok = ok && c.must(!math.IsInf(lInf, 1), "Lower", opt.Lower,
		"cannot be vouched for: bounds must be finite, and the noise follows from them", "give the bounds of a value")
	n := noisy{noise: opt.Noise, epsilon: opt.Epsilon, delta: opt.Delta, l0: opt.MaxPartitionsContributed, lInf: lInf, whole: false}
	return n, ok && c.drawn(n)
}
