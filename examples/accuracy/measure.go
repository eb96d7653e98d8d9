package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
)

// A result is how well one task was answered on one data set. Errors are shares,
// as Error says; of keys it is the number of groups.
type result struct {
	Task         string   `json:"task"`
	Data         string   `json:"data"`
	N            int      `json:"n"`
	Epsilon      float64  `json:"epsilon"`
	Delta        float64  `json:"delta"`
	L0           int      `json:"l0"`
	Error        string   `json:"error"`
	Ours         float64  `json:"ours"`
	Peer         float64  `json:"peer"`
	PeerNoise    string   `json:"peer_noise"` // the better of its two
	Ratio        float64  `json:"ratio"`      // ours / peer, and 0 if peer is 0
	Coverage     *float64 `json:"coverage"`   // of our 95 % intervals
	PeerCoverage *float64 `json:"peer_coverage"`
	Intervals    int      `json:"intervals"` // how many of ours were looked at
	Refuted      bool     `json:"refuted"`   // so few contain the truth that 95 % is wrong: one chance in 1e9
	Above        string   `json:"above"`     // why intervals may hold more often than 97.5 %, or empty
	Wide         bool     `json:"wide"`      // so many do that 97.5 % is wrong: one chance in 1e9
	Right        int      `json:"right"`     // how many of one interval of each run contain the truth,
	Judged       int      `json:"judged"`    // of how many
	Runs         int      `json:"runs"`
}

// all returns every task on every data set.
func (o *options) all() ([]*asked, error) {
	var list []*asked
	for _, n := range o.sizes() {
		data, err := sets(n)
		if err != nil {
			return nil, err
		}
		for _, t := range tasks {
			if o.wants(t.Name) {
				list = append(list, o.ask(t, n, data)...)
			}
		}
	}
	return list, nil
}

func (o *options) ask(t *task, n int, data []set) []*asked {
	if t.alone {
		data = []set{{Name: "any"}}
	}
	if t.more() {
		if n != o.sizes()[0] {
			return nil // a crowd has one size
		}
		n = o.crowdSize()
	}
	var list []*asked
	for _, epsilon := range o.Epsilons {
		if t.once && epsilon != 1 {
			continue
		}
		for _, s := range data {
			s.values = slices.Sorted(slices.Values(s.values))
			for _, l0 := range t.allCaps() {
				a := &asked{task: t, set: s, n: n, epsilon: epsilon, delta: o.Delta, l0: l0}
				a.place()
				list = append(list, a)
			}
		}
	}
	return list
}

func (t *task) allCaps() []int {
	if t.caps == nil {
		return []int{1}
	}
	return t.caps
}

// place puts units into groups.
func (a *asked) place() {
	switch {
	case a.column == groupsColumn:
		a.set.Name = "Zipf groups"
		a.crowd = zipfCrowd(a.n)
	case a.groups > 0:
		a.crowd = denseCrowd(a.n, a.groups)
	}
}

func (o *options) measureAll(ctx context.Context, p *progress) ([]result, error) {
	list, err := o.all()
	if err != nil {
		return nil, err
	}
	defer p.end()
	var results []result
	for i, a := range list {
		p.at(i, len(list), a)
		r, err := a.measure(ctx, o.Runs)
		if err != nil {
			return nil, fmt.Errorf("%s of %s: %w", a.Name, a.set.Name, err)
		}
		results = append(results, r)
	}
	return results, nil
}

// draws is how often a task is drawn: a tenth as often where one draw is of thousands
// of groups, whose number hardly differs from draw to draw, and a hundred times as
// often where it is of one number, whose error would stray by a tenth otherwise.
func (a *asked) draws(runs int) int {
	switch {
	case a.more():
		return max(runs/10, 2)
	case a.column == countColumn && a.groups == 0:
		return 100 * runs
	}
	return runs
}

// measure draws every answer of a task several times.
func (a *asked) measure(ctx context.Context, runs int) (result, error) {
	runs = a.draws(runs)
	r := result{Task: a.Name, Data: a.set.Name, N: a.n, Epsilon: a.epsilon, Delta: a.delta, L0: a.l0, Error: a.Error, Runs: runs}
	us, price, err := ours(ctx, a)
	if err != nil {
		return r, err
	}
	mine, err := a.repeat(ctx, us, runs)
	if err != nil {
		return r, err
	}
	r.Above, r.Wide, r.Right, r.Judged = a.above(price, mine), mine.wide(), mine.right, mine.judged
	r.Ours, r.Coverage, r.Intervals, r.Refuted = a.floor(mine.error), mine.coverage(), mine.intervals, mine.refuted()
	for _, k := range kinds(a) {
		got, err := a.repeat(ctx, google(a, k), runs)
		if err != nil {
			return r, err
		}
		if r.PeerNoise == "" || a.better(a.floor(got.error), r.Peer) {
			r.Peer, r.PeerNoise, r.PeerCoverage = a.floor(got.error), k.name, got.coverage()
		}
		if a.column == groupsColumn {
			r.PeerNoise = "its own choice"
			break
		}
	}
	if r.Peer > 0 {
		r.Ratio = r.Ours / r.Peer
	}
	return r, nil
}

func (t *task) better(x, y float64) bool {
	if t.more() {
		return x > y
	}
	return x < y
}

// A summary is the scores of all runs. Intervals of one run may depend on each
// other; one of each run is judged, in turns, and those are independent.
type summary struct {
	error              float64
	covered, intervals int
	right, judged      int
	unknown, atEnd     bool // in some run
}

func (a *asked) repeat(ctx context.Context, c contender, runs int) (summary, error) {
	var sum summary
	loss := 0.0
	for run := range runs {
		if err := ctx.Err(); err != nil {
			return sum, err
		}
		got, err := c(ctx)
		if err != nil {
			return sum, err
		}
		s := a.score(got)
		loss += s.loss
		sum.add(s, run)
	}
	sum.error = a.figure(loss / float64(runs))
	return sum, nil
}

func (s summary) coverage() *float64 {
	if s.intervals == 0 {
		return nil
	}
	c := float64(s.covered) / float64(s.intervals)
	return &c
}

func (s *summary) add(of score, run int) {
	s.intervals += len(of.covers)
	s.unknown, s.atEnd = s.unknown || of.unknown, s.atEnd || of.atEnd
	for i, is := range of.covers {
		if is {
			s.covered++
		}
		if i == run%len(of.covers) {
			s.judged++
			if is {
				s.right++
			}
		}
	}
}

// refuted says whether so few of the judged intervals contain the truth that 95 %
// cannot be right, with an error of at most 1e-9: Hoeffding 1963, theorem 1, in
// its form with the relative entropy.
func (s summary) refuted() bool {
	if s.judged == 0 {
		return false
	}
	share := float64(s.right) / float64(s.judged)
	return share < 0.95 && float64(s.judged)*entropy(share, 0.95) > math.Log(1e9)
}

// wide says whether so many of the judged intervals contain the truth that 97.5 %
// cannot be right, likewise.
func (s summary) wide() bool {
	share := float64(s.right) / float64(max(s.judged, 1))
	return share > 0.975 && float64(s.judged)*entropy(share, 0.975) > math.Log(1e9)
}

// unsaid says whether of the results that have no reason for it so many intervals
// contain the truth, all together, that 97.5 % cannot be right.
func unsaid(results []result) bool {
	var all summary
	for _, r := range results {
		if r.Above == "" {
			all.right, all.judged = all.right+r.Right, all.judged+r.Judged
		}
	}
	return all.wide()
}

// fewRecords is up to how many records noise is so coarse that the next whole record
// beyond an interval's end matters.
const fewRecords = 10

// above names every reason why the intervals of an answer may hold more often than
// they say.
func (a *asked) above(price aggregate.Price, seen summary) string {
	var reasons []string
	for reason, is := range map[string]bool{
		"ends of intervals are drawn":  price.Mechanism == dp.BoundedRange && !a.points,
		"coarse integer noise":         (a.column == countColumn || a.column == ranksColumn) && price.PlusMinus < fewRecords,
		"granular values":              a.column == ranksColumn && a.set.Step > 0,
		"unknown answers":              seen.unknown,
		"the end of the range is near": seen.atEnd,
	} {
		if is {
			reasons = append(reasons, reason)
		}
	}
	slices.Sort(reasons)
	return strings.Join(reasons, ", ")
}

// entropy is that of a coin of one bias relative to another.
func entropy(p, q float64) float64 {
	term := func(p, q float64) float64 {
		if p == 0 {
			return 0
		}
		return p * math.Log(p/q)
	}
	return term(p, q) + term(1-p, 1-q)
}

// geometric returns the geometric mean of a figure.
func geometric(results []result, figure func(result) float64) float64 {
	sum := 0.0
	for _, r := range results {
		sum += math.Log(figure(r))
	}
	return math.Exp(sum / float64(len(results)))
}

// floor is the least error that counts: a twentieth of a rank, or of one in a
// count. Less is as good as exact, and a ratio to it would say nothing.
func (a *asked) floor(e float64) float64 {
	switch a.column {
	case ranksColumn, countColumn:
		return max(e, 0.05/float64(a.n))
	}
	return e
}
