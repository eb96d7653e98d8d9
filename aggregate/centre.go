package aggregate

import (
	"errors"
	"math/big"

	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// A centre is what makes a vector shorter where a unit may be in many of the groups, and
// these are given. Of the count of every group so much is taken for every unit that is in
// any of them: a unit moves it then by about half as much, up where it is in the group and
// down where it is not. How many units are in any group is released with the vector, and
// puts back what was taken. Proof: docs/proofs/centre.md.
type centre struct {
	take  int64 // from the count of every group, for every unit that is in any
	times int64 // what the number of these units is multiplied with
}

// people is the place of the number of units that are in any group, among the parts of a
// vector with a centre. It is the same number for every group.
func (j *joint) people() int { return 1 + len(j.values) }

// countPeople puts the number of units into the place that vectors with a centre have for
// it in every group. Partials are of different units, so it adds up as sums do.
func (a *adder) countPeople(adders []*adder) {
	n := int64(0)
	for _, other := range adders {
		n += other.people
	}
	for _, m := range a.measures {
		if m.joint == nil || m.joint.centre == nil {
			continue
		}
		for at := m.first + m.joint.people(); at < len(a.sums); at += a.compiled.sums {
			a.sums[at] = a.sums[at].Add(exact.Int(n))
		}
	}
}

// centred returns the sums that noise is added to. Of a vector with a centre these are the
// sums of the group, without what the centre takes, and the number of units.
func (m *measure) centred(sums []exact.Int128) []exact.Int128 {
	if m.joint == nil || m.joint.centre == nil {
		return sums
	}
	c, at := m.joint.centre, m.joint.people()
	n := sums[at].Clamp() // of units, and so exact
	moved := append([]exact.Int128(nil), sums...)
	moved[0] = sums[0].Sub(exact.Mul(c.take, n))
	moved[at] = exact.Mul(c.times, n)
	return moved
}

// drawCommon draws the noise on the numbers that all groups have in common.
func (c *compiled) drawCommon(session *core.Session) map[*measure]int64 {
	draws := make(map[*measure]int64)
	for _, m := range c.measures {
		if m.joint != nil && m.joint.centre != nil {
			draws[m] = session.Noise(m.law, 1)[0]
		}
	}
	return draws
}

// ownParts returns how many parts have noise of their own in every group: all but the number
// of units in any of them.
func (m *measure) ownParts() int {
	if m.joint == nil || m.joint.centre == nil {
		return m.parts()
	}
	return m.joint.people()
}

// lengthen returns the square of the L2 norm of what a unit moves by in all groups, if its
// record in one has the square of a norm without the centre. Every group that it is in adds
// the same, and every other one, so it is most where it is in one group or in l0.
func (c *centre) lengthen(record *big.Int, count, l0, groups int64) *big.Int {
	square := func(x int64) *big.Int { return new(big.Int).Mul(big.NewInt(x), big.NewInt(x)) }
	away := square(c.take)
	in := new(big.Int).Sub(record, square(count))
	in.Add(in, square(count-c.take))
	if in.Cmp(away) < 0 {
		l0 = 1
	}
	sum := square(c.times)
	sum.Add(sum, in.Mul(in, big.NewInt(l0)))
	return sum.Add(sum, away.Mul(away, big.NewInt(groups-l0)))
}

var errNotCommon = errors.New("the number of units in any group is not the same in all groups")

// checkCommon returns an error if groups disagree about what they have in common.
func (c *compiled) checkCommon(groups []storedGroup) error {
	for _, m := range c.measures {
		if m.joint == nil || m.joint.centre == nil {
			continue
		}
		at := m.first + m.joint.people()
		for _, g := range groups {
			if g.Sums[at].Cmp(groups[0].Sums[at]) != 0 {
				return errNotCommon
			}
		}
	}
	return nil
}
