package dp

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// A4: noise on a coarse grid is added to numbers on that grid.
func TestCoarseNoiseHidesTheLowBits(t *testing.T) {
	n, err := Calibrate(Pure{1e-6}, Sensitivity{1, 1 << 40})
	if err != nil || n.coarse == 0 {
		t.Fatalf("%v, coarse %d", err, n.coarse)
	}
	for _, x := range []int64{0, 1, 12345, -7} {
		if y := n.Add(x).Value; y&(1<<n.coarse-1) != 0 && y != 1<<63-1 {
			t.Fatalf("%d is released as %d, not a multiple of 2^%d", x, y, n.coarse)
		}
	}
}

// x becomes the nearest multiple of 2^k, halves up, plus the draw in such multiples,
// and ends at the ends of int64: compared with integers that do not end.
func TestCoarseSumsAreThoseOfLargeIntegers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	numbers := []int64{0, 1, -1, math.MaxInt64, math.MinInt64, 1 << 62, -1 << 62}
	for range 200 {
		numbers = append(numbers, r.Int64()>>r.IntN(63), -r.Int64()>>r.IntN(63))
	}
	for _, coarse := range []uint{0, 1, 2, 7, 20, 40, 61, 62} {
		n := Noise{&noise{coarse: coarse}}
		step := new(big.Int).Lsh(big.NewInt(1), coarse)
		for _, x := range numbers {
			for _, draw := range []int64{0, 1, -3, 1 << 40, -1 << 50, math.MaxInt64 >> 1} {
				want := new(big.Int).Add(big.NewInt(x), new(big.Int).Rsh(step, 1))
				if coarse == 0 {
					want.SetInt64(x)
				}
				want.Add(want.Div(want, step), big.NewInt(draw)).Mul(want, step)
				if got := n.add(x, draw); got != clamped(want) {
					t.Fatalf("2^%d: %d and a draw of %d are %d, want %v", coarse, x, draw, got, want)
				}
			}
		}
	}
}

func clamped(x *big.Int) int64 {
	switch {
	case x.IsInt64():
		return x.Int64()
	case x.Sign() < 0:
		return math.MinInt64
	}
	return math.MaxInt64
}

// A δ above one half is taken for one half: no law is searched for that hides a unit
// half of the time and shows it the other half.
func TestALargeDeltaIsTakenForOneHalf(t *testing.T) {
	for _, s := range []Sensitivity{{1, 1}, {1, 5}, {4, 2}, {40, 1}} {
		for _, epsilon := range []float64{0.01, 0.3, 1} {
			half, err1 := Calibrate(Approx{epsilon, 0.5}, s)
			large, err2 := Calibrate(Approx{epsilon, 0.95}, s)
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			if half.law.Family != large.law.Family || half.law.Scale.Cmp(large.law.Scale) != 0 {
				t.Errorf("ε=%v %+v: δ=0.95 has %v, δ=0.5 has %v", epsilon, s, large, half)
			}
		}
	}
}
