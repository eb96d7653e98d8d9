package sample

import "math"

// TopK returns the indices of k scores, most likely the largest ones, in the
// order in which they were drawn: each is drawn among the rest by the
// exponential mechanism with weight exp(rate*score), exactly. The law is that
// of adding Gumbel noise once and taking the k largest (Durfee and Rogers 2019,
// section 4.1), but nothing here rounds. If k exceeds the scores, all are
// returned. Proof: docs/proofs/sampler-exponential.md, theorem 4.
func (d *Decay) TopK(s *Source, scores []int64, k int) []int {
	rest := make([]int, len(scores))
	for i := range rest {
		rest[i] = i
	}
	picked := make([]int, 0, max(0, min(k, len(scores))))
	for len(picked) < k && len(rest) > 0 {
		i := d.pickLargest(s, scores, rest)
		picked = append(picked, rest[i])
		rest[i] = rest[len(rest)-1]
		rest = rest[:len(rest)-1]
	}
	return picked
}

// pickLargest draws a place in rest. Weights are taken relative to the largest
// score that is left, so they do not fade as large ones are picked.
func (d *Decay) pickLargest(s *Source, scores []int64, rest []int) int {
	most := largest(scores, rest)
	gap := func(i int) (uint64, uint64) { return 1, uint64(most) - uint64(scores[rest[i]]) }
	c := newChooser(d, s.weights, uint64(len(rest)))
	for i := range rest {
		c.push(gap(i))
	}
	s.weights = c.weights
	return c.draw(s, gap)
}

func largest(scores []int64, among []int) int64 {
	most := int64(math.MinInt64)
	for _, i := range among {
		most = max(most, scores[i])
	}
	return most
}

// PermuteAndFlip returns the index of one score, most likely the largest, by
// the mechanism of McKenna and Sheldon (2020), exactly: walk through the scores
// in random order, and stop at each with probability
// exp(-rate*(largest-score)). It never does worse than TopK with k = 1. All the
// coins are flipped, and one of those that came up is drawn, so the number of
// flips does not depend on the scores. It panics if there are no scores.
// Proof: docs/proofs/sampler-exponential.md, theorem 5.
func (d *Decay) PermuteAndFlip(s *Source, scores []int64) int {
	if len(scores) == 0 {
		panic("sample: internal error: nothing to choose from")
	}
	most := int64(math.MinInt64)
	for _, x := range scores {
		most = max(most, x)
	}
	up := make([]int, 0, len(scores))
	for i, x := range scores {
		if d.Bernoulli(s, uint64(most)-uint64(x)) {
			up = append(up, i)
		}
	}
	return up[s.Below(uint64(len(up)))]
}
