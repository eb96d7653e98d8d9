package forecast

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
)

// Share shares a loss among columns so that their aims are met best: that what is furthest
// from its aim, as a ratio, is as near to it as can be. Where no aim says how near, all are
// to be as near as the others, in parts of their number, for a group as of says. It reads no
// row and costs nothing.
//
// Columns without an aim, where others have one, get an eighth of the largest weight. Aims of
// quantiles are of values that are spread as [aggregate.Plan.Forecast] says, and need an
// interval. Where groups are selected shownFrom says from how many units on a group is to be
// shown, 95 % of the time; else it is 0.
//
// A [Proposal] without Ways is returned: whoever wants other shares gives the columns weights.
func Share[Row any, Unit, Group comparable](q *aggregate.Query[Row, Unit, Group], loss dp.Loss, of aggregate.Assumed, shownFrom int, aims ...Aim) (*Proposal[Row, Unit, Group], error) {
	s := &solver[Row, Unit, Group]{query: q, goal: Goal{Aims: alike(aims), Of: of, ShownFrom: shownFrom, Times: 1, Delta: 0.5}}
	if err := errors.Join(s.goal.check(), s.checkShownFrom()); err != nil {
		return nil, err
	}
	best, err := s.shared(loss)
	if err != nil {
		return nil, err
	}
	return &Proposal[Row, Unit, Group]{Plan: best.plan, Forecast: best.forecast, Columns: s.weighted(best.weights)}, nil
}

// alike asks for the whole number of all columns, if nothing is asked of any.
func alike(aims []Aim) []Aim {
	all := make([]Aim, len(aims))
	for i, a := range aims {
		if a.Within != 0 || a.Part != 0 {
			return aims
		}
		all[i] = Aim{Column: a.Column, Part: 1}
	}
	return all
}

func (s *solver[Row, Unit, Group]) checkShownFrom() error {
	if s.selects() && s.goal.ShownFrom == 0 {
		return errors.New("forecast: shownFrom is 0 and groups are selected, must say from how many units on a group is to be shown")
	}
	return nil
}

// shared shares a loss: equally at first, then more of it to what was furthest off, and at
// last by what helps.
func (s *solver[Row, Unit, Group]) shared(loss dp.Loss) (best *solution[Row, Unit, Group], err error) {
	best, err = s.try(loss, s.equal())
	switch {
	case err != nil:
		return nil, err
	case len(best.ratios) != len(s.goal.Aims):
		return nil, errTwice
	}
	if i := best.without(); i >= 0 {
		return nil, fmt.Errorf("forecast: aim %d is of %s, which has no interval, so nobody knows how near it is", i, best.forecast.Columns[i].Column)
	}
	last := best
	for range rounds {
		found, err := s.try(loss, noneIsLeftOut(last.toWorst().reweighed()))
		if err != nil {
			return nil, err
		}
		if last = found; found.worst() < best.worst() {
			best = found
		}
	}
	for step := 3.0; step > 1.2; step = math.Sqrt(step) {
		best = s.climbed(loss, best, step)
	}
	return best, nil
}

// leastWeight is the part of the largest weight that every column gets: so little changes
// nothing for the others.
const leastWeight = 1. / 1024

func noneIsLeftOut(weights []float64) []float64 {
	for i := range weights {
		weights[i] = max(weights[i], twoDigits(slices.Max(weights)*leastWeight))
	}
	return weights
}

// climbed tries weights that are larger or smaller by a step, one column at a time: where
// columns are one vector, what one gains another does not lose.
func (s *solver[Row, Unit, Group]) climbed(loss dp.Loss, best *solution[Row, Unit, Group], step float64) *solution[Row, Unit, Group] {
	for i := range best.weights {
		for _, times := range []float64{step, 1 / step} {
			weights := slices.Clone(best.weights)
			weights[i] = twoDigits(weights[i] * times)
			if found, err := s.try(loss, noneIsLeftOut(weights)); err == nil && found.worst() < best.worst() {
				best = found
			}
		}
	}
	return best
}

// without returns the first column that has no interval, or -1.
func (s *solution[Row, Unit, Group]) without() int {
	for i, c := range s.forecast.Columns {
		if math.IsNaN(c.PlusMinus) && s.ratios[i] > 0 {
			return i
		}
	}
	return -1
}

// toWorst returns the solution with all ratios beside the worst of them.
func (s *solution[Row, Unit, Group]) toWorst() *solution[Row, Unit, Group] {
	beside, worst := *s, s.worst()
	beside.shown /= worst
	beside.ratios = nil
	for _, r := range s.ratios {
		beside.ratios = append(beside.ratios, r/worst)
	}
	return &beside
}
