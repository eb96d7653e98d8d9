package questioner

import (
	"math"
	"math/big"
	"slices"

	"github.com/equipoise-dp/equipoise/dp"
)

// A fact is a row: whose it is and which group it is in, by their places in the
// lists of the question's types, and its values.
type fact struct {
	unit, key int
	values    []any
}

// A spec is a value of a question.
type spec struct {
	name               string
	perUnit            bool
	lower, upper, step any // of the value's type; a step of 0 is left to the plan

	grid *big.Rat // the step that the receipt shows

	distinct *distinct // of a value of which distinct ones are counted

	cuts *cuts // of a value that tells what the bounds of another cut
}

// A cuts is a value whose bounds cut, by its place among the values.
type cuts struct {
	of spec
	at int
}

// A column is what a question asks.
type column struct {
	what   string // count, units, sum, mean, variance, deviation, quantile or distinct
	value  int    // which spec it is about, or -1
	rank   float64
	weight float64 // 0 is none
}

// A question is everything about a random plan, in plain words.
type question struct {
	seed             uint64
	types            int // which types units and keys have
	loss             dp.Loss
	keyed            bool
	given            []int // the keys to release, or nil
	maxKeys, maxRows int
	values           []spec
	columns          []column
	facts            []fact
}

// low and high are what the bounds count as: the multiples of the step that are
// nearest to them.
func (s *spec) low() *big.Rat  { return s.settle(written(s.lower)) }
func (s *spec) high() *big.Rat { return s.settle(written(s.upper)) }

// settle clamps a number to the bounds, and then rounds it to the grid.
func (s *spec) settle(x *big.Rat) *big.Rat {
	if lower := written(s.lower); x.Cmp(lower) < 0 {
		x = lower
	}
	if upper := written(s.upper); x.Cmp(upper) > 0 {
		x = upper
	}
	return times(nearest(new(big.Rat).Quo(x, s.grid)), s.grid)
}

// records returns what is summed up in a group: one number for each row, or for
// each unit.
func (q *question) records(value int, kept []fact) []*big.Rat {
	s := &q.values[value]
	if s.cuts != nil {
		return q.cutRecords(s, kept)
	}
	var all []*big.Rat
	if !s.perUnit {
		for _, f := range kept {
			all = append(all, s.record(f.values[value]))
		}
		return all
	}
	for _, rows := range byUnit(kept) {
		var xs []any
		for _, f := range rows {
			xs = append(xs, f.values[value])
		}
		all = append(all, s.total(xs))
	}
	return all
}

// record returns what one row counts as.
func (s *spec) record(x any) *big.Rat {
	r, odd := exactly(x)
	switch {
	case r != nil:
		return s.settle(r)
	case math.IsInf(odd, 1):
		return s.high()
	}
	return s.low() // -Inf and NaN
}

// total returns what the rows of one unit count as together: they are added up
// as they are, then clamped, then rounded. NaN counts as 0, and infinities of
// both signs cancel one by one.
func (s *spec) total(xs []any) *big.Rat {
	sum, infinities := addedUp(xs)
	switch {
	case infinities > 0:
		return s.high()
	case infinities < 0:
		return s.low()
	}
	return s.settle(sum)
}

// addedUp returns the sum of the numbers, and how many more infinities there are of one sign than of
// the other.
func addedUp(xs []any) (sum *big.Rat, infinities int) {
	sum = new(big.Rat)
	for _, x := range xs {
		r, odd := exactly(x)
		switch {
		case r != nil:
			sum.Add(sum, r)
		case math.IsInf(odd, 1):
			infinities++
		case math.IsInf(odd, -1):
			infinities--
		}
	}
	return sum, infinities
}

func byUnit(kept []fact) map[int][]fact {
	units := make(map[int][]fact)
	for _, f := range kept {
		units[f.unit] = append(units[f.unit], f)
	}
	return units
}

// answer returns the exact answer of a column in a group. It is nil where the
// documentation does not say what it is: for a mean of nothing, and its like.
func (q *question) answer(c column, kept []fact) *big.Rat {
	switch c.what {
	case "count":
		return big.NewRat(int64(len(kept)), 1)
	case "units":
		return big.NewRat(int64(len(byUnit(kept))), 1)
	case "distinct":
		return q.values[c.value].answerCounted(kept)
	}
	xs := q.records(c.value, kept)
	switch {
	case c.what == "sum":
		return sum(xs)
	case len(xs) == 0:
		return nil
	case c.what == "mean":
		return mean(xs)
	case c.what == "quantile":
		return quantile(xs, c.rank)
	}
	return variance(xs)
}

func sum(xs []*big.Rat) *big.Rat {
	total := new(big.Rat)
	for _, x := range xs {
		total.Add(total, x)
	}
	return total
}

func mean(xs []*big.Rat) *big.Rat {
	return new(big.Rat).Quo(sum(xs), big.NewRat(int64(len(xs)), 1))
}

// variance is the mean square of the distance from the mean.
func variance(xs []*big.Rat) *big.Rat {
	m := mean(xs)
	var squares []*big.Rat
	for _, x := range xs {
		d := new(big.Rat).Sub(x, m)
		squares = append(squares, d.Mul(d, d))
	}
	return mean(squares)
}

// quantile is the smallest of the numbers that a share of them does not exceed.
func quantile(xs []*big.Rat, rank float64) *big.Rat {
	xs = slices.Clone(xs)
	slices.SortFunc(xs, (*big.Rat).Cmp)
	for i, x := range xs {
		share := big.NewRat(int64(i+1), int64(len(xs)))
		if share.Cmp(written(rank)) >= 0 {
			return x
		}
	}
	return xs[len(xs)-1]
}

// limits returns the least and the largest that an answer can be, from public
// facts alone; nil is no limit.
func (q *question) limits(c column) (low, high *big.Rat) {
	zero := new(big.Rat)
	if c.value < 0 || c.what == "distinct" {
		return zero, nil
	}
	s := &q.values[c.value]
	low, high = s.low(), s.high()
	switch c.what {
	case "sum": // of any number of records
		if low.Sign() >= 0 {
			return zero, nil
		}
		if high.Sign() <= 0 {
			return nil, zero
		}
		return nil, nil
	case "variance", "deviation": // largest where half of the records are at either end
		half := new(big.Rat).Sub(high, low)
		half.Quo(half, big.NewRat(2, 1))
		if c.what == "deviation" {
			return zero, half
		}
		return zero, half.Mul(half, half)
	}
	return low, high
}

// wanted returns the facts of groups that can be released.
func (q *question) wanted() []fact {
	if q.given == nil {
		return q.facts
	}
	return slices.DeleteFunc(slices.Clone(q.facts), func(f fact) bool { return !slices.Contains(q.given, f.key) })
}

// keyOf returns the group of a fact: without keys there is one.
func (q *question) keyOf(f fact) int {
	if !q.keyed {
		return 0
	}
	return f.key
}

// groups returns the kept facts by group.
func (q *question) groups(kept []fact) map[int][]fact {
	groups := make(map[int][]fact)
	for _, f := range kept {
		groups[q.keyOf(f)] = append(groups[q.keyOf(f)], f)
	}
	return groups
}

// released returns the groups of a release without noise, in its order: the
// given ones as they were given, or those with rows in the order of the keys.
func (q *question) released(groups map[int][]fact) []int {
	switch {
	case !q.keyed:
		return []int{0}
	case q.given != nil:
		return q.given
	}
	var keys []int
	for k := range groups {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// choices returns everything that can be kept: of each unit at most maxKeys
// groups, and in each at most maxRows rows. It returns nil if there is more than
// limit.
func (q *question) choices(limit int) [][]fact {
	if q.ways() > float64(limit) {
		return nil
	}
	all := [][]fact{nil}
	for _, facts := range byUnit(q.wanted()) {
		var next [][]fact
		for _, ofUnit := range q.choicesOf(facts) {
			for _, before := range all {
				next = append(next, append(slices.Clone(before), ofUnit...))
			}
		}
		all = next
	}
	return all
}

// ways returns how many choices there are, or more.
func (q *question) ways() float64 {
	all := 1.0
	for _, facts := range byUnit(q.wanted()) {
		groups := q.groups(facts)
		all *= binomial(len(groups), q.maxKeys)
		for _, rows := range groups {
			all *= binomial(len(rows), q.maxRows)
		}
	}
	return all
}

// binomial returns how many subsets of k there are of n things.
func binomial(n, k int) float64 {
	if k >= n {
		return 1
	}
	f, _ := new(big.Float).SetInt(new(big.Int).Binomial(int64(n), int64(k))).Float64()
	return f
}

// choicesOf returns what can be kept of one unit.
func (q *question) choicesOf(facts []fact) [][]fact {
	byKey := q.groups(facts)
	var keys []int
	for k := range byKey {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	var all [][]fact
	for _, chosen := range subsets(keys, q.maxKeys) {
		kept := [][]fact{nil}
		for _, k := range chosen {
			var next [][]fact
			for _, rows := range subsets(byKey[k], q.maxRows) {
				for _, before := range kept {
					next = append(next, append(slices.Clone(before), rows...))
				}
			}
			kept = next
		}
		all = append(all, kept...)
	}
	return all
}

// subsets returns the subsets of at most n of xs that are as large as can be.
func subsets[T any](xs []T, n int) [][]T {
	switch {
	case n >= len(xs):
		return [][]T{xs}
	case n == 0:
		return [][]T{nil}
	}
	all := subsets(xs[1:], n)
	for _, rest := range subsets(xs[1:], n-1) {
		all = append(all, append([]T{xs[0]}, rest...))
	}
	return all
}
