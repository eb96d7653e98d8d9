package pld

import (
	"fmt"
	"testing"
)

// thousandEvents is a month of a dashboard: 1,000 events with 30 distinct parameters.
func thousandEvents(families ...func(i float64) Mechanism) *Composition {
	c := new(Composition)
	for i := range 30 {
		c.Add(families[i%len(families)](float64(i)), 33+i%3)
	}
	return c
}

var families = map[string]func(i float64) Mechanism{
	"gaussian":         func(i float64) Mechanism { return Gaussian(1 / (40 + 2*i)) },
	"laplace":          func(i float64) Mechanism { return Laplace(1 / (30 + 1.7*i)) },
	"discreteLaplace":  func(i float64) Mechanism { return DiscreteLaplace(30+1.3*i, 1) },
	"fineLaplace":      func(i float64) Mechanism { return DiscreteLaplace((30+1.3*i)*65536, 65536) },
	"discreteGaussian": func(i float64) Mechanism { return DiscreteGaussian(40+1.1*i, 1) },
	"declared":         func(i float64) Mechanism { return Declared(0.01+i/1000, 1e-12) },
	"boundedRange":     func(i float64) Mechanism { return BoundedRange(0.02 + i/1000) },
}

func BenchmarkPrice1000Events30Distinct(b *testing.B) {
	mixes := map[string][]string{
		"mixed":      {"gaussian", "laplace", "discreteLaplace"},
		"everything": {"gaussian", "laplace", "discreteLaplace", "fineLaplace", "discreteGaussian", "declared", "boundedRange"},
	}
	for name := range families {
		mixes["all "+name] = []string{name}
	}
	for name, mix := range mixes {
		var fs []func(float64) Mechanism
		for _, f := range mix {
			fs = append(fs, families[f])
		}
		b.Run(name, func(b *testing.B) {
			eps := 0.0
			for b.Loop() {
				eps = thousandEvents(fs...).Epsilon(1e-6)
			}
			b.ReportMetric(eps, "epsilon")
		})
	}
}

func BenchmarkPriceOne(b *testing.B) {
	for _, m := range []Mechanism{Gaussian(0.02), Laplace(0.1), DiscreteGaussian(50, 1), DiscreteLaplace(20, 3), Pure(0.1)} {
		for _, k := range []int{1, 100, 1000} {
			b.Run(fmt.Sprintf("kind%d/%d", m.kind, k), func(b *testing.B) {
				for b.Loop() {
					var c Composition
					c.Add(m, k)
					c.Epsilon(1e-6)
				}
			})
		}
	}
}
