package matrix

import (
	"flag"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

var long = flag.Bool("long", false, "look for the best matrix of 365 periods, for a minute")

// Whoever is in one period moves the rows of a level strategy by at most its bound, and nearly
// by it whichever period it is; a column that is a step longer moves them by more.
func TestALevelStrategyMovesByItsLongestColumn(t *testing.T) {
	for _, periods := range []int{1, 2, 8, 13} {
		s := Level(periods, someViews(periods))
		got, least := s.Squares(1, true), s.longestColumn()
		if want := worst(s, 1, 1); got.Cmp(want) != 0 {
			t.Errorf("%s of %d periods: %v, by trying all %v", s.Name, periods, got, want)
		}
		if want := worst(s, 1, 2); s.Squares(1, false).Cmp(want) != 0 {
			t.Errorf("%s of %d periods in two groups: %v, by trying all %v", s.Name, periods, got, want)
		}
		if want := worst(s, min(2, periods), 1); s.Squares(2, true).Cmp(want) < 0 {
			t.Errorf("%s: two of %d periods move by %v, the bound is %v", s.Name, periods, want, s.Squares(2, true))
		}
		for r := range periods {
			sum := new(big.Int)
			for u := r; u < periods; u++ {
				c := big.NewInt(s.at(u, r))
				sum.Add(sum, c.Mul(c, c))
			}
			if ratio, _ := new(big.Rat).SetFrac(sum, least).Float64(); ratio < 1-1e-3 {
				t.Errorf("%s of %d periods: column %d has %.4f of the longest", s.Name, periods, r, ratio)
			}
		}
		s.level[periods-1] += 64
		if worst(s, 1, 1).Cmp(got) <= 0 {
			t.Errorf("%s of %d periods: a last column that is a step longer moves no more", s.Name, periods)
		}
	}
}

// What the search takes for the cost of weights is what the strategy has.
func TestTheCostOfALevelStrategyIsWhatItsReaderSays(t *testing.T) {
	r := rand.New(rand.NewPCG(14, 6))
	for _, periods := range []int{5, 12, 40} {
		views := []View{Each(periods, 1), Rolling(periods, 3, 1+r.Float64()), {Spans: []Span{{1, 2}, {0, periods}, {periods / 2, periods}}, Weight: 0.5}}
		l := &leveller{periods, views, []int{3}}
		w := []int{r.IntN(500), r.IntN(500), r.IntN(500), r.IntN(500), r.IntN(500), r.IntN(500), r.IntN(500)}
		s := l.strategy(w)
		squares, _ := s.Squares(1, true).Float64()
		sum, all, reader := 0.0, 0.0, s.Reader()
		for _, v := range views {
			x := reader.Relative(v, squares/one/one, 1)
			sum, all = sum+v.Weight*x*x, all+v.Weight
		}
		if got, want := l.cost(w), sum/all; math.Abs(got/want-1) > 1e-3 { // coefficients are rounded to the grid
			t.Errorf("%d periods: %v costs %v, must cost %v", periods, w, got, want)
		}
		if x := l.cost([]int{5: 4096, 6: 1}); !math.IsInf(x, 1) {
			t.Errorf("coefficients that rise cost %v", x)
		}
	}
}

// A level strategy is never worse in the mean over the views than any other of the choices.
func TestALevelStrategyIsTheBestOfOnePeriod(t *testing.T) {
	for _, periods := range []int{7, 30, 60} {
		for _, weights := range [][4]float64{{1, 1, 1, 1}, {1, 0.1, 0.1, 0.1}, {0.1, 0.1, 0.1, 2}} {
			views := fourViews(periods, weights)
			cost := func(s *Strategy) float64 {
				squares, _ := s.Squares(1, true).Float64()
				sum, reader := 0.0, s.Reader()
				for _, v := range views {
					x := reader.Relative(v, squares/one/one, 1)
					sum += v.Weight * x * x
				}
				return sum
			}
			level := cost(Level(periods, views))
			for _, s := range Choices(periods, 1, views) {
				if other := cost(s); level > other*(1+1e-3) {
					t.Errorf("%d periods, weights %v: level %.4f, %s %.4f", periods, weights, level, s.Name, other)
				}
			}
		}
	}
}

// No matrix has a mean over the views that is much less than that of a level strategy, and the
// four figures of the best are reached to two digits by weights that say so.
func TestALevelStrategyIsNearTheBestOfAll(t *testing.T) {
	periods := 40
	if *long {
		periods = 365
	}
	equal := fourViews(periods, [4]float64{1, 1, 1, 1})
	best := bestOfAll(periods, equal)
	level, weighted := Level(periods, equal), Level(periods, fourViews(periods, [4]float64{1, 1.15, 1, 1.15}))
	sums := [2]float64{}
	for i, v := range equal {
		squares, _ := level.Squares(1, true).Float64()
		x := level.Reader().Relative(v, squares/one/one, 1)
		sums[0], sums[1] = sums[0]+best[i]*best[i], sums[1]+x*x
		squares, _ = weighted.Squares(1, true).Float64()
		y := weighted.Reader().Relative(v, squares/one/one, 1)
		t.Logf("%d periods, view %d: the best %.4f, level %.4f, with weights of 1, 1.15, 1, 1.15 %.4f", periods, i, best[i], x, y)
		if periods == 365 && math.Round(100*y) > math.Round(100*best[i]) {
			t.Errorf("view %d: level %.4f, the best has %.4f", i, y, best[i])
		}
	}
	if sums[1] < sums[0]*(1-1e-6) || sums[1] > sums[0]*1.015 {
		t.Errorf("level has %.5f, the best has %.5f", sums[1]/4, sums[0]/4)
	}
}

// bestOfAll returns the figures of the matrix C with columns of length 1 for which the mean over the
// views is least. With W = ΣAᵀA over the views, CᵀC is Λ^-½·(Λ^½·W·Λ^½)^½·Λ^-½, where the diagonal Λ is that of
// the root in the middle (Denisov, McMahan, Rush, Smith, Thakurta 2022, Theorem 3.2), found by iteration.
func bestOfAll(periods int, views []View) (figures []float64) {
	grams := make([]*mat.SymDense, len(views))
	w := mat.NewSymDense(periods, nil)
	for i, v := range views {
		grams[i] = mat.NewSymDense(periods, nil)
		length := 0.0
		for _, s := range v.Spans {
			length += float64(s.To - s.From)
		}
		for _, s := range v.Spans {
			for a := s.From; a < s.To; a++ {
				for b := a; b < s.To; b++ {
					grams[i].SetSym(a, b, grams[i].At(a, b)+1/length)
				}
			}
		}
		w.AddSym(w, grams[i])
	}
	scale := make([]float64, periods)
	for i := range scale {
		scale[i] = 1
	}
	var root *mat.Dense
	for range 12 {
		root = rootOf(scaled(w, scale))
		for i := range scale {
			scale[i] = math.Sqrt(root.At(i, i))
		}
	}
	root = rootOf(scaled(w, scale))
	var inverse mat.Dense
	if err := inverse.Inverse(root); err != nil {
		panic(err)
	}
	most := 0.0 // the columns are not quite of one length; what is missing goes to all of them
	for i := range scale {
		most = max(most, root.At(i, i)/scale[i]/scale[i])
	}
	for _, gram := range grams {
		sum := 0.0
		for i := range periods {
			for j := range periods {
				sum += gram.At(i, j) * inverse.At(i, j) * scale[i] * scale[j]
			}
		}
		figures = append(figures, math.Sqrt(sum*most))
	}
	return figures
}

func scaled(w *mat.SymDense, by []float64) *mat.SymDense {
	s := mat.NewSymDense(len(by), nil)
	for i := range by {
		for j := i; j < len(by); j++ {
			s.SetSym(i, j, w.At(i, j)*by[i]*by[j])
		}
	}
	return s
}

func rootOf(s *mat.SymDense) *mat.Dense {
	var eigen mat.EigenSym
	if !eigen.Factorize(s, true) {
		panic("no eigenvalues")
	}
	var vectors, left, root mat.Dense
	eigen.VectorsTo(&vectors)
	values := eigen.Values(nil)
	left.Apply(func(_, j int, v float64) float64 { return v * math.Sqrt(max(values[j], 0)) }, &vectors)
	root.Mul(&left, vectors.T())
	return &root
}
