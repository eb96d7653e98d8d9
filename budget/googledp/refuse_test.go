package googledp_test

import (
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/google/differential-privacy/go/v2/dpagg"
	"github.com/google/differential-privacy/go/v2/noise"

	"github.com/equipoise-dp/equipoise/budget/googledp"
	"github.com/equipoise-dp/equipoise/dp"
)

func TestRefusals(t *testing.T) {
	type events = func() ([]dp.Event, error)
	countWith := func(change func(*dpagg.CountOptions)) events {
		opt := count
		change(&opt)
		return func() ([]dp.Event, error) { return googledp.Count(opt) }
	}
	gaussianWith := func(epsilon, delta float64) events {
		opt := gaussianCount
		opt.Epsilon, opt.Delta, opt.MaxPartitionsContributed = epsilon, delta, 1
		return func() ([]dp.Event, error) { return googledp.Count(opt) }
	}
	integers := func(lower, upper, partitions int64) events {
		opt := dpagg.BoundedSumInt64Options{Epsilon: 1, MaxPartitionsContributed: partitions, Lower: lower, Upper: upper}
		return func() ([]dp.Event, error) { return googledp.SumInt64(opt) }
	}
	floats := func(lower, upper float64, partitions int64) events {
		opt := dpagg.BoundedSumFloat64Options{Epsilon: 1, MaxPartitionsContributed: partitions, Lower: lower, Upper: upper}
		return func() ([]dp.Event, error) { return googledp.SumFloat64(opt) }
	}
	quantilesWith := func(change func(*dpagg.BoundedQuantilesOptions)) events {
		opt := quantiles
		change(&opt)
		return func() ([]dp.Event, error) { return googledp.Quantiles(opt) }
	}
	tests := []struct {
		name   string
		events events
		option string
	}{
		{"no epsilon", countWith(func(o *dpagg.CountOptions) { o.Epsilon = 0 }), "CountOptions.Epsilon"},
		{"epsilon is not a number", countWith(func(o *dpagg.CountOptions) { o.Epsilon = math.NaN() }), "CountOptions.Epsilon"},
		{"epsilon is infinite", countWith(func(o *dpagg.CountOptions) { o.Epsilon = math.Inf(1) }), "CountOptions.Epsilon"},
		{"epsilon is below rounding", countWith(func(o *dpagg.CountOptions) { o.Epsilon = 1e-9 }), "CountOptions.Epsilon"},
		{"no partitions", countWith(func(o *dpagg.CountOptions) { o.MaxPartitionsContributed = 0 }), "CountOptions.MaxPartitionsContributed"},
		{"less than no partitions", countWith(func(o *dpagg.CountOptions) { o.MaxPartitionsContributed = -1 }), "CountOptions.MaxPartitionsContributed"},
		{"delta with Laplace noise", countWith(func(o *dpagg.CountOptions) { o.Delta = 1e-6 }), "CountOptions.Delta"},
		{"Gaussian noise without delta", gaussianWith(1, 0), "CountOptions.Delta"},
		{"noise of the caller's own", countWith(func(o *dpagg.CountOptions) { o.Noise = own{noise.Laplace()} }), "CountOptions.Noise"},
		{"noise behind a pointer", countWith(func(o *dpagg.CountOptions) { o.Noise = &own{noise.Laplace()} }), "CountOptions.Noise"},
		{"Gaussian noise cut off in reach", gaussianWith(100, 1e-5), "CountOptions.Delta"},
		{"Gaussian noise with an overflowing e^epsilon", gaussianWith(800, 1e-5), "CountOptions: the standard deviation"},
		{"delta below the tail that is drawn", gaussianWith(1, 1e-17), "CountOptions.Delta"},
		{"counts that leave 64 bits", countWith(func(o *dpagg.CountOptions) { o.MaxPartitionsContributed = 1 << 60 }), "Contributed·contribution/Epsilon"},
		{"sums without bounds", integers(0, 0, 1), "BoundedSumInt64Options.Lower"},
		{"bounds the wrong way round", integers(2, 1, 1), "BoundedSumInt64Options.Lower"},
		{"lowest integer", integers(math.MinInt64, 0, 1), "BoundedSumInt64Options.Lower"},
		{"sensitivity that wraps around", integers(0, 1<<62, 4), "Contributed·contribution/Epsilon"},
		{"sensitivity that wraps around to 0", integers(0, 1<<32, 1<<32), "Contributed·contribution/Epsilon"},
		{"noise that leaves 64 bits", integers(0, math.MaxInt64, 1), "Contributed·contribution/Epsilon"},
		{"infinite bound", floats(0, math.Inf(1), 1), "BoundedSumFloat64Options.Lower"},
		{"bound that is not a number", floats(math.NaN(), 1, 1), "BoundedSumFloat64Options.Lower"},
		{"bounds near the end of floats", floats(0, 1e300, 1), "Contributed·contribution/Epsilon"},
		{"bounds near zero", floats(0, 1e-310, 1), "Contributed·contribution/Epsilon"},
		{"rounding in many partitions", floats(0, 1, 1<<20), "BoundedSumFloat64Options: MaxPartitionsContributed/Epsilon"},
		{"no rows", quantilesWith(func(o *dpagg.BoundedQuantilesOptions) { o.MaxContributionsPerPartition = 0 }), "BoundedQuantilesOptions.MaxContributionsPerPartition"},
		{"equal bounds", quantilesWith(func(o *dpagg.BoundedQuantilesOptions) { o.Lower = o.Upper }), "BoundedQuantilesOptions.Lower"},
		{"infinite range", quantilesWith(func(o *dpagg.BoundedQuantilesOptions) { o.Lower, o.Upper = -1e308, 1e308 }), "BoundedQuantilesOptions.Lower"},
		{"tree below ground", quantilesWith(func(o *dpagg.BoundedQuantilesOptions) { o.TreeHeight = -1 }), "BoundedQuantilesOptions.TreeHeight"},
		{"tree without branches", quantilesWith(func(o *dpagg.BoundedQuantilesOptions) { o.BranchingFactor = 1 }), "BoundedQuantilesOptions.BranchingFactor"},
		{"tree too large to number", quantilesWith(func(o *dpagg.BoundedQuantilesOptions) { o.TreeHeight = 40 }), "BoundedQuantilesOptions: BranchingFactor^TreeHeight"},
		{"squares that overflow", func() ([]dp.Event, error) {
			opt := variance
			opt.Upper = 1e200
			return googledp.Variance(opt)
		}, "BoundedVarianceOptions"},
		{"selection without delta", func() ([]dp.Event, error) {
			opt := selection
			opt.Delta = 0
			return googledp.SelectPartitions(opt)
		}, "PreAggSelectPartitionOptions.Delta"},
		{"threshold without delta", func() ([]dp.Event, error) { return googledp.ThresholdedCount(count, 0) }, "CountOptions: ThresholdedResult"},
		{"threshold at infinity", func() ([]dp.Event, error) { return googledp.ThresholdedCount(gaussianCount, 1e-17) }, "CountOptions: ThresholdedResult"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.events()
			if got != nil || err == nil {
				t.Fatalf("got %v, %v; must refuse %s", got, err, test.option)
			}
			first, _, _ := strings.Cut(err.Error(), "\n")
			parts := refusal.FindStringSubmatch(first)
			if parts == nil || !strings.Contains(parts[1], test.option) {
				t.Fatalf("%q must say of %s its value, the rule and the fix", first, test.option)
			}
		})
	}
}

// refusal is the form of what is said of one option.
var refusal = regexp.MustCompile(`^googledp: (.+?) is (.+?), (.+); (.+)$`)

// Every mistake is named at once.
func TestRefusalsAreJoined(t *testing.T) {
	_, err := googledp.Mean(dpagg.BoundedMeanOptions{})
	for _, option := range []string{"Epsilon", "MaxPartitionsContributed", "MaxContributionsPerPartition", "Lower"} {
		if err == nil || !strings.Contains(err.Error(), "BoundedMeanOptions."+option+" is 0") {
			t.Errorf("%s is not named: %v", option, err)
		}
	}
}

type own struct{ noise.Noise }
