package quantile

import (
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

// Without noise a quantile is the first cell by whose end its share of the records has
// come, whatever they are.
func TestExactQuantilesAreThoseOfAList(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	for range 200 {
		var list []int64
		for range r.IntN(300) {
			cell := r.Int64N(1 << r.IntN(33))
			n := 1 + r.Int64N(5)
			for range n {
				list = append(list, cell)
			}
		}
		slices.Sort(list)
		counts := NewCounts(list, 1)
		for _, rank := range []Rank{1, 250_000, 333_333, 500_000, 999_999} {
			want := int64(0)
			if n := int64(len(list)); n > 0 {
				want = list[max((n*int64(rank)+whole-1)/whole, 1)-1]
			}
			if got := Exact(counts, []Rank{rank})[0]; got != want {
				t.Fatalf("rank %v of %v is %d, want %d", rank.Share(), list, got, want)
			}
		}
		if counts.all() != int64(len(list)) {
			t.Fatalf("there are %d records, want %d", counts.all(), len(list))
		}
	}
}

// Two ranks that are drawn each by itself are off by equally many records: losses are in
// proportion to the larger part on either side of a rank, or to its square.
func TestTwoRanksShareTheLossByTheirRanges(t *testing.T) {
	for _, c := range []struct {
		ranks         []Rank
		share, square *big.Rat // of the first
	}{
		{[]Rank{100_000, 500_000}, big.NewRat(9, 14), big.NewRat(81, 106)},
		{[]Rank{500_000, 900_000}, big.NewRat(5, 14), big.NewRat(25, 106)},
		{[]Rank{250_000, 750_000}, big.NewRat(1, 2), big.NewRat(1, 2)},
		{[]Rank{100_000, 200_000}, big.NewRat(9, 17), big.NewRat(81, 145)},
		{[]Rank{600_000, 700_000}, big.NewRat(6, 13), big.NewRat(36, 85)},
	} {
		for squares, want := range map[bool]*big.Rat{false: c.share, true: c.square} {
			got := Shares(c.ranks, squares)
			if len(got) != 2 || got[0].Cmp(want) != 0 || new(big.Rat).Add(got[0], got[1]).Cmp(big.NewRat(1, 1)) != 0 {
				t.Errorf("%v, squares %v: %v, the first must be %v", c.ranks, squares, got, want)
			}
		}
	}
	for n, levels := range map[int]int{1: 1, 3: 2, 4: 3, 7: 3, 8: 4} {
		got := Shares(make([]Rank, n), true)
		if len(got) != levels || got[0].Cmp(big.NewRat(1, int64(levels))) != 0 {
			t.Errorf("%d ranks share %v, must have %d equal parts", n, got, levels)
		}
	}
}
