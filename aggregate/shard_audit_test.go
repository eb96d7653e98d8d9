package aggregate_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hpke"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

// throughParts returns a function that collects two shards in parts, seals, opens, merges and releases
// them, and returns every noisy number.
func throughParts(t *testing.T, p *aggregate.Plan[visit, int, int], key hpke.PrivateKey, rows []visit) func() dptest.Sample {
	return func() dptest.Sample {
		var sealed [][]byte
		for i := range 2 {
			part, err := p.CollectShard(t.Context(), aggregate.Shard{Number: i, Of: 2, Secret: "env:SHARDS"}, aggregate.Slice(rows))
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			if _, err := part.Seal(&b, key.PublicKey()); err != nil {
				t.Fatal(err)
			}
			sealed = append(sealed, b.Bytes())
		}
		opened, err := p.Open(t.Context(), key, "env:SHARDS", sealed...)
		if err != nil {
			t.Fatal(err)
		}
		return releasedOf(t, p, opened)
	}
}

func releasedOf(t *testing.T, p *aggregate.Plan[visit, int, int], parts ...*aggregate.Partial[int]) (s dptest.Sample) {
	release, err := p.Release(t.Context(), newPurse(), aggregate.Request{Key: "k", Purpose: "audit"}, parts...)
	if err != nil {
		t.Fatal(err)
	}
	for _, cell := range release.All() {
		s.Numbers = append(s.Numbers, cell.Noisy()...)
	}
	return s
}

// A release of parts hides a unit that has more rows than the caps let count, in both
// wards. The mistake that shards are there for is found: each of four workers
// collects the rows that it has of the unit, as if nobody else had any.
func TestAReleaseOfPartsHidesAUnitAndOneOfItsPiecesDoesNot(t *testing.T) {
	t.Setenv("SHARDS", strings.Repeat("0123456789abcdef", 2))
	key, err := hpke.DHKEM(ecdh.X25519()).GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	p := visitPlan(t)
	others := []visit{{1, 0, 3}, {2, 0, 8}, {3, 1, 0}}
	var own []visit
	for range 4 {
		own = append(own, visit{0, 0, 8}, visit{0, 1, 8})
	}
	trial := dptest.Trial{Claim: dp.Pure{Epsilon: 1.5}, Runs: 500, Alpha: 1e-9}
	if *long {
		trial.Runs = 5000
	}
	if err := trial.Check(); err != nil {
		t.Fatal(err)
	}
	with := append(own, others...)
	if r := trial.Run(throughParts(t, p, key, with), throughParts(t, p, key, others)); r.Refuted {
		t.Errorf("%v", r)
	}
	pieces := func() dptest.Sample {
		var parts []*aggregate.Partial[int]
		for i := range 4 {
			rows := []visit{{0, 0, 8}, {0, 0, 8}}
			if i == 0 {
				rows = append(rows, others...)
			}
			part, err := p.Collect(t.Context(), aggregate.Slice(rows))
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, part)
		}
		return releasedOf(t, p, parts...)
	}
	none := func() dptest.Sample {
		part, err := p.Collect(t.Context(), aggregate.Slice(others))
		if err != nil {
			t.Fatal(err)
		}
		return releasedOf(t, p, part)
	}
	if r := trial.Run(pieces, none); !r.Refuted {
		t.Errorf("a unit that counts four times is hidden: %v", r)
	}
}

// visitPlan counts visits, with noise that is tight for one unit.
func visitPlan(t *testing.T) *aggregate.Plan[visit, int, int] {
	t.Helper()
	q := &aggregate.Query[visit, int, int]{
		Dataset: "visits", UnitName: "patient", MaxGroups: 1, MaxRowsPerGroup: 2, Groups: []int{0, 1},
		Unit: func(v visit) int { return v.who }, Group: func(v visit) int { return v.ward },
	}
	p, err := q.Plan(dp.Pure{Epsilon: 1.5}, q.Count())
	if err != nil {
		t.Fatal(err)
	}
	return p
}
