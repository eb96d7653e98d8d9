package main

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/google/differential-privacy/go/v2/dpagg"
	"github.com/google/differential-privacy/go/v2/noise"
)

// A kind is a noise of Google's library, with the loss that its own examples
// give to one of several answers: an equal share.
type kind struct {
	name           string
	noise          noise.Noise
	epsilon, delta float64
}

func kinds(a *asked) []kind {
	shares := float64(max(a.values, 1))
	return []kind{
		{"Laplace", noise.Laplace(), a.epsilon / shares, 0},
		{"Gaussian", noise.Gaussian(), a.epsilon / shares, a.delta / shares},
	}
}

// google returns Google's library as a contender, used as its examples use it: one
// aggregator for each group and answer.
func google(a *asked, k kind) contender {
	if a.column == groupsColumn {
		return func(context.Context) ([][]answer, error) { return a.googleKeys() }
	}
	return func(context.Context) ([][]answer, error) {
		var all [][]answer
		for range max(a.groups, 1) {
			cell, err := a.googleCell(k)
			if err != nil {
				return nil, fmt.Errorf("google's library, %s: %w", k.name, err)
			}
			all = append(all, cell)
		}
		return all, nil
	}
}

func (a *asked) googleCell(k kind) ([]answer, error) {
	switch a.column {
	case countColumn:
		return one(a.googleCount(k))
	case ranksColumn:
		return a.googleQuantiles(k)
	}
	var cell []answer
	for range a.values {
		got, err := a.googleMoment(k)
		if err != nil {
			return nil, err
		}
		cell = append(cell, got)
	}
	return cell, nil
}

func one(x answer, err error) ([]answer, error) { return []answer{x}, err }

func (a *asked) googleCount(k kind) (answer, error) {
	c, err := dpagg.NewCount(&dpagg.CountOptions{Epsilon: k.epsilon, Delta: k.delta, MaxPartitionsContributed: int64(a.l0), Noise: k.noise})
	if err != nil {
		return answer{}, err
	}
	if err := c.IncrementBy(int64(a.n)); err != nil {
		return answer{}, err
	}
	x, err := c.Result()
	return withInterval(float64(x), err, c.ComputeConfidenceInterval)
}

// withInterval reads the interval of an answer, which is there after the answer.
func withInterval(x float64, err error, interval func(alpha float64) (noise.ConfidenceInterval, error)) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	between, err := interval(0.05)
	return answer{value: x, low: between.LowerBound, high: between.UpperBound, interval: true}, err
}

func (a *asked) googleMoment(k kind) (answer, error) {
	switch a.column {
	case sumColumn:
		s, err := dpagg.NewBoundedSumFloat64(&dpagg.BoundedSumFloat64Options{Epsilon: k.epsilon, Delta: k.delta,
			MaxPartitionsContributed: int64(a.l0), Lower: a.set.Lower, Upper: a.set.Upper, Noise: k.noise})
		if err != nil {
			return answer{}, err
		}
		if err := addAll(a.set.values, s.Add); err != nil {
			return answer{}, err
		}
		x, err := s.Result()
		return withInterval(x, err, s.ComputeConfidenceInterval)
	case meanColumn:
		m, err := dpagg.NewBoundedMean(&dpagg.BoundedMeanOptions{Epsilon: k.epsilon, Delta: k.delta,
			MaxPartitionsContributed: int64(a.l0), MaxContributionsPerPartition: 1, Lower: a.set.Lower, Upper: a.set.Upper, Noise: k.noise})
		if err != nil {
			return answer{}, err
		}
		if err := addAll(a.set.values, m.Add); err != nil {
			return answer{}, err
		}
		x, err := m.Result()
		return withInterval(x, err, m.ComputeConfidenceInterval)
	}
	v, err := dpagg.NewBoundedVariance(&dpagg.BoundedVarianceOptions{Epsilon: k.epsilon, Delta: k.delta,
		MaxPartitionsContributed: int64(a.l0), MaxContributionsPerPartition: 1, Lower: a.set.Lower, Upper: a.set.Upper, Noise: k.noise})
	if err != nil {
		return answer{}, err
	}
	if err := addAll(a.set.values, v.Add); err != nil {
		return answer{}, err
	}
	x, err := v.Result()
	return answer{value: x}, err
}

func addAll(values []float64, add func(float64) error) error {
	for _, v := range values {
		if err := add(v); err != nil {
			return err
		}
	}
	return nil
}

// googleQuantiles reads all ranks from one tree, which is paid for once. Where
// values are granular, answers are rounded to what values can be.
func (a *asked) googleQuantiles(k kind) ([]answer, error) {
	q, err := dpagg.NewBoundedQuantiles(&dpagg.BoundedQuantilesOptions{Epsilon: k.epsilon, Delta: k.delta,
		MaxPartitionsContributed: int64(a.l0), MaxContributionsPerPartition: 1, Lower: a.set.Lower, Upper: a.set.Upper, Noise: k.noise})
	if err != nil {
		return nil, err
	}
	if err := addAll(a.set.values, q.Add); err != nil {
		return nil, err
	}
	var cell []answer
	for _, r := range a.ranks {
		x, err := q.Result(r)
		if err != nil {
			return nil, err
		}
		if a.set.Step > 0 {
			x = nearest(x, a.set.Step)
		}
		cell = append(cell, answer{value: x})
	}
	return cell, nil
}

// googleKeys selects groups by their number of units, and says nothing else of
// them. A unit in more groups than allowed keeps some by chance.
func (a *asked) googleKeys() ([][]answer, error) {
	units := map[int32]int{}
	for _, groups := range a.crowd {
		for i, at := range rand.Perm(len(groups)) {
			if i < a.l0 {
				units[groups[at]]++
			}
		}
	}
	var shown [][]answer
	for _, n := range units {
		s, err := dpagg.NewPreAggSelectPartition(&dpagg.PreAggSelectPartitionOptions{Epsilon: a.epsilon, Delta: a.delta, MaxPartitionsContributed: int64(a.l0)})
		if err != nil {
			return nil, err
		}
		for range n {
			if err := s.Increment(); err != nil {
				return nil, err
			}
		}
		keep, err := s.ShouldKeepPartition()
		if err != nil {
			return nil, err
		}
		if keep {
			shown = append(shown, nil)
		}
	}
	return shown, nil
}
