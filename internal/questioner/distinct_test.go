package questioner

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"reflect"
	"slices"
)

// A distinct is how many different values of another value's function there are, of which
// at most so many of a unit in a group count. It is not about bounds, and takes no floats.
type distinct struct{ at, most int }

// drawDistinct adds questions about distinct values. They have a source of their own, so that the
// rest of a question is what it was.
func (q *question) drawDistinct() {
	d := draw{rand.New(rand.NewPCG(q.seed, 37))}
	if !d.chance(0.3) {
		return
	}
	for i, s := range q.values {
		if s.cuts != nil || reflect.ValueOf(s.lower).CanFloat() || !d.chance(0.7) {
			continue
		}
		c := &distinct{i, pick(d, 1, 1, 2, 3, 40)}
		q.values = append(q.values, spec{name: "kinds of " + s.name, perUnit: true, lower: int64(0), upper: int64(c.most), step: int64(1), distinct: c})
		at := d.IntN(len(q.columns) + 1)
		q.columns = slices.Insert(q.columns, at, column{what: "distinct", value: len(q.values) - 1})
		for range d.IntN(2*len(q.facts)/3 + 1) { // values that are there several times
			from, to := d.IntN(len(q.facts)), d.IntN(len(q.facts))
			q.facts[to].values[i] = q.facts[from].values[i]
		}
	}
}

// counted returns how many different values there can be in a group, at least and at most: units may
// have more than count, and which of them do is not known.
func (s *spec) counted(kept []fact) (least, most int) {
	all, whole, sum := map[any]bool{}, map[any]bool{}, 0
	for _, rows := range byUnit(kept) {
		own := map[any]bool{}
		for _, f := range rows {
			own[f.values[s.distinct.at]], all[f.values[s.distinct.at]] = true, true
		}
		if n := min(len(own), s.distinct.most); n < len(own) {
			least, sum = max(least, n), sum+n
			continue
		}
		for x := range own {
			whole[x] = true
		}
	}
	return max(least, len(whole)), min(len(all), len(whole)+sum)
}

// compareCounted compares a number of distinct values.
func (s *spec) compareCounted(got shown, kept []fact) string {
	least, most := s.counted(kept)
	if n, ok := got.value.(int64); !ok || got.unknown || n < int64(least) || n > int64(most) {
		return fmt.Sprintf("is %v, must be %d to %d", got.value, least, most)
	}
	return ""
}

// answerCounted returns how many different values there are, or nil where that is not known.
func (s *spec) answerCounted(kept []fact) *big.Rat {
	if least, most := s.counted(kept); least == most {
		return big.NewRat(int64(least), 1)
	}
	return nil
}
