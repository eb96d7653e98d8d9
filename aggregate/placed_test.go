package aggregate

import (
	"bytes"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/internal/engine"
)

// placed reads rows in some processes, a few at a time, and returns what each shard is sent.
func placed(t testing.TB, rng *rand.Rand, shards engine.Shards[fact], of int, rows []fact) [][][]byte {
	t.Helper()
	sent := make([][][]byte, of)
	for _, r := range rows {
		b, shard, ok := shards.Place(nil, r)
		switch {
		case !ok && b == nil:
		case !ok || shard < 0 || shard >= of:
			t.Fatalf("%v is in shard %d of %d, %t", r, shard, of, ok)
		case len(sent[shard]) > 0 && rng.IntN(3) > 0:
			last := &sent[shard][len(sent[shard])-1]
			*last = append(*last, b...)
		default:
			sent[shard] = append(sent[shard], b)
		}
	}
	return sent
}

func bytesOf(batches [][]byte) iter.Seq2[[]byte, error] { return Slice(batches) }

// Rows that some processes read and others collect give what one process collects, exactly, where
// caps cut off, for every kind of plan and through any number of processes that merge.
func TestPlacedRowsAreCollectedAsByOneProcess(t *testing.T) {
	rng := rand.New(rand.NewPCG(16, 40))
	secret := secretFile(t, aSecret)
	for name, p := range cutting(t) {
		rows := manyFacts(rng, 2000)
		want := shardOf(t, p, Shard{0, 1, secret}, Slice(rows))
		for _, of := range []int{1, 2, 7, 100} {
			shards, err := p.view().(*engine.View[fact, int, int]).Shards(secret, of)
			if err != nil {
				t.Fatal(err)
			}
			var parts []*Partial[int]
			for i, batches := range placed(t, rng, shards, of, rows) {
				rng.Shuffle(len(batches), func(i, j int) { batches[i], batches[j] = batches[j], batches[i] })
				part, err := shards.Collect(t.Context(), i, bytesOf(batches))
				if err == nil && rng.IntN(2) == 0 {
					part, err = shards.Unpack(shards.Pack(part))
				}
				if err != nil {
					t.Fatal(err)
				}
				parts = append(parts, part.(*Partial[int]))
			}
			merged := tree(t, rng, p, parts).state()
			if !sameSums(merged, want) || complete(merged.origins) != nil || !bytes.Equal(merged.seals, want.seals) {
				t.Errorf("%s: %d shards have other sums than one", name, of)
			}
		}
	}
}

// Whatever a shard is sent: what is no row of the plan is refused in words that have nothing of it, and rows of other
// shards are left out.
func TestPlacedRowsThatAreNoneAreRefused(t *testing.T) {
	rng := rand.New(rand.NewPCG(16, 41))
	secret := secretFile(t, aSecret)
	for name, p := range cutting(t) {
		shards, err := p.view().(*engine.View[fact, int, int]).Shards(secret, 2)
		if err != nil {
			t.Fatal(err)
		}
		sent := placed(t, rng, shards, 2, manyFacts(rng, 300))
		all := slices.Concat(sent...)
		part, err := shards.Collect(t.Context(), 1, bytesOf(all))
		want, err2 := shards.Collect(t.Context(), 1, bytesOf(sent[1]))
		if err != nil || err2 != nil || !sameSums(part.(*Partial[int]).state(), want.(*Partial[int]).state()) {
			t.Errorf("%s: rows of another shard count: %v, %v", name, err, err2)
		}
		whole := all[0]
		refused := 0
		for cut := range len(whole) {
			if _, err := shards.Collect(t.Context(), 0, bytesOf([][]byte{whole[:cut]})); err != nil {
				refused++
				if err != errPlaced {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		for range 300 {
			b := slices.Clone(whole)
			b[rng.IntN(len(b))] ^= byte(1 + rng.IntN(255))
			if _, err := shards.Collect(t.Context(), 0, bytesOf([][]byte{b})); err != nil && err != errPlaced {
				t.Errorf("%s: %v", name, err)
			}
		}
		if least := len(whole) / 2; refused < least {
			t.Errorf("%s: only %d of %d rows that were cut off are refused", name, refused, len(whole))
		}
		other, err := p.view().(*engine.View[fact, int, int]).Shards(secretFile(t, strings.ToUpper(aSecret)), 2)
		if err != nil || other.Name() == shards.Name() {
			t.Errorf("two secrets have one name: %v", err)
		}
		if _, err := other.Unpack(shards.Pack(want)); err != errPacked {
			t.Errorf("%s: a Partial of another secret: %v", name, err)
		}
		if _, err := shards.Unpack(shards.Pack(newPartial(p.collectedFor(t, nil)))); err != errPacked {
			t.Errorf("%s: a Partial of no secret: %v", name, err)
		}
	}
}

// mixed returns a Partial that has some groups, or units, of one attempt, and the others of another.
func mixed(rng *rand.Rand, a, b *partial[int]) *partial[int] {
	m := *a
	if a.sums == nil {
		from := [][][]uint32{unitsOf(a), unitsOf(b)}
		m.units = listing{}
		for i := range min(len(from[0]), len(from[1])) {
			m.units.add(from[rng.IntN(2)][i])
		}
		return &m
	}
	m.sums, m.lists = nil, nil
	if a.lists != nil {
		m.lists = make([]list, len(a.lists))
	}
	for i := range a.groups {
		from := a
		if j := slices.Index(b.groups, a.groups[i]); j >= 0 && rng.IntN(2) == 0 {
			from = b
			m.sums = append(m.sums, from.group(j).sums...)
			for k := range m.lists {
				m.lists[k].points = append(m.lists[k].points, from.lists[k].of(j)...)
			}
		} else {
			m.sums = append(m.sums, from.group(i).sums...)
			for k := range m.lists {
				m.lists[k].points = append(m.lists[k].points, from.lists[k].of(i)...)
			}
		}
		for k := range m.lists {
			m.lists[k].ends = append(m.lists[k].ends, len(m.lists[k].points))
		}
	}
	return &m
}

// Two attempts at a shard over the same rows, in other orders and from other sources, mixed key by key, are either
// attempt. With choices of their own, as without a secret, they are not: this test would see it. A unit would be
// in more groups than its cap allows.
func TestAttemptsMixedKeyByKeyAreOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(16, 42))
	secret := secretFile(t, aSecret)
	for name, p := range cutting(t) {
		rows := manyFacts(rng, 1500)
		s := Shard{1, 3, secret}
		attempt := func() *partial[int] {
			again := slices.Clone(rows)
			rng.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
			return shardOf(t, p, s, spread(rng, again)...)
		}
		for range 20 {
			a, b := attempt(), attempt()
			if m := mixed(rng, a, b); !sameSums(m, a) || !sameSums(m, b) {
				t.Fatalf("%s: a mixture of two attempts is neither", name)
			}
		}
		a, err1 := p.Collect(t.Context(), Slice(rows))
		b, err2 := p.Collect(t.Context(), Slice(rows))
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if m := mixed(rng, a.state(), b.state()); sameSums(m, a.state()) {
			t.Errorf("%s: nor do choices of their own change it, so nothing was tried", name)
		}
	}
}

// What was sealed is taken whole or not at all: any mixture of the bytes of two attempts, or of parts of
// two secrets, is refused.
func TestSealedAttemptsAreNotMixed(t *testing.T) {
	rng := rand.New(rand.NewPCG(16, 43))
	key, secret, other := privateKey(t), secretFile(t, aSecret), secretFile(t, strings.ToUpper(aSecret))
	p, rows := cutting(t)["groups selected"], manyFacts(rng, 1500)
	seal := func(number int, secret string) []byte {
		b, _ := sealTo(t, key, newPartial(shardOf(t, p, Shard{number, 2, secret}, Slice(rows))))
		return b
	}
	a, b := seal(0, secret), seal(0, secret)
	for range 200 {
		m := slices.Clone(a)
		from := rng.IntN(len(m))
		to := min(len(m), from+1+rng.IntN(len(m)))
		copy(m[from:to], b[from:to])
		if _, err := p.Open(t.Context(), key, secret, m); err == nil && !bytes.Equal(m, a) && !bytes.Equal(m, b) {
			t.Fatalf("bytes %d to %d of another attempt are taken", from, to)
		}
	}
	if _, err := p.Open(t.Context(), key, secret, a, b); err == nil || !strings.Contains(err.Error(), "overlap") {
		t.Errorf("both attempts: %v", err)
	}
	if _, err := p.Open(t.Context(), key, secret, a, seal(1, other)); err == nil {
		t.Error("a half of each secret is taken")
	}
}

// FuzzPlaced: whatever a shard is sent, it is refused as no rows, or collected within the caps: what comes of it is a Partial.
func FuzzPlaced(f *testing.F) {
	rng := rand.New(rand.NewPCG(16, 44))
	secret := secretFile(f, aSecret)
	plans, names := cutting(f), []string{"groups given", "groups selected", "groups alone", "from the middle"}
	var all []engine.Shards[fact]
	for i, name := range names {
		shards, err := plans[name].view().(*engine.View[fact, int, int]).Shards(secret, 2)
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, shards)
		for _, sent := range placed(f, rng, shards, 2, manyFacts(rng, 40)) {
			whole := slices.Concat(sent...)
			f.Add(uint8(i), uint16(len(whole)/2), whole)
			f.Add(uint8(i), uint16(len(sent[0])), whole)
			f.Add(uint8(i), uint16(0), whole[:len(whole)-1])
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, at uint16, sent []byte) {
		shards := all[int(which)%len(all)]
		cut := int(at) % (len(sent) + 1)
		part, err := shards.Collect(t.Context(), 1, bytesOf([][]byte{sent[:cut], sent[cut:]}))
		if err != nil {
			if err != errPlaced {
				t.Fatal(err)
			}
			return
		}
		packed := shards.Pack(part)
		back, err := shards.Unpack(packed)
		if err != nil || !bytes.Equal(shards.Pack(back), packed) {
			t.Fatalf("what is collected is no Partial: %v", err)
		}
	})
}
