package aggregate

import (
	"context"
	"slices"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// pick chooses the largest groups, which must have been paid for. It is, beside [addNoise] and find, where exact
// sums are read, and what it returns is public.
func pick[Group comparable](ctx context.Context, c *compiled, of *partial[Group]) (released []Group, shown *results, err error) {
	var places []int
	if c.top.draws() {
		places = drawn(c.top.choice, of.sums, of.width)
	} else if places, err = noisiest(ctx, c, of); err != nil {
		return nil, nil, err
	}
	for _, i := range places {
		released = append(released, of.groups[i])
	}
	return released, c.bare().newResults(len(released)), nil
}

// drawn draws the places of groups by the first of their exact sums.
func drawn(choice dp.Choice, sums []exact.Int128, width int) []int {
	scores := make([]int64, len(sums)/width)
	defer clear(scores)
	for i := range scores {
		scores[i] = sums[i*width].Clamp()
	}
	return choice.Among(scores)
}

// noisiest adds noise to the numbers of all groups, and returns the places of the largest: of equal ones the first.
func noisiest[Group comparable](ctx context.Context, c *compiled, of *partial[Group]) ([]int, error) {
	_, noisy, err := addNoise(ctx, c, of)
	if err != nil {
		return nil, err
	}
	places := make([]int, len(of.groups))
	for i := range places {
		places[i] = i
	}
	number := func(i int) exact.Int128 { return noisy.sumsOf(i, c.measures[0])[0] }
	slices.SortStableFunc(places, func(i, j int) int { return number(j).Cmp(number(i)) })
	return places[:c.top.k], nil
}
