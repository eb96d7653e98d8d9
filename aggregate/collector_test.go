package aggregate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
)

// uncut returns plans as cutting does, whose caps cut nothing off.
func uncut(t testing.TB) map[string]*Plan[fact, int, int] {
	t.Helper()
	plans := map[string]*Plan[fact, int, int]{"groups given": facts(t, dp.Concentrated{Rho: 0.5}, limits{-10, 1, 1}, 6, 100_000)}
	q := &Query[fact, int, int]{
		Dataset: "facts", UnitName: "unit", MaxGroups: 6, MaxRowsPerGroup: 100_000,
		Unit: func(f fact) int { return f.who }, Group: func(f fact) int { return f.group },
	}
	var err error
	if plans["groups selected"], err = q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, q.Count(), q.Units()); err != nil {
		t.Fatal(err)
	}
	return plans
}

func collectorOf(t testing.TB, p *Plan[fact, int, int], s Shard) *Collector[fact, int, int] {
	t.Helper()
	c, err := p.Collector(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func addAll(t testing.TB, c *Collector[fact, int, int], rows []fact) {
	t.Helper()
	for _, r := range rows {
		if err := c.Add(r); err != nil {
			t.Fatal(err)
		}
	}
}

func ended(t testing.TB, c *Collector[fact, int, int]) *Partial[int] {
	t.Helper()
	part, err := c.Partial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return part
}

// Rows that several goroutines add are those that one reads, through snapshots and restores.
func TestACollectorCollectsWhatIsAdded(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 3))
	key := privateKey(t)
	for name, p := range uncut(t) {
		rows := manyFacts(rng, 4000)
		c := collectorOf(t, p, Shard{})
		for part := range slices.Chunk(rows, 1500) {
			var all sync.WaitGroup
			for mine := range slices.Chunk(part, 400) {
				all.Go(func() { addAll(t, c, mine) })
			}
			all.Wait()
			snapshot, err := c.Snapshot(t.Context(), key.PublicKey())
			if err != nil {
				t.Fatal(err)
			}
			if c, err = p.Restore(t.Context(), key, "", snapshot); err != nil {
				t.Fatal(err)
			}
		}
		if got := ended(t, c); !sameSums(got.state(), p.collectedFor(t, rows)) {
			t.Errorf("%s: other sums than those of one process", name)
		}
		if err := c.Add(fact{}); !errors.Is(err, errEnded) {
			t.Errorf("a row was added after the end: %v", err)
		}
		if _, err := c.Partial(t.Context()); !errors.Is(err, errEnded) {
			t.Errorf("ended twice: %v", err)
		}
		if _, err := c.Snapshot(t.Context(), key.PublicKey()); !errors.Is(err, errEnded) {
			t.Errorf("a snapshot after the end: %v", err)
		}
	}
}

// Where caps cut off, a Collector that goes on in another process makes the choices that it
// would have made in the first, whenever that is; in its shard, and with choices of its own.
func TestARestoredCollectorMakesTheSameChoices(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 4))
	key, secret := privateKey(t), secretFile(t, aSecret)
	for name, p := range cutting(t) {
		for _, reference := range []string{"", secret} {
			drawn := bytes.Repeat([]byte{7}, leastSecret)
			choices := p.drawing(drawn, newSpace())
			if reference != "" {
				var err error
				drawn = nil
				if choices, err = p.sliced(Shard{1, 2, reference}); err != nil {
					t.Fatal(err)
				}
			}
			rows := manyFacts(rng, 3000)
			collect := func(snapshots ...int) *Partial[int] {
				c, err := p.collector(choices, slices.Clone(drawn), 1)
				last := 0
				for _, at := range snapshots {
					if err == nil {
						addAll(t, c, rows[last:at])
						last = at
						c, err = again(t, p, c, reference)
					}
				}
				if err != nil {
					t.Fatal(err)
				}
				addAll(t, c, rows[last:])
				return ended(t, c)
			}
			want := collect()
			if !sameSums(want.state(), collect(1000, 1001, 2500).state()) {
				t.Errorf("%s: through snapshots other rows are chosen", name)
			}
			if p.finder == nil && reference == "" && sameSums(want.state(), p.collectedFor(t, rows)) {
				t.Errorf("%s: caps cut nothing off", name)
			}
			b, _ := sealTo(t, key, want)
			if _, err := p.Open(t.Context(), key, reference, b); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// again returns the Collector that goes on from another, in one stripe.
func again(t testing.TB, p *Plan[fact, int, int], c *Collector[fact, int, int], secret string) (*Collector[fact, int, int], error) {
	state := c.state()
	b := state.packChoices()
	for i := range state.stripes {
		var err error
		if b, err = state.packStripe(t.Context(), b, &state.stripes[i]); err != nil {
			return nil, err
		}
	}
	return p.restore(t.Context(), secret, append(b, 0), 1)
}

// Caps hold for a Collector too: no unit moves a count of rows by more than they allow.
func TestCapsHoldForACollector(t *testing.T) {
	p := cutting(t)["groups selected"]
	c := collectorOf(t, p, Shard{})
	for i := range 20_000 {
		addAll(t, c, []fact{{1, i % 6, 0, 0}, {2, 0, 0, 0}})
	}
	part := ended(t, c).state()
	for i, group := range part.groups {
		units := part.group(i).sums[p.units().first]
		if units.Clamp() > 2 {
			t.Errorf("group %d has %v units", group, units)
		}
	}
	if n := len(part.lists[0].points); n != 3*2+3 {
		t.Errorf("%d rows of two units are kept, want 9", n)
	}
}

// Two that go on from one snapshot, and the one that it was taken of, hold the same rows: of
// their Partials no two are released. Those of others are.
func TestTwoDescendantsOfOneSnapshotAreRefused(t *testing.T) {
	p, key := cutting(t)["groups given"], privateKey(t)
	first := collectorOf(t, p, Shard{})
	addAll(t, first, []fact{{who: 1}})
	snapshot, err := first.Snapshot(t.Context(), key.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	var parts []*Partial[int]
	for range 2 {
		c, err := p.Restore(t.Context(), key, "", snapshot)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, ended(t, c))
	}
	parts = append(parts, ended(t, first))
	for i := range parts {
		for j := range i {
			if _, err := p.Merge(t.Context(), parts[i], parts[j]); err == nil || !strings.Contains(err.Error(), "a unit would count twice") {
				t.Errorf("%d and %d are merged: %v", i, j, err)
			}
		}
	}
	other := ended(t, collectorOf(t, p, Shard{}))
	if _, err := p.merged(t.Context(), []*Partial[int]{parts[0], other}); err != nil {
		t.Error(err)
	}
}

// Collectors of shards that are given all rows collect together what counts once.
func TestCollectorsOfShardsAreOneRelease(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 5))
	p, secret := uncut(t)["groups given"], secretFile(t, aSecret)
	rows := manyFacts(rng, 2000)
	var parts []*Partial[int]
	for i := range 3 {
		c := collectorOf(t, p, Shard{i, 3, secret})
		addAll(t, c, rows)
		parts = append(parts, ended(t, c))
	}
	merged, err := p.Merge(t.Context(), parts...)
	if err != nil || !sameSums(merged.state(), p.collectedFor(t, rows)) {
		t.Errorf("other sums than those of one process: %v", err)
	}
}

// What is done under a context that ends fails with its error, soon, and leaves no goroutine;
// a snapshot that failed changes nothing.
func TestCollectorsCancel(t *testing.T) {
	p, key := uncut(t)["groups given"], privateKey(t)
	rows := manyFacts(rand.New(rand.NewPCG(12, 6)), 5000)
	synctest.Test(t, func(t *testing.T) {
		c := collectorOf(t, p, Shard{})
		addAll(t, c, rows)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := c.Snapshot(ctx, key.PublicKey()); !errors.Is(err, context.Canceled) {
			t.Errorf("a snapshot: %v", err)
		}
		snapshot, err := c.Snapshot(t.Context(), key.PublicKey())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Restore(ctx, key, "", snapshot); !errors.Is(err, context.Canceled) {
			t.Errorf("restoring: %v", err)
		}
		if !sameSums(ended(t, c).state(), p.collectedFor(t, rows)) {
			t.Error("a snapshot that failed changed what is collected")
		}
		other, err := p.Restore(t.Context(), key, "", snapshot)
		if err != nil {
			t.Fatal(err)
		}
		if part, err := other.Partial(ctx); part != nil || !errors.Is(err, context.Canceled) {
			t.Errorf("a Partial: %v, %v", part, err)
		}
	})
}

// A Collector is refused where it cannot keep what it says, and prints nothing.
func TestCollectorsThatCannotBeAreRefused(t *testing.T) {
	q := &Query[fact, struct{ who int }, int]{
		Dataset: "facts", UnitName: "unit", MaxGroups: 1, MaxRowsPerGroup: 1, Retention: &Retention[fact]{Days: 1},
		Unit: func(f fact) struct{ who int } { return struct{ who int }{f.who} }, Group: func(f fact) int { return f.group }, Groups: []int{1},
	}
	q.Retention.Time = func(fact) time.Time { return time.Time{} }
	p, err := q.Plan(dp.Pure{Epsilon: 1}, q.Count())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Collector(Shard{}); err == nil || !strings.Contains(err.Error(), "Query.Retention") || !strings.Contains(err.Error(), "unexported field who") {
		t.Errorf("%v", err)
	}
	fine := cutting(t)["fine"]
	if _, err := fine.Collector(Shard{0, 2, "x"}); err == nil || !strings.Contains(err.Error(), "the secret itself is never given") {
		t.Errorf("%v", err)
	}
	c := collectorOf(t, fine, Shard{})
	addAll(t, c, []fact{{who: 987654321}})
	log := new(strings.Builder)
	slog.New(slog.NewJSONHandler(log, nil)).Info("collecting", "collector", c)
	if shown := fmt.Sprintf("%v %+v %#v %s", c, *c, c, log); !strings.Contains(shown, "collecting") || strings.Contains(shown, "987654321") || len(shown) > 500 {
		t.Error(shown)
	}
}

// FuzzRestore: whatever was sealed as a snapshot is refused, or restored to what can be
// collected, within the caps.
func FuzzRestore(f *testing.F) {
	plans := cutting(f)
	names := []string{"groups given", "groups selected", "groups alone"}
	for i, name := range names {
		c := collectorOf(f, plans[name], Shard{})
		addAll(f, c, manyFacts(rand.New(rand.NewPCG(12, 7)), 30))
		state := c.state()
		b := state.packChoices()
		for j := range state.stripes {
			var err error
			if b, err = state.packStripe(f.Context(), b, &state.stripes[j]); err != nil {
				f.Fatal(err)
			}
		}
		f.Add(uint8(i), append(b, 0))
		f.Add(uint8(i), b)
		f.Add(uint8(i), b[:len(b)/2])
		f.Add(uint8(i), append(b, 1))
	}
	f.Fuzz(func(t *testing.T, which uint8, payload []byte) {
		p := plans[names[int(which)%len(names)]]
		c, err := p.restore(t.Context(), "", payload, 2)
		if err != nil {
			return
		}
		addAll(t, c, []fact{{who: 1, group: 1}})
		part := ended(t, c)
		if _, err := p.unpack(part.state().pack()); err != nil {
			t.Fatalf("what was restored cannot be sealed: %v", err)
		}
	})
}
