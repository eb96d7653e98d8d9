package keys

import (
	"encoding/binary"
	"errors"
	"reflect"
	"slices"
)

// Append appends bytes that stand for the key, and for no other of its type; no key's bytes
// begin with those of another. They are the same in every process.
func Append[K comparable](to []byte, k K) []byte { return appendParts(to, reflect.ValueOf(&k).Elem()) }

func appendParts(to []byte, v reflect.Value) []byte {
	switch {
	case v.Kind() == reflect.Bool:
		return append(to, byte(btoi(v.Bool())))
	case v.CanInt():
		return binary.BigEndian.AppendUint64(to, uint64(v.Int()))
	case v.CanUint():
		return binary.BigEndian.AppendUint64(to, v.Uint())
	case v.Kind() == reflect.String:
		to = binary.BigEndian.AppendUint64(to, uint64(v.Len()))
		return append(to, v.String()...)
	}
	if ofBytes(v) {
		return append(to, v.Bytes()...)
	}
	n, part := parts(v)
	for i := range n {
		to = appendParts(to, part(v, i))
	}
	return to
}

// AppendAll appends what Append appends of each key.
func AppendAll[K comparable](to []byte, ks []K) []byte {
	all := reflect.ValueOf(ks)
	for i := range ks {
		to = appendParts(to, all.Index(i))
	}
	return to
}

// ofBytes reports whether a value is an array of bytes, such as a digest, which stands as it is.
func ofBytes(v reflect.Value) bool {
	return v.Kind() == reflect.Array && v.Type().Elem().Kind() == reflect.Uint8
}

// Cut reads a key that Append wrote, and returns the bytes after it.
func Cut[K comparable](from []byte) (k K, rest []byte, err error) {
	rest, err = cutParts(reflect.ValueOf(&k).Elem(), from)
	return k, rest, err
}

// CutAll appends n keys that AppendAll wrote, and returns the bytes after them.
func CutAll[K comparable](to []K, n int, from []byte) (ks []K, rest []byte, err error) {
	if least := least(reflect.TypeFor[K]()); least > 0 && n > len(from)/least {
		return to, from, errBytes // before there is memory for so many
	}
	begin := len(to)
	to = slices.Grow(to, n)[:begin+n]
	all := reflect.ValueOf(to)
	for i := begin; i < begin+n; i++ {
		if from, err = cutParts(all.Index(i), from); err != nil {
			return to[:begin], nil, err
		}
	}
	return to, from, nil
}

// least is how many bytes Append appends of a key at least.
func least(t reflect.Type) (bytes int) {
	switch t.Kind() {
	case reflect.Bool:
		return 1
	case reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return t.Len()
		}
		return t.Len() * least(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			bytes += least(t.Field(i).Type)
		}
		return bytes
	}
	return 8
}

// Text returns what says how many bytes the strings in a key have, or nil if keys have none.
func Text[K comparable]() func(K) int {
	if !hasText(reflect.TypeFor[K]()) {
		return nil
	}
	return func(k K) int { return text(reflect.ValueOf(&k).Elem()) }
}

func hasText(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String:
		return true
	case reflect.Array:
		return hasText(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if hasText(t.Field(i).Type) {
				return true
			}
		}
	}
	return false
}

func text(v reflect.Value) (bytes int) {
	switch v.Kind() {
	case reflect.String:
		return v.Len()
	case reflect.Array, reflect.Struct:
		n, part := parts(v)
		for i := range n {
			bytes += text(part(v, i))
		}
	}
	return bytes
}

var errBytes = errors.New("keys: these bytes are no key of this type")

func cutParts(v reflect.Value, from []byte) (rest []byte, err error) {
	if k := v.Kind(); k == reflect.Struct || k == reflect.Array {
		n, part := parts(v)
		if ofBytes(v) {
			if len(from) < n {
				return nil, errBytes
			}
			copy(v.Bytes(), from)
			return from[n:], nil
		}
		for i := range n {
			if from, err = cutParts(part(v, i), from); err != nil {
				return nil, err
			}
		}
		return from, nil
	}
	if v.Kind() == reflect.Bool {
		if len(from) < 1 || from[0] > 1 {
			return nil, errBytes
		}
		v.SetBool(from[0] == 1)
		return from[1:], nil
	}
	if len(from) < 8 {
		return nil, errBytes
	}
	return cutLeaf(v, binary.BigEndian.Uint64(from), from[8:])
}

func cutLeaf(v reflect.Value, x uint64, from []byte) (rest []byte, err error) {
	switch {
	case v.CanInt() && !v.OverflowInt(int64(x)):
		v.SetInt(int64(x))
	case v.CanUint() && !v.OverflowUint(x):
		v.SetUint(x)
	case v.Kind() == reflect.String && x <= uint64(len(from)):
		v.SetString(string(from[:x]))
		return from[x:], nil
	default:
		return nil, errBytes
	}
	return from, nil
}
