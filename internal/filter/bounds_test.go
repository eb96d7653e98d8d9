package filter

import (
	"encoding/json"
	"math"
	"math/big"
	"os"
	"testing"
)

// From ε = 21.5 on, an inverse that starts from 1-x has lost the tail.
func TestTheMuOfPurePrivacyIsAnUpperBoundAndNear(t *testing.T) {
	var vectors []struct {
		Epsilon float64
		Mu      string
	}
	b, err := os.ReadFile("testdata/pure_mu.json")
	if err == nil {
		err = json.Unmarshal(b, &vectors)
	}
	if err != nil || len(vectors) < 30 {
		t.Fatalf("%d vectors, %v", len(vectors), err)
	}
	for _, v := range vectors {
		want, _, err := big.ParseFloat(v.Mu, 10, 200, big.ToNearestEven)
		if err != nil {
			t.Fatal(err)
		}
		got := pureMu(v.Epsilon)
		over := new(big.Float).SetPrec(200).SetFloat64(got)
		over.Quo(over.Sub(over, want), want)
		if off, _ := over.Float64(); !(off >= 0 && off <= 1e-10) {
			t.Errorf("the μ of ε = %v is %v, want %s or a little more: off by %.2g", v.Epsilon, got, v.Mu, off)
		}
	}
	last := 0.0
	for e := 1e-12; e < 1e7; e *= 1.003 {
		if mu := pureMu(e); !(mu > last) || math.IsInf(mu, 1) {
			t.Fatalf("the μ of ε = %v is %v, and of a smaller ε it is %v", e, mu, last)
		} else {
			last = mu
		}
	}
}
