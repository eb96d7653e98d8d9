package keys

import (
	"fmt"
	"strings"
	"testing"
)

type room struct {
	Town string
	At   [2]int16
	Open bool
}

// A key is read back as it was written, whatever it consists of.
func TestKeysAreReadBack(t *testing.T) {
	back(t, 0)
	back(t, int8(-128))
	back(t, uint64(1<<64-1))
	back(t, "")
	back(t, "a\x00\"b")
	back(t, "\x00ff")
	back(t, "not \xff UTF-8")
	back(t, true)
	back(t, room{"x", [2]int16{-3, 9}, true})
	back(t, [3]string{"", "\x80", "c"})
	back(t, struct{}{})
}

func back[K comparable](t *testing.T, k K) {
	t.Helper()
	if got, err := Decode[K](Encode(k)); err != nil || got != k {
		t.Errorf("%v is written %s and read as %v (%v)", k, Encode(k), got, err)
	}
}

// What no key is written as is an error that says why.
func TestWhatIsNoKeyIsNotRead(t *testing.T) {
	for text, says := range map[string]string{
		`["1","2"]`: "keys: 1 values too many for int", `["1","2","3"]`: "keys: 2 values too many for int", `["x"]`: "strconv.ParseInt", `[]`: "keys: ", `null`: "keys: ", `{}`: "keys: json: cannot unmarshal", `["1"`: "keys: unexpected end of JSON input", ``: "keys: unexpected end of JSON input", `["99999999999999999999"]`: "strconv.ParseInt",
	} {
		if k, err := Decode[int](text); err == nil || !strings.HasPrefix(err.Error(), says) {
			t.Errorf("%s is read as %v: %v, must say %q", text, k, err, says)
		}
	}
	for _, text := range []string{`["x","1","2"]`, `["x","1","2","maybe"]`, `["x","1","70000","true"]`, `["x","1","2","true","y"]`} {
		if k, err := Decode[room](text); err == nil {
			t.Errorf("%s is read as %v", text, k)
		}
	}
	if _, err := Decode[string](fmt.Sprintf("[%q]", "\x00xy")); err == nil {
		t.Error("a text of bytes that are no hexadecimal digits is read")
	}
}
