package quantile

import (
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/equipoise-dp/equipoise/internal/core"
)

// One operation is the ranks of a group of 1,000 values, and their intervals.
func BenchmarkDraw(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	var points []int64
	for range 1000 {
		points = append(points, r.Int64N(1<<31))
	}
	slices.Sort(points)
	base := NewBase(0, 1<<31)
	law, err := core.NewLaw(core.Laplace, big.NewRat(6, 1))
	if err != nil {
		b.Fatal(err)
	}
	for name, ranks := range map[string][]Rank{
		"p50 and p95": {500_000, 950_000},
		"nine":        {100_000, 200_000, 300_000, 400_000, 500_000, 600_000, 700_000, 800_000, 900_000},
	} {
		p, err := NewPlan(base, ranks, each(big.NewRat(1, 4), len(ranks)), 1)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			counts, session := new(Counts), core.Begin() // for many groups
			defer session.End()
			for b.Loop() {
				counts.Set(points, 1)
				reading := readIn(session, counts, base, p, law)
				for _, rank := range ranks {
					reading.Of(rank).Interval(reachOf(law, 1))
				}
			}
		})
	}
}
