package normal_test

import (
	"encoding/json"
	"math"
	"math/big"
	"os"
	"testing"

	"github.com/equipoise-dp/equipoise/internal/normal"
)

// number is a decimal of 30 digits.
type number struct{ *big.Float }

func (n *number) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	f, _, err := big.ParseFloat(text, 10, 200, big.ToNearestEven)
	n.Float = f
	return err
}

// off returns (got-want)/|want|.
func (n number) off(got float64) float64 {
	d := new(big.Float).SetPrec(200).SetFloat64(got)
	d.Sub(d, n.Float)
	if n.Sign() != 0 {
		d.Quo(d, new(big.Float).Abs(n.Float))
	}
	off, _ := d.Float64()
	return off
}

func vectors(t *testing.T) (v struct {
	Tail []struct {
		X                                float64
		Density, Tail, Log, Mills, Slope number
	}
	Far []struct {
		X   float64
		Log number
	}
	Beyond []struct {
		LogP float64
		Z    number
	}
	Within []struct {
		P float64
		Z number
	}
}) {
	t.Helper()
	b, err := os.ReadFile("testdata/vectors.json")
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil || len(v.Tail) < 50 || len(v.Far) < 9 || len(v.Beyond) < 20 || len(v.Within) < 15 {
		t.Fatalf("testdata/vectors.json: %v, or too few of them", err)
	}
	return v
}

func TestTailsAreRightToTheErrorThatTheyState(t *testing.T) {
	for _, v := range vectors(t).Tail {
		check := func(name string, got float64, want number, bound float64) {
			if off := math.Abs(want.off(got)); !(off <= bound) {
				t.Errorf("%s(%v) is %v, want %.17g: off by %.2g, more than %g", name, v.X, got, want, off, bound)
			}
		}
		check("Density", normal.Density(v.X), v.Density, 1e-13)
		check("Mills", normal.Mills(v.X), v.Mills, 1e-13)
		check("MillsSlope", normal.MillsSlope(v.X), v.Slope, 1e-12)
		check("Tail", normal.Tail(v.X), v.Tail, 1e-13)
		check("LogTail", normal.LogTail(v.X), v.Log, 1e-13)
	}
	for _, v := range vectors(t).Far {
		if off := math.Abs(v.Log.off(normal.LogTail(v.X))); !(off <= 1e-13) {
			t.Errorf("LogTail(%v) is %v, want %v", v.X, normal.LogTail(v.X), v.Log)
		}
		if one := normal.MillsSlope(v.X) * v.X * v.X; v.X >= 1e7 && !(math.Abs(one-1) <= 1e-12) {
			t.Errorf("MillsSlope(%v) is %v, want 1/x²", v.X, normal.MillsSlope(v.X))
		}
		if d, q := normal.Density(v.X), normal.Tail(v.X); v.X >= 38.8 && (d != 0 || q != 0) || d > 1e-313 || q > 1e-315 {
			t.Errorf("at %v the density is %v and the tail %v, want nothing", v.X, d, q)
		}
	}
}

func TestBeyondIsOnTheSafeSideAndNear(t *testing.T) {
	for _, v := range vectors(t).Beyond {
		got := normal.Beyond(v.LogP)
		over := new(big.Float).SetPrec(200).SetFloat64(got)
		over.Sub(over, v.Z.Float)
		if most := 2e-12*math.Abs(got) + 2e-15; over.Sign() < 0 || over.Cmp(big.NewFloat(most)) > 0 {
			t.Errorf("Beyond(%v) is %v, want at least %.20g and at most %g more", v.LogP, got, v.Z, most)
		}
	}
	for _, c := range [][2]float64{{0, math.Inf(-1)}, {math.Inf(-1), math.Inf(1)}, {1, math.Inf(1)}, {0.5, math.Inf(1)}, {math.NaN(), math.Inf(1)}, {-5e-324, -38}} {
		if got := normal.Beyond(c[0]); !(got == c[1] || c[1] == -38 && got < -37 && got > -40) {
			t.Errorf("Beyond(%v) is %v, want %v", c[0], got, c[1])
		}
	}
}

func TestWithinIsRightToTheErrorThatItStates(t *testing.T) {
	for _, v := range vectors(t).Within {
		if off := math.Abs(v.Z.off(normal.Within(v.P))); !(off <= 1e-12) {
			t.Errorf("Within(%v) is %v, want %v: off by %.2g", v.P, normal.Within(v.P), v.Z, off)
		}
	}
	for _, c := range [][2]float64{{0, 0}, {-1, 0}, {1, math.Inf(1)}, {2, math.Inf(1)}, {math.NaN(), math.Inf(1)}} {
		if got := normal.Within(c[0]); got != c[1] {
			t.Errorf("Within(%v) is %v, want %v", c[0], got, c[1])
		}
	}
}

// Every inverse undoes its function, over the whole range and in steps finer
// than the vectors have.
func TestTheTailOfBeyondIsAtMostTheProbability(t *testing.T) {
	for logP := -0.001; logP > -1e15; logP *= 1.01 {
		z := normal.Beyond(logP)
		if tail := normal.LogTail(z); tail > logP {
			t.Fatalf("ln P(Z > %v) is %v, more than %v", z, tail, logP)
		}
		if nearer := normal.LogTail(z - 4e-12*math.Abs(z) - 4e-15); nearer < logP {
			t.Fatalf("Beyond(%v) is %v, and a nearer one would do", logP, z)
		}
	}
}
