package keys

import (
	"cmp"
	"reflect"
	"slices"
)

// Order returns the places of keys in the order of their content: numbers by size, false
// before true, strings by bytes, structs and arrays part by part. Equal keys keep their
// order.
func Order[K comparable](ks []K) []uint32 {
	return OrderUntil(ks, func() bool { return false })
}

// often is after how many keys, or comparisons, it is asked whether to end.
const often = 4096

// OrderUntil is [Order], and ends soon after done returns true: then the order is any.
func OrderUntil[K comparable](ks []K, done func() bool) []uint32 {
	order := make([]uint32, len(ks))
	for i := range order {
		order[i] = uint32(i)
	}
	if len(ks) == 0 {
		return order
	}
	var content []atom
	all := reflect.ValueOf(ks)
	for i := range ks {
		if i%often == often-1 && done() {
			return order
		}
		content = atoms(all.Index(i), content)
		if i == 0 {
			content = slices.Grow(content, len(content)*(len(ks)-1))
		}
	}
	n := len(content) / len(ks)
	compared, ended := 0, false
	slices.SortFunc(order, func(a, b uint32) int {
		if compared++; compared%often == 0 && !ended {
			ended = done()
		}
		if ended {
			return 0 // and what is left of sorting is fast
		}
		if c := slices.CompareFunc(content[int(a)*n:][:n], content[int(b)*n:][:n], atom.compare); c != 0 {
			return c
		}
		return cmp.Compare(a, b)
	})
	return order
}

// Ascending reports whether each key comes after the one before in the order of [Order], and none
// twice. It takes no memory that grows with them.
func Ascending[K comparable](ks []K) bool {
	all := reflect.ValueOf(ks)
	var last, next []atom
	for i := range ks {
		next = atoms(all.Index(i), next[:0])
		if i > 0 && slices.CompareFunc(last, next, atom.compare) >= 0 {
			return false
		}
		last, next = next, last
	}
	return true
}

// An atom is a part of a key that has no parts.
type atom struct {
	number uint64 // ordered as the part is
	text   string
}

func (a atom) compare(b atom) int {
	if a.number != b.number {
		return cmp.Compare(a.number, b.number)
	}
	return cmp.Compare(a.text, b.text)
}

func atoms(v reflect.Value, to []atom) []atom {
	switch {
	case v.Kind() == reflect.Bool:
		return append(to, atom{number: btoi(v.Bool())})
	case v.CanInt():
		return append(to, atom{number: uint64(v.Int()) ^ 1<<63})
	case v.CanUint():
		return append(to, atom{number: v.Uint()})
	case v.Kind() == reflect.String:
		return append(to, atom{text: v.String()})
	}
	n, part := parts(v)
	for i := range n {
		to = atoms(part(v, i), to)
	}
	return to
}

func btoi(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// Sort sorts keys by content, see [Order].
func Sort[K comparable](ks []K) {
	from := slices.Clone(ks)
	for i, at := range Order(ks) {
		ks[i] = from[at]
	}
}
