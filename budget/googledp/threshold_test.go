package googledp_test

import (
	"testing"

	"github.com/google/differential-privacy/go/v2/dpagg"
	"github.com/google/differential-privacy/go/v2/noise"

	"github.com/equipoise-dp/equipoise/budget/googledp"
	"github.com/equipoise-dp/equipoise/dp"
)

// How often the key of a single unit is really released must not exceed what is
// charged. By Hoeffding's inequality 3·10⁴ draws exceed it by 0.0186 with a
// probability of at most 10⁻⁹. In the first two cases keys are released more
// often than was asked for, by more than that.
func TestThresholdCoversRealReleases(t *testing.T) {
	const draws = 30_000
	for _, test := range []struct {
		name  string
		opt   dpagg.CountOptions
		delta float64
	}{
		{"Laplace", dpagg.CountOptions{Epsilon: 2, MaxPartitionsContributed: 1}, 0.068},
		{"small noise", dpagg.CountOptions{Epsilon: 5, MaxPartitionsContributed: 1}, 0.0034},
		{"Gaussian", dpagg.CountOptions{Epsilon: 3, Delta: 0.01, MaxPartitionsContributed: 1, Noise: noise.Gaussian()}, 0.05},
	} {
		t.Run(test.name, func(t *testing.T) {
			events, err := googledp.ThresholdedCount(test.opt, test.delta)
			if err != nil {
				t.Fatal(err)
			}
			charged, _ := events[1].Delta.Float64()
			released := 0
			for range draws {
				a, err := dpagg.NewCount(&test.opt)
				if err != nil {
					t.Fatal(err)
				}
				if err := a.Increment(); err != nil {
					t.Fatal(err)
				}
				n, err := a.ThresholdedResult(test.delta)
				if err != nil {
					t.Fatal(err)
				}
				if n != nil {
					released++
				}
			}
			rate := float64(released) / draws
			t.Logf("asked %v, charged %v, released %v", test.delta, charged, rate)
			if more := test.name != "Gaussian"; more != (rate > test.delta+0.0186) {
				t.Errorf("released %v of keys and asked for %v; the test no longer tests", rate, test.delta)
			}
			if charged < test.delta || rate > charged+0.0186 {
				t.Errorf("released %v of keys, charged %v", rate, charged)
			}
		})
	}
}

// Units in many partitions pay for a Gaussian count and for its threshold.
func TestSelectionInManyPartitions(t *testing.T) {
	for _, partitions := range []int64{4, 10, 100, 1000} {
		opt := dpagg.PreAggSelectPartitionOptions{Epsilon: 1, Delta: 1e-6, MaxPartitionsContributed: partitions}
		events, err := googledp.SelectPartitions(opt)
		if err != nil {
			t.Fatal(err)
		}
		loss := googledp.Charge("d", "p", "k", events...).Loss.(dp.Approx)
		if loss.Epsilon != 1 || loss.Delta < 1e-6 || loss.Delta > 2e-6 {
			t.Errorf("%d partitions: %v", partitions, loss)
		}
	}
}
