package aggregate

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/keys"
)

// Total returns the estimate of a count, a number of units or a sum over several groups
// of a release, or over all that were released if none are named. It adds up the raw
// noisy numbers and costs nothing; its interval follows from the law of the noise in the
// total, which grows as the root of the number of groups. A unit that is in several
// groups is in the total as often.
//
// It is an error if a group is not in the release or named twice, or if the column
// is no count and no sum: quantiles and means of several groups do not follow from those of each.
func Total[T dp.Number, Group comparable](r *Release[Group], c Column[T], groups ...Group) (dp.Estimate[T], error) {
	cells, err := r.named(groups)
	if err != nil {
		return dp.Estimate[T]{}, err
	}
	switch c.kind {
	case kindCount, kindUnits, kindSum:
	default:
		return dp.Estimate[T]{}, fmt.Errorf("aggregate: the total of %v is asked for, must be of a count or a sum", c)
	}
	if len(cells) == 0 {
		return dp.NewEstimate[T](0, 0, nil), nil
	}
	return typed[T](together(cells, cells[0].plan().answers[c.answer(cells[0])])), nil
}

// named returns the cells of groups, and all cells if none is named.
func (r *Release[Group]) named(groups []Group) (cells []Cell, err error) {
	if len(groups) == 0 {
		for _, cell := range r.All() {
			cells = append(cells, cell)
		}
	}
	var errs []error
	seen := make(map[Group]bool, len(groups))
	for _, g := range groups {
		cell, ok := r.Cell(g)
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("aggregate: group %s was not released", keys.Encode(g)))
		case seen[g]:
			errs = append(errs, fmt.Errorf("aggregate: group %s is named twice", keys.Encode(g)))
		}
		seen[g] = true
		cells = append(cells, cell)
	}
	return cells, errors.Join(errs...)
}

// lowerEnds adds up the lower ends of groups that were selected, so that all of them hold
// together; or returns nil.
func lowerEnds(cells []Cell, a answer, confidence float64) *big.Rat {
	sum := new(big.Rat)
	for _, cell := range cells {
		end := cell.lowerEnd(a, dp.Jointly(confidence, len(cells)))
		if end == nil {
			return nil
		}
		sum.Add(sum, end)
	}
	return sum
}
