package aggregate

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/keys"
)

// pack writes what a Partial holds, to be sealed. How long it is follows from the plan
// where groups are given and there are no quantiles.
func (p *partial[Group]) pack() []byte {
	b := packOrigins(nil, p.origins)
	if !p.dated.IsZero() {
		b = binary.BigEndian.AppendUint64(b, uint64(p.dated.UnixNano()))
	}
	b = binary.BigEndian.AppendUint64(b, uint64(len(p.groups)))
	b = keys.AppendAll(b, p.groups)
	for _, s := range p.sums {
		b = binary.BigEndian.AppendUint64(b, uint64(s.Hi))
		b = binary.BigEndian.AppendUint64(b, s.Lo)
	}
	for i := range p.lists {
		for j := range p.groups {
			b = packPoints(b, p.lists[i].of(j))
		}
	}
	b = binary.BigEndian.AppendUint64(b, uint64(len(p.units.ends)))
	for i := range p.units.ends {
		of := p.units.of(i)
		b = binary.AppendUvarint(b, uint64(len(of)))
		for _, place := range of {
			b = binary.AppendUvarint(b, uint64(place))
		}
	}
	return b
}

func packOrigins(b []byte, origins []origin) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(len(origins)))
	for _, o := range origins {
		b = append(append(b, o.space[:]...), byte(0))
		if o.keyed {
			b[len(b)-1] = 1
		}
		b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, o.number), o.of)
	}
	return b
}

// packPoints writes how far each point is from the one before.
func packPoints(b []byte, points []int64) []byte {
	b = binary.AppendUvarint(b, uint64(len(points)))
	last := int64(0)
	for _, at := range points {
		b = binary.AppendUvarint(b, uint64(at-last))
		last = at
	}
	return b
}

// unpack reads what pack wrote for this plan. Whoever has the public key can have written
// it, so nothing is believed: what is read has a form that rows can have, and no sum is so
// large that those of other parts could overflow. Memory is taken for what is there, and not for what is
// said to come: at most some ten times the bytes.
func (p *Plan[Row, Unit, Group]) unpack(b []byte) (*partial[Group], error) {
	r := &unpacking{rest: b}
	part := &partial[Group]{fingerprint: p.fingerprint, origins: r.origins()}
	if p.query.dates() {
		part.dated = time.Unix(0, int64(r.word()))
	}
	part.groups = unpackKeys[Group](r)
	if p.finder == nil {
		p.unpackSums(r, part)
		r.require(r.count() == 0)
	} else {
		r.require(keys.Ascending(part.groups))
		part.units = unpackUnits(r, len(part.groups), p.caps().Keys)
	}
	r.require(len(r.rest) == 0)
	if r.failed {
		return nil, errPacked
	}
	return part, nil
}

var errPacked = errors.New("aggregate: what was sealed is no Partial of this plan; whoever sealed it did not use this library")

// unpackSums reads the sums of groups, and the points.
func (p *Plan[Row, Unit, Group]) unpackSums(r *unpacking, part *partial[Group]) {
	part.width = p.sums
	if given := p.query.given(); given != nil {
		r.require(slices.Equal(given, part.groups))
	} else {
		r.require(keys.Ascending(part.groups))
	}
	sums := r.items(uint64(len(part.groups)*p.sums), 16)
	part.sums = make([]exact.Int128, 0, sums)
	most := mostSum * int64(len(part.origins))
	for i := 0; i < sums && !r.failed; i++ {
		sum := exact.Int128{Hi: int64(r.word()), Lo: r.word()}
		r.require(-most <= sum.Hi && sum.Hi < most)
		part.sums = append(part.sums, sum)
	}
	if p.query.given() == nil {
		for i := 0; i < len(part.groups) && !r.failed; i++ {
			r.require(part.sums[i*p.sums+p.units().first].Sign() > 0)
		}
	}
	for _, m := range p.measures {
		if m.joint != nil && m.joint.centre != nil && !r.failed {
			r.require(sameInAll(part, m.first+m.joint.people()))
		}
		if m.form == formRanks {
			part.lists = append(part.lists, unpackList(r, len(part.groups), m.grid.Cells))
		}
		if m.form == formDistinct {
			part.lists = append(part.lists, unpackList(r, len(part.groups), math.MaxInt64))
			r.require(!r.failed && part.counted(m))
		}
	}
}

// sameInAll reports whether a sum is a number of units that all groups have in common. One of a part is
// below 2^42, so that those of 2^20 parts fit where they are taken from counts.
func sameInAll[Group comparable](part *partial[Group], at int) bool {
	for i := range part.groups {
		n := part.sums[i*part.width+at]
		if n != part.sums[at] || n.Hi != 0 || n.Lo >= uint64(len(part.origins))<<42 {
			return false
		}
	}
	return true
}

// mostSum bounds the upper half of the sums of one part: 2^104 in all, which 2^42 rows of
// 2^62 steps have. 2^20 parts of that do not overflow.
const mostSum = 1 << 40

func unpackList(r *unpacking, groups int, cells int64) list {
	l := list{make([]int, 0, groups), make([]int64, 0, r.numbers(groups))}
	for i := 0; i < groups && !r.failed; i++ {
		last := int64(0)
		for range r.length() {
			step := r.uvarint()
			if r.require(step <= uint64(cells-last)); r.failed {
				return l
			}
			last += int64(step)
			l.points = append(l.points, last)
		}
		l.ends = append(l.ends, len(l.points))
	}
	return l
}

// unpackUnits reads the groups of units, each of at least one and no more than most, of a number of groups that all have units.
func unpackUnits(r *unpacking, groups, most int) listing {
	units := r.items(r.word(), 2)
	l := listing{make([]int, 0, units), make([]uint32, 0, r.numbers(units))}
	met := make([]int, groups) // the last unit of each group, counted from 1
	for i := 0; i < units && !r.failed; i++ {
		n := r.length()
		r.require(n > 0 && n <= most)
		for range n {
			place := r.uvarint()
			if r.require(place < uint64(groups) && met[place] != i+1); r.failed {
				return l
			}
			met[place] = i + 1
			l.places = append(l.places, uint32(place))
		}
		l.ends = append(l.ends, len(l.places))
	}
	r.require(!slices.Contains(met, 0))
	return l
}

// An unpacking reads bytes from the front. After it failed everything that it returns is 0.
type unpacking struct {
	rest   []byte
	failed bool
}

func (r *unpacking) require(ok bool) {
	if !ok {
		r.failed, r.rest = true, nil
	}
}

// next returns the next n bytes.
func (r *unpacking) next(n int) []byte {
	if r.require(n <= len(r.rest)); r.failed {
		return make([]byte, n)
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *unpacking) word() uint64 { return binary.BigEndian.Uint64(r.next(8)) }

func (r *unpacking) halfWord() uint32 { return binary.BigEndian.Uint32(r.next(4)) }

func (r *unpacking) uvarint() uint64 {
	x, n := binary.Uvarint(r.rest)
	if r.require(n > 0); r.failed {
		return 0
	}
	r.rest = r.rest[n:]
	return x
}

// count returns how many things come, each of which has a byte at least.
func (r *unpacking) count() int { return r.items(r.word(), 1) }

func (r *unpacking) length() int { return r.items(r.uvarint(), 1) }

// items returns a number of things that come, each of which has so many bytes at least.
func (r *unpacking) items(n uint64, least int) int {
	if r.require(n <= uint64(len(r.rest)/least)); r.failed {
		return 0
	}
	return int(n)
}

// numbers returns how many numbers come in so many lists, each after its length, and reads none.
func (r *unpacking) numbers(lists int) (n int) {
	ahead := *r
	for i := 0; i < lists && !ahead.failed; i++ {
		length := ahead.length()
		n += length
		for range length {
			ahead.uvarint()
		}
	}
	if ahead.failed {
		return 0
	}
	return n
}

func (r *unpacking) origins() (origins []origin) {
	n := r.items(r.word(), 25)
	r.require(n > 0 && n <= mostShards)
	if r.failed {
		return nil
	}
	origins = make([]origin, 0, n)
	for range n {
		o := origin{space: space(r.next(16)), keyed: r.next(1)[0] == 1, number: r.halfWord(), of: r.halfWord()}
		r.require(o.shard().check() == nil && (o.keyed || o.of == 1))
		origins = append(origins, o)
		if i := len(origins) - 1; i > 0 {
			last := origins[i-1]
			r.require(last.before(o) < 0 && !last.overlaps(o) && last.keyed == o.keyed && (!o.keyed || last.space == o.space))
		}
		if r.failed {
			return nil
		}
	}
	return origins
}

func unpackKeys[Group comparable](r *unpacking) []Group {
	table, rest, err := keys.CutAll[Group](nil, r.count(), r.rest)
	if r.require(err == nil); r.failed {
		return nil
	}
	r.rest = rest
	return table
}
