package dptest

import (
	"fmt"
	"maps"
	"math"
	"math/bits"
	"slices"
)

// A feature is a number that is read from a sample. Where a sample has no such
// number it is absent, and where it is no number it is the NaN it is: both are
// told apart from each other and from numbers.
type feature struct {
	name string
	of   func(Sample) float64
}

// absent is a NaN that no arithmetic makes.
var absent = math.Float64frombits(0x7ff8_0000_0000_ab5e)

// At most so many numbers of a sample are looked at one by one, and so many in
// pairs. All of them go into sums and the discriminant.
const (
	maxAlone = 12
	maxPairs = 4
)

// features returns what is looked at. What can be learned from samples, such as a
// direction, is learned from build.
func features(build draw, more map[string]func(Sample) float64) []feature {
	longest := 0
	for _, s := range slices.Concat(build.a, build.b) {
		longest = max(longest, len(s.Numbers))
	}
	fs := []feature{{"the tag", tagFeature(build)}, {"the length", func(s Sample) float64 { return float64(len(s.Numbers)) }}}
	for i := range min(longest, maxAlone) {
		fs = append(fs, numberFeatures(i, build)...)
	}
	if longest > 1 {
		fs = append(fs, vectorFeatures(min(longest, maxPairs))...)
		fs = append(fs, feature{"the discriminant", discriminant(build, longest)})
	}
	for _, name := range slices.Sorted(maps.Keys(more)) {
		fs = append(fs, feature{name, more[name]})
	}
	return fs
}

// tagFeature numbers the tags that were seen.
func tagFeature(build draw) func(Sample) float64 {
	ids := make(map[string]float64)
	for _, s := range slices.Concat(build.a, build.b) {
		if _, ok := ids[s.Tag]; !ok {
			ids[s.Tag] = float64(len(ids))
		}
	}
	return func(s Sample) float64 {
		if id, ok := ids[s.Tag]; ok {
			return id
		}
		return absent
	}
}

// number returns the i-th number of a sample.
func number(i int) func(Sample) float64 {
	return func(s Sample) float64 {
		if i >= len(s.Numbers) {
			return absent
		}
		return s.Numbers[i]
	}
}

// numberFeatures are what a float cannot hide: its value, its lowest set bit
// (Haney, Desfontaines, Hartman, Shrestha, Hay 2022), both together, and whether
// it is a special value.
func numberFeatures(i int, build draw) []feature {
	x := number(i)
	name := fmt.Sprintf("number %d", i)
	edges := quantiles(sorted(values(x, build)), 40)
	joint := func(s Sample) float64 {
		y := x(s)
		if math.IsNaN(y) {
			return y
		}
		cell, _ := slices.BinarySearch(edges, y)
		return float64(lowestBit(y)*64 + cell)
	}
	return []feature{
		{name, x},
		{"the lowest bit of " + name, mapped(x, func(y float64) float64 { return float64(lowestBit(y)) })},
		{"the value and lowest bit of " + name, joint},
		{"the class of " + name, mapped(x, class)},
	}
}

// mapped applies f to numbers that are there.
func mapped(x func(Sample) float64, f func(float64) float64) func(Sample) float64 {
	return func(s Sample) float64 {
		y := x(s)
		if math.Float64bits(y) == math.Float64bits(absent) {
			return absent
		}
		return f(y)
	}
}

// lowestBit returns the exponent of the lowest set bit of a number, and numbers
// out of range for zero and what is no number.
func lowestBit(x float64) int {
	switch {
	case x == 0:
		return 2000
	case math.IsNaN(x) || math.IsInf(x, 0):
		return 2001
	}
	b := math.Float64bits(x)
	exponent, fraction := int(b>>52&0x7ff), b&(1<<52-1)
	if exponent == 0 {
		return bits.TrailingZeros64(fraction) - 1074
	}
	return bits.TrailingZeros64(fraction|1<<52) + exponent - 1075
}

// class tells special values apart.
func class(x float64) float64 {
	switch {
	case math.IsNaN(x):
		return 1
	case math.IsInf(x, 1):
		return 2
	case math.IsInf(x, -1):
		return 3
	case x == 0 && math.Signbit(x):
		return 4
	case x == 0:
		return 5
	case math.Abs(x) < 0x1p-1022:
		return 6
	}
	return 7
}

// vectorFeatures are numbers together: noise that is shared shows in differences,
// a loss that adds up over numbers in sums.
func vectorFeatures(n int) []feature {
	fold := func(f func([]float64) float64) func(Sample) float64 {
		return func(s Sample) float64 {
			if len(s.Numbers) == 0 {
				return absent
			}
			return f(s.Numbers)
		}
	}
	fs := []feature{
		{"the sum", fold(func(xs []float64) float64 {
			sum := 0.0
			for _, x := range xs {
				sum += x
			}
			return sum
		})},
		{"the smallest", fold(slices.Min[[]float64])},
		{"the largest", fold(slices.Max[[]float64])},
	}
	for i := range n {
		for j := range i {
			x, y := number(i), number(j)
			fs = append(fs, feature{fmt.Sprintf("number %d less number %d", i, j), func(s Sample) float64 { return x(s) - y(s) }})
		}
	}
	return fs
}

// values returns a feature of all samples, without what is no number.
func values(of func(Sample) float64, d draw) []float64 {
	var xs []float64
	for _, s := range slices.Concat(d.a, d.b) {
		if x := of(s); !math.IsNaN(x) {
			xs = append(xs, x)
		}
	}
	return xs
}

func sorted(xs []float64) []float64 {
	slices.Sort(xs)
	return xs
}

// quantiles returns at most n different values that cut sorted numbers into
// parts of equal size; all of them if there are at most n.
func quantiles(xs []float64, n int) []float64 {
	distinct := slices.Compact(slices.Clone(xs))
	if len(distinct) <= n {
		return distinct
	}
	var edges []float64
	for i := range n {
		edges = append(edges, xs[(2*i+1)*len(xs)/(2*n)])
	}
	return slices.Compact(edges)
}
