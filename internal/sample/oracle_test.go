package sample

import (
	"math/big"
	"testing"
)

// The oracle: the samplers of Canonne, Kamath and Steinke (2020), algorithms 1
// to 3, on rationals. They share nothing with the package but the source.
// They are exact, but their time tells the magnitude of the noise.

// oracleBelow is uniform in [0, n).
func oracleBelow(s *Source, n *big.Int) *big.Int {
	for {
		if x := oracleBits(s, n.BitLen()); x.Cmp(n) < 0 {
			return x
		}
	}
}

func oracleBits(s *Source, n int) *big.Int {
	x := new(big.Int)
	for drawn := 0; drawn < n; drawn += 64 {
		x.Or(x.Lsh(x, 64), new(big.Int).SetUint64(s.Uint64()))
	}
	return x.Rsh(x, uint(-n&63))
}

func oracleBernoulli(s *Source, p *big.Rat) bool {
	return oracleBelow(s, p.Denom()).Cmp(p.Num()) < 0
}

// oracleBernoulliExp is true with probability exp(-g).
func oracleBernoulliExp(s *Source, g *big.Rat) bool {
	one := big.NewRat(1, 1)
	for g = new(big.Rat).Set(g); g.Cmp(one) > 0; g.Sub(g, one) {
		if !oracleBernoulliExp(s, one) {
			return false
		}
	}
	k := int64(1)
	for oracleBernoulli(s, new(big.Rat).Quo(g, big.NewRat(k, 1))) {
		k++
	}
	return k%2 == 1
}

func oracleLaplace(s *Source, scale *big.Rat) int64 {
	t, den := scale.Num(), scale.Denom()
	for {
		u := oracleBelow(s, t)
		if !oracleBernoulliExp(s, new(big.Rat).SetFrac(u, t)) {
			continue
		}
		v := int64(0)
		for oracleBernoulliExp(s, big.NewRat(1, 1)) {
			v++
		}
		x := new(big.Int).Mul(t, big.NewInt(v))
		x.Add(x, u).Quo(x, den)
		negative := s.Uint64()>>63 == 1
		if negative && x.Sign() == 0 {
			continue
		}
		if negative {
			x.Neg(x)
		}
		return x.Int64()
	}
}

func oracleGaussian(s *Source, sigma *big.Rat) int64 {
	variance := new(big.Rat).Mul(sigma, sigma)
	t := new(big.Int).Quo(sigma.Num(), sigma.Denom())
	scale := new(big.Rat).SetInt(t.Add(t, big.NewInt(1)))
	for {
		y := oracleLaplace(s, scale)
		g := new(big.Rat).Quo(variance, scale)
		g.Sub(new(big.Rat).SetInt64(max(y, -y)), g)
		g.Mul(g, g).Quo(g, variance).Mul(g, big.NewRat(1, 2))
		if oracleBernoulliExp(s, g) {
			return y
		}
	}
}

// TestTheOracleAgrees compares both laws with the oracle's by a chi-square test of
// homogeneity, cell by cell.
func TestTheOracleAgrees(t *testing.T) {
	seed(t, 2)
	const n = 30_000
	for _, text := range []string{"1/2", "10/7", "16", "1000.5"} {
		scale := rat(text)
		width, _ := scale.Float64()
		oracles := map[string]func(*Source, *big.Rat) int64{"Laplace": oracleLaplace, "Gaussian": oracleGaussian}
		for _, f := range families[:2] {
			s, theirs := NewSource(), make([]int64, n)
			for i := range theirs {
				theirs[i] = oracles[f.name](s, scale)
			}
			stat, limit := homogeneity(f.samples(t, scale, n), theirs, max(1, width/4))
			mustPass(t, f.name+" "+text+" and the oracle", stat, limit)
			wrong := f.samples(t, new(big.Rat).Mul(scale, rat("1.2")), n)
			stat, limit = homogeneity(wrong, theirs, max(1, width/4))
			mustFail(t, f.name+" "+text+" times 1.2 and the oracle", stat, limit)
		}
	}
}

// homogeneity tests whether two sets of equal size have one law: given the sum
// of a cell, either count is binomial with 1/2.
func homogeneity(a, b []int64, width float64) (stat, limit float64) {
	const half = 40
	var counts [2][2*half + 1]float64
	for i, set := range [][]int64{a, b} {
		for _, x := range set {
			cell := min(max(int(float64(x)/width+half+1000)-1000, 0), 2*half)
			counts[i][cell]++
		}
	}
	cells := 0
	for i := range counts[0] {
		x, y := counts[0][i], counts[1][i]
		if x+y >= 100 {
			stat += square(x-y) / (x + y)
			cells++
		}
	}
	return stat, chiSquareLimit(cells)
}
