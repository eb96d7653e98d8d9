//go:build unix

package forecast_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
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

// wide is a goal for eight columns, of four values.
func wide() (*aggregate.Query[sale, int, string], forecast.Goal) {
	q, _ := daily()
	goal := forecast.Goal{Times: 52, Delta: 1e-6, Of: aggregate.Assumed{Units: 2000, Rows: 1, Means: map[string]float64{}}}
	goal.Aims = []forecast.Aim{{Column: q.Units(), Part: 0.05}, {Column: q.Count(), Part: 0.1}}
	for i := range 3 {
		name := fmt.Sprint("value ", i)
		v := aggregate.PerUnit(q, name, func(s sale) float64 { return s.Euros }, aggregate.Bounds[float64]{Upper: 100, Step: 0.01})
		goal.Of.Means[name] = 40
		goal.Aims = append(goal.Aims, forecast.Aim{Column: v.Sum(), Part: 0.05 + 0.03*float64(i)}, forecast.Aim{Column: v.Mean(), Part: 0.1})
	}
	goal.Aims[6].Part, goal.Aims[7].Part = 0, 0
	return q, goal
}

func BenchmarkPlanForEightColumns(b *testing.B) {
	q, goal := wide()
	answers(b, func() error {
		_, err := forecast.PlanFor(q, goal)
		return err
	})
}

// many is a hundred different uses.
func many() (uses []forecast.Use) {
	for i := range int64(100) {
		uses = append(uses, forecast.Use{Times: 1 + int(i%5), Charge: dp.Charge{Loss: dp.Pure{Epsilon: 0.1}, Events: []dp.Event{{
			Mechanism: dp.DiscreteLaplace, Count: 1, Scale: big.NewRat(20+3*i, 1), Sensitivity: dp.Sensitivity{L0: 1, LInf: 1},
		}}}})
	}
	return uses
}

func BenchmarkWaysOfAHundredUses(b *testing.B) {
	answers(b, func() error {
		_, err := forecast.Ways(1e-6, many()...)
		return err
	})
}

func BenchmarkLeastLossOfAHundredUses(b *testing.B) {
	answers(b, func() error {
		_, err := forecast.LeastLoss(1e-6, many()...)
		return err
	})
}
