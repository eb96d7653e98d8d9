package sample

import (
	"math/big"
	"testing"
)

func BenchmarkQuick(b *testing.B) {
	for _, sc := range []*big.Rat{big.NewRat(1, 1024), big.NewRat(1, 1), big.NewRat(3, 1), big.NewRat(4, 1), big.NewRat(16, 1), big.NewRat(1000, 1), big.NewRat(1<<40, 1)} {
		l, err := NewLaplace(sc)
		if err != nil {
			b.Fatal(err)
		}
		s := NewSource()
		var dst [1024]int64
		b.Run(sc.RatString(), func(b *testing.B) {
			for range b.N {
				l.Fill(s, dst[:])
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1024, "ns/draw")
		})
		b.Run(sc.RatString()+"new", func(b *testing.B) {
			for range b.N {
				NewLaplace(sc)
			}
		})
		g, err := NewGaussian(sc)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(sc.RatString()+"gauss", func(b *testing.B) {
			for range b.N {
				g.Fill(s, dst[:])
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1024, "ns/draw")
		})
		b.Run(sc.RatString()+"gaussnew", func(b *testing.B) {
			for range b.N {
				NewGaussian(sc)
			}
		})
	}
}
