package matrix

import (
	"iter"
	"math"
	"slices"
)

// Choices returns the strategies that a series of so many periods may take, independent
// noise first. (A mixture that is independent noise is left out.) Each of the others is the one of its family for which the mean over
// the views of the variance beside that of independent noise, by weight, is
// least, for people who are in at most k periods.
//
// They depend on nothing but what is declared, so the same declaration has the same
// strategy in every run.
func Choices(periods, k int, views []View) []*Strategy {
	k = min(k, periods)
	c := &chooser{periods, k, views}
	power := bestPower(periods, func(s *Strategy) float64 {
		coefs := make([]float64, periods)
		for i, x := range s.coefs {
			coefs[i] = float64(x) / one
		}
		return c.cost(coefs, s.inverse)
	})
	all := []*Strategy{Independent(periods), power}
	if m := c.bestMixture(); m != (mixture{}) {
		all = append(all, m.strategy(periods))
	}
	return all
}

type chooser struct {
	periods, k int
	views      []View
}

// cost returns the weighted mean over the views of the variance beside that of
// independent noise.
func (c *chooser) cost(coefs, inverse []float64) float64 {
	r := &Reader{strategy: &Strategy{}, reading: newReading(inverse)}
	sum, all := 0.0, 0.0
	for _, v := range c.views {
		x := r.variance(v)
		sum, all = sum+v.Weight*x, all+v.Weight
	}
	return sum / all * squaresOf(coefs, c.k) / float64(c.k)
}

// variance returns the variance of a view beside that of independent noise.
func (r *Reader) variance(v View) float64 {
	sum, lengths := 0.0, 0.0
	walks := make(map[int]*walk)
	for _, s := range v.Spans {
		n := s.To - s.From
		lengths += float64(n)
		if s.From == 0 {
			n = math.MaxInt32 // nothing is before it, so all of these are one walk
		}
		if walks[n] == nil {
			walks[n] = &walk{}
		}
		sum += walks[n].to(r, n, s.To)
	}
	return sum / lengths
}

// A walk adds up squares along a filter as far as it was asked to: the variance of a
// sum over a span of length n that ends at t is that of the first t differences of
// totals that are n apart. So many spans of one length take one walk.
type walk struct {
	at  int
	sum float64
}

// to returns the variance of a span of length n that ends before period end.
func (w *walk) to(r *Reader, n, end int) float64 {
	if end < w.at {
		*w = walk{}
	}
	for ; w.at < end; w.at++ {
		d := r.total(w.at+1) - r.total(w.at+1-n)
		w.sum += d * d
	}
	return w.sum
}

// bestMixture searches with steps that get smaller: it changes one weight, or moves
// some of it to another. From no weights, which is independent noise, it never gets
// worse.
func (c *chooser) bestMixture() mixture {
	var best mixture
	least := c.costOf(best)
	for step := 512; step >= 2; step /= 4 {
		for improved := true; improved; {
			improved = false
			for next := range best.neighbours(step) {
				if x := c.costOf(next); x < least*(1-1e-6) {
					best, least, improved = next, x, true
				}
			}
		}
	}
	return best
}

func (c *chooser) costOf(m mixture) float64 {
	if m.first() > 1 {
		return math.Inf(1)
	}
	return c.cost(m.coefs(c.periods), m.inverse(c.periods))
}

// neighbours yields the mixtures that are one step away.
func (m mixture) neighbours(step int) iter.Seq[mixture] {
	return func(yield func(mixture) bool) {
		for i := range m {
			for j := range m {
				next := m
				next[i] += step
				if i != j {
					next[j] -= step
				}
				less := m
				less[i] -= step
				for _, n := range [...]mixture{next, less} {
					if slices.Min(n[:]) >= 0 && !yield(n) {
						return
					}
				}
			}
		}
	}
}
