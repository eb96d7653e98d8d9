package keys

import (
	"encoding/hex"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Writer writes keys. It makes nothing new for each, but for keys with unusual bytes. It is
// for one goroutine.
type Writer[K comparable] struct {
	key   *K // what value is about
	value reflect.Value
	text  []byte
}

// NewWriter returns a Writer.
func NewWriter[K comparable]() *Writer[K] {
	k := new(K)
	return &Writer[K]{key: k, value: reflect.ValueOf(k).Elem()}
}

// Append appends the text that [Encode] returns.
func (w *Writer[K]) Append(to []byte, k K) []byte {
	*w.key = k
	begin := len(to)
	if to = appendLeaves(to, w.value); len(to) == begin {
		return append(to, "null"...) // of a type that has but one key
	}
	to[begin] = '['
	return append(to, ']')
}

// AppendJSON appends the text that [Encode] returns as a JSON string.
func (w *Writer[K]) AppendJSON(to []byte, k K) []byte {
	w.text = w.Append(w.text[:0], k)
	return appendString(to, w.text)
}

// appendLeaves appends the parts of a key as strings, and a comma before each.
func appendLeaves(to []byte, v reflect.Value) []byte {
	switch {
	case v.Kind() == reflect.Bool:
		return append(strconv.AppendBool(append(to, `,"`...), v.Bool()), '"')
	case v.CanInt():
		return append(strconv.AppendInt(append(to, `,"`...), v.Int(), 10), '"')
	case v.CanUint():
		return append(strconv.AppendUint(append(to, `,"`...), v.Uint(), 10), '"')
	case v.Kind() == reflect.String:
		return appendString(append(to, ','), quote(v.String()))
	}
	n, part := parts(v)
	for i := range n {
		to = appendLeaves(to, part(v, i))
	}
	return to
}

// appendString appends a JSON string, as encoding/json writes it.
func appendString[S string | []byte](to []byte, s S) []byte {
	begin := len(to)
	to = append(to, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			to = append(to, '\\', c)
		case c < ' ' || c >= utf8.RuneSelf || c == '<' || c == '>' || c == '&' || c == 0x7f:
			text, err := json.Marshal(string(s))
			if err != nil {
				panic("keys: internal error: a string cannot be written as JSON: " + err.Error())
			}
			return append(to[:begin], text...)
		default:
			to = append(to, c)
		}
	}
	return append(to, '"')
}

// quote keeps bytes that are not UTF-8, which JSON would replace.
func quote(s string) string {
	if utf8.ValidString(s) && !strings.HasPrefix(s, "\x00") {
		return s
	}
	return "\x00" + hex.EncodeToString([]byte(s))
}
