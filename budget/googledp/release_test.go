package googledp_test

import (
	"errors"
	"math/big"
	"testing"

	"github.com/google/differential-privacy/go/v2/dpagg"
	"github.com/google/differential-privacy/go/v2/noise"
	"github.com/google/go-cmp/cmp"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/googledp"
	"github.com/equipoise-dp/equipoise/dp"
)

// Every aggregator is created with the options that are paid for, filled, and
// asked for its result.
var releases = []struct {
	name    string
	loss    dp.Loss
	events  func() ([]dp.Event, error)
	release func() error
}{
	{
		"count", dp.Pure{Epsilon: 0.5},
		func() ([]dp.Event, error) { return googledp.Count(count) },
		func() error {
			a, err := dpagg.NewCount(&count)
			return errors.Join(err, a.IncrementBy(40), second(a.Result()))
		},
	},
	{
		"gaussian count", dp.Approx{Epsilon: 0.5, Delta: 1e-6},
		func() ([]dp.Event, error) { return googledp.Count(gaussianCount) },
		func() error {
			a, err := dpagg.NewCount(&gaussianCount)
			return errors.Join(err, a.IncrementBy(40), second(a.Result()))
		},
	},
	{
		"sum of integers", dp.Pure{Epsilon: 1},
		func() ([]dp.Event, error) { return googledp.SumInt64(sumInt64) },
		func() error {
			a, err := dpagg.NewBoundedSumInt64(&sumInt64)
			return errors.Join(err, a.Add(40), second(a.Result()))
		},
	},
	{
		"sum of floats", dp.Pure{Epsilon: 0.3},
		func() ([]dp.Event, error) { return googledp.SumFloat64(sumFloat64) },
		func() error {
			a, err := dpagg.NewBoundedSumFloat64(&sumFloat64)
			return errors.Join(err, a.Add(0.25), second(a.Result()))
		},
	},
	{
		"mean", dp.Approx{Epsilon: 1, Delta: 1e-6},
		func() ([]dp.Event, error) { return googledp.Mean(mean) },
		func() error {
			a, err := dpagg.NewBoundedMean(&mean)
			return errors.Join(err, a.Add(3), second(a.Result()))
		},
	},
	{
		"variance", dp.Pure{Epsilon: 1},
		func() ([]dp.Event, error) { return googledp.Variance(variance) },
		func() error {
			a, err := dpagg.NewBoundedVariance(&variance)
			return errors.Join(err, a.Add(3), second(a.Result()))
		},
	},
	{
		"standard deviation", dp.Pure{Epsilon: 1},
		func() ([]dp.Event, error) {
			return googledp.StandardDeviation(dpagg.BoundedStandardDeviationOptions(variance))
		},
		func() error {
			opt := dpagg.BoundedStandardDeviationOptions(variance)
			a, err := dpagg.NewBoundedStandardDeviation(&opt)
			return errors.Join(err, a.Add(3), second(a.Result()))
		},
	},
	{
		"quantiles", dp.Approx{Epsilon: 1, Delta: 1e-6},
		func() ([]dp.Event, error) { return googledp.Quantiles(quantiles) },
		func() error {
			a, err := dpagg.NewBoundedQuantiles(&quantiles)
			return errors.Join(err, a.Add(3), second(a.Result(0.5)), second(a.Result(0.9)))
		},
	},
	{
		"selection", dp.Approx{Epsilon: 0.1, Delta: 1e-6},
		func() ([]dp.Event, error) { return googledp.SelectPartitions(selection) },
		func() error {
			a, err := dpagg.NewPreAggSelectPartition(&selection)
			return errors.Join(err, a.Increment(), second(a.ShouldKeepPartition()))
		},
	},
	{
		"thresholded sum of floats", dp.Approx{Epsilon: 0.3, Delta: 1e-6},
		func() ([]dp.Event, error) { return googledp.ThresholdedSumFloat64(sumFloat64, 1e-6) },
		func() error {
			a, err := dpagg.NewBoundedSumFloat64(&sumFloat64)
			return errors.Join(err, a.Add(0.25), second(a.ThresholdedResult(1e-6)))
		},
	},
	{
		"thresholded sum of integers", dp.Approx{Epsilon: 1, Delta: 1e-6},
		func() ([]dp.Event, error) { return googledp.ThresholdedSumInt64(sumInt64, 1e-6) },
		func() error {
			a, err := dpagg.NewBoundedSumInt64(&sumInt64)
			return errors.Join(err, a.Add(7), second(a.ThresholdedResult(1e-6)))
		},
	},
}

var (
	count         = dpagg.CountOptions{Epsilon: 0.5, MaxPartitionsContributed: 3}
	gaussianCount = dpagg.CountOptions{Epsilon: 0.5, Delta: 1e-6, MaxPartitionsContributed: 30, Noise: noise.Gaussian()}
	sumInt64      = dpagg.BoundedSumInt64Options{Epsilon: 1, MaxPartitionsContributed: 2, Lower: -5, Upper: 100}
	sumFloat64    = dpagg.BoundedSumFloat64Options{Epsilon: 0.3, MaxPartitionsContributed: 2, Upper: 1}
	mean          = dpagg.BoundedMeanOptions{Epsilon: 1, Delta: 1e-6, MaxPartitionsContributed: 4, MaxContributionsPerPartition: 2, Lower: 1, Upper: 9, Noise: noise.Gaussian()}
	variance      = dpagg.BoundedVarianceOptions{Epsilon: 1, MaxPartitionsContributed: 4, MaxContributionsPerPartition: 2, Lower: 1, Upper: 9}
	quantiles     = dpagg.BoundedQuantilesOptions{Epsilon: 1, Delta: 1e-6, MaxPartitionsContributed: 4, MaxContributionsPerPartition: 2, Lower: 1, Upper: 9, Noise: noise.Gaussian()}
	selection     = dpagg.PreAggSelectPartitionOptions{Epsilon: 0.1, Delta: 1e-6, MaxPartitionsContributed: 2}
)

func second[T any](_ T, err error) error { return err }

func TestReleasesArePaid(t *testing.T) {
	account := create(t, dp.Approx{Epsilon: 100, Delta: 1e-4})
	for _, r := range releases {
		t.Run(r.name, func(t *testing.T) {
			events, err := r.events()
			if err != nil {
				t.Fatal(err)
			}
			charge := googledp.Charge("visits", "opening hours", r.name, events...)
			if diff := cmp.Diff(r.loss, charge.Loss); diff != "" {
				t.Error(diff)
			}
			if _, err := account.Spend(t.Context(), charge); err != nil {
				t.Fatal(err)
			}
			if err := r.release(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSumIsExact(t *testing.T) {
	opt := count
	opt.Epsilon = 0.1
	events, err := googledp.Count(opt)
	if err != nil {
		t.Fatal(err)
	}
	account := create(t, dp.Pure{Epsilon: 1})
	for i := range 11 {
		charge := googledp.Charge("visits", "opening hours", string(rune('a'+i)), events...)
		_, err := account.Spend(t.Context(), charge)
		if _, refused := errors.AsType[*budget.RefusedError](err); refused != (i == 10) {
			t.Errorf("charge %d: %v", i+1, err)
		}
	}
	three := googledp.Charge("visits", "opening hours", "three", events[0], events[0], events[0])
	if diff := cmp.Diff(dp.Loss(dp.Pure{Epsilon: 0.3}), three.Loss); diff != "" {
		t.Error(diff)
	}
}

func TestChargeOfNothingIsRefused(t *testing.T) {
	foreign := dp.Event{Mechanism: dp.Declared, Rho: big.NewRat(1, 2), Count: 1}
	for _, events := range [][]dp.Event{nil, {foreign}} {
		charge := googledp.Charge("visits", "opening hours", "k", events...)
		if charge.Loss != nil || charge.Check() == nil {
			t.Errorf("%v: loss is %v, must be nil", events, charge.Loss)
		}
	}
}

func create(t *testing.T, limit dp.Loss) *budget.Account {
	t.Helper()
	account, err := budget.Create(t.Context(), budget.Memory(), budget.Terms{Dataset: "visits", Limit: limit})
	if err != nil {
		t.Fatal(err)
	}
	return account
}
