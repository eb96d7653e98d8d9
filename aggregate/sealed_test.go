package aggregate

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/hpke"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/sealed"
)

func privateKey(t testing.TB) hpke.PrivateKey {
	t.Helper()
	key, err := hpke.DHKEM(ecdh.X25519()).GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sealTo[Group comparable](t testing.TB, key hpke.PrivateKey, p *Partial[Group]) ([]byte, Part) {
	t.Helper()
	var b bytes.Buffer
	part, err := p.Seal(&b, key.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), part
}

// What is sealed and opened is what it was, for every kind of plan, with shards and without, and
// merged before it is sealed or after.
func TestWhatIsSealedIsOpenedByTheSamePlan(t *testing.T) {
	rng := rand.New(rand.NewPCG(16, 6))
	secret, key := secretFile(t, aSecret), privateKey(t)
	for name, p := range cutting(t) {
		rows := manyFacts(rng, 2000)
		for _, n := range []int{0, 1, 5} {
			reference, want := secret, shardOf(t, p, Shard{0, 1, secret}, Slice(rows))
			var parts []*Partial[int]
			for i := range n {
				parts = append(parts, newPartial(shardOf(t, p, Shard{i, n, secret}, Slice(rows))))
			}
			if n == 0 {
				reference, want = "", p.collectedFor(t, rows)
				parts = []*Partial[int]{newPartial(want)}
			}
			var sealed [][]byte
			for len(parts) > 0 {
				some := 1 + rng.IntN(len(parts))
				merged, err := p.Merge(t.Context(), parts[:some]...)
				if err != nil {
					t.Fatal(err)
				}
				parts = parts[some:]
				bytes, _ := sealTo(t, key, merged)
				sealed = append(sealed, bytes)
			}
			opened, err := p.Open(t.Context(), key, reference, sealed...)
			if err != nil || !sameSums(opened.state(), want) {
				t.Fatalf("%s: %d shards, opened from %d parts, have other sums: %v", name, n, len(sealed), err)
			}
			if err := complete(opened.state().origins); err != nil {
				t.Error(err)
			}
			again, _ := sealTo(t, key, opened)
			if _, err := p.Open(t.Context(), key, reference, again); err != nil {
				t.Errorf("%s: sealed again: %v", name, err)
			}
		}
	}
}

// Nobody else opens it, and no other plan; and a part of a shard is only made by who has the
// secret.
func TestWhatIsSealedIsOpenedByNobodyElse(t *testing.T) {
	plans, key, secret := cutting(t), privateKey(t), secretFile(t, aSecret)
	p := plans["groups given"]
	plain, _ := sealTo(t, key, newPartial(p.collectedFor(t, nil)))
	part := newPartial(shardOf(t, p, Shard{0, 1, secret}, Slice([]fact{{who: 1}})))
	shard, _ := sealTo(t, key, part)
	forged := *part.state()
	forged.seals = nil // by who has the public key, and not the secret
	unsigned, _ := sealTo(t, key, newPartial(&forged))
	for name, test := range map[string]struct {
		plan   *Plan[fact, int, int]
		key    hpke.PrivateKey
		secret string
		sealed [][]byte
		says   string
	}{
		"another key":           {p, privateKey(t), secret, [][]byte{shard}, "cannot be opened"},
		"no key":                {p, nil, secret, [][]byte{shard}, "key is nil"},
		"another secret":        {p, key, secretFile(t, strings.ToUpper(aSecret)), [][]byte{shard}, "cannot be opened"},
		"no secret":             {p, key, "", [][]byte{shard}, "with a secret"},
		"a secret for none":     {p, key, secret, [][]byte{plain}, "without a secret"},
		"a shard by anyone":     {p, key, "", [][]byte{unsigned}, "no Partial of this plan"},
		"the secret by mistake": {p, key, aSecret, [][]byte{shard}, "the secret itself is never given"},
		"another plan":          {plans["fine"], key, "", [][]byte{plain}, "of another plan"},
		"a shard twice":         {p, key, secret, [][]byte{shard, shard}, "overlap"},
		"no shard twice":        {p, key, "", [][]byte{plain, plain}, "are the same"},
		"nothing":               {p, key, "", nil, "nothing sealed"},
		"nonsense":              {p, key, "", [][]byte{[]byte("nonsense")}, "not sealed by this library"},
	} {
		got, err := test.plan.Open(t.Context(), test.key, test.secret, test.sealed...)
		if got != nil || err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for _, none := range []*Partial[int]{nil, {}} {
		if _, err := none.Seal(io.Discard, key.PublicKey()); err == nil {
			t.Error("nothing was sealed")
		}
	}
	if _, err := part.Seal(io.Discard, nil); err == nil {
		t.Error("sealed to nobody")
	}
	part.Wipe()
	if _, err := part.Seal(io.Discard, key.PublicKey()); !errors.Is(err, errWiped) {
		t.Errorf("sealed after it was wiped: %v", err)
	}
}

// Of a plan with given groups and without quantiles, the length is the same whatever the
// rows; of others it is a power of two and what is in the clear.
func TestTheLengthOfWhatIsSealedTellsLittle(t *testing.T) {
	rng := rand.New(rand.NewPCG(16, 7))
	q := &Query[fact, int, int]{
		Dataset: "facts", UnitName: "unit", MaxGroups: 2, MaxRowsPerGroup: 3, Groups: []int{0, 1, 2},
		Unit: func(f fact) int { return f.who }, Group: func(f fact) int { return f.group },
	}
	p, err := q.Plan(dp.Pure{Epsilon: 1}, q.Count(), q.Units(), PerRow(q, "n", func(f fact) int64 { return f.n }, Bounds[int64]{0, 9, 1}).Mean())
	if err != nil {
		t.Fatal(err)
	}
	if a, b := p.collectedFor(t, nil).pack(), p.collectedFor(t, manyFacts(rng, 5000)).pack(); len(a) != len(b) {
		t.Errorf("%d bytes without rows, %d with", len(a), len(b))
	}
	key, lengths, alone := privateKey(t), map[int]bool{}, cutting(t)["groups alone"]
	for n := range 40 {
		b, _ := sealTo(t, key, newPartial(alone.collectedFor(t, manyFacts(rng, 100*n))))
		lengths[len(b)] = true
	}
	if len(lengths) > 2 {
		t.Errorf("lengths are %v", lengths)
	}
}

// A list of parts says which attempt at each shard counts; what it does not name does not
// count, and mistakes in it are found.
func TestPartsCountOnceAndAsTheListSays(t *testing.T) {
	p, key, secret := cutting(t)["fine"], privateKey(t), secretFile(t, aSecret)
	rows := manyFacts(rand.New(rand.NewPCG(16, 8)), 1000)
	want := shardOf(t, p, Shard{0, 1, secret}, Slice(rows))
	store := map[string][]byte{}
	attempt := func(number int) Part {
		b, part := sealTo(t, key, newPartial(shardOf(t, p, Shard{number, 3, secret}, Slice(rows))))
		store[part.Digest] = b
		return part
	}
	parts := []Part{attempt(2), attempt(0), attempt(1)}
	other := attempt(1)
	text, err := json.Marshal(parts)
	if err != nil || strings.Contains(string(text), "secret") {
		t.Errorf("%s, %v", text, err)
	}
	var read []Part
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	of := func(part Part) (io.ReadCloser, error) {
		if b, ok := store[part.Digest]; ok {
			return io.NopCloser(bytes.NewReader(b)), nil
		}
		return nil, errors.New("not there")
	}
	if got, err := p.OpenParts(t.Context(), key, secret, read, of); err != nil || !sameSums(got.state(), want) {
		t.Errorf("other sums than those of one process: %v", err)
	}
	changed := func(change func(parts []Part) []Part) []Part { return change(slices.Clone(parts)) }
	for name, test := range map[string]struct {
		parts []Part
		open  func(Part) (io.ReadCloser, error)
		says  string
	}{
		"none":         {nil, of, "nothing sealed"},
		"twice":        {append(slices.Clone(parts), parts[0]), of, "in the list twice"},
		"two attempts": {append(slices.Clone(parts), other), of, "overlap"},
		"stale":        {changed(func(p []Part) []Part { p[1].Plan = "x"; return p }), of, "of another plan"},
		"lost":         {changed(func(p []Part) []Part { p[1].Digest = strings.Repeat("0", 64); return p }), of, "not there"},
		"other shards": {changed(func(p []Part) []Part { p[1].Shards = []Shard{{Number: 2, Of: 3}}; return p }), of, "other shards than its name says"},
		"another attempt in its place": {parts, func(p Part) (io.ReadCloser, error) {
			if p.Digest == parts[2].Digest {
				p = other
			}
			return of(p)
		}, "another digest"},
	} {
		got, err := p.OpenParts(t.Context(), key, secret, test.parts, test.open)
		if got != nil || err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for _, hostile := range []Part{
		{Digest: "../../etc/passwd", Size: 5000}, {Digest: "", Size: 5000}, {Digest: strings.Repeat("A", 64), Size: 5000}, {Digest: strings.Repeat("0", 62) + "/x", Size: 5000},
		{Digest: parts[1].Digest}, {Digest: parts[1].Digest, Size: -1}, {Digest: parts[1].Digest, Size: mostPart + 1}, {Digest: parts[1].Digest, Size: math.MaxInt64},
	} {
		hostile.Plan, hostile.Shards = parts[1].Plan, parts[1].Shards
		_, err := p.OpenParts(t.Context(), key, secret, []Part{parts[0], hostile, parts[2]}, func(p Part) (io.ReadCloser, error) {
			t.Errorf("%v was asked for, of a list that has %q of %d bytes", p, hostile.Digest, hostile.Size)
			return of(p)
		})
		if err == nil || !strings.Contains(err.Error(), "the list was changed") {
			t.Errorf("%+v: %v", hostile, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.OpenParts(ctx, key, secret, parts, of); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

// Workers die, are repeated, are slow and finish after others did their work, send what is cut
// off, or of another plan; whoever takes the first part of each shard that can be opened has
// what one process collects.
func TestFailuresAndRepeatsChangeNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(16, 9))
	plans, key, secret := cutting(t), privateKey(t), secretFile(t, aSecret)
	p, rows := plans["groups selected"], manyFacts(rng, 600)
	want, n := shardOf(t, p, Shard{0, 1, secret}, Slice(rows)), 50
	if flag.Lookup("long").Value.String() == "true" {
		n = 1000
	}
	const shards = 4
	var sealedParts [shards][]byte
	for i := range shards {
		sealedParts[i], _ = sealTo(t, key, newPartial(shardOf(t, p, Shard{i, shards, secret}, Slice(rows))))
	}
	stale, _ := sealTo(t, key, newPartial(shardOf(t, plans["fine"], Shard{1, shards, secret}, Slice(rows))))
	for range n {
		got := map[int]*Partial[int]{}
		for len(got) < shards {
			number := rng.IntN(shards)
			var sent []byte
			switch rng.IntN(5) {
			case 0: // never comes
				continue
			case 1: // collects anew, from rows in another order
				rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
				sent, _ = sealTo(t, key, newPartial(shardOf(t, p, Shard{number, shards, secret}, spread(rng, rows)...)))
			case 2: // dies while it writes
				sent = sealedParts[number][:rng.IntN(len(sealedParts[number]))]
			case 3: // was never told of the new plan
				sent = stale
			case 4: // is late
				sent = sealedParts[number]
			}
			if part, err := p.Open(t.Context(), key, secret, sent); err == nil && got[number] == nil {
				got[number] = part
			}
		}
		var parts []*Partial[int]
		for _, part := range got {
			parts = append(parts, part)
		}
		if merged := tree(t, rng, p, parts); !sameSums(merged.state(), want) || complete(merged.state().origins) != nil {
			t.Fatal("other sums than those of one process")
		}
	}
}

// hostile returns payloads that no rows have, each with one thing wrong.
func hostile(t testing.TB, p *Plan[fact, int, int], whole *partial[int]) map[string]*partial[int] {
	all := map[string]*partial[int]{}
	add := func(name string, change func(p *partial[int])) {
		other := *whole
		other.groups, other.sums = slices.Clone(whole.groups), slices.Clone(whole.sums)
		other.origins, other.units = slices.Clone(whole.origins), listing{slices.Clone(whole.units.ends), slices.Clone(whole.units.places)}
		other.lists = nil
		for _, l := range whole.lists {
			other.lists = append(other.lists, list{slices.Clone(l.ends), slices.Clone(l.points)})
		}
		change(&other)
		all[name] = &other
	}
	add("no origin", func(p *partial[int]) { p.origins = nil })
	add("a split space", func(p *partial[int]) { p.origins[0].of = 2 })
	add("a shard that is not there", func(p *partial[int]) { p.origins[0].keyed, p.origins[0].number = true, 1 })
	add("a shard of none", func(p *partial[int]) { p.origins[0].keyed, p.origins[0].of = true, 0 })
	add("an origin twice", func(p *partial[int]) { p.origins = append(p.origins, p.origins[0]) })
	if p.finder != nil {
		add("a unit without groups", func(p *partial[int]) { p.units.add(nil) })
		add("a group twice", func(p *partial[int]) { p.units.add([]uint32{1, 1}) })
		add("a group that is not there", func(p *partial[int]) { p.units.add([]uint32{uint32(len(p.groups))}) })
		add("a group of nobody", func(p *partial[int]) { p.groups = append(p.groups, 1000) })
		add("groups in another order", func(p *partial[int]) { p.groups[0], p.groups[1] = p.groups[1], p.groups[0] })
		add("too many groups", func(q *partial[int]) {
			var all []uint32
			for i := range p.caps().Keys + 1 {
				all = append(all, uint32(i))
				if i >= len(q.groups) {
					q.groups = append(q.groups, 1000+i)
				}
			}
			q.units.add(all)
		})
		return all
	}
	add("units", func(p *partial[int]) { p.units.add([]uint32{1}) })
	add("keys in another order", func(p *partial[int]) { p.groups[0], p.groups[1] = p.groups[1], p.groups[0] })
	add("a key twice", func(p *partial[int]) { p.groups[1] = p.groups[0] })
	add("a large sum", func(p *partial[int]) { p.sums[1] = exact.Int128{Hi: mostSum} })
	add("a small sum", func(p *partial[int]) { p.sums[1] = exact.Int128{Hi: -mostSum - 1} })
	add("a sum too many", func(p *partial[int]) { p.sums = append(p.sums, exact.Int128{}) })
	add("a sum too few", func(p *partial[int]) { p.sums = p.sums[1:] })
	for _, m := range p.measures {
		if m.form != formDistinct {
			continue
		}
		add("a value that is not counted", func(q *partial[int]) { q.sums[m.first] = q.sums[m.first].Add(exact.Int(1)) })
		add("a value twice", func(q *partial[int]) {
			l := &q.lists[m.list]
			l.points[1] = l.points[0]
		})
	}
	if m := p.measures[0]; m.joint != nil && m.joint.centre != nil {
		at := m.first + m.joint.people()
		add("units of one group", func(p *partial[int]) { p.sums[at] = p.sums[at].Add(exact.Int(1)) })
		add("too many units", func(q *partial[int]) {
			for i := at; i < len(q.sums); i += p.sums {
				q.sums[i] = exact.Int(1 << 42)
			}
		})
	}
	if p.query.given() == nil {
		add("a group of nobody", func(q *partial[int]) { q.sums[p.units().first] = exact.Int128{} })
	}
	if len(whole.lists) > 0 {
		add("a point beyond the grid", func(p *partial[int]) { l := p.lists[0]; l.points[len(l.points)-1] = 1 << 62 })
		add("a point before the grid", func(p *partial[int]) { p.lists[0].points[0] = -1 })
		add("points in another order", func(p *partial[int]) { l := p.lists[0].points; l[0] = l[1] + 1 })
		add("a list too few", func(p *partial[int]) { p.lists = p.lists[1:] })
	}
	return all
}

// Whoever has the public key can seal anything without a secret; what no rows have is refused.
func TestWhatNoRowsHaveIsRefused(t *testing.T) {
	rng := rand.New(rand.NewPCG(16, 10))
	for name, p := range cutting(t) {
		whole := p.collectedFor(t, manyFacts(rng, 500))
		if back, err := p.unpack(whole.pack()); err != nil || !sameSums(back, whole) || !slices.Equal(back.origins, whole.origins) {
			t.Fatalf("%s: what was packed is not unpacked: %v", name, err)
		}
		for what, bad := range hostile(t, p, whole) {
			if _, err := p.unpack(bad.pack()); !errors.Is(err, errPacked) {
				t.Errorf("%s: %s: %v", name, what, err)
			}
		}
		packed := whole.pack()
		for i := 0; i < len(packed); i += 1 + len(packed)/200 {
			if _, err := p.unpack(packed[:i]); err == nil {
				t.Errorf("%s: %d bytes of %d are unpacked", name, i, len(packed))
			}
		}
		if _, err := p.unpack(append(packed, 0)); err == nil {
			t.Errorf("%s: a byte too many is unpacked", name)
		}
	}
}

// FuzzUnpack: whatever was sealed, it is refused, or is what rows can have: it is packed as
// it came, merged, and released.
func FuzzUnpack(f *testing.F) {
	rng := rand.New(rand.NewPCG(16, 11))
	plans := cutting(f)
	names := []string{"groups given", "groups selected", "groups alone"}
	for i, name := range names {
		whole := plans[name].collectedFor(f, manyFacts(rng, 60))
		f.Add(uint8(i), whole.pack())
		for _, bad := range hostile(f, plans[name], whole) {
			f.Add(uint8(i), bad.pack())
		}
		f.Add(uint8(i), bytes.Repeat([]byte{255}, 200))
	}
	f.Fuzz(func(t *testing.T, which uint8, payload []byte) {
		p := plans[names[int(which)%len(names)]]
		part, err := p.unpack(payload)
		if err != nil {
			return
		}
		again, err := p.unpack(part.pack())
		if err != nil || !sameSums(again, part) {
			t.Fatalf("unpacked, packed and unpacked it is another: %v", err)
		}
		honest := p.collectedFor(t, []fact{{who: 1, group: 1}})
		if part.origins[0].keyed {
			return
		}
		addNoise, err := p.merged(t.Context(), []*Partial[int]{newPartial(part), newPartial(honest)})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := addNoise(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

// What a sealed form says in the clear is public: what it is, and of which plan.
func TestSealedFormsAreOfOneKind(t *testing.T) {
	key := privateKey(t)
	p := cutting(t)["fine"]
	b, part := sealTo(t, key, newPartial(p.collectedFor(t, nil)))
	if _, err := sealed.Open(key, nil, sealed.Form{Kind: "snapshot", Plan: p.fingerprint}, b); err == nil {
		t.Error("a Partial is opened as a snapshot")
	}
	if want := fmt.Sprintf("part %.12s with []", part.Digest); part.String() != want || part.Plan != p.Fingerprint() {
		t.Errorf("%v, want %s", part, want)
	}
}
