package matrix

import (
	"math"
	"math/big"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/equipoise-dp/equipoise/internal/exact"
)

// worst returns the largest squared norm that people with at most k cells of some
// groups and periods can cause, by trying all sets of cells.
func worst(s *Strategy, k, groups int) *big.Int {
	most := new(big.Int)
	cells := groups * s.Periods()
	for set := range uint64(1) << cells {
		if bits.OnesCount64(set) > k {
			continue
		}
		sum := new(big.Int)
		for g := range groups {
			x := make([]exact.Int128, s.Periods())
			for t := range x {
				x[t] = exact.Int(int64(set >> (g*s.Periods() + t) & 1))
			}
			for t := range x {
				row := s.Encode(t, x, exact.Int(0))
				sum.Add(sum, row.Mul(row, row))
			}
		}
		if sum.Cmp(most) > 0 {
			most = sum
		}
	}
	return most
}

func someViews(periods int) []View {
	return []View{Each(periods, 1), Rolling(periods, 3, 1), ToDate(periods, 2)}
}

func TestSensitivityIsThatOfTheWorstSetOfPeriods(t *testing.T) {
	const periods = 8
	for k := 1; k <= periods; k++ {
		all := Choices(periods, k, someViews(periods))
		all = append(all, Power(periods, 1), Power(periods, 0.5), mixture{900, 0, 500, 0, 0, 300}.strategy(periods))
		for _, s := range all {
			if got, want := s.Squares(k, true), worst(s, k, 1); got.Cmp(want) != 0 {
				t.Errorf("%s, %d of %d periods: %v, by trying all sets %v", s.Name, k, periods, got, want)
			}
		}
	}
}

func TestSensitivityOfSeveralGroupsIsAtLeastThatOfTheWorstCells(t *testing.T) {
	const periods, groups = 5, 2
	for k := 1; k <= periods*groups; k++ {
		for _, s := range []*Strategy{Independent(periods), Power(periods, 0.5), Power(periods, 1), mixture{900, 0, 500, 0, 0, 300}.strategy(periods)} {
			got, want := s.Squares(k, false), worst(s, k, groups)
			if got.Cmp(want) < 0 {
				t.Errorf("%s, %d cells: %v, by trying all sets %v", s.Name, k, got, want)
			}
			if ratio, _ := new(big.Rat).SetFrac(got, want).Float64(); ratio > 1.35 {
				t.Errorf("%s, %d cells: %v is %.3f times the worst %v", s.Name, k, got, ratio, want)
			}
			// k times the largest F(m)/m, rounded up.
			most := new(big.Rat)
			for m := 1; m <= min(k, periods); m++ {
				if f := new(big.Rat).SetFrac(big.NewInt(int64(k)), big.NewInt(int64(m))); f.Mul(f, new(big.Rat).SetInt(s.Squares(m, true))).Cmp(most) > 0 {
					most = f
				}
			}
			if over := most.Sub(new(big.Rat).SetInt(got), most); over.Sign() < 0 || over.Cmp(big.NewRat(1, 1)) >= 0 {
				t.Errorf("%s, %d cells: %v is %v above what it bounds", s.Name, k, got, over)
			}
		}
	}
}

// The theorem is about coefficients that do not rise. One that is one step too high is a
// mistake that trying all sets finds.
func TestACoefficientThatIsOneStepOffIsFound(t *testing.T) {
	const periods = 6
	s := Power(periods, 1)
	s.coefs[3]++
	if s.Squares(1, true).Cmp(worst(s, 1, 1)) != 0 {
		t.Fatal("a set of one period is the first in any case")
	}
	found := false
	for k := 2; k < periods; k++ {
		found = found || s.Squares(k, true).Cmp(worst(s, k, 1)) < 0
	}
	s = mixture{0, 0, 3000, 0, 0, 0}.strategy(periods)
	was := s.Squares(2, true)
	s.coefs[1]++
	if !found && worst(s, 2, 1).Cmp(was) <= 0 {
		t.Error("a coefficient that is off by a step has the sensitivity of the right one")
	}
}

// People may move vectors, such as the two parts of a mean, and in any direction.
func TestVectorsOfNormOneDoNoMoreThanNumbersDo(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const periods, k = 7, 3
	s := mixture{900, 300, 500, 0, 0, 300}.strategy(periods)
	bound, _ := new(big.Float).SetInt(s.Squares(k, true)).Float64()
	for range 2000 {
		var x [2][periods]float64
		for _, at := range r.Perm(periods)[:k] {
			angle := 2 * math.Pi * r.Float64()
			x[0][at], x[1][at] = math.Cos(angle), math.Sin(angle)
		}
		sum := 0.0
		for _, part := range x {
			for t := range periods {
				row := 0.0
				for j := range t + 1 {
					row += float64(s.coefs[j]) * part[t-j]
				}
				sum += row * row
			}
		}
		if sum > bound*(1+1e-12) {
			t.Fatalf("%v does %v, must be at most %v", x, sum, bound)
		}
	}
}

// A person who is always there, or not, with any numbers of the range.
func TestACentredStrategyMovesByAtMostItsSensitivity(t *testing.T) {
	const periods = 6
	for _, span := range [][2]int64{{0, 1}, {0, 7}, {-3, 4}, {2, 5}, {-9, -2}} {
		s := Centred(periods, span[0], span[1], someViews(periods))
		low, high := min(span[0], 0), max(span[1], 0)
		most := new(big.Int)
		for set := range 1 << periods {
			x := make([]exact.Int128, periods)
			for t := range x {
				x[t] = exact.Int(low)
				if set>>t&1 == 1 {
					x[t] = exact.Int(high)
				}
			}
			sum := new(big.Int)
			for t := range s.Rows() {
				row := s.Encode(t, x, exact.Int(1))
				sum.Add(sum, row.Mul(row, row))
			}
			if sum.Cmp(most) > 0 {
				most = sum
			}
		}
		if got := s.CentredSquares(1); got.Cmp(most) != 0 {
			t.Errorf("numbers from %d to %d: %v, by trying all corners %v", low, high, got, most)
		}
		if s.CentredSquares(3).Cmp(new(big.Int).Mul(most, big.NewInt(3))) != 0 {
			t.Error("three groups are not three times one")
		}
	}
}
