package aggregate

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"math/bits"
	"math/rand/v2"
	"regexp"
	"runtime"
	"runtime/pprof"
	"slices"
	"sync"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// A labelled context collects the labels of all goroutines when it is asked.
type labelled struct {
	context.Context
	mutex sync.Mutex
	seen  map[string]bool
}

var labels = regexp.MustCompile(`(?m)^# labels: (.*)$`)

func (l *labelled) Err() error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		return err
	}
	for _, found := range labels.FindAllStringSubmatch(profile.String(), -1) {
		l.seen[found[1]] = true
	}
	return nil
}

// Profiles show in which phase the goroutines of a release are, by its name and nothing else, and
// nothing is left of it afterwards.
func TestProfilesShowPhases(t *testing.T) {
	for name, want := range map[string][]string{
		"sums":   {phaseReading, phaseAdding, phaseSorting, phaseDrawing},
		"groups": {phaseReading, phaseListing, phaseDrawing},
	} {
		ctx := &labelled{Context: t.Context(), seen: map[string]bool{}}
		plan := itemPlans(t)[name]
		part, err := plan.Collect(ctx, items(1, 600, 600, 500), items(2, 600, 600, 500))
		if err != nil {
			t.Fatal(err)
		}
		part, err = plan.Merge(ctx, part, onlyOne(t, plan))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := plan.Release(ctx, payer{}, Request{Key: "k", Purpose: "p"}, part); err != nil {
			t.Fatal(err)
		}
		wanted := map[string]bool{}
		for _, phase := range append(want, phaseMerging) {
			wanted[`{"`+phaseLabel+`":"`+phase+`"}`] = true
		}
		for label := range wanted {
			if !ctx.seen[label] {
				t.Errorf("%s: no goroutine has the label %s, of %v", name, label, ctx.seen)
			}
		}
		for label := range ctx.seen {
			if !wanted[label] {
				t.Errorf("%s: a goroutine has the label %s", name, label)
			}
		}
		for range 10_000 { // goroutines that are done may not have ended yet
			clear(ctx.seen)
			if ctx.Err(); len(ctx.seen) == 0 {
				break
			}
			runtime.Gosched()
		}
		if len(ctx.seen) > 0 {
			t.Errorf("%s: labels %v are left", name, ctx.seen)
		}
	}
}

func onlyOne(t *testing.T, plan *Plan[item, int64, int32]) *Partial[int32] {
	part, err := plan.Collect(t.Context(), Slice([]item{{unit: -1, group: 1}}))
	if err != nil {
		t.Fatal(err)
	}
	return part
}

// A payer pays for everything and keeps what it is given.
type payer struct{}

func (payer) Afford(context.Context, dp.Charge) error                       { return nil }
func (payer) Spend(context.Context, dp.Charge) (dp.Payment, error)          { return dp.Payment{}, nil }
func (payer) Kept(context.Context, dp.Charge) ([]byte, error)               { return nil, nil }
func (payer) Keep(_ context.Context, _ dp.Charge, b []byte) ([]byte, error) { return b, nil }

// An ending context ends when it has been asked so often.
type ending struct {
	context.Context
	mutex sync.Mutex
	left  int
}

func (e *ending) Err() error {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if e.left--; e.left < 0 {
		return context.Canceled
	}
	return nil
}

// Every phase that takes its time asks the context as often as it says, and ends when that ends.
func TestEveryPhaseEndsWithItsContext(t *testing.T) {
	plans := itemPlans(t)
	var points []int64
	for range 1 << 18 {
		points = append(points, rand.Int64N(1<<20))
	}
	groups := make([]int32, 100_000)
	for i := range groups {
		groups[i] = int32(i*7919) % 100_003
	}
	sums := collectedOf(t, plans["sums"], items(1, 30_000, 30_000, 20_000))
	lists := collectedOf(t, plans["groups"], items(1, 30_000, 30_000, 20_000))
	values := collectedOf(t, plans["quantiles"], items(1, 30_000, 3_000, 3_000))
	for name, phase := range map[string]struct {
		least int
		do    func(context.Context) error
	}{
		"sorting points": {len(points) / fewPoints, func(ctx context.Context) error {
			w := &watch{ctx: ctx}
			some := slices.Clone(points)
			sortPoints(some, w)
			if w.err == nil != slices.IsSorted(some) {
				t.Errorf("points are sorted: %v, and the context has %v", slices.IsSorted(some), w.err)
			}
			return w.err
		}},
		"sorting groups": {len(groups) * (bits.Len(uint(len(groups))) - 4) / 4096, func(ctx context.Context) error {
			w := &watch{ctx: ctx}
			_, err := plans["sums"].releaseOrder(w, groups, make([]exact.Int128, len(groups)*plans["sums"].sums))
			return err
		}},
		"adding noise": {len(sums.groups) / batch, func(ctx context.Context) error { _, _, err := addNoise(ctx, plans["sums"].compiled, sums); return err }},
		"quantiles": {len(values.groups) / batch, func(ctx context.Context) error {
			_, _, err := addNoise(ctx, plans["quantiles"].compiled, values)
			return err
		}},
		"finding groups": {len(lists.units.ends) / often, func(ctx context.Context) error { _, _, err := find(ctx, plans["groups"].compiled, lists); return err }},
		"adding Partials": {len(sums.groups) / often, func(ctx context.Context) error {
			_, err := plans["sums"].addUp(ctx, []*partial[int32]{sums, sums})
			return err
		}},
	} {
		patient := &ending{Context: t.Context(), left: 1 << 30}
		if err := phase.do(patient); err != nil {
			t.Fatal(name, err)
		}
		asked := 1<<30 - patient.left
		if asked < phase.least || phase.least < 2 {
			t.Errorf("%s asks %d times, want at least %d", name, asked, phase.least)
		}
		for _, left := range []int{0, asked / 2, asked - 1} {
			ctx := &ending{Context: t.Context(), left: left}
			if err := phase.do(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("%s, when the context ends after it was asked %d of %d times: %v", name, left, asked, err)
			}
		}
	}
}

func collectedOf(t *testing.T, plan *Plan[item, int64, int32], rows iter.Seq2[item, error]) *partial[int32] {
	part, err := plan.Collect(t.Context(), rows)
	if err != nil {
		t.Fatal(err)
	}
	return part.state()
}

// Noise of a few groups is drawn to the end, since it is paid for.
func TestFewGroupsGetTheirNoise(t *testing.T) {
	plan := itemPlans(t)["sums"]
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := addNoise(ctx, plan.compiled, collectedOf(t, plan, items(1, 2000, 500, batch))); err != nil {
		t.Error(err)
	}
	if _, _, err := addNoise(ctx, plan.compiled, collectedOf(t, plan, items(1, 2000, 500, 2*batch))); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Points are sorted as slices.Sort sorts them, whatever they are.
func TestPointsAreSorted(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for _, most := range []int64{1, 2, 200, 1 << 16, 1<<62 + 5} {
		for _, n := range []int{0, 1, fewPoints, fewPoints + 1, 5 * fewPoints} {
			points := make([]int64, n)
			for i := range points {
				if points[i] = rng.Int64N(most); i%3 == 0 {
					points[i] %= 7
				}
			}
			want := slices.Sorted(slices.Values(points))
			if sortPoints(points, &watch{ctx: t.Context()}); !slices.Equal(points, want) {
				t.Errorf("%d points below %d are not sorted", n, most)
			}
		}
	}
}
