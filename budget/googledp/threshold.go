package googledp

import (
	"math"
	"strconv"

	"github.com/google/differential-privacy/go/v2/noise"

	"github.com/equipoise-dp/equipoise/dp"
)

// thresholded returns the δ of releasing only the partitions whose noisy number
// reaches the threshold that that library computes for delta.
func (c *checker) thresholded(n noisy, field string, delta float64) float64 {
	if !c.follows(delta > 0 && delta+n.delta < 1, field, delta,
		"must be positive, and below 1 together with Delta", "give the delta of the threshold") {
		return 0
	}
	k, err := n.law().Threshold(n.l0, n.lInf, n.epsilon, n.delta, delta)
	if !c.follows(err == nil && math.Abs(k) < 0x1p53, field, delta,
		"cannot be vouched for: no threshold of 53 bits has this delta", "give a larger one") {
		return 0
	}
	return atLeast(delta, n.overThreshold(k))
}

// overThreshold returns the probability that a partition of one unit alone, or
// one of the l0 of them, reaches the threshold k. An integer result is rounded,
// and compared with k rounded up, so noise from half below on is enough.
func (n noisy) overThreshold(k float64) float64 {
	slack := n.scale() * 2 * laplaceGrain
	if n.whole {
		k, slack = math.Ceil(k), math.Max(slack, 0.5)
	}
	p := n.tail(k - slack - n.lInf)
	return -math.Expm1(float64(n.l0) * math.Log1p(-p)) // 1-(1-p)^l0
}

func (n noisy) law() noise.Noise {
	if n.noise == nil {
		return noise.Laplace()
	}
	return n.noise
}

// atLeast returns delta if actual is the same but for arithmetic, and else
// actual, rounded up to three digits.
func atLeast(delta, actual float64) float64 {
	if actual <= delta*(1+deltaSlack) {
		return delta
	}
	up, err := strconv.ParseFloat(strconv.FormatFloat(actual*1.005, 'e', 2, 64), 64)
	if err != nil || up < actual {
		return actual
	}
	return up
}

// selected returns the events of an answer that is released where it reaches the threshold
// for delta. If the options are not ok, there are none.
func (c *checker) selected(name string, n noisy, ok bool, delta float64) ([]dp.Event, error) {
	over := 0.0
	if ok {
		over = c.thresholded(n, ": ThresholdedResult", delta)
	}
	return c.events(declared(name, n.epsilon, n.delta), threshold(name+", keys", over))
}
