package matrix

import (
	"fmt"
	"iter"
	"math"
	"math/big"
	"slices"

	"github.com/equipoise-dp/equipoise/internal/exact"
)

// MostLevel is how many periods [Level] takes: it works in time of their cube.
const MostLevel = 400

// Level returns the strategy of fading sums and windows, each column of which is made as long
// as the first, for people who are in one period. Nobody moves the rows more for it, and the last periods, of which
// Toeplitz columns are cut off, say more (as Henzinger, Kalinin, Upadhyay 2025 do for running totals). A search
// finds the terms, for the mean over the views. Proof: docs/proofs/series.md, section 7.
func Level(periods int, views []View) *Strategy {
	l := &leveller{periods: periods, views: views}
	for _, v := range views {
		if n := v.longest(); n > 1 && n < periods && !slices.Contains(l.windows, n) {
			l.windows = append(l.windows, n)
		}
	}
	return l.strategy(l.best())
}

// strategy scales the columns, by whole numbers that every machine finds alike.
func (l *leveller) strategy(w []int) *Strategy {
	s := newStrategy(fmt.Sprintf("level fading sums %v and windows %v of %v/4096", w[:len(rates)], w[len(rates):], l.windows), l.coefs(w))
	s.level = make([]int64, l.periods)
	tails := s.tails()
	for t := range s.level {
		ratio := new(big.Int).Lsh(tails[0].Big(), 2*Bits)
		s.level[t] = ratio.Sqrt(ratio.Quo(ratio, tails[t].Big())).Int64()
	}
	return s
}

// longest returns how long the longest span of a view is.
func (v View) longest() int {
	n := 0
	for _, s := range v.Spans {
		n = max(n, s.To-s.From)
	}
	return n
}

// tails returns the squared length of every column before it is scaled.
func (s *Strategy) tails() []exact.Int128 {
	tails, sum := make([]exact.Int128, len(s.coefs)), exact.Int128{}
	for j, c := range s.coefs {
		sum = sum.Add(exact.Mul(c, c))
		tails[len(tails)-1-j] = sum
	}
	return tails
}

// at returns what period r counts for in row t of a level strategy.
func (s *Strategy) at(t, r int) int64 { return s.coefs[t-r] * s.level[r] >> Bits }

// longestColumn returns the squared length of the longest column.
func (s *Strategy) longestColumn() *big.Int {
	most := exact.Int128{}
	for r := range s.coefs {
		sum := exact.Int128{}
		for t := r; t < len(s.coefs); t++ {
			sum = sum.Add(exact.Mul(s.at(t, r), s.at(t, r)))
		}
		if sum.Cmp(most) > 0 {
			most = sum
		}
	}
	return most.Big()
}

// decodeLevel is [Strategy.Decode] for columns of several lengths.
func (s *Strategy) decodeLevel(rows []*big.Int) []*big.Int {
	values := make([]*big.Int, len(rows))
	term := new(big.Int)
	for t, row := range rows {
		sum := new(big.Int)
		for r := range t {
			sum.Add(sum, term.Mul(big.NewInt(s.at(t, r)), values[r]))
		}
		values[t] = new(big.Int).Lsh(row, spare+Bits)
		values[t].Sub(values[t], sum).Quo(values[t], big.NewInt(s.at(t, t)))
	}
	return totals(values)
}

// levelTotals returns the weights of the rows in the running totals: total i is of
// the first i periods.
func (s *Strategy) levelTotals() [][]float64 {
	n := len(s.coefs)
	inverse := make([][]float64, n) // by columns
	for u := range inverse {
		column := make([]float64, n)
		column[u] = one / float64(s.at(u, u))
		for t := u + 1; t < n; t++ {
			sum := 0.0
			for r := u; r < t; r++ {
				sum -= float64(s.at(t, r)) * column[r]
			}
			column[t] = sum / float64(s.at(t, t))
		}
		inverse[u] = column
	}
	all := make([][]float64, n+1)
	all[0] = make([]float64, n)
	for t := range n {
		all[t+1] = slices.Clone(all[t])
		for u := range t + 1 {
			all[t+1][u] += inverse[u][t]
		}
	}
	return all
}

// A leveller looks for the weights of a level strategy: of fading sums, and of windows that
// are as long as those of the views.
type leveller struct {
	periods int
	views   []View
	windows []int
}

func (l *leveller) coefs(w []int) []float64 {
	coefs := mixture(w[:len(rates)]).coefs(l.periods)
	for i, n := range l.windows {
		for j := 1; j < n; j++ {
			coefs[j] += float64(w[len(rates)+i]) * weightUnit
		}
	}
	return coefs
}

// best searches as [chooser.bestMixture] does, from a few of each.
func (l *leveller) best() []int {
	best := make([]int, len(rates)+len(l.windows))
	least := l.cost(best)
	for step := 256; step >= 4; step /= 4 {
		for improved := true; improved; {
			improved = false
			for next := range steps(best, step) {
				if x := l.cost(next); x < least*(1-1e-6) {
					best, least, improved = next, x, true
				}
			}
		}
	}
	return best
}

// steps yields weights of which one is a step more or less.
func steps(w []int, step int) iter.Seq[[]int] {
	return func(yield func([]int) bool) {
		for i := range w {
			for _, by := range [...]int{step, -step} {
				next := slices.Clone(w)
				if next[i] += by; next[i] >= 0 && !yield(next) {
					return
				}
			}
		}
	}
}

// cost returns the weighted mean over the views of the variance beside that of
// independent noise.
func (l *leveller) cost(w []int) float64 {
	coefs := l.coefs(w)
	if len(coefs) > 1 && coefs[1] > 1 {
		return math.Inf(1)
	}
	s := &Strategy{coefs: make([]int64, l.periods), inverse: make([]float64, l.periods)}
	squares, tail := make([]float64, l.periods), 0.0
	for j, c := range coefs {
		s.coefs[j] = int64(c*one + 0.5)
		tail += c * c
		squares[l.periods-1-j] = tail
	}
	s.invert()
	totals := make([][]float64, l.periods+1)
	totals[0] = make([]float64, l.periods)
	for t := range l.periods {
		scale := math.Sqrt(squares[t] / tail)
		totals[t+1] = slices.Clone(totals[t])
		for u := range t + 1 {
			totals[t+1][u] += s.inverse[t-u] * scale
		}
	}
	sum, all := 0.0, 0.0
	for _, v := range l.views {
		variance, length := 0.0, 0.0
		for _, span := range v.Spans {
			variance += product(totals[span.From], totals[span.To], totals[span.From], totals[span.To], span.To)
			length += float64(span.To - span.From)
		}
		sum, all = sum+v.Weight*variance/length, all+v.Weight
	}
	return sum / all * tail
}

// product returns Σ (b-a)·(d-c) over the first n.
func product(a, b, c, d []float64, n int) float64 {
	sum := 0.0
	for u := range n {
		sum += (b[u] - a[u]) * (d[u] - c[u])
	}
	return sum
}
