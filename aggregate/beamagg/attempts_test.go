package beamagg

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

// A runner of its own, that does to bundles what runners may do: it runs them again, in another order and
// split elsewhere, also after a part of one was done, takes of each shard whichever attempt it likes, and sends
// sums to other workers or not.
type runner struct {
	*rand.Rand
	t    testing.TB
	task task
}

func (r *runner) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// place runs the bundles of one attempt, some of them twice, and returns what each shard is sent.
func (r *runner) place(rows []Sale) [][][]byte {
	f := &placeFn[Sale]{Task: r.task}
	r.must(f.Setup())
	rows = slices.Clone(rows)
	r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	sent := make([][][]byte, r.task.Shards)
	for bundle := range slices.Chunk(rows, 1+r.IntN(len(rows))) {
		if r.IntN(2) == 0 { // it fails half-way, and what it sent is thrown away
			f.StartBundle(nil)
			for _, row := range bundle[:r.IntN(len(bundle)+1)] {
				f.ProcessElement(row, func(int, []byte) {})
			}
		}
		keep := func(shard int, b []byte) { sent[shard] = append(sent[shard], b) }
		f.StartBundle(keep)
		for _, row := range bundle {
			f.ProcessElement(row, keep)
		}
		f.FinishBundle(keep)
	}
	return sent
}

// collect runs one attempt at a shard.
func (r *runner) collect(shard int, sent [][]byte) (pile int, s sum) {
	f := &collectFn{Task: r.task}
	r.must(f.Setup())
	r.Shuffle(len(sent), func(i, j int) { sent[i], sent[j] = sent[j], sent[i] })
	sent = append(slices.Clone(sent), nil) // as everyFn sends
	next := func(b *[]byte) bool {
		if len(sent) == 0 {
			return false
		}
		*b, sent = sent[0], sent[1:]
		return true
	}
	r.must(f.ProcessElement(r.t.Context(), shard, next, func(p int, one sum) { pile, s = p, one }))
	if r.IntN(2) == 0 {
		s = r.travel(s)
	}
	return pile, s
}

// travel sends a sum to another worker.
func (r *runner) travel(s sum) sum {
	b, err := encodeSum(s)
	r.must(err)
	s, err = decodeSum(b)
	r.must(err)
	return s
}

// Bundles that run again, attempts that are mixed shard by shard, and sums that are merged in any order and
// twice over give what one process collects.
func TestBundlesThatRunAgainChangeNothing(t *testing.T) {
	const rows = 1500
	rng := rand.New(rand.NewPCG(16, 50))
	for name, p := range salesPlans {
		j, key := jobOf(t, 7)
		want := one(t, p, j, rows)
		for range 5 {
			task, _, err := tasked(p, j)
			r := &runner{rng, t, task}
			r.must(err)
			attempts := [][][][]byte{r.place(made(rows)), r.place(made(rows))}
			piles := map[int][]sum{}
			for shard := range j.Shards {
				pile, s := r.collect(shard, attempts[r.IntN(2)][shard])
				piles[pile] = append(piles[pile], s)
			}
			var names []string
			for pile, sums := range piles {
				names = append(names, r.seal(pile, sums))
			}
			r.list(names)
			got, err := Open(t.Context(), p, j, key)
			if err != nil || !same(t, p, got, want) {
				t.Fatalf("%s: other sums, %v", name, err)
			}
		}
	}
}

// seal merges sums in some order, and seals them twice: one counts.
func (r *runner) seal(pile int, sums []sum) (name string) {
	r.Shuffle(len(sums), func(i, j int) { sums[i], sums[j] = sums[j], sums[i] })
	merge := func() sum {
		merged := sums[0]
		var err error
		for _, s := range sums[1:] {
			merged, err = (&mergeFn{}).MergeAccumulators(merged, s)
			r.must(err)
		}
		return merged
	}
	merge() // which changes no sum
	for range 2 {
		r.must((&sealFn{r.task}).ProcessElement(r.t.Context(), pile, r.travel(merge()), func(_ int, n string) { name = n }))
	}
	return name
}

func (r *runner) list(names []string) {
	f := &listFn{Task: r.task}
	r.must(f.Setup())
	for range 2 {
		left := slices.Clone(names)
		r.must(f.ProcessElement(r.t.Context(), 0, func(name *string) bool {
			if len(left) == 0 {
				return false
			}
			*name, left = left[0], left[1:]
			return true
		}))
	}
}

// A shard that is there twice, which no runner may do, is refused and not counted twice; so is what is
// no sum.
func TestAShardCountsOnce(t *testing.T) {
	j, _ := jobOf(t, 3)
	task, _, err := tasked(salesPlans["cut"], j)
	r := &runner{rand.New(rand.NewPCG(16, 51)), t, task}
	r.must(err)
	sent := r.place(made(500))
	_, a := r.collect(1, sent[1])
	_, b := r.collect(1, sent[1])
	if _, err := (&mergeFn{}).MergeAccumulators(a, b); err == nil || !strings.Contains(err.Error(), "overlap") {
		t.Errorf("a shard twice: %v", err)
	}
	whole, err := encodeSum(a)
	r.must(err)
	for cut := range len(whole) {
		if _, err := decodeSum(whole[:cut]); err == nil {
			t.Fatalf("%d of %d bytes are a sum", cut, len(whole))
		}
	}
	for range 2000 {
		b := slices.Clone(whole)
		b[r.IntN(len(b))] ^= byte(1 + r.IntN(255))
		if s, err := decodeSum(b); err == nil {
			r.must((&sealFn{r.task}).ProcessElement(t.Context(), 0, s, func(int, string) {}))
		}
	}
}

// The account pays once, before noise: who runs again gets the same release and no pipeline runs, and what it
// cannot pay is refused before rows are read.
func TestTheAccountPaysAsForAnyRelease(t *testing.T) {
	dptest.NoNoise(t)
	const rows = 1000
	p := salesPlans["given"]
	terms := budget.Terms{Dataset: "sales", Unit: "customer", Limit: dp.Concentrated{Rho: 0.6}}
	account, err1 := budget.Create(t.Context(), budget.Memory(), terms)
	other, err2 := budget.Create(t.Context(), budget.Memory(), terms)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	var jobs []Job
	release := func(key string) (string, error) {
		r, err := p.RunFrom(t.Context(), account, aggregate.Request{Key: key, Purpose: "test"}, func(ctx context.Context, p *salesPlan) (*aggregate.Partial[string], error) {
			j, private := jobOf(t, 4)
			jobs = append(jobs, j)
			if err := inProcess(ctx, pipelineOf(t, p, j, rows)); err != nil {
				return nil, err
			}
			return Open(ctx, p, j, private)
		})
		return shown(r, err), err
	}
	first, err := release("May")
	if err != nil {
		t.Fatal(err)
	}
	want, err := p.Release(t.Context(), other, aggregate.Request{Key: "one", Purpose: "test"}, one(t, p, jobs[0], rows))
	if shown(want, err) != first || !strings.Contains(first, "Bern") {
		t.Errorf("released\n%s, and by one process\n%s", first, shown(want, err))
	}
	if again, err := release("May"); err != nil || len(jobs) != 1 || again != first {
		t.Errorf("%d pipelines ran for one release, %v", len(jobs), err)
	}
	if _, err := release("June"); err == nil || len(jobs) != 1 {
		t.Errorf("the account paid beyond its limit, or rows were read first: %v", err)
	}
}

func shown(r *aggregate.Release[string], err error) string {
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for city, cell := range r.All() {
		fmt.Fprintln(&b, city, counts["given"].Of(cell).Value, means["given"].Of(cell).Value)
	}
	return b.String()
}
