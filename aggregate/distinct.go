package aggregate

import (
	"fmt"
	"math/big"
	"reflect"

	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/grid"
	"github.com/equipoise-dp/equipoise/internal/keys"
)

// Distinct asks how many different values a function of a row has in a group, such as how many
// products were bought. Of a unit's rows in a group, after Query.MaxRowsPerGroup, at most most different values count,
// chosen at random if it has more; rows with a value that it has already cost nothing. So a unit moves the number by at most
// most, and noise grows with it: where people have many values in common, a small one loses few of them.
//
// T is a type that compares by content, as that of a unit: integers, strings, booleans, and arrays and structs of them.
// The name stands in price lists, receipts and reports. Values are told apart by 63 bits of a fixed hash: of n of them in a group
// fewer than n²/2^64 are taken for others in the mean, which makes the number less, and not less private. Memory follows the
// values that are kept of every unit. Proof: docs/proofs/distinct.md.
func Distinct[T comparable, Row any, Unit, Group comparable](q *Query[Row, Unit, Group], name string, of func(Row) T, most int) Column[int64] {
	v := &value{
		name: name, perUnit: true, integer: true, bits: 64, missing: of == nil, most: max(most, 1),
		lower: new(big.Rat), upper: big.NewRat(int64(max(most, 1)), 1), asked: big.NewRat(1, 1),
	}
	switch err := keys.Check(reflect.TypeFor[T](), false); {
	case name == "" || of == nil:
		v.err = v.check("0", "", "")
	case err != nil:
		v.err = fmt.Errorf("aggregate: distinct values %q: %w", name, err)
	case most < 1 || most > mostDistinct:
		v.err = fmt.Errorf("aggregate: distinct values %q: at most %d of a unit count in a group, must be 1 to %d", name, most, mostDistinct)
	}
	v.bind = func(*grid.Grid) any {
		hash := hashes([]byte(distinctKey))
		return func(r Row) int64 {
			a, _ := hashOf(hash, of(r))
			return int64(a >> 1)
		}
	}
	return Column[int64]{column{query: q.identity(), value: v, kind: kindDistinct}}
}

// mostDistinct bounds how many different values of a unit count.
const mostDistinct = 1 << 31

// distinctKey is no secret: all processes that collect for one release take the same values for the same, and
// privacy does not rest on the hash.
const distinctKey = "equipoise distinct values, 1    "

// addDistinct adds the different values of one unit in one group.
func (a *adder) addDistinct(group uint32, rows []int64) {
	for _, m := range a.distinct {
		a.scratch = a.scratch[:0]
		for at := m.input; at < len(rows); at += len(a.inputs) {
			a.scratch = append(a.scratch, rows[at])
		}
		for _, value := range a.chosen(a.scratch, m.value.most) {
			a.list(m, group, value)
		}
	}
}

// counted reports whether a Partial that was unpacked has each value of a group once, and says how many they are.
func (p *partial[Group]) counted(m *measure) bool {
	l := &p.lists[m.list]
	for i := range l.ends {
		of := l.of(i)
		for at := 1; at < len(of); at++ {
			if of[at] == of[at-1] {
				return false
			}
		}
		if p.sums[i*p.width+m.first] != exact.Int(int64(len(of))) {
			return false
		}
	}
	return true
}

// countDistinct leaves of the values of every group each once, and sets the numbers of them.
func (p *partial[Group]) countDistinct(m *measure) {
	l := &p.lists[m.list]
	begin, to := 0, 0
	for i, end := range l.ends {
		first := to
		for at := begin; at < end; at++ {
			if at == begin || l.points[at] != l.points[at-1] {
				l.points[to] = l.points[at]
				to++
			}
		}
		begin, l.ends[i] = end, to
		p.sums[i*p.width+m.first] = exact.Int(int64(to - first))
	}
	clear(l.points[to:])
	l.points = l.points[:to]
}
