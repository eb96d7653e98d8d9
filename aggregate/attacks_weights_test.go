package aggregate

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// B10, E12: whatever the weights, the parts of a plan add up to its loss at most, in
// exact numbers: Σ L1/scale ≤ ε, and Σ (L2/scale)² ≤ 2ρ, where a draw of bounded range
// e is e and e²/4. Weights that are no
// positive numbers are refused. Deterministic.
func TestWeightsAddUpToTheLoss(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 12))
	odd := []float64{1, 3, 0.1, 1e-3, 1e3, 1.0 / 3, 7e5}
	for range 200 {
		q := attacked(2, 3)
		x := PerRow(q, "x", func(e entry) float64 { return e.x }, Bounds[float64]{Lower: -1, Upper: 2})
		y := PerUnit(q, "y", func(e entry) int64 { return e.n }, Bounds[int64]{Lower: 0, Upper: 9})
		columns := []AnyColumn{Weighted{q.Count(), odd[r.IntN(len(odd))]}, Weighted{x.Mean(), odd[r.IntN(len(odd))]}, y.Sum(), Weighted{y.Quantile(0.5), odd[r.IntN(len(odd))]}, Weighted{x.QuantileWithoutInterval(0.9), odd[r.IntN(len(odd))]}, Weighted{Weighted{x.Sum(), 2}, 0.5}}
		for _, loss := range []dp.Loss{dp.Pure{Epsilon: 0.7}, dp.Concentrated{Rho: 0.3}} {
			p, err := q.Plan(loss, columns...)
			if err != nil {
				t.Fatal(err)
			}
			sum := new(big.Rat)
			for _, m := range p.measures {
				for _, e := range m.events() {
					if e.Mechanism != dp.BoundedRange {
						continue
					}
					part := new(big.Rat).Set(e.Epsilon)
					if _, concentrated := loss.(dp.Concentrated); concentrated {
						part.Mul(part, part).Quo(part, big.NewRat(4, 1))
					}
					sum.Add(sum, part.Mul(part, big.NewRat(int64(e.Count), 1)))
				}
				if m.law == nil {
					continue
				}
				l0, linf := new(big.Rat).SetInt64(m.event.Sensitivity.L0), new(big.Rat).SetInt64(m.event.Sensitivity.LInf)
				part := linf.Quo(linf, m.law.Scale)
				if _, concentrated := loss.(dp.Concentrated); concentrated {
					part = new(big.Rat).Mul(part, part)
				}
				sum.Add(sum, part.Mul(part, l0))
			}
			most := exact.Decimal(0.7)
			if _, concentrated := loss.(dp.Concentrated); concentrated {
				most = exact.Decimal(0.6)
			}
			if sum.Cmp(most) > 0 || sum.Cmp(new(big.Rat).Mul(most, big.NewRat(99, 100))) < 0 {
				t.Errorf("%v: the parts add up to %s", loss, sum.FloatString(9))
			}
		}
	}
	q := attacked(1, 1)
	for _, w := range []float64{0, -1, math.NaN(), math.Inf(1), math.Inf(-1)} {
		if _, err := q.Plan(dp.Pure{Epsilon: 1}, Weighted{q.Count(), w}); err == nil {
			t.Errorf("a weight of %v is accepted", w)
		}
	}
	if _, err := q.Plan(dp.Pure{Epsilon: 1}, Weighted{nil, 1}, (*Weighted)(nil)); err == nil {
		t.Error("a weight of no column is accepted")
	}
	for _, w := range []float64{math.SmallestNonzeroFloat64, math.MaxFloat64} {
		if p, err := q.Plan(dp.Pure{Epsilon: 1}, Weighted{q.Count(), w}, q.Units()); err == nil && p.measures[0].law.Scale.Sign() <= 0 {
			t.Errorf("a weight of %v gives no noise", w)
		}
	}
}
