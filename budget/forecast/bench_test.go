//go:build unix

package forecast_test

import (
	"math/big"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/budget/forecast"
	"github.com/equipoise-dp/equipoise/dp"
)

// What an answer takes, as CPU time of the process, which does not depend on who else is at
// the machine: the mean of all, and the longest.

func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(syscall.TimevalToNsec(u.Utime) + syscall.TimevalToNsec(u.Stime))
}

// answers measures each answer by itself.
func answers(b *testing.B, answer func() error) {
	var all []time.Duration
	for b.Loop() {
		before := cpu(b)
		if err := answer(); err != nil {
			b.Fatal(err)
		}
		all = append(all, cpu(b)-before)
	}
	slices.Sort(all)
	sum := time.Duration(0)
	for _, x := range all {
		sum += x
	}
	b.ReportMetric(float64(sum.Microseconds())/1000/float64(len(all)), "cpu-ms/op")
	b.ReportMetric(float64(all[len(all)*95/100].Microseconds())/1000, "cpu-ms-p95")
	b.ReportMetric(float64(all[len(all)-1].Microseconds())/1000, "cpu-ms-max")
}

func BenchmarkPlanFor(b *testing.B) {
	r := rand.New(rand.NewPCG(17, 7))
	answers(b, func() error {
		g := newRandomGoal(r)
		_, err := forecast.PlanFor(g.query, g.goal)
		return err
	})
}

// life is 52 of these and 10 of those.
func life() []forecast.Use {
	noise := func(rho float64, sigma int64) dp.Charge {
		return dp.Charge{Loss: dp.Concentrated{Rho: rho}, Events: []dp.Event{{
			Mechanism: dp.Gaussian, Count: 1, Scale: big.NewRat(sigma, 1), Sensitivity: dp.Sensitivity{L0: 1, LInf: 1},
		}}}
	}
	laplace := dp.Charge{Loss: dp.Pure{Epsilon: 0.05}, Events: []dp.Event{{
		Mechanism: dp.DiscreteLaplace, Count: 1, Scale: big.NewRat(20, 1), Sensitivity: dp.Sensitivity{L0: 1, LInf: 1},
	}}}
	return []forecast.Use{{Charge: noise(0.0008, 25), Times: 52}, {Charge: laplace, Times: 10}}
}

func BenchmarkWays(b *testing.B) {
	answers(b, func() error {
		_, err := forecast.Ways(1e-6, life()...)
		return err
	})
}

func BenchmarkLeastLoss(b *testing.B) {
	answers(b, func() error {
		_, err := forecast.LeastLoss(1e-6, life()...)
		return err
	})
}
