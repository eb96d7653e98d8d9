package aggregate

import (
	"math"
	"math/big"

	"github.com/equipoise-dp/equipoise/internal/search"
)

// A group that is shown was lucky: of many that are too small for the threshold,
// those are seen whose noise was large, and an interval of the noise alone misses them
// all. So the number of units that selected a group has a lower end that holds among
// the groups that are shown. Proof: docs/proofs/estimates.md.

// beneath returns the lower end for a noisy number of units that reached the
// threshold, in steps of the noise: the smallest number from which what was seen, or
// more, is not too rare among what is shown. It is at least 0.
func (t *threshold) beneath(seen *big.Int, confidence float64) *big.Int {
	if !seen.IsInt64() || seen.Int64() < t.at {
		return seen // without noise, nothing is hidden
	}
	x, rare := seen.Int64(), math.Log((1-max(confidence, 0))/2)
	refuted := func(n int64) bool {
		_, reaching := t.law.LogTail(x - n)
		shown, _ := t.law.LogTail(t.at - n)
		return reaching-shown <= rare
	}
	if !refuted(0) {
		return new(big.Int)
	}
	_, least := search.Edge(0, x, nil, refuted)
	return big.NewInt(least)
}

// lowerEnd returns the lower end of an answer from the threshold's own measure, and
// nil for all others.
func (cell Cell) lowerEnd(a answer, confidence float64) *big.Rat {
	if a.kind != kindUnits || a.measure.form != formUnits || cell.plan().threshold == nil {
		return nil
	}
	seen := partsOf(a.measure, cell.sums())[0]
	return new(big.Rat).Quo(new(big.Rat).SetInt(cell.plan().threshold.beneath(seen, confidence)), a.measure.recordSize())
}
