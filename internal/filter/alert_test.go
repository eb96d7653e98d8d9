package filter

import (
	"math"
	"math/big"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/pld"
)

// All answers of an AboveThreshold are one use, whatever its Count; two of them are two. It
// costs ε, and in ρ what its bounded range costs, or ε²/2 where that is less.
func TestAlertsArePricedAsOneUse(t *testing.T) {
	orders := []float64{1.5, 2, 6, 16, 64}
	for _, c := range []struct{ alerts, width, scale, epsilon int64 }{{1, 1, 20, 1}, {3, 5, 40, 2}, {1, 1, 2, 1}, {1, 1, 100, 1}} {
		e := dp.Event{
			Mechanism: dp.AboveThreshold, Sensitivity: dp.Sensitivity{L0: c.alerts, LInf: c.width},
			Scale: big.NewRat(c.scale, 1), Epsilon: big.NewRat(c.epsilon, 1), Count: 1,
		}
		price := func(events ...dp.Event) Part {
			return priceOf(&dp.Charge{Loss: dp.Pure{Epsilon: 9}, Events: events}, orders).events
		}
		once := price(e)
		often := e
		often.Count = 3650
		if many := price(often); !same(many.pure, once.pure) || !same(many.rho, once.rho) || many.mu2 != once.mu2 || many.renyi[2] != once.renyi[2] {
			t.Errorf("%+v: 3,650 answers cost %+v, and one %+v", c, many, once)
		}
		epsilon := float64(c.epsilon)
		ranged := epsilon + float64(c.alerts*c.width)/float64(c.scale)
		rho, _ := once.rho.Float64()
		if want := min(epsilon*epsilon/2, ranged*ranged/8); math.Abs(rho-want) > 1e-12 || once.pure.Cmp(e.Epsilon) != 0 || once.delta.Sign() != 0 {
			t.Errorf("%+v: ε is %v and ρ %v, must be %v and %v", c, once.pure, rho, epsilon, want)
		}
		for i, a := range orders {
			if r := once.renyi[i]; r > epsilon || r > a*ranged*ranged/8*(1+1e-6) || r <= 0 {
				t.Errorf("%+v: the divergence of order %v is %v", c, a, r)
			}
		}
		if two := price(e, e); two.pure.Cmp(new(big.Rat).Add(e.Epsilon, e.Epsilon)) != 0 {
			t.Errorf("%+v: two of them cost %v", c, two.pure)
		}
		var one, more, twice pld.Composition
		Compose(&one, &dp.Charge{Events: []dp.Event{e}})
		Compose(&more, &dp.Charge{Events: []dp.Event{often}})
		Compose(&twice, &dp.Charge{Events: []dp.Event{e, e}})
		if d := one.Delta(epsilon / 4); d != more.Delta(epsilon/4) || !(twice.Delta(epsilon/4) > d) || !(d > 0) || one.Delta(epsilon*1.001) > 1e-12 {
			t.Errorf("%+v: δ at ε/4 is %v, %v and %v", c, d, more.Delta(epsilon/4), twice.Delta(epsilon/4))
		}
	}
}
