package aggregate

import (
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/calibrate"
	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/filter"
)

// C2, C3, C4, C5: a group that one unit is alone in is released with a probability
// that, times the number of groups that a unit can be alone in, is at most δ. The
// tails are summed up from the law of the integers that are drawn, in big.Float.
func TestNobodyAloneIsReleased(t *testing.T) {
	worst := map[core.Family]float64{}
	for _, epsilon := range []float64{1e-3, 0.1, 1, 5, 50} {
		for _, delta := range []float64{0.5, 1e-3, 1e-6, 1e-10, 1e-15, 1e-50, 1e-299} {
			for _, l0 := range []int64{1, 2, 10, 1000, 1e9} {
				for _, family := range []core.Family{core.Laplace, core.Gaussian} {
					q := question{wants: []want{{formUnits, nil}}, l0: l0, rows: 1, selects: true, loss: dp.Approx{Epsilon: epsilon, Delta: delta}}
					c, err := q.family(family)
					each := exact.Decimal(delta)
					if family == core.Gaussian {
						each.Quo(each, big.NewRat(2, 1))
					}
					each.Quo(each, big.NewRat(l0, 1))
					name := fmt.Sprintf("ε=%v δ=%v L0=%d %v", epsilon, delta, l0, family)
					if each.Cmp(exact.Float(calibrate.LeastTail)) < 0 || exact.FloatDown(each) < calibrate.LeastTail {
						if err == nil {
							t.Errorf("%s: no error", name)
						}
						continue
					}
					if err != nil {
						t.Errorf("%s: %v", name, err)
						continue
					}
					th := c.threshold
					if family == core.Gaussian && th.law.Scale.Cmp(big.NewRat(20_000, 1)) > 0 {
						continue // the same formula at another scale, and too many terms to sum up
					}
					alone := th.at - 1<<th.shift // a draw of so much releases one unit
					tail, limit := tailSum(th.law, alone), new(big.Float).SetRat(each)
					if tail.Cmp(limit) > 0 {
						t.Errorf("%s: one unit is released with probability %.6g, must be at most %.6g", name, tail, limit)
					}
					ratio, _ := new(big.Float).Quo(tail, limit).Float64()
					worst[family] = max(worst[family], ratio)
					// A threshold that is lower by a quarter of the scale would be too low.
					if lower := alone - max(1, int64(exact.FloatUp(th.law.Scale)/4)); lower > 0 && tailSum(th.law, lower).Cmp(limit) <= 0 {
						t.Errorf("%s: the threshold is a quarter of the scale too high", name)
					}
				}
			}
		}
	}
	t.Logf("largest share of δ that is used: %v", worst)
}

func (q question) family(f core.Family) (*calibration, error) {
	if f == core.Laplace {
		return q.approxLaplace()
	}
	return q.approxGaussian()
}

// tailSum returns P(X ≥ t): q^t/(1+q) for Laplace, and for Gaussian noise the sum
// of the weights over σ√(2π), which is less than the sum of all weights. The first weight is
// as small as δ is; the others are told in units of it, and the error of these is allowed for.
func tailSum(l *core.Law, t int64) *big.Float {
	const prec = 200
	scale := new(big.Float).SetPrec(prec).SetRat(l.Scale)
	one := new(big.Float).SetPrec(prec).SetInt64(1)
	if l.Family == core.Laplace {
		rate := new(big.Float).Quo(one, scale)
		q := bigExpNeg(rate)
		at := bigExpNeg(new(big.Float).Mul(rate, new(big.Float).SetPrec(prec).SetInt64(t)))
		return at.Quo(at, new(big.Float).Add(one, q))
	}
	v2 := new(big.Float).Mul(scale, scale)
	v2.Add(v2, v2)
	x := new(big.Float).SetPrec(prec).SetInt64(t)
	first := bigExpNeg(new(big.Float).Quo(new(big.Float).Mul(x, x), v2))
	wide, _ := v2.Float64()
	sum, weight := 0.0, 1.0 // of weights in units of the first
	for n := 0.0; weight > 0x1p-60; n++ {
		weight = math.Exp(-n * (2*float64(t) + n) / wide)
		sum += weight
	}
	tail := first.Mul(first, new(big.Float).SetFloat64(sum*(1+tailError)))
	pi, _ := new(big.Float).SetPrec(prec).SetString("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534211706798")
	return tail.Quo(tail, new(big.Float).Sqrt(pi.Mul(pi, v2)))
}

// tailError is more than the relative error of a sum of 2^19 positive floats, each of which is
// right to 2^-45, and of the terms that are left out.
const tailError = 1e-10

// bigExpNeg returns e^-x for x ≥ 0.
func bigExpNeg(x *big.Float) *big.Float {
	const prec = 300
	k := max(x.MantExp(nil)+20, 0)
	r := new(big.Float).SetPrec(prec).SetMantExp(x, -k)
	sum, term := new(big.Float).SetPrec(prec).SetInt64(1), new(big.Float).SetPrec(prec).SetInt64(1)
	for n := int64(1); term.Sign() != 0 && term.MantExp(nil) > -prec; n++ {
		term.Mul(term, r)
		term.Quo(term, new(big.Float).SetInt64(n))
		sum.Add(sum, term)
	}
	for range k {
		sum.Mul(sum, sum)
	}
	return sum.Quo(new(big.Float).SetInt64(1), sum)
}

// C4: a delta that underflows when it is shared out is a mistake that Plan
// reports, and not a threshold of minus infinity.
// Under a ρ with a δ, all of δ is for the threshold, and all of ρ for noise; the account of
// such a limit takes the plan, and one with less of either does not.
func TestARhoWithADeltaSelectsGroups(t *testing.T) {
	for _, loss := range []dp.Concentrated{{Rho: 0.5, Delta: 1e-6}, {Rho: 0.01, Delta: 1e-3}} {
		for _, l0 := range []int64{1, 10} {
			q := question{wants: []want{{formUnits, nil}}, l0: l0, rows: 1, selects: true, loss: loss}
			c, err := q.calibrate()
			if err != nil {
				t.Fatal(err)
			}
			th := c.threshold
			each := exact.Decimal(loss.Delta)
			each.Quo(each, big.NewRat(l0, 1))
			tail := tailSum(th.law, th.at-1<<th.shift)
			if th.law.Family != core.Gaussian || th.delta.Cmp(exact.Decimal(loss.Delta)) != 0 || tail.Cmp(new(big.Float).SetRat(each)) > 0 {
				t.Errorf("%v, %d groups: one unit is released with %.6g in each, δ of the threshold is %v", loss, l0, tail, th.delta)
			}
			e := c.units().event
			ratio := float64(e.Sensitivity.LInf) * math.Sqrt(float64(e.Sensitivity.L0)) / exact.FloatDown(e.Scale)
			if rho := ratio * ratio / 2; rho > loss.Rho*(1+1e-12) || rho < loss.Rho*(1-1e-5) {
				t.Errorf("%v: noise has ρ=%v", loss, rho)
			}
			for less, refused := range map[dp.Loss]bool{
				loss: false, dp.Concentrated{Rho: loss.Rho * 0.999, Delta: loss.Delta}: true, dp.Concentrated{Rho: loss.Rho, Delta: loss.Delta * 0.999}: true, dp.Concentrated{Rho: loss.Rho}: true,
			} {
				charge := dp.Charge{Loss: less, Events: []dp.Event{e, th.event()}}
				if covered := filter.NewSetup(filter.ZCDP, 0, nil).FreshPrice(&charge).Covered; covered == refused {
					t.Errorf("%v declared for a plan of %v: covered is %v", less, loss, covered)
				}
			}
		}
	}
}

func TestTinyDeltaIsRefused(t *testing.T) {
	q := &Query[int, int, int]{Dataset: "d", UnitName: "u", Unit: func(i int) int { return i }, Group: func(i int) int { return i }, MaxGroups: 1e9, MaxRowsPerGroup: 1}
	for _, delta := range []float64{math.SmallestNonzeroFloat64, 1e-320, 1e-300, 1e-292} {
		if p, err := q.Plan(dp.Approx{Epsilon: 1, Delta: delta}, q.Count()); err == nil {
			t.Errorf("δ=%v: no error, and threshold %v", delta, p.threshold.at)
		} else if !strings.Contains(err.Error(), "delta for each of 1000000000 groups") {
			t.Errorf("δ=%v: %v", delta, err)
		}
	}
	p, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-290}, q.Count())
	if err != nil {
		t.Fatal(err)
	}
	if units, _ := p.Threshold(); units < 600 {
		t.Errorf("δ=1e-290: threshold %v", units)
	}
}

// Where p = ½(1-d) with a tiny d, P(X ≥ t) = q^t/(1+q) ≤ p says t-½ ≥ s·y with
// y = -ln(1-d) up to 1/8s, and nothing cancels.
func TestAThresholdIsSafeWhereTheTailIsNearOneHalf(t *testing.T) {
	for bits := 20; bits <= 40; bits++ {
		law, err := core.NewLaw(core.Laplace, new(big.Rat).SetInt64(1<<bits))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 2000 {
			scale := math.Ldexp(1, bits)
			d := math.Ldexp(float64(2*i+1), -52) * scale * math.Ldexp(1, -30)
			d = 1 - 2*((1-d)/2)
			if d > 1e-3 {
				break
			}
			least := 0.5 - scale*math.Log1p(-d) - 1/(8*scale)
			if got := float64(calibrate.Tail(law, (1-d)/2)); got < least || got > max(1, least*(1+2e-9))+1+2e-15*scale {
				t.Errorf("scale 2^%d, p = ½(1-%v): the threshold is %v, want at least %v", bits, d, got, least)
			}
		}
	}
}
