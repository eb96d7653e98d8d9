package dp_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// randomLosses are of every kind and size that a float64 has.
func randomLosses(n int) []dp.Loss {
	r := rand.New(rand.NewPCG(1, 2))
	size := func(lo, hi float64) float64 { return math.Pow(10, lo+(hi-lo)*r.Float64()) }
	losses := []dp.Loss{dp.Pure{Epsilon: 0.1}, dp.Approx{Epsilon: 1e21, Delta: math.SmallestNonzeroFloat64}, dp.Concentrated{Rho: math.MaxFloat64}}
	for range n {
		losses = append(losses, dp.Pure{Epsilon: size(-300, 300)}, dp.Approx{Epsilon: size(-3, 3), Delta: size(-300, 0)}, dp.Concentrated{Rho: size(-20, 25)})
	}
	return losses
}

func TestLossesAreReadBackFromTextAndJSON(t *testing.T) {
	for _, l := range randomLosses(300) {
		if back, err := dp.ParseLoss(l.String()); err != nil || back != l {
			t.Errorf("%v is parsed as %v, %v", l, back, err)
		}
		b, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := dp.UnmarshalLoss(b); err != nil || back != l {
			t.Errorf("%s is read as %v, %v", b, back, err)
		}
		if dp.PartsOf(l).Loss() != l {
			t.Errorf("%v has the parts %+v", l, dp.PartsOf(l))
		}
	}
}

// These bytes are in the ledgers and releases of version d90b317, under hashes.
func TestTheBytesOfLossesNeverChange(t *testing.T) {
	for want, l := range map[string]dp.Loss{
		`{"epsilon":"0.1"}`:                 dp.Pure{Epsilon: 0.1},
		`{"delta":"1e-06","epsilon":"1"}`:   dp.Approx{Epsilon: 1, Delta: 1e-6},
		`{"delta":"5e-324","epsilon":"10"}`: dp.Approx{Epsilon: 10, Delta: 5e-324},
		`{"rho":"1e+21"}`:                   dp.Concentrated{Rho: 1e21},
		`{"epsilon":"1e+08"}`:               dp.Pure{Epsilon: 1e8},
	} {
		if got, err := json.Marshal(l); err != nil || string(got) != want {
			t.Errorf("%v is written as %s, %v; want %s", l, got, err, want)
		}
	}
}

func TestEveryOldFormOfALossIsRead(t *testing.T) {
	pure, approx, rho := dp.Pure{Epsilon: 3}, dp.Approx{Epsilon: 0.5, Delta: 1e-7}, dp.Concentrated{Rho: 0.25}
	for text, want := range map[string]dp.Loss{
		`{"Epsilon":3}`:                     pure,
		`{"epsilon":3}`:                     pure,
		`{"epsilon":"3"}`:                   pure,
		`{"epsilon":"3.0"}`:                 pure,
		`"ε=3"`:                             pure,
		`"epsilon=3"`:                       pure,
		`{"Epsilon":0.5,"Delta":1e-7}`:      approx,
		`{"epsilon":"0.5","delta":"1e-07"}`: approx,
		`{"delta":1e-07,"epsilon":"0.5"}`:   approx,
		`"ε=0.5 δ=1e-07"`:                   approx,
		`"epsilon=0.5, delta=0.0000001"`:    approx,
		`{"Rho":0.25}`:                      rho,
		` {"rho" : "0.25"} `:                rho,
		`"ρ=0.25"`:                          rho,
	} {
		if got, err := dp.UnmarshalLoss([]byte(text)); err != nil || got != want {
			t.Errorf("%s is read as %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestTextThatIsNoLossIsRefused(t *testing.T) {
	for _, text := range []string{
		"", " ", "1", "nothing", "epsilon", "epsilon=", "epsilon=0", "epsilon=-1", "epsilon=NaN", "epsilon=Inf", "epsilon=0x1p-3", "epsilon=1_0",
		"epsilon=1,epsilon=1", "epsilon=1,ε=1", "rho=1,delta=1", "rho=1,epsilon=1", "delta=1e-6", "sigma=1", "epsilon=1,sigma=2", "epsilon=1 delta=0",
		"epsilon=1,delta=1", "epsilon=0.10000000000000000001", "epsilon=1e-999999999", "epsilon=1e999999999", "epsilon=1e309", "epsilon=1/3", "Epsilon=1",
	} {
		if l, err := dp.ParseLoss(text); err == nil || l != nil {
			t.Errorf("%q is read as %v, %v", text, l, err)
		}
	}
	for _, text := range []string{
		``, `null`, `{}`, `[]`, `1`, `""`, `"nothing"`, `{"epsilon":null}`, `{"epsilon":"1","delta":null}`, `{"epsilon":""}`, `{"epsilon":[1]}`, `{"epsilon":"1","Epsilon":1}`,
		`{"epsilon":"1","delta":"0"}`, `{"epsilon":"1","why":"x"}`, `{"EPSILON":1}`, `{"epsilon":0.1000000000000000055511151231257827}`, `{"epsilon":true}`,
	} {
		if l, err := dp.UnmarshalLoss([]byte(text)); err == nil || l != nil {
			t.Errorf("%s is read as %v, %v", text, l, err)
		}
	}
}

func TestEveryMistakeOfATextIsNamed(t *testing.T) {
	_, err := dp.ParseLoss("epsilon=x sigma=2")
	for _, part := range []string{`epsilon is "x"`, `"sigma" is not epsilon, delta or rho`, "epsilon=1,delta=1e-6"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("the error %v does not say %s", err, part)
		}
	}
}

func TestALossIsReadIntoAFieldOfItsKindOnly(t *testing.T) {
	var terms struct {
		P dp.Pure
		A *dp.Approx
		C dp.Concentrated
	}
	text := `{"P":{"epsilon":"0.1"},"A":{"delta":"1e-06","epsilon":"1"},"C":{"rho":"2"}}`
	if err := json.Unmarshal([]byte(text), &terms); err != nil {
		t.Fatal(err)
	}
	if again, err := json.Marshal(terms); err != nil || string(again) != text {
		t.Errorf("%s became %s, %v", text, again, err)
	}
	if err := json.Unmarshal([]byte(`{"P":{"rho":"1"}}`), &terms); err == nil {
		t.Error("a ρ was read into a dp.Pure")
	}
}

func TestNothingHasWordsToo(t *testing.T) {
	if got := dp.FormatLoss(nil); got != "nothing" {
		t.Errorf("nothing is %q", got)
	}
	if got := dp.FormatLoss(dp.Pure{Epsilon: 2}); got != "ε=2" {
		t.Errorf("ε=2 is %q", got)
	}
	if p := dp.PartsOf(nil); p != (dp.Parts{}) || p.Loss() != nil {
		t.Errorf("nothing has the parts %+v", p)
	}
}

func TestPartsThatAreNoLossAreNothing(t *testing.T) {
	for _, p := range []dp.Parts{{Epsilon: 1, Rho: 1}, {Epsilon: 1, Delta: 0.1, Rho: 1}} {
		if l := p.Loss(); l != nil {
			t.Errorf("%+v is %v", p, l)
		}
	}
	if l := (dp.Parts{Delta: 1e-6}).Loss(); l != (dp.Approx{Delta: 1e-6}) || l.Check() == nil {
		t.Errorf("an amount with a δ and no ε is %v", l)
	}
}

func TestPartsAreExactDecimals(t *testing.T) {
	e, d, r := dp.Parts{Epsilon: 0.1, Delta: 1e-6}.Exact()
	if e.Cmp(big.NewRat(1, 10)) != 0 || d.Cmp(big.NewRat(1, 1000000)) != 0 || r.Sign() != 0 {
		t.Errorf("the parts are %v, %v, %v", e, d, r)
	}
}

// The hockey-stick divergence of the Gaussian mechanism with ρ is known in closed
// form (Balle, Wang 2018, Theorem 8): the δ of the implied ε is not below it.
func TestAnImpliedApproxHoldsForTheGaussianMechanism(t *testing.T) {
	phi := func(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }
	for _, rho := range []float64{0.001, 0.1, 0.5, 2, 10} {
		for _, delta := range []float64{0.3, 1e-3, 1e-6, 1e-9} {
			a := dp.Concentrated{Rho: rho}.Approx(delta)
			mu := math.Sqrt(2 * rho)
			truth := phi(mu/2-a.Epsilon/mu) - math.Exp(a.Epsilon)*phi(-mu/2-a.Epsilon/mu)
			if a.Delta != delta || a.Epsilon > 0 && truth > delta {
				t.Errorf("ρ=%v is said to imply %v; its δ is %v", rho, a, truth)
			}
			if bound := rho + 2*math.Sqrt(rho*math.Log(1/delta)); a.Epsilon > bound {
				t.Errorf("ρ=%v: ε=%v is more than %v of Bun, Steinke 2016, Proposition 1.3", rho, a.Epsilon, bound)
			}
		}
	}
}

func ExampleParseLoss() {
	loss, err := dp.ParseLoss("epsilon=0.5, delta=1e-6")
	fmt.Println(loss, err)
	_, err = dp.ParseLoss("epsilon=0.5, sigma=2")
	fmt.Println(err)
	// Output:
	// ε=0.5 δ=1e-06 <nil>
	// dp: "epsilon=0.5, sigma=2" is not a loss, it is written epsilon=1, epsilon=1,delta=1e-6, rho=0.5 or rho=0.5,delta=1e-6: "sigma" is not epsilon, delta or rho
}

func ExampleConcentrated_Approx() {
	fmt.Printf("%.3f\n", dp.Concentrated{Rho: 0.1}.Approx(1e-6).Epsilon)
	fmt.Printf("%.3f\n", dp.Concentrated{Rho: 0.1, Delta: 5e-7}.Approx(1.5e-6).Epsilon)
	fmt.Printf("%.3f\n", dp.Concentrated{Rho: 0.1, Delta: 1e-6}.Approx(1e-6).Epsilon)
	// Output:
	// 2.142
	// 2.142
	// +Inf
}

// A ρ with a δ is a loss of its own: it is written, read, split and judged with both.
func TestARhoMayHaveADelta(t *testing.T) {
	l := dp.Concentrated{Rho: 0.5, Delta: 1e-6}
	if p := dp.PartsOf(l); p != (dp.Parts{Rho: 0.5, Delta: 1e-6}) || p.Loss() != dp.Loss(l) {
		t.Errorf("%v has the parts %+v, of which is made %v", l, p, p.Loss())
	}
	for _, text := range []string{l.String(), "rho=0.5,delta=1e-6"} {
		if got, err := dp.ParseLoss(text); got != dp.Loss(l) || err != nil {
			t.Errorf("%q is read as %v, %v", text, got, err)
		}
	}
	b, err := json.Marshal(l)
	if got, errRead := dp.UnmarshalLoss(b); string(b) != `{"delta":"1e-06","rho":"0.5"}` || err != nil || got != dp.Loss(l) || errRead != nil {
		t.Errorf("%v is written as %s, %v, and read as %v, %v", l, b, err, got, errRead)
	}
	for text, want := range map[string]string{
		"rho=0.5,delta=0": "delta beside rho is 0; leave it out", "rho=0.5,delta=1": "delta beside rho is 1, must be in [0, 1)",
		"rho=0.5,delta=-1e-9": "must be in [0, 1)", "epsilon=1,rho=0.5,delta=1e-6": "and nothing else", "delta=1e-6": "and nothing else",
	} {
		if got, err := dp.ParseLoss(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is read as %v, %v; want %q", text, got, err, want)
		}
	}
	for _, bad := range []float64{math.NaN(), -1, 1, math.Inf(1)} {
		if err := (dp.Concentrated{Rho: 1, Delta: bad}).Check(); err == nil {
			t.Errorf("a δ of %v beside ρ is let through", bad)
		}
	}
	if !math.IsInf((dp.Concentrated{Rho: 1, Delta: math.NaN()}).Approx(0.5).Epsilon, 1) {
		t.Error("a ρ with a δ that is no number has an ε")
	}
	if got := dp.Split(l, 4); got != dp.Loss(dp.Concentrated{Rho: 0.125, Delta: 2.5e-7}) {
		t.Errorf("a quarter of %v is %v", l, got)
	}
	for want, l := range map[dp.Protection]dp.Concentrated{dp.Hidden: {Rho: 1e-3, Delta: 1e-6}, dp.Hardly: {Rho: 1e-3, Delta: 1e-4}, dp.Nobody: {Rho: 1e-3, Delta: 0.01}} {
		if got := dp.ProtectionOf(l); got != want {
			t.Errorf("%v protects as %v, want %v", l, got, want)
		}
	}
}
