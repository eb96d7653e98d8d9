package aggregate

import (
	"bytes"
	"crypto/hpke"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// A unit that is written as a number by one worker and as a text by another is in two slices.
// Their parts, which no fingerprint tells apart, are refused together.
func TestPartsOfWorkersWhoseUnitsHaveOtherTypesAreRefused(t *testing.T) {
	t.Setenv("SHARDS", strings.Repeat("0123456789abcdef", 4))
	numbers := unitPlan(t, func(u uint64) uint64 { return u })
	texts := unitPlan(t, func(u uint64) string { return strconv.FormatUint(u, 10) })
	if numbers.Fingerprint() != texts.Fingerprint() {
		t.Fatal("the fingerprints differ, so this test shows nothing")
	}
	var rows []uint64
	for i := range uint64(100) {
		rows = append(rows, i)
	}
	key := privateKey(t)
	collect := func(shard int, p interface {
		CollectedPart(t *testing.T, shard int, rows []uint64, key hpke.PublicKey) (Part, []byte)
	}) (Part, []byte) {
		return p.CollectedPart(t, shard, rows, key.PublicKey())
	}
	part0, sealed0 := collect(0, unitParts[uint64]{numbers})
	for name, c := range map[string]struct {
		p interface {
			CollectedPart(t *testing.T, shard int, rows []uint64, key hpke.PublicKey) (Part, []byte)
		}
		refused bool
	}{"a text": {unitParts[string]{texts}, true}, "a number too": {unitParts[uint64]{numbers}, false}} {
		part1, sealed1 := collect(1, c.p)
		sealed := map[string][]byte{part0.Digest: sealed0, part1.Digest: sealed1}
		_, err := numbers.OpenParts(t.Context(), key, "env:SHARDS", []Part{part0, part1}, func(p Part) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(sealed[p.Digest])), nil
		})
		if (err != nil) != c.refused {
			t.Errorf("shards of which one has %s as a unit: %v", name, err)
		}
	}
}

func unitPlan[Unit comparable](t *testing.T, unit func(uint64) Unit) *Plan[uint64, Unit, string] {
	t.Helper()
	q := &Query[uint64, Unit, string]{Dataset: "d", UnitName: "rider", Unit: unit, MaxGroups: 1, MaxRowsPerGroup: 1}
	p, err := q.Plan(dp.Pure{Epsilon: 1}, q.Units())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

type unitParts[Unit comparable] struct{ *Plan[uint64, Unit, string] }

// CollectedPart collects and seals a shard of two.
func (p unitParts[Unit]) CollectedPart(t *testing.T, shard int, rows []uint64, key hpke.PublicKey) (Part, []byte) {
	t.Helper()
	partial, err := p.CollectShard(t.Context(), Shard{Number: shard, Of: 2, Secret: "env:SHARDS"}, Slice(rows))
	if err != nil {
		t.Fatal(err)
	}
	var sealed bytes.Buffer
	part, err := partial.Seal(&sealed, key)
	if err != nil {
		t.Fatal(err)
	}
	return part, sealed.Bytes()
}
