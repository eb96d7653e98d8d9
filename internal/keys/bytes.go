package keys

import (
	"encoding/binary"
	"errors"
	"reflect"
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
	n, part := parts(v)
	for i := range n {
		to = appendParts(to, part(v, i))
	}
	return to
}

// Cut reads a key that Append wrote, and returns the bytes after it.
func Cut[K comparable](from []byte) (k K, rest []byte, err error) {
	rest, err = cutParts(reflect.ValueOf(&k).Elem(), from)
	return k, rest, err
}

var errBytes = errors.New("keys: these bytes are no key of this type")

func cutParts(v reflect.Value, from []byte) (rest []byte, err error) {
	if k := v.Kind(); k == reflect.Struct || k == reflect.Array {
		n, part := parts(v)
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
