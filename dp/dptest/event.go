package dptest

import (
	"fmt"
	"math"
	"slices"
)

// A partition cuts the values of a feature into cells. Its cells are made from
// the samples that build events, and every later sample falls in one of them.
type partition struct {
	feature feature
	kind    string
	cell    func(x float64) int
	cells   int
	ordered int   // this many cells, the first, are in the order of the numbers
	a, b    []int // samples of build in each cell
}

// partitions returns two ways to cut: into intervals, for laws that are smooth,
// and into single values, for laws that are not.
func partitions(f feature, build draw) []*partition {
	ps := []*partition{intervals(f, build), atoms(f, build)}
	for _, p := range ps {
		p.a, p.b = p.count(build.a), p.count(build.b)
	}
	return ps
}

// intervals cuts at up to 1000 quantiles, or after every value if there are
// fewer. NaN and absence are cells of their own.
func intervals(f feature, build draw) *partition {
	edges := quantiles(sorted(values(f.of, build)), 1000)
	ordered := len(edges) + 1
	return &partition{feature: f, kind: "interval", cells: ordered + 2, ordered: ordered, cell: func(x float64) int {
		switch {
		case math.Float64bits(x) == math.Float64bits(absent):
			return ordered
		case math.IsNaN(x):
			return ordered + 1
		}
		i, _ := slices.BinarySearch(edges, x)
		return i
	}}
}

// atoms gives every value that was seen a cell of its own, and the others
// together one.
func atoms(f feature, build draw) *partition {
	ids := make(map[uint64]int)
	for _, s := range slices.Concat(build.a, build.b) {
		x := math.Float64bits(f.of(s))
		if _, ok := ids[x]; !ok {
			ids[x] = len(ids) + 1
		}
	}
	return &partition{feature: f, kind: "value", cells: len(ids) + 1, cell: func(x float64) int { return ids[math.Float64bits(x)] }}
}

// count returns how many samples are in each cell.
func (p *partition) count(samples []Sample) []int {
	counts := make([]int, p.cells)
	for _, s := range samples {
		counts[p.cell(p.feature.of(s))]++
	}
	return counts
}

// An event is a set of cells that should be more probable under one input than
// under the other.
type event struct {
	part    *partition
	name    string
	from    int   // the cells from here
	to      int   // to before here
	cells   []int // and these
	swapped bool  // it is the second input under which it should be more probable
	at      point // the inequality that it should break
	promise float64
}

// String describes the event.
func (e event) String() string {
	which := "first"
	if e.swapped {
		which = "second"
	}
	return fmt.Sprintf("%s, %s, likelier under the %s input", e.part.feature.name, e.name, which)
}

// in returns how many samples are in the event.
func (e event) in(counts []int) int {
	sum := total(counts[e.from:e.to])
	for _, c := range e.cells {
		sum += counts[c]
	}
	return sum
}

// events returns the candidates of a partition in both directions: half-lines,
// and sets of cells by likelihood ratio, which are what the Neyman-Pearson lemma
// asks for.
func (p *partition) events(at point, yield func(event)) {
	for _, swapped := range []bool{false, true} {
		more, less := p.a, p.b
		if swapped {
			more, less = p.b, p.a
		}
		add := func(name string, cells []int) {
			if len(cells) > 0 {
				yield(event{part: p, name: name, cells: cells, swapped: swapped, at: at})
			}
		}
		for _, width := range []int{1, 5, 25, 125} {
			if width > 1 && p.ordered < 4*width {
				break
			}
			blocks := blocksOf(more, less, p.ordered, width)
			for _, ratio := range ratios(at.epsilon) {
				add(fmt.Sprintf("%ss of ratio %.2g", p.kind, math.Exp(ratio)), likely(blocks, ratio))
			}
		}
		for _, atLeast := range []int{1, 3, 10} {
			add(fmt.Sprintf("%ss seen %d times under one input only", p.kind, atLeast), onlyHere(more, less, atLeast))
		}
		for _, cut := range p.cuts() {
			yield(event{part: p, name: "low half-line", from: 0, to: cut, swapped: swapped, at: at})
			yield(event{part: p, name: "high half-line", from: cut, to: p.ordered, swapped: swapped, at: at})
		}
	}
}

// ratios are the logarithms of likelihood ratios above which cells are taken:
// around the claimed one, which is best if samples are many.
func ratios(epsilon float64) []float64 {
	e := min(epsilon, 6) // more cannot be seen in a cell
	return []float64{0.25 * e, 0.5 * e, 0.75 * e, e, 1.25 * e}
}

// A block is some cells in a row, with how often they were seen under either input.
type block struct {
	from, to   int
	more, less int
}

// blocksOf takes ordered cells in blocks of width, which smoothes ratios, and the others
// by themselves. Cells that were not seen under the first input are left out.
func blocksOf(more, less []int, ordered, width int) []block {
	var blocks []block
	for from := 0; from < len(more); {
		to := from + 1
		if from < ordered {
			to = min(from+width, ordered)
		}
		if m := total(more[from:to]); m > 0 {
			blocks = append(blocks, block{from, to, m, total(less[from:to])})
		}
		from = to
	}
	return blocks
}

// likely returns the cells of blocks whose ratio is above exp(ratio).
func likely(blocks []block, ratio float64) []int {
	var cells []int
	factor := math.Exp(ratio)
	for _, b := range blocks {
		if float64(b.more)+0.5 > factor*(float64(b.less)+0.5) {
			for c := b.from; c < b.to; c++ {
				cells = append(cells, c)
			}
		}
	}
	return cells
}

func total(xs []int) int {
	sum := 0
	for _, x := range xs {
		sum += x
	}
	return sum
}

// onlyHere returns the cells that were seen often enough under one input, and
// never under the other.
func onlyHere(more, less []int, atLeast int) []int {
	var cells []int
	for c := range more {
		if more[c] >= atLeast && less[c] == 0 {
			cells = append(cells, c)
		}
	}
	return cells
}

// cuts returns up to 39 places to cut the line at, closer together at the ends.
func (p *partition) cuts() []int {
	var cuts []int
	for i := 1; i < 40; i++ {
		angle := math.Pi * float64(i) / 40
		cut := int(float64(p.ordered) * (1 - math.Cos(angle)) / 2)
		if cut > 0 && cut < p.ordered && !slices.Contains(cuts, cut) {
			cuts = append(cuts, cut)
		}
	}
	return cuts
}
