// Package questioner asks the library random questions of random rows, and
// compares what it releases without noise with a reference that is written as
// plainly as possible: loops, maps and rationals, and nothing of the library but
// its public functions. With noise, it counts how often intervals hold the
// reference's answers.
package questioner

import (
	"flag"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

var (
	long = flag.Bool("long", false, "ask 10,000 questions instead of some hundred")
	one  = flag.Uint64("question", 0, "ask the question of this seed only")
)

// The heap of these tests is small and lives shortly; collecting it at each doubling is most of what collecting costs.
var _ = debug.SetGCPercent(400)

// seeds are the questions that are asked.
func seeds(short, many int) []uint64 {
	if *one != 0 {
		return []uint64{*one}
	}
	if *long {
		short = many
	}
	all := make([]uint64, short)
	for i := range all {
		all[i] = uint64(i + 1)
	}
	return all
}

// each calls a function for every seed, on all processors.
func each(seeds []uint64, do func(seed uint64)) {
	work := make(chan uint64)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for seed := range work {
				do(seed)
			}
		})
	}
	for _, s := range seeds {
		work <- s
	}
	close(work)
	workers.Wait()
}

// Without noise, the answers to random questions are those of the reference.
func TestAnswersAreThoseOfTheReference(t *testing.T) {
	dptest.NoNoise(t)
	var mu sync.Mutex
	asked, refused, cut := 0, 0, 0
	failures := 0
	all := seeds(500, 10_000)
	each(all, func(seed uint64) {
		q := drawQuestion(seed)
		problem, plan := ask(t, q)
		mu.Lock()
		defer mu.Unlock()
		if !plan {
			refused++
			if problem == "" {
				return
			}
		}
		asked++
		if q.cuts() {
			cut++
		}
		if problem == "" {
			return
		}
		if failures++; failures <= 5 {
			small, problem := shrink(t, q, problem)
			t.Errorf("-question %d: %s\n%s", seed, problem, small)
		}
	})
	if failures > 5 {
		t.Errorf("and %d more", failures-5)
	}
	t.Logf("%d questions, of which %d are refused and %d are cut by their caps", len(all), refused, cut)
	if *one == 0 && (refused > len(all)/10 || cut < len(all)/10) {
		t.Errorf("of %d questions %d are refused, must be at most a tenth, and %d are cut by their caps, must be at least a tenth", len(all), refused, cut)
	}
}

// ask asks the library, and returns what is wrong with the answer. It reports
// whether there was a plan at all.
func ask(t *testing.T, q *question) (problem string, planned bool) {
	p, err := everyType[q.types].plan(q)
	if err != nil {
		if !refusable(err) {
			return err.Error(), false
		}
		return "", false
	}
	account, err := budget.Create(t.Context(), budget.Memory(), budget.Terms{Dataset: "facts", Unit: "unit", Limit: q.loss})
	if err != nil {
		return err.Error(), true
	}
	r, err := p.run(t.Context(), account)
	if err != nil {
		return fmt.Sprintf("an account of %v does not pay for it: %v", q.loss, err), true
	}
	if problem := q.readGrids(r); problem != "" {
		return problem, true
	}
	return q.compare(r), true
}

// refusable reports whether a plan may be refused: a random question may need
// more noise than the samplers have, or less than there is.
func refusable(err error) bool {
	for _, line := range strings.Split(err.Error(), "\n") {
		if !strings.Contains(line, "needs noise of") && !strings.Contains(line, "too fine for noise of this size") &&
			!strings.Contains(line, "are wider than 2^63") && !strings.Contains(line, "has more than 2^62 of them") {
			return false
		}
	}
	return true
}

// readGrids notes the steps that the receipt shows.
func (q *question) readGrids(r release) (problem string) {
	for _, shown := range r.receipt.Values {
		i := slices.IndexFunc(q.values, func(s spec) bool { return s.name == shown.Name })
		s := &q.values[i]
		s.grid = written(s.step)
		if s.grid.Sign() == 0 {
			s.grid = powerOfTwo(shown.Step)
		}
		want := map[bool]string{false: "row", true: "unit"}[s.perUnit]
		if s.grid != nil && written(s.step).Sign() == 0 {
			if problem := q.fine(i, r); problem != "" {
				return problem
			}
		}
		if s.grid == nil || !same12(shown.Step, s.grid) || !same12(shown.Lower, written(s.lower)) || !same12(shown.Upper, written(s.upper)) || shown.Per != want {
			return fmt.Sprintf("the receipt says %+v of %v", shown, s)
		}
	}
	return q.names(r)
}

// fine says what is wrong with a step that the plan chose: integers have whole
// ones, and others neither fewer than two steps nor so many that a record has a norm
// of more than 2^30, for which noise is slow to draw and no better. A mean in a vector is
// read as a sum is.
func (q *question) fine(value int, r release) string {
	s := &q.values[value]
	low, high := s.inSteps(false), s.inSteps(true)
	norms := map[string]float64{"sum": max(math.Abs(low), math.Abs(high)), "mean": high - low, "variance": (high - low) * (high - low)}
	norms["deviation"] = norms["variance"]
	norm := 0.0
	for _, what := range []string{"sum", "mean", "variance", "deviation"} { // each is read from the next, where that is asked
		if slices.ContainsFunc(q.columns, func(c column) bool { return c.value == value && c.what == what }) {
			norm = norms[what]
		}
	}
	if slices.ContainsFunc(r.receipt.Measures, func(m aggregate.ReceiptMeasure) bool {
		return slices.ContainsFunc(m.Numbers, func(n aggregate.ReceiptNumber) bool { return n.Name == s.name+" mean" })
	}) {
		norm = norms["sum"]
	}
	float := reflect.ValueOf(s.lower).CanFloat()
	if float && (high-low < 2 || norm > 1<<30) || !float && !s.grid.IsInt() {
		return fmt.Sprintf("the plan chose a step of %v for %v to %v", s.grid, s.lower, s.upper)
	}
	return ""
}

// names compares the columns and measures that a receipt names with what was asked.
func (q *question) names(r release) string {
	var columns []string
	forms := map[string]bool{"count": true, "units": true}
	for _, c := range q.columns {
		name := map[string]string{"deviation": "standard deviation", "distinct": "distinct values"}[c.what]
		switch {
		case c.what == "quantile":
			name = fmt.Sprintf("p%g", c.rank*100)
		case name == "":
			name = c.what
		}
		if c.value >= 0 {
			name = q.values[c.value].name + " " + name
		}
		if !slices.Contains(columns, name) {
			columns = append(columns, name)
		}
	}
	for _, s := range q.values {
		for _, form := range []string{"sum", "mean", "variance", "quantiles", "quantiles, first draws", "quantiles, ends of intervals", "distinct values"} {
			forms[s.name+" "+form] = true
		}
	}
	if !slices.Equal(columns, r.receipt.Columns) {
		return fmt.Sprintf("the receipt names %q, asked was %q", r.receipt.Columns, columns)
	}
	vectors, problem := q.vectors(r)
	if problem != "" {
		return problem
	}
	for _, v := range vectors {
		forms[v.Name] = true
	}
	for _, m := range r.receipt.Measures {
		// Draws of one rank, and first draws, have a line of their own.
		drawn, _, _ := strings.Cut(strings.TrimSuffix(m.Name, ", first draws"), " quantiles p")
		if m.Mechanism == dp.BoundedRange && (forms[drawn] || forms[drawn+" quantiles"]) {
			continue
		}
		if !forms[m.Name] {
			return fmt.Sprintf("the receipt has a measure %q", m.Name)
		}
	}
	return ""
}

// compare returns how a release differs from what the reference says.
func (q *question) compare(r release) string {
	all := q.choices(3000)
	if all == nil {
		return q.compareCounts(r)
	}
	first := ""
	for _, kept := range all {
		problem := q.compareKept(r, kept)
		if problem == "" {
			return ""
		}
		first = problem
	}
	if len(all) > 1 {
		return fmt.Sprintf("no choice of at most %d groups and %d rows gives it; of the last: %s", q.maxKeys, q.maxRows, first)
	}
	return first
}

// compareKept returns how a release differs from the answers of the kept rows.
func (q *question) compareKept(r release, kept []fact) string {
	groups := q.groups(kept)
	keys := q.released(groups)
	if !slices.Equal(keys, r.keys) {
		return fmt.Sprintf("groups are %v, must be %v", r.keys, keys)
	}
	for i, key := range keys {
		for j, c := range q.columns {
			got := r.cells[i][j]
			exact := q.answer(c, groups[key])
			if c.what == "distinct" {
				if problem := q.values[c.value].compareCounted(got, groups[key]); problem != "" {
					return fmt.Sprintf("group %d: %+v %s", key, c, problem)
				}
				continue
			}
			if problem := q.compareAnswer(c, got, exact); problem != "" {
				return fmt.Sprintf("group %d: %+v %s", key, c, problem)
			}
		}
	}
	return ""
}

// compareAnswer compares one number.
func (q *question) compareAnswer(c column, got shown, exact *big.Rat) string {
	if exact == nil && c.what == "quantile" {
		return "" // of nothing it is anything within the bounds
	}
	if got.unknown != (exact == nil) {
		return fmt.Sprintf("is %v and unknown is %t, must be %v", got.value, got.unknown, exact)
	}
	if exact == nil {
		return ""
	}
	want := as(got.value, exact)
	if c.what == "deviation" {
		want = root(exact)
	}
	if got.value != want {
		return fmt.Sprintf("is %v, must be %v", got.value, want)
	}
	return ""
}

// inRange returns what is wrong with an estimate, whatever the rows are.
func (q *question) inRange(c column, got shown) string {
	low, high := q.limits(c)
	numbers := map[string]any{"it": got.value}
	if got.unknown { // then it says nothing
		delete(numbers, "it")
	}
	before := [2]any{}
	for _, confidence := range []float64{-1, 0, 0.5, 0.95, 0.999, 1, math.NaN()} {
		l, h := got.interval(confidence)
		numbers[fmt.Sprintf("the lower end at %v", confidence)] = l
		numbers[fmt.Sprintf("the upper end at %v", confidence)] = h
		switch {
		case !got.unknown && (less(got.value, l) || less(h, got.value)):
			return fmt.Sprintf("is %v, and its interval at %v is %v to %v", got.value, confidence, l, h)
		case before[0] != nil && (less(before[0], l) || less(h, before[1])) && !q.whole(c, before[0], before[1]):
			return fmt.Sprintf("has an interval %v to %v, which at %v shrinks to %v to %v", before[0], before[1], confidence, l, h)
		case q.outside(c, got, confidence) && !q.whole(c, l, h):
			return fmt.Sprintf("is refuted by its range at %v, and its interval is %v to %v", confidence, l, h)
		case (got.unknown || !(confidence < 1)) && !q.whole(c, l, h):
			return fmt.Sprintf("unknown is %t, but its interval at %v is %v to %v", got.unknown, confidence, l, h)
		}
		before = [2]any{l, h}
	}
	for name, x := range numbers {
		if low != nil && less(x, as(x, low)) || high != nil && less(as(x, high), x) {
			return fmt.Sprintf("%s is %v, must be in %v to %v", name, x, low, high)
		}
	}
	return ""
}

// outside reports whether nothing of the range is as near to the noisy number as the
// confidence asks for: then any short interval would look certain and be wrong.
func (q *question) outside(c column, got shown, confidence float64) bool {
	if c.value >= 0 && c.what != "sum" && c.what != "distinct" {
		return false
	}
	low, high := q.limits(c)
	from, to := got.raw(confidence)
	return low != nil && less(to, as(to, low)) || high != nil && less(as(from, high), from)
}

// whole reports whether an interval is all that public facts allow.
func (q *question) whole(c column, l, h any) bool {
	low, high := q.limits(c)
	return (low == nil || !less(as(l, low), l)) && (high == nil || !less(h, as(h, high))) &&
		(low != nil || endless(l)) && (high != nil || endless(h))
}

// endless reports whether an end of an interval is the last number of its type.
func endless(x any) bool {
	r, _ := exactly(x)
	if r == nil {
		return true
	}
	least, most := ends(x)
	if reflect.ValueOf(x).CanUint() {
		most = new(big.Int).SetUint64(math.MaxUint64)
	}
	return !reflect.ValueOf(x).CanFloat() && (r.Num().Cmp(least) == 0 || r.Num().Cmp(most) == 0)
}

// less compares numbers of one type; NaN is less than all.
func less(a, b any) bool {
	x, oddX := exactly(a)
	y, oddY := exactly(b)
	switch {
	case x != nil && y != nil:
		return x.Cmp(y) < 0
	case oddX != oddX || oddY != oddY:
		return true
	}
	return oddX < 0 && y != nil || x != nil && oddY > 0 || oddX < oddY
}

// compareCounts compares what holds whatever is chosen: how many rows and units
// are kept in all.
func (q *question) compareCounts(r release) string {
	units, leastRows, mostRows := 0, 0, 0
	for _, facts := range byUnit(q.wanted()) {
		var sizes []int
		for _, rows := range q.groups(facts) {
			sizes = append(sizes, min(len(rows), q.maxRows))
		}
		slices.Sort(sizes)
		n := min(len(sizes), q.maxKeys)
		units += n
		for i := range n {
			leastRows += sizes[i]
			mostRows += sizes[len(sizes)-1-i]
		}
	}
	for j, c := range q.columns {
		sum := int64(0)
		for _, cell := range r.cells {
			if n, ok := cell[j].value.(int64); ok {
				sum += n
			}
		}
		if c.what == "units" && sum != int64(units) {
			return fmt.Sprintf("units are %d in all groups together, must be %d", sum, units)
		}
		if c.what == "count" && (sum < int64(leastRows) || sum > int64(mostRows)) {
			return fmt.Sprintf("rows are %d in all groups together, must be %d to %d", sum, leastRows, mostRows)
		}
	}
	return ""
}

// shrink leaves out rows, columns and values for as long as something is wrong.
func shrink(t *testing.T, q *question, problem string) (*question, string) {
	for {
		smaller := q.smaller(func(try *question) bool {
			p, planned := ask(t, try)
			if p != "" && planned {
				problem = p
			}
			return p != "" && planned
		})
		if smaller == nil {
			return q, problem
		}
		q = smaller
	}
}

// smaller returns a question with one thing less that is still wrong.
func (q *question) smaller(wrong func(*question) bool) *question {
	for i := range q.facts {
		try := *q
		try.facts = slices.Delete(slices.Clone(q.facts), i, i+1)
		if wrong(&try) {
			return &try
		}
	}
	for i := range q.columns {
		if try := *q; len(q.columns) > 1 {
			try.columns = slices.Delete(slices.Clone(q.columns), i, i+1)
			if wrong(&try) {
				return &try
			}
		}
	}
	for i := range q.given {
		if try := *q; len(q.given) > 1 {
			try.given = slices.Delete(slices.Clone(q.given), i, i+1)
			if wrong(&try) {
				return &try
			}
		}
	}
	return nil
}

// String writes a question for whoever repairs what it found.
func (q *question) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "loss %v, keyed %t, given %v, at most %d keys and %d rows, types %T\n", q.loss, q.keyed, q.given, q.maxKeys, q.maxRows, everyType[q.types])
	for _, s := range q.values {
		fmt.Fprintf(&b, "  value %s: %T, per unit %t, %v to %v, step %v\n", s.name, s.lower, s.perUnit, s.lower, s.upper, s.step)
	}
	for _, c := range q.columns {
		fmt.Fprintf(&b, "  column %+v\n", c)
	}
	for _, f := range q.facts {
		fmt.Fprintf(&b, "  row %+v\n", f)
	}
	return b.String()
}
