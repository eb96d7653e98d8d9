package quantile

import (
	"fmt"
	"math/big"

	"github.com/equipoise-dp/equipoise/internal/sample"
)

// A Random makes exact random decisions. A session of package core is one.
type Random interface {
	Choose(d *sample.Decay, segments []sample.Segment) (segment int, offset uint64)
	Happens(d *sample.Decay, n uint64) bool // with probability exp(-n·rate)
}

// A problem is one rank to draw: the share a/b of the records between two others.
type problem struct {
	index       int // of the rank
	a, b        int64
	left, right *problem // the ranks below and above, or nil

	decay *sample.Decay
	rate  float64 // of the decay, for what decides time only
	step  int64   // costs that differ by less make one run
}

// splits reports whether ranks are drawn on either side, so that records must be
// divided between them.
func (p *problem) splits() bool { return p.left != nil || p.right != nil }

// calibrate sets how fast candidates become unlikely. One record moves b·weight
// before a candidate, less a·all, by at most b-a up and a down, times 2^parts: all
// costs together within a range of twice the larger of the two. A unit has so many
// records, and epsilon is the bounded range it may cause.
func (p *problem) calibrate(epsilon *big.Rat, records int64, parts uint) error {
	change := new(big.Int).Mul(big.NewInt(2*max(p.a, p.b-p.a)), big.NewInt(records))
	rate := new(big.Rat).Quo(epsilon, new(big.Rat).SetInt(change.Lsh(change, parts)))
	decay, err := sample.NewDecay(rate)
	if err != nil {
		return fmt.Errorf("quantile: %w", err)
	}
	p.decay = decay
	p.rate, _ = rate.Float64()
	p.step = int64(min(0.5/p.rate, 1<<60))
	return nil
}

// draw draws the candidate of a problem by the exponential mechanism: run by
// run, as likely as its cheapest candidate would make it, and then one candidate
// of the run, which is kept as often as its cost is exceeded. What is not kept is
// drawn anew. So each candidate is drawn in proportion to its measure times
// exp(-rate·cost), exactly.
func (v *view) draw(r Random) int64 {
	runs := v.runs()
	segments := v.counts.segmentsOf(runs)
	for {
		i, offset := r.Choose(v.decay, segments)
		x := v.candidate(runs[i].start + offset)
		if more := v.cost(x) - runs[i].cost; more == 0 || r.Happens(v.decay, uint64(more)) {
			return x
		}
	}
}
