package beamagg

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func written(t testing.TB, s sum) []byte {
	t.Helper()
	b, err := encodeSum(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// headOf returns what is before the Partials of a sum.
func headOf(t testing.TB, ta task) []byte { return written(t, sum{task: ta}) }

// FuzzSum: whatever a runner brings from another worker is a sum, which is written as it came and can be merged and sealed, or
// is refused.
func FuzzSum(f *testing.F) {
	var tasks []task
	for _, name := range []string{"cut", "groups", "quantiles"} {
		j, _ := jobOf(f, 3)
		task, _, err := tasked(salesPlans[name], j)
		if err != nil {
			f.Fatal(err)
		}
		r := &runner{rand.New(rand.NewPCG(16, 52)), f, task}
		var sums []sum
		for shard, sent := range r.place(made(60)) {
			_, s := r.collect(shard, sent)
			sums = append(sums, s)
		}
		two := sum{task, sums[0].shards, append(sums[0].partials[:1:1], sums[1].partials...), []int{1, 1}}
		for _, s := range append(sums, two) {
			rest := bytes.TrimPrefix(written(f, s), headOf(f, task))
			f.Add(uint8(len(tasks)), rest)
			f.Add(uint8(len(tasks)), rest[:len(rest)-1])
		}
		tasks = append(tasks, task)
	}
	f.Fuzz(func(t *testing.T, which uint8, rest []byte) {
		task := tasks[int(which)%len(tasks)]
		b := append(bytes.Clone(headOf(t, task)), rest...)
		s, err := decodeSum(b)
		if err != nil {
			return
		}
		if s, err = decodeSum(written(t, s)); err != nil {
			t.Fatalf("written again it is none: %v", err)
		}
		if _, err := (&mergeFn{}).MergeAccumulators(s, s); err == nil {
			t.Error("a sum is merged with itself")
		}
		merged, err := s.shards.Merge(t.Context(), s.partials...)
		if err != nil {
			return // its shards overlap
		}
		if _, err := s.shards.Unpack(s.shards.Pack(merged)); err != nil {
			t.Errorf("merged it is none: %v", err)
		}
	})
}
