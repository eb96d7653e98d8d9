package aggregate

import (
	"encoding/binary"
	"math"
	"runtime"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/sealed"
)

// mostTaken is how many bytes opening takes in all for one of a part, also those that it gives back: the bytes as they are
// read and decrypted, eight for a point or for the end of a list that each have one at least, and no more for what is only said to come.
const mostTaken = 10

// taken returns how many bytes were taken from memory, also those that were given back.
func taken(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// broad is a group that takes much memory for few bytes.
type broad struct {
	Name  string
	Digit [32]bool
	Hash  [32]byte
}

// opensIn opens what somebody sealed who has the public key, whatever it says, and returns whether it is a Partial.
func opensIn[Group comparable](t *testing.T, name string, p *Plan[fact, int, Group], payload []byte) bool {
	t.Helper()
	key := privateKey(t)
	bytes, err := sealed.Seal(key.PublicKey(), nil, sealed.Form{Kind: kindPartial, Plan: p.fingerprint}, payload)
	if err != nil {
		t.Fatal(err)
	}
	took := taken(func() { _, err = p.Open(t.Context(), key, "", bytes) })
	if most := uint64(mostTaken * len(bytes)); took > most {
		t.Errorf("%s: %d bytes are taken to open %d, %.1f for each", name, took, len(bytes), float64(took)/float64(len(bytes)))
	}
	return err == nil
}

func groupsOnly[Group comparable](t *testing.T, of func(fact) Group) *Plan[fact, int, Group] {
	t.Helper()
	q := &Query[fact, int, Group]{Dataset: "facts", UnitName: "unit", MaxGroups: 2, MaxRowsPerGroup: 3, Unit: func(f fact) int { return f.who }, Group: of}
	p, err := q.Plan(dp.Approx{Epsilon: 1, Delta: 1e-6})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// headOf returns the bytes before the groups of a Partial.
func headOf(p *partial[int]) []byte { return packOrigins(nil, p.origins) }

// What a part makes the side take that opens it is a small multiple of its length, whatever is in it and whatever it says that
// is in it: small units by the million, points that are all one, many keys of few bytes, and counts of what never comes.
func TestOpeningTakesASmallMultipleOfWhatIsOpened(t *testing.T) {
	const size = 2_000_000 // of what is sealed, about
	plans := cutting(t)
	alone, ranks := plans["groups alone"], plans["groups selected"]
	some := []fact{{who: 1, group: 1}, {who: 2, group: 2}}

	units := alone.collectedFor(t, some)
	for range size / 2 {
		units.units.add([]uint32{0})
	}
	if !opensIn(t, "units of one group", alone, units.pack()) {
		t.Error("units are no Partial")
	}
	pairs := groupsOnly(t, func(f fact) broad { return broad{Name: string(rune('a' + f.group)), Hash: [32]byte{byte(f.group)}} })
	listed := pairs.collectedFor(t, some)
	for range size / 3 {
		listed.units.add([]uint32{1, 0})
	}
	if !opensIn(t, "units of two wide groups", pairs, listed.pack()) {
		t.Error("units of wide groups are no Partial")
	}
	points := ranks.collectedFor(t, some)
	more, last := make([]int64, size), len(points.lists[0].points)-1
	for i := range more {
		more[i] = points.lists[0].points[last]
	}
	points.lists[0].points = append(points.lists[0].points, more...)
	points.lists[0].ends[1] += len(more)
	if !opensIn(t, "points", ranks, points.pack()) {
		t.Error("points are no Partial")
	}
	many := ranks.collectedFor(t, some)
	for i := range size / (8 + 16*ranks.sums + 1) {
		many.groups = append(many.groups, 100+i)
		for range ranks.sums {
			many.sums = append(many.sums, exact.Int(1))
		}
		many.lists[0].ends = append(many.lists[0].ends, many.lists[0].ends[1])
	}
	if !opensIn(t, "groups", ranks, many.pack()) {
		t.Error("groups are no Partial")
	}

	const least = size / 8
	said := func(head []byte, n uint64, rest []byte) []byte {
		return append(binary.BigEndian.AppendUint64(head, n), rest...)
	}
	none := make([]byte, size)
	for name, n := range map[string]uint64{"as many as there are bytes": size, "as many as there may be": size / (8 + 64), "one for eight bytes": least, "endless": math.MaxUint64} {
		opensIn(t, "keys, "+name, ranks, said(headOf(many), n, none))
		opensIn(t, "wide keys, "+name, pairs, said(headOf(many), n, none))
		opensIn(t, "texts, "+name, groupsOnly(t, func(fact) string { return "" }), said(headOf(many), n, none))
		opensIn(t, "nothings, "+name, groupsOnly(t, func(fact) struct{} { return struct{}{} }), said(headOf(many), n, none))
		opensIn(t, "origins, "+name, ranks, said(nil, n, none))
		head := said(headOf(many), 1, make([]byte, 8)) // one group
		opensIn(t, "units, "+name, alone, said(head, n, none))
		opensIn(t, "units of one each, "+name, alone, said(head, n, append(make([]byte, 0, size), units.pack()[len(head)+16:]...)))
	}
}
