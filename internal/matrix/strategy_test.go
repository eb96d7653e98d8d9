package matrix

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/equipoise-dp/equipoise/internal/exact"
)

func everyStrategy(periods int) []*Strategy {
	all := Choices(periods, 2, someViews(periods))
	return append(all, Power(periods, 1), Level(periods, someViews(periods)), Centred(periods, -3, 10, someViews(periods)))
}

// Without noise the totals come back exactly, also of very large numbers.
func TestRowsSayWhatTheTotalsAre(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const periods = 60
	for _, s := range everyStrategy(periods) {
		for _, size := range []int64{1, 1000, 1 << 50} {
			x := make([]exact.Int128, periods)
			for t := range x {
				x[t] = exact.Int(r.Int64N(2*size+1) - size)
			}
			var rows []*big.Int
			for t := range s.Rows() {
				rows = append(rows, s.Encode(t, x, exact.Int(size)))
			}
			sum := exact.Int(0)
			for i, total := range s.Decode(rows) {
				if i > 0 {
					sum = sum.Add(x[i-1])
				}
				if want := sum.Shl(Bits).Big(); total.Cmp(want) != 0 {
					t.Fatalf("%s: total %d is %v, must be %v", s.Name, i, total, want)
				}
			}
		}
	}
}

// What one step of noise on each row does to a sum is what the reader says, seen through
// the integers that are really decoded.
func TestReaderSaysWhatNoiseDoes(t *testing.T) {
	const periods = 20
	const step = 1 << 40
	spans := []Span{{0, 1}, {4, 5}, {2, 9}, {0, 20}, {13, 20}, {19, 20}}
	for _, s := range everyStrategy(periods) {
		r := s.Reader()
		weights := make([][]float64, len(spans))
		for u := range s.Rows() {
			rows := make([]*big.Int, s.Rows())
			for i := range rows {
				rows[i] = new(big.Int)
			}
			rows[u].SetInt64(step)
			totals := s.Decode(rows)
			for i, span := range spans {
				d, _ := new(big.Float).SetInt(new(big.Int).Sub(totals[span.To], totals[span.From])).Float64()
				weights[i] = append(weights[i], d/step)
			}
		}
		for i, v := range spans {
			for j, w := range spans {
				sum := 0.0
				for u := range weights[i] {
					sum += weights[i][u] * weights[j][u]
				}
				if got := r.Covariance(v, w); math.Abs(got-sum) > 1e-9*(1+math.Abs(sum)) {
					t.Errorf("%s, %v and %v: %v, from the rows %v", s.Name, v, w, got, sum)
				}
			}
		}
	}
}

// A stream reads what was released so far, and what comes later does not change it.
func TestEarlierTotalsDoNotChange(t *testing.T) {
	const periods = 30
	s := Power(periods, 0.35)
	rows := make([]*big.Int, periods)
	r := rand.New(rand.NewPCG(5, 6))
	for i := range rows {
		rows[i] = big.NewInt(r.Int64N(1 << 60))
	}
	all := s.Decode(rows)
	for n := range rows {
		for i, total := range s.Decode(rows[:n]) {
			if total.Cmp(all[i]) != 0 {
				t.Fatalf("after %d periods total %d is another", n, i)
			}
		}
	}
}

// What a series was paid for must be found again by every later version.
func TestStrategiesOfADeclarationNeverChange(t *testing.T) {
	for _, c := range []struct {
		periods, k int
		want       string
	}{
		{12, 3, "independent noise; (1-z)^-0.05; fading sums [0 0 18 108 0 0]/4096"},
		{104, 6, "independent noise; (1-z)^-0.05; fading sums [0 0 0 78 2 0]/4096"},
		{730, 1, "independent noise; (1-z)^-0.2; fading sums [1770 0 0 18 68 0]/4096"},
	} {
		got := ""
		for i, s := range Choices(c.periods, c.k, someViews(c.periods)) {
			if i > 0 {
				got += "; "
			}
			got += s.Name
		}
		if got != c.want {
			t.Errorf("%d periods, %d of a person: %s\nwere %s", c.periods, c.k, got, c.want)
		}
	}
	if s := Level(52, someViews(52)); s.Name != "level fading sums [1036 0 32 236 0 0] and windows [240] of [3]/4096" || s.level[0] != one || s.level[20] != 66091 || s.level[51] != 70595 {
		t.Errorf("the level strategy is %s, its columns are times %v", s.Name, s.level)
	}
}

// The noise of every view beside that of independent noise, for the same guarantee:
// with weights that are equal, of views of days, of 7 days, of 28 days and to date.
func Example() {
	show := func(periods, k int, weights [4]float64, name string, s *Strategy, squares float64) {
		views := fourViews(periods, weights)
		fmt.Printf("%3d periods, %-12s %-22s", periods, map[bool]string{true: "always there", false: fmt.Sprint(k, " of them")}[k == periods], name)
		for _, v := range views {
			fmt.Printf(" %.2f", s.Reader().Relative(v, squares, float64(k)))
		}
		fmt.Println()
	}
	equal := [4]float64{1, 1, 1, 1}
	float := func(x *big.Int) float64 {
		f, _ := new(big.Float).SetInt(x).Float64()
		return f / one / one
	}
	fmt.Println("noise beside independent noise: each period, 7, 28, to date")
	power := Power(365, 0.35)
	show(365, 1, equal, power.Name, power, float(power.Squares(1, true)))
	weeks := Choices(78, 6, fourViews(78, [4]float64{0, 0, 0, 1}))[2]
	show(78, 6, equal, "fading, to date alone", weeks, float(weeks.Squares(6, true)))
	toReach := [4]float64{1, 1.15, 1, 1.15}
	level := Level(365, fourViews(365, toReach))
	show(365, 1, toReach, "level", level, float(level.Squares(1, true)))
	for _, periods := range []int{30, 78, 365} {
		for _, k := range []int{1, 3, 6} {
			s := Choices(periods, k, fourViews(periods, equal))[2]
			show(periods, k, equal, "fading sums", s, float(s.Squares(k, true)))
		}
		for _, weights := range [][4]float64{equal, {1, 0, 0, 0}, {0, 0, 0, 1}} {
			s := Centred(periods, 0, 1, fourViews(periods, weights))
			show(periods, periods, weights, fmt.Sprint("centred for ", weights), s, float(s.CentredSquares(1)))
		}
	}
	// Output:
	// noise beside independent noise: each period, 7, 28, to date
	// 365 periods, 1 of them    (1-z)^-0.35            1.30 0.80 0.53 0.24
	//  78 periods, 6 of them    fading, to date alone  1.66 1.33 0.87 0.65
	// 365 periods, 1 of them    level                  1.11 0.77 0.57 0.34
	//  30 periods, 1 of them    fading sums            1.12 0.77 0.58 0.58
	//  30 periods, 3 of them    fading sums            1.11 0.97 0.79 0.79
	//  30 periods, 6 of them    fading sums            1.06 1.01 0.92 0.92
	//  30 periods, always there centred for [1 1 1 1]  0.66 0.74 0.92 0.92
	//  30 periods, always there centred for [1 0 0 0]  0.59 0.81 1.17 1.18
	//  30 periods, always there centred for [0 0 0 1]  0.69 0.76 0.91 0.91
	//  78 periods, 1 of them    fading sums            1.12 0.78 0.56 0.48
	//  78 periods, 3 of them    fading sums            1.11 0.98 0.76 0.66
	//  78 periods, 6 of them    fading sums            1.08 1.02 0.89 0.80
	//  78 periods, always there centred for [1 1 1 1]  0.63 0.67 0.79 0.93
	//  78 periods, always there centred for [1 0 0 0]  0.56 0.70 1.05 1.39
	//  78 periods, always there centred for [0 0 0 1]  0.68 0.71 0.80 0.91
	// 365 periods, 1 of them    fading sums            1.11 0.78 0.57 0.36
	// 365 periods, 3 of them    fading sums            1.10 0.98 0.78 0.50
	// 365 periods, 6 of them    fading sums            1.07 1.03 0.91 0.61
	// 365 periods, always there centred for [1 1 1 1]  0.60 0.61 0.65 0.95
	// 365 periods, always there centred for [1 0 0 0]  0.53 0.60 0.80 1.90
	// 365 periods, always there centred for [0 0 0 1]  0.68 0.68 0.70 0.91
}

func fourViews(periods int, w [4]float64) []View {
	return []View{Each(periods, w[0]), Rolling(periods, 7, w[1]), Rolling(periods, 28, w[2]), ToDate(periods, w[3])}
}
