package main

import (
	"cmp"
	"math"
	"slices"
)

// A column is one thing that is asked about a group.
type column int

const (
	countColumn column = iota
	sumColumn
	meanColumn
	varianceColumn
	ranksColumn
	groupsColumn // which groups there are
)

// A task is a question that is asked of every data set, and how an answer is
// scored.
type task struct {
	Name   string
	Title  string
	Error  string // what an error of it is
	column column
	ranks  []float64
	values int   // how many values a unit has
	caps   []int // on the groups of a unit
	groups int   // that are given
	alone  bool  // the data does not matter, so one set serves
	once   bool  // at ε = 1 only, since it takes long
	points bool  // nothing is paid for intervals
	bare   bool  // nothing is asked of groups but which there are
}

// more says whether a larger figure is better.
func (t *task) more() bool { return t.column == groupsColumn }

var tasks = []*task{
	{Name: "count", Title: "How many", Error: "root mean square error, of the count", column: countColumn, alone: true},
	{Name: "groups", Title: "How many, in 32 groups that a unit may all be in", Error: "root mean square error, of the count", column: countColumn, caps: []int{32}, groups: 32, alone: true},
	{Name: "sum", Title: "Sum", Error: "root mean square error, of bound times count", column: sumColumn, values: 1},
	{Name: "ten sums", Title: "Ten sums of one unit", Error: "root mean square error, of bound times count", column: sumColumn, values: 10},
	{Name: "mean", Title: "Mean", Error: "root mean square error, of the width of the bounds", column: meanColumn, values: 1},
	{Name: "variance", Title: "Variance", Error: "root mean square error, of the largest variance", column: varianceColumn, values: 1},
	{Name: "median", Title: "Median", Error: "mean rank error, of the count", column: ranksColumn, values: 1, ranks: []float64{0.5}},
	{Name: "median without interval", Title: "Median without interval", Error: "mean rank error, of the count", column: ranksColumn, values: 1, ranks: []float64{0.5}, points: true},
	{Name: "nine quantiles", Title: "Nine quantiles", Error: "mean rank error, of the count", column: ranksColumn, values: 1, ranks: evenRanks(9)},
	{Name: "nine quantiles without interval", Title: "Nine quantiles without intervals", Error: "mean rank error, of the count", column: ranksColumn, values: 1, ranks: evenRanks(9), points: true},
	{Name: "99 quantiles", Title: "99 quantiles", Error: "mean rank error, of the count", column: ranksColumn, values: 1, ranks: evenRanks(99), once: true},
	{Name: "groups shown", Title: "Groups that are shown", Error: "number of groups", column: groupsColumn, caps: []int{1, 4, 6, 8, 32}, alone: true},
	{Name: "groups alone", Title: "Groups that are shown, without their counts", Error: "number of groups", column: groupsColumn, caps: []int{1, 4, 6, 8, 32}, alone: true, bare: true},
}

func evenRanks(n int) []float64 {
	ranks := make([]float64, n)
	for i := range ranks {
		ranks[i] = float64(i+1) / float64(n+1)
	}
	return ranks
}

func taskNames() []string {
	var names []string
	for _, t := range tasks {
		names = append(names, t.Name)
	}
	return names
}

// An asked is a task on some data under some loss.
type asked struct {
	*task
	set            set
	n              int // units
	epsilon, delta float64
	l0             int
	crowd          crowd // where units are; nil is one group
}

// An answer is one number as it was released.
type answer struct {
	value     float64
	low, high float64 // of a 95 % interval
	interval  bool    // there is one
	unknown   bool    // the noise left nothing of the number
}

// A score is how far the answers of one run are from the truth.
type score struct {
	loss    float64 // mean square or mean absolute error, or the number of groups
	covers  []bool  // for each interval: whether it contains the truth
	unknown bool    // one of the answers is
	atEnd   bool    // one of the intervals ends because its range does
}

// score compares answers, by group and column, with the truth.
func (a *asked) score(got [][]answer) score {
	if a.column == groupsColumn {
		return score{loss: float64(len(got))}
	}
	var s score
	n := 0
	for _, cell := range got {
		for i, x := range cell {
			s.loss += a.loss(i, x)
			n++
			if x.interval {
				low, high := a.truth(i)
				s.covers = append(s.covers, x.low <= high && low <= x.high)
				s.unknown, s.atEnd = s.unknown || x.unknown, s.atEnd || a.atEnd(x)
			}
		}
	}
	s.loss /= float64(n)
	return s
}

// atEnd reports whether an interval ends because no number beyond is possible.
func (a *asked) atEnd(x answer) bool {
	width := a.set.Upper - a.set.Lower
	switch a.column {
	case countColumn:
		return x.low <= 0
	case meanColumn, ranksColumn:
		return x.low <= a.set.Lower || x.high >= a.set.Upper
	case varianceColumn:
		return x.low <= 0 || x.high >= width*width/4
	}
	return false
}

func (a *asked) loss(i int, x answer) float64 {
	if a.column == ranksColumn {
		if x.unknown {
			return 1
		}
		return rankError(a.sorted(), a.ranks[i], x.value)
	}
	if x.unknown {
		return 1
	}
	truth, _ := a.truth(i)
	e := (x.value - truth) / a.scale()
	return e * e
}

// figure turns the mean loss of all runs into the task's error.
func (t *task) figure(mean float64) float64 {
	if t.column == ranksColumn || t.column == groupsColumn {
		return mean
	}
	return math.Sqrt(mean)
}

// scale is what an error is a share of.
func (a *asked) scale() float64 {
	width := a.set.Upper - a.set.Lower
	switch a.column {
	case sumColumn:
		return float64(a.n) * max(math.Abs(a.set.Lower), math.Abs(a.set.Upper))
	case meanColumn:
		return width
	case varianceColumn:
		return width * width / 4
	}
	return float64(a.n)
}

// truth returns the exact answer. A quantile may be any number between two values
// where the rank falls between them.
func (a *asked) truth(i int) (low, high float64) {
	var x float64
	switch a.column {
	case countColumn:
		x = float64(a.n)
	case sumColumn:
		x = total(a.set.values)
	case meanColumn:
		x = total(a.set.values) / float64(a.n)
	case varianceColumn:
		x = variance(a.set.values)
	case ranksColumn:
		at := a.ranks[i] * float64(a.n)
		v := a.sorted()
		return v[max(int(math.Ceil(at))-1, 0)], v[min(int(math.Floor(at)), a.n-1)]
	}
	return x, x
}

// sorted returns the values in order. Sets are sorted when they are asked.
func (a *asked) sorted() []float64 { return a.set.values }

func total(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum
}

func variance(values []float64) float64 {
	mean := total(values) / float64(len(values))
	sum := 0.0
	for _, v := range values {
		sum += (v - mean) * (v - mean)
	}
	return sum / float64(len(values))
}

// rankError returns how far x is from a rank, as a share of the sorted values:
// nothing if the rank falls on values that are equal to x.
func rankError(sorted []float64, rank, x float64) float64 {
	n := float64(len(sorted))
	below, _ := slices.BinarySearch(sorted, x)
	upTo, _ := slices.BinarySearchFunc(sorted, x, func(v, x float64) int {
		if v <= x {
			return -1
		}
		return cmp.Compare(v, x)
	})
	return max(0, float64(below)-rank*n, rank*n-float64(upTo)) / n
}
