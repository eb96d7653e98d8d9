package core

import (
	"cmp"
	"slices"

	"github.com/equipoise-dp/equipoise/internal/sample"
)

// Top draws the places of k scores, each among those that are left by the exponential
// mechanism ([sample.Decay.TopK]). Without noise they are the largest, of equal ones the first.
func (s *Session) Top(d *sample.Decay, scores []int64, k int) []int {
	if Noiseless() {
		return largest(scores, k)
	}
	return d.TopK(s.source, scores, k)
}

// Flip draws the place of one score by permute-and-flip ([sample.Decay.PermuteAndFlip]).
func (s *Session) Flip(d *sample.Decay, scores []int64) int {
	if Noiseless() {
		return largest(scores, 1)[0]
	}
	return d.PermuteAndFlip(s.source, scores)
}

func largest(scores []int64, k int) []int {
	places := make([]int, len(scores))
	for i := range places {
		places[i] = i
	}
	slices.SortStableFunc(places, func(i, j int) int { return cmp.Compare(scores[j], scores[i]) })
	return places[:k]
}
