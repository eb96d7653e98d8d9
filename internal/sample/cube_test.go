package sample

import (
	"math"
	"math/big"
	"testing"
)

// The law of a radius and of a vector, summed up: small vectors have the probabilities
// that exp(-max/scale) gives them. Each of the 1,000 and some frequencies is off by 6.5
// standard deviations with a probability of 1e-10 at most; a scale that is a tenth off,
// or a cube of one number more, is seen.
func TestCubesHaveTheirLaw(t *testing.T) {
	seed(t, 31)
	for _, c := range []struct {
		n     int
		scale string
	}{{1, "1"}, {1, "3"}, {2, "1/3"}, {2, "2"}, {3, "1"}, {3, "5/2"}} {
		const draws = 60_000
		l, err := NewCube(c.n, rat(c.scale))
		if err != nil {
			t.Fatal(err)
		}
		s := NewSource()
		dst := make([]int64, draws*c.n)
		l.Fill(s, dst)
		s.Wipe()
		seen, shells := map[[3]int64]int{}, map[int64]int{}
		for ; len(dst) > 0; dst = dst[c.n:] {
			var z [3]int64
			copy(z[:], dst[:c.n])
			seen[z]++
			shells[max(z[0], -z[0], z[1], -z[1], z[2], -z[2])]++
		}
		worst := func(n int, scale float64) float64 {
			all := 0.0
			for g := 0.0; g < 60*scale+60; g++ {
				all += (math.Pow(2*g+1, float64(n)) - math.Pow(max(2*g-1, 0), float64(n))) * math.Exp(-g/scale)
			}
			off := 0.0
			stray := func(count int, p float64) {
				off = max(off, math.Abs(float64(count)-draws*p)/math.Sqrt(draws*p*(1-p)+1))
			}
			for g := int64(0); g <= 8; g++ {
				shell := math.Pow(float64(2*g+1), float64(n)) - math.Pow(max(float64(2*g-1), 0), float64(n))
				stray(shells[g], shell*math.Exp(-float64(g)/scale)/all)
			}
			for x := int64(-4); x <= 4; x++ {
				for y := int64(-4); y <= 4; y++ {
					for z := int64(-4); z <= 4; z++ {
						v := [3]int64{x, y, z}
						if c.n < 3 && z != 0 || c.n < 2 && y != 0 {
							continue
						}
						stray(seen[v], math.Exp(-float64(max(x, -x, y, -y, z, -z))/scale)/all)
					}
				}
			}
			return off
		}
		scale, _ := rat(c.scale).Float64()
		if got := worst(c.n, scale); got > 6.5 {
			t.Errorf("%d numbers at scale %s: a frequency is off by %.1f standard deviations", c.n, c.scale, got)
		}
		if scale >= 1 && (worst(c.n, scale*1.1) <= 6.5 || worst(c.n+1, scale) <= 6.5) {
			t.Errorf("%d numbers at scale %s: another law is not told apart", c.n, c.scale)
		}
	}
}

// At the scales that plans use: the mean of a radius and of squares, within 7 standard
// deviations (a probability below 1e-11 each).
func TestWideCubesHaveTheirMoments(t *testing.T) {
	seed(t, 32)
	for _, n := range []int{2, 11, 100} {
		const draws, scale = 4000, 1 << 36
		l, err := NewCube(n, big.NewRat(scale, 1))
		if err != nil {
			t.Fatal(err)
		}
		s := NewSource()
		dst := make([]int64, draws*n)
		l.Fill(s, dst)
		s.Wipe()
		largest, squares := 0.0, 0.0
		for ; len(dst) > 0; dst = dst[n:] {
			most := 0.0
			for _, z := range dst[:n] {
				most = max(most, math.Abs(float64(z))/scale)
			}
			largest += most / draws
			squares += math.Pow(float64(dst[0])/scale, 2) / draws
		}
		// max|z| is the radius, Gamma(n+1), times the largest of n uniforms: Gamma(n).
		if off := math.Abs(largest-float64(n)) / math.Sqrt(float64(n)/draws); off > 7 {
			t.Errorf("%d numbers: the mean of the largest is %v, %.1f standard deviations off", n, largest, off)
		}
		want := float64(n+1) * float64(n+2) / 3
		fourth := float64(n+1) * float64(n+2) * float64(n+3) * float64(n+4) / 5
		if off := math.Abs(squares-want) / math.Sqrt((fourth-want*want)/draws); off > 7 {
			t.Errorf("%d numbers: the mean square is %v, want %v: %.1f standard deviations off", n, squares, want, off)
		}
	}
	for _, bad := range []struct {
		n     int
		scale *big.Rat
	}{{0, big.NewRat(1, 1)}, {2, big.NewRat(1, 1<<11)}, {2, nil}} {
		if _, err := NewCube(bad.n, bad.scale); err == nil {
			t.Errorf("%+v is a cube", bad)
		}
	}
}
