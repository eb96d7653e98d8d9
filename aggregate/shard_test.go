package aggregate

import (
	"encoding/json"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// secretFile returns the reference of a new secret.
func secretFile(t testing.TB, secret string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return "file:" + path
}

const aSecret = "0123456789abcdef0123456789abcdef"

func shardOf[Row any, Unit, Group comparable](t testing.TB, p *Plan[Row, Unit, Group], s Shard, rows ...iter.Seq2[Row, error]) *partial[Group] {
	t.Helper()
	part, err := p.CollectShard(t.Context(), s, rows...)
	if err != nil {
		t.Fatal(err)
	}
	return part.state()
}

// cutting returns plans of every kind whose caps cut off, and rows for them.
func cutting(t testing.TB) map[string]*Plan[fact, int, int] {
	t.Helper()
	q := &Query[fact, int, int]{
		Dataset: "facts", UnitName: "unit", MaxGroups: 2, MaxRowsPerGroup: 3,
		Unit: func(f fact) int { return f.who }, Group: func(f fact) int { return f.group },
	}
	x := PerRow(q, "x", func(f fact) float64 { return f.x }, Bounds[float64]{Lower: -10, Upper: 10})
	plans := map[string]*Plan[fact, int, int]{
		"groups given": facts(t, dp.Concentrated{Rho: 0.5}, limits{-10, 1, 1}, 2, 3),
		"fine":         facts(t, dp.Pure{Epsilon: 1}, limits{-10, 1, 0}, 2, 3),
	}
	all := &Query[fact, int, int]{
		Dataset: "facts", UnitName: "unit", MaxGroups: 8, MaxRowsPerGroup: 1, Groups: []int{0, 1, 2, 3, 4, 5, 6, 7}, Unit: q.Unit, Group: q.Group,
	}
	n := PerUnit(all, "n", func(f fact) int64 { return f.n }, Bounds[int64]{Lower: 0, Upper: 8, Step: 1})
	var err error
	if plans["from the middle"], err = all.Plan(dp.Concentrated{Rho: 0.5}, all.Units(), n.Sum(), n.Mean()); err != nil {
		t.Fatal(err)
	}
	if m := plans["from the middle"].measures[0]; m.joint == nil || m.joint.centre == nil {
		t.Fatalf("%v has no centre", m)
	}
	if plans["groups selected"], err = q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, q.Count(), q.Units(), x.Mean(), x.Quantile(0.5)); err != nil {
		t.Fatal(err)
	}
	kinds := Distinct(q, "kinds", func(f fact) int64 { return f.n }, 2)
	if plans["distinct values"], err = q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}, q.Units(), x.Quantile(0.5), kinds); err != nil {
		t.Fatal(err)
	}
	if plans["groups alone"], err = q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6}); err != nil {
		t.Fatal(err)
	}
	return plans
}

// manyFacts returns rows of which caps cut many off.
func manyFacts(rng *rand.Rand, n int) (rows []fact) {
	for range n {
		rows = append(rows, fact{int(rng.ExpFloat64() * 40), rng.IntN(6), rng.Int64N(30) - 15, 5 * rng.NormFloat64()})
	}
	return rows
}

// Parts of 1, 2, 7 and 100 shards, merged in a tree of any shape, are what one process
// collects, exactly, where caps cut off: whether each has all rows, or its own only, in
// whatever order, and from however many sources.
func TestShardsAreTogetherWhatOneProcessCollects(t *testing.T) {
	rng := rand.New(rand.NewPCG(16, 3))
	secret := secretFile(t, aSecret)
	for name, p := range cutting(t) {
		rows := manyFacts(rng, 3000)
		want := shardOf(t, p, Shard{0, 1, secret}, Slice(rows))
		if sameSums(want, p.collectedFor(t, rows)) && p.finder == nil {
			t.Errorf("%s: caps cut nothing off", name)
		}
		for _, n := range []int{1, 2, 7, 100} {
			of, err := p.ShardOf(secret, n)
			if err != nil {
				t.Fatal(err)
			}
			own := make([][]fact, n)
			for _, r := range rows {
				own[of(r.who)] = append(own[of(r.who)], r)
			}
			var parts []*Partial[int]
			for i := range n {
				read := own[i]
				if rng.IntN(3) == 0 {
					read = rows
				}
				read = slices.Clone(read)
				rng.Shuffle(len(read), func(i, j int) { read[i], read[j] = read[j], read[i] })
				part, err := p.CollectShard(t.Context(), Shard{i, n, secret}, spread(rng, read)...)
				if err != nil {
					t.Fatal(err)
				}
				parts = append(parts, part)
			}
			merged := tree(t, rng, p, parts)
			if got := merged.state(); !sameSums(got, want) {
				t.Errorf("%s: %d shards have other sums than one", name, n)
			}
			if err := complete(merged.state().origins); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// tree merges Partials in some order, some at a time.
func tree[Row any, Unit, Group comparable](t testing.TB, rng *rand.Rand, p *Plan[Row, Unit, Group], parts []*Partial[Group]) *Partial[Group] {
	t.Helper()
	parts = slices.Clone(parts)
	for len(parts) > 1 {
		rng.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		n := min(len(parts), 2+rng.IntN(5))
		merged, err := p.Merge(t.Context(), parts[:n]...)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts[n:], merged)
	}
	return parts[0]
}

// With another secret other rows are chosen, and other units are in a shard.
func TestChoicesFollowTheSecret(t *testing.T) {
	rng := rand.New(rand.NewPCG(16, 4))
	p := cutting(t)["fine"]
	rows := manyFacts(rng, 3000)
	one, other := secretFile(t, aSecret), secretFile(t, strings.ToUpper(aSecret))
	if sameSums(shardOf(t, p, Shard{0, 1, one}, Slice(rows)), shardOf(t, p, Shard{0, 1, other}, Slice(rows))) {
		t.Error("another secret makes the same choices")
	}
	a, err1 := p.ShardOf(one, 1000)
	b, err2 := p.ShardOf(other, 1000)
	alike := 0
	for u := range 1000 {
		if a(u) == b(u) {
			alike++
		}
	}
	if err1 != nil || err2 != nil || alike > 20 { // 1 is due
		t.Errorf("%d of 1000 units are in the same shard: %v, %v", alike, err1, err2)
	}
}

// Shards are of equal size, whatever the units look like. A chi-square with 99 degrees of
// freedom is above 230 with a probability of 5e-12; the secret is fixed, so it never is.
func TestShardsAreOfEqualSize(t *testing.T) {
	p := cutting(t)["fine"]
	of, err := p.ShardOf(secretFile(t, aSecret), 100)
	if err != nil {
		t.Fatal(err)
	}
	counts := make([]float64, 100)
	const n = 100_000
	for u := range n {
		counts[of(u*1000)]++
	}
	chi := 0.0
	for _, c := range counts {
		chi += (c - n/100) * (c - n/100) / (n / 100)
	}
	if chi > 230 {
		t.Errorf("chi-square is %v", chi)
	}
}

// Shards that overlap, the same twice, those of other secrets, and shards beside what is none
// are refused; and a release wants all of them.
func TestShardsThatMayShareAUnitAreRefused(t *testing.T) {
	p := cutting(t)["groups given"]
	secret, other := secretFile(t, aSecret), secretFile(t, strings.ToUpper(aSecret))
	shard := func(number, of int, secret string) *Partial[int] {
		return newPartial(shardOf(t, p, Shard{number, of, secret}, Slice([]fact{{who: 1}})))
	}
	plain := newPartial(p.collectedFor(t, nil))
	whole := []*Partial[int]{shard(0, 2, secret), shard(1, 2, secret)}
	merged, err := p.Merge(t.Context(), whole...)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		parts []*Partial[int]
		says  string
	}{
		"the same twice":                {[]*Partial[int]{whole[0], whole[1], whole[0]}, "Partials 0 and 2 hold shard 0 of 2 and shard 0 of 2"},
		"a repeated task":               {[]*Partial[int]{shard(3, 8, secret), shard(3, 8, secret)}, "overlap"},
		"a half and a third":            {[]*Partial[int]{shard(0, 2, secret), shard(1, 3, secret)}, "overlap"},
		"a part of what is merged":      {[]*Partial[int]{merged, whole[1]}, "overlap"},
		"the whole and an eighth":       {[]*Partial[int]{shard(7, 8, secret), shard(0, 1, secret)}, "overlap"},
		"another secret":                {[]*Partial[int]{whole[0], shard(1, 2, other)}, "not shards of one secret"},
		"the whole with another secret": {[]*Partial[int]{merged, shard(0, 1, other)}, "not shards of one secret"},
		"one that is no shard":          {[]*Partial[int]{plain, whole[0]}, "not shards of one secret"},
		"no shard twice":                {[]*Partial[int]{plain, plain}, "are the same"},
	} {
		if _, err := p.Merge(t.Context(), test.parts...); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := p.merged(t.Context(), test.parts); err == nil {
			t.Errorf("%s: released", name)
		}
	}
	for name, test := range map[string]struct {
		parts []*Partial[int]
		says  string
	}{
		"no first":  {[]*Partial[int]{whole[1]}, "the first is shard 1 of 2"},
		"no last":   {[]*Partial[int]{shard(0, 8, secret), shard(1, 8, secret)}, "the last is shard 1 of 8"},
		"no second": {[]*Partial[int]{shard(0, 4, secret), whole[1]}, "after shard 0 of 4 comes shard 1 of 2"},
	} {
		if _, err := p.merged(t.Context(), test.parts); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, parts := range [][]*Partial[int]{whole, {merged}, {shard(0, 4, secret), whole[1], shard(1, 4, secret)}, {plain, newPartial(p.collectedFor(t, nil))}} {
		if _, err := p.merged(t.Context(), parts); err != nil {
			t.Error(err)
		}
	}
	plain.Wipe()
	if _, err := p.Merge(t.Context(), plain); err == nil || !strings.Contains(err.Error(), "wiped") {
		t.Errorf("a Partial that was wiped: %v", err)
	}
}

// Whatever slices are merged, that no two overlap is found as a plain program finds it.
func TestOverlapsAreFoundAsAPlainProgramFindsThem(t *testing.T) {
	rng := rand.New(rand.NewPCG(16, 5))
	const fine = 2520 // what 1 to 10 divide
	refused := 0
	for range 5000 {
		var parts []*partial[int]
		taken, twice, all := [fine]bool{}, false, 0
		for range 1 + rng.IntN(4) {
			of := 1 + rng.IntN(10)
			o := origin{keyed: true, number: uint32(rng.IntN(of)), of: uint32(of)}
			parts = append(parts, &partial[int]{origins: []origin{o}})
			for i := fine / of * int(o.number); i < fine/of*int(o.number+1); i++ {
				twice = twice || taken[i]
				taken[i] = true
				all++
			}
		}
		origins, err := originsOf(parts)
		if (err != nil) != twice {
			t.Fatalf("twice %t: %v", twice, err)
		}
		if twice {
			refused++
			continue
		}
		if err := complete(origins); (err == nil) != (all == fine) {
			t.Fatalf("%v are %d of %d: %v", origins, all, fine, err)
		}
	}
	if refused < 1000 || refused > 4900 {
		t.Errorf("%d of 5000 were refused", refused)
	}
}

// A secret is never shown, also where it is given by mistake in place of a reference; all
// mistakes come together.
func TestSecretsAreReadAndNotShown(t *testing.T) {
	p := cutting(t)["fine"]
	t.Setenv("EQUIPOISE_TEST_SECRET", " "+aSecret+"\n")
	t.Setenv("EQUIPOISE_TEST_SHORT", aSecret[:31])
	for name, test := range map[string]struct {
		shard Shard
		says  string
	}{
		"given":    {Shard{0, 1, aSecret}, "the secret itself is never given"},
		"none":     {Shard{0, 1, ""}, `must be "file:"`},
		"short":    {Shard{0, 1, "env:EQUIPOISE_TEST_SHORT"}, "fewer than 32 bytes"},
		"no name":  {Shard{0, 1, "env:EQUIPOISE_TEST_NONE"}, "not set"},
		"no file":  {Shard{0, 1, "file:/none/such"}, "no such file"},
		"negative": {Shard{-1, 2, "env:EQUIPOISE_TEST_SECRET"}, "Shard.Number is -1, must be 0 to 1"},
		"beyond":   {Shard{2, 2, "env:EQUIPOISE_TEST_SECRET"}, "Shard.Number is 2"},
		"of none":  {Shard{0, 0, "env:EQUIPOISE_TEST_SECRET"}, "Shard.Of is 0"},
		"of many":  {Shard{0, mostShards + 1, "env:EQUIPOISE_TEST_SECRET"}, "Shard.Of is 1048577"},
		"both":     {Shard{3, 2, "env:EQUIPOISE_TEST_SHORT"}, "Shard.Number is 3"},
	} {
		_, err := p.CollectShard(t.Context(), test.shard, Slice[fact](nil))
		if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), aSecret[:31]) {
			t.Errorf("%s: %v", name, err)
		}
		if name == "both" && !strings.Contains(err.Error(), "fewer than") {
			t.Errorf("%s: %v", name, err)
		}
	}
	a := shardOf(t, p, Shard{0, 1, "env:EQUIPOISE_TEST_SECRET"}, Slice([]fact{{who: 1}}))
	b := shardOf(t, p, Shard{0, 1, secretFile(t, aSecret)}, Slice([]fact{{who: 1}}))
	if a.origins[0] != b.origins[0] {
		t.Error("one secret from two places is two")
	}
	text, err := json.Marshal(Shard{Number: 3, Of: 8, Secret: "env:NAME"})
	var back Shard
	if err2 := json.Unmarshal(text, &back); err != nil || err2 != nil || back != (Shard{Number: 3, Of: 8, Secret: "env:NAME"}) || fmt.Sprint(back) != "shard 3 of 8" {
		t.Errorf("%s is read as %v: %v, %v", text, back, err, err2)
	}
}
