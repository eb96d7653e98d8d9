package aggregate

import (
	"bytes"
	"context"
	"errors"
	"hash/maphash"
	"iter"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/equipoise-dp/equipoise/dp"
)

// An item is a row of the tests of memory.
type item struct {
	unit  int64
	group int32
	value float64
}

func itemPlans(t *testing.T) map[string]*Plan[item, int64, int32] {
	t.Helper()
	q := &Query[item, int64, int32]{
		Dataset: "d", UnitName: "u", MaxGroups: 3, MaxRowsPerGroup: 2,
		Unit: func(r item) int64 { return r.unit }, Group: func(r item) int32 { return r.group },
	}
	v := PerRow(q, "v", func(r item) float64 { return r.value }, Bounds[float64]{Lower: 0, Upper: 100, Step: 0.01})
	loss := dp.Approx{Epsilon: 5, Delta: 1e-6}
	plans := map[string]*Plan[item, int64, int32]{}
	for name, columns := range map[string][]AnyColumn{
		"sums": {q.Count(), v.Sum(), v.Mean()}, "quantiles": {q.Count(), v.Quantile(0.5), v.Quantile(0.9)}, "groups": nil,
		"distinct values": {q.Count(), Distinct(q, "values", func(r item) int { return int(r.value) }, 1)},
	} {
		plan, err := q.Plan(loss, columns...)
		if err != nil {
			t.Fatal(err)
		}
		plans[name] = plan
	}
	return plans
}

// items are rows of which some units have many.
func items(seed uint64, n, units, groups int) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		rng := rand.New(rand.NewPCG(seed, 1))
		for i := range n {
			u := rng.Int64N(int64(units))
			if i%4 == 0 {
				u %= 7
			}
			if !yield(item{u, int32(rng.IntN(groups)), 100 * rng.Float64()}, nil) {
				return
			}
		}
	}
}

// Whatever is asked and from wherever rows come: with the least memory that a plan says it needs it collects, to the
// bit, what it collects without a limit and with the same choices; and nothing is left in the folder.
func TestALimitOfMemoryChangesNothing(t *testing.T) {
	const n, units, groups = 400_000, 60_000, 300
	for name, plan := range itemPlans(t) {
		for sources := 1; sources <= 3; sources += 2 {
			need, err := plan.Needs(Size{Rows: n, Units: units, Pairs: 3 * units, Groups: groups, Sources: sources})
			if err != nil {
				t.Fatal(err)
			}
			if need.Disk < 12*n || need.Disk > 40*n {
				t.Errorf("%s needs %d bytes of disk for %d rows", name, need.Disk, n)
			}
			folder := t.TempDir()
			tight, err := plan.Within(Memory{Most: need.Least, Folder: folder})
			if err != nil {
				t.Fatal(err)
			}
			if need.Least > need.Memory/2 && name == "sums" {
				t.Errorf("%s needs %d bytes, and at least %d: the test shows little", name, need.Memory, need.Least)
			}
			var rows []iter.Seq2[item, error]
			for i := range sources {
				rows = append(rows, items(uint64(i), n/sources, units, groups))
			}
			seed := maphash.MakeSeed()
			a, err1 := plan.collect(t.Context(), seed, nil, rows...)
			b, err2 := tight.collect(t.Context(), seed, nil, rows...)
			if err1 != nil || err2 != nil {
				t.Fatal(name, err1, err2)
			}
			a.state().origins, b.state().origins = nil, nil
			x, y := a.state().pack(), b.state().pack()
			if name == "groups" { // units come in another order
				x, y = sortedLists(a.state()), sortedLists(b.state())
			}
			if !bytes.Equal(x, y) {
				t.Errorf("%s from %d sources: a limit changes what is collected", name, sources)
			}
			if entries, err := os.ReadDir(folder); err != nil || len(entries) > 0 {
				t.Errorf("%d files are left: %v", len(entries), err)
			}
		}
	}
}

// sortedLists returns the lists of units in an order of their own.
func sortedLists(p *partial[int32]) []byte {
	var lists []string
	for groups := range p.eachUnit() {
		var b strings.Builder
		for _, g := range groups {
			b.WriteRune(g)
		}
		lists = append(lists, b.String())
	}
	slices.Sort(lists)
	return []byte(strings.Join(lists, "\n"))
}

// What a plan says that it needs is what it needs at most, and at most four times as much: measured when the last row is read, and
// now and then while rows are added up, groups sorted and noise is drawn.
func TestNeedsAreWhatIsInUse(t *testing.T) {
	for name, plan := range itemPlans(t) {
		for _, size := range []Size{{300_000, 60_000, 180_000, 300, 1}, {300_000, 300_000, 300_000, 50_000, 1}, {1_000_000, 1000, 3000, 300, 1}} {
			need, err := plan.Needs(size)
			if err != nil {
				t.Fatal(err)
			}
			before := inUse()
			var after int64
			rows := func(yield func(item, error) bool) {
				for row, err := range items(1, size.Rows, size.Units, size.Groups) {
					if !yield(row, err) {
						return
					}
				}
				after = inUse()
			}
			looking := &looking{Context: t.Context(), from: size.Rows, every: 1 + size.Rows/256/8}
			part, err := plan.Collect(looking, rows)
			if err != nil {
				t.Fatal(err)
			}
			after = max(after, looking.most)
			t.Logf("%s %+v: %.2f of what is needed; %d looks", name, size, float64(after-before)/float64(need.Memory), looking.looks)
			if took := after - before; took > need.Memory || 4*took < need.Memory || looking.looks < 1 {
				t.Errorf("%s of %+v has %d bytes in use at %d looks, needs %d", name, size, took, looking.looks, need.Memory)
			}
			runtime.KeepAlive(part)
		}
	}
}

// A looking context sees how much is in use when it is asked, after so many times now and then.
type looking struct {
	context.Context
	mutex       sync.Mutex
	from, every int
	asked       int
	looks       int
	most        int64
}

func (l *looking) Err() error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.asked++; l.asked > l.from && l.asked%l.every == 0 && l.looks < 12 {
		l.most = max(l.most, inUse())
		l.looks++
	}
	return nil
}

// inUse returns how many bytes are in use.
func inUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// What does not fit is an error that says so, before anything is paid; files that cannot be written are too.
func TestWhatHasNoRoomIsRefused(t *testing.T) {
	plan := itemPlans(t)["quantiles"]
	folder := t.TempDir()
	least := plan.leastMemory(1)
	tight, err := plan.Within(Memory{Most: least, Folder: folder})
	if err != nil {
		t.Fatal(err)
	}
	for name, rows := range map[string]iter.Seq2[item, error]{
		"groups": items(1, 400_000, 400_000, 100_000), "values": items(1, 400_000, 100_000, 10),
	} {
		if _, err := tight.Collect(t.Context(), rows); err == nil || !strings.Contains(err.Error(), "has no room") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := tight.Collect(t.Context(), Slice[item](nil)); err != nil {
		t.Error(err)
	}
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	if _, err := tight.Collect(t.Context(), items(1, 400_000, 100_000, 10)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a folder: %v", err)
	}
}

// Whoever cancels while rows are written to files or read from them gets the error of the context, and no file and
// no goroutine is left.
func TestCancellingWithALimitOfMemory(t *testing.T) {
	folder := t.TempDir()
	plan, err := itemPlans(t)["sums"].Within(Memory{Most: itemPlans(t)["sums"].leastMemory(2), Folder: folder})
	if err != nil {
		t.Fatal(err)
	}
	const n = 200_000
	for _, at := range []int{n / 2, n - 1} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			rows := func(yield func(item, error) bool) {
				i := 0
				for row, err := range items(1, n, 50_000, 100) {
					if i++; i == at {
						cancel()
					}
					if !yield(row, err) {
						return
					}
				}
			}
			if _, err := plan.Collect(ctx, rows, items(2, n, 50_000, 100)); !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled at row %d: %v", at, err)
			}
		})
		if entries, err := os.ReadDir(folder); err != nil || len(entries) > 0 {
			t.Errorf("cancelled at row %d: %d files are left: %v", at, len(entries), err)
		}
	}
}

func TestMemoryThatMakesNoSenseIsRefused(t *testing.T) {
	plan := itemPlans(t)["sums"]
	for says, m := range map[string]Memory{
		"aggregate: Memory.Most is 0 bytes, must be at least": {},
		"aggregate: Memory.Most is -1 bytes":                  {Most: -1},
		`aggregate: Memory.Folder is "memory_test.go"`:        {Most: 1 << 30, Folder: "memory_test.go"},
		`aggregate: Memory.Folder is "no-such"`:               {Most: 1 << 30, Folder: "no-such"},
	} {
		if _, err := plan.Within(m); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v, must say %q", m, err, says)
		}
	}
	tight, err := plan.Within(Memory{Most: plan.leastMemory(1)})
	if err != nil {
		t.Fatal(err)
	}
	many := make([]iter.Seq2[item, error], 100)
	for i := range many {
		many[i] = Slice[item](nil)
	}
	if _, err := tight.Collect(t.Context(), many...); err == nil || !strings.Contains(err.Error(), "to read from 100 sources at a time") {
		t.Error(err)
	}
	if _, err := tight.Collector(Shard{}); err == nil || !strings.Contains(err.Error(), "limit of memory") {
		t.Error(err)
	}
	for says, s := range map[string]Size{
		"Size.Rows is 0": {0, 1, 1, 1, 1}, "Size.Groups is -1": {1, 1, 1, -1, 1}, "Size has 3 Units, 2 Pairs and 4 Rows": {4, 3, 2, 1, 1}, "Size.Sources is 0": {1, 1, 1, 1, 0},
	} {
		if _, err := plan.Needs(s); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v", s, err)
		}
	}
}
