package keys

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

type place struct {
	Name  string
	Floor int8
	Parts [2]uint16
	Open  bool
}

// C8: the order of keys is that of their content, and does not depend on the
// order in which they come.
func TestOrderIsThatOfContent(t *testing.T) {
	want := []place{{"", 0, [2]uint16{}, false}, {"a", -2, [2]uint16{}, true}, {"a", 1, [2]uint16{0, 9}, true}, {"a", 1, [2]uint16{1, 0}, false}, {"a", 1, [2]uint16{1, 0}, true}, {"\xff", 0, [2]uint16{}, false}}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		got := slices.Clone(want)
		rng.Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
		var sorted []place
		for _, i := range Order(got) {
			sorted = append(sorted, got[i])
		}
		if !reflect.DeepEqual(sorted, want) {
			t.Fatalf("got %v", sorted)
		}
	}
}

// Numbers are ordered by size whatever their sign, and equal keys stay as they are.
func TestOrderKnowsSigns(t *testing.T) {
	if got, want := Order([]int64{0, -1, 1 << 62, -1 << 63, -1, 7}), []uint32{3, 1, 4, 0, 5, 2}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := Order([]struct{}{{}, {}}); !slices.Equal(got, []uint32{0, 1}) {
		t.Errorf("got %v", got)
	}
	if got := Order[string](nil); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

func TestTypesThatDoNotCompareByContentAreRefused(t *testing.T) {
	for _, test := range []struct {
		x      any
		stored bool
		ok     bool
	}{
		{"", true, true}, {place{}, true, true}, {[3]bool{}, true, true}, {struct{}{}, true, true},
		{0.5, true, false}, {new(int), true, false}, {struct{ X any }{}, true, false}, {[1]float32{}, false, false},
		{struct{ x int }{}, true, false}, {struct{ x int }{}, false, true}, {struct{ X struct{ y string } }{}, true, false},
	} {
		if err := Check(reflect.TypeOf(test.x), test.stored); (err == nil) != test.ok {
			t.Errorf("%T, stored %t: %v", test.x, test.stored, err)
		}
	}
}

// FuzzKeys: Encode is one to one, and Decode reads it back, whatever the bytes.
func FuzzKeys(f *testing.F) {
	f.Add("a", "b", int8(1), uint16(2), uint16(3), true)
	f.Add("\x00", "\x00ff", int8(-128), uint16(0), uint16(65535), false)
	f.Add("\xff\xfe", "\xc3\x28", int8(0), uint16(0), uint16(0), false)
	f.Add("\x00zz", "\u2028<>&", int8(0), uint16(0), uint16(0), false)
	f.Fuzz(func(t *testing.T, s, other string, floor int8, a, b uint16, open bool) {
		k, l := place{s, floor, [2]uint16{a, b}, open}, place{other, floor, [2]uint16{a, b}, open}
		back, err := Decode[place](Encode(k))
		if err != nil || back != k {
			t.Errorf("%q became %q (%v)", fmt.Sprint(k), fmt.Sprint(back), err)
		}
		if (Encode(k) == Encode(l)) != (k == l) || (Encode(s) == Encode(other)) != (s == other) {
			t.Errorf("%q and %q are written alike", s, other)
		}
		if got, err := Decode[string](Encode(s)); err != nil || got != s {
			t.Errorf("%q became %q (%v)", s, got, err)
		}
		form := Append(nil, k)
		if cut, rest, err := Cut[place](append(form, "rest"...)); err != nil || cut != k || string(rest) != "rest" {
			t.Errorf("the bytes of %q were read as %q, %q, %v", fmt.Sprint(k), fmt.Sprint(cut), rest, err)
		}
		if other := Append(nil, l); k != l && (bytes.HasPrefix(form, other) || bytes.HasPrefix(other, form)) {
			t.Errorf("the bytes of %q begin as those of %q", fmt.Sprint(k), fmt.Sprint(l))
		}
		for n := range form {
			if _, _, err := Cut[place](form[:n]); err == nil {
				t.Errorf("the first %d of %d bytes are read as a key", n, len(form))
			}
		}
		if x, rest, err := Cut[place]([]byte(s)); err == nil && string(Append(nil, x))+string(rest) != s {
			t.Errorf("%q is read as %v, which is written in another way", s, x)
		}
		if x, err := Decode[place](s); err == nil {
			if again, err := Decode[place](Encode(x)); err != nil || again != x {
				t.Errorf("%q reads as %v, which does not read back", s, x)
			}
		}
	})
}

// written is what keys are stored as: the parts as a list of strings, by encoding/json.
func written(t *testing.T, leaves ...string) string {
	text, err := json.Marshal(leaves)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What a Writer appends is what encoding/json writes, byte by byte, whatever the bytes of a
// key; and one of common bytes makes nothing new.
func TestKeysAreWrittenAsJSONIs(t *testing.T) {
	w, strings := NewWriter[place](), NewWriter[string]()
	for _, s := range []string{"", "abc", `a"b\c`, "<&>", "\x01\n\t", "\u2028é", "\x7f", "\x00a", "\xff\xfe", "日本"} {
		k := place{s, -3, [2]uint16{7, 65535}, true}
		want := written(t, quote(s), "-3", "7", "65535", "true")
		if got := Encode(k); got != want {
			t.Errorf("%q is written %s, want %s", s, got, want)
		}
		for _, got := range [][2]string{{string(w.AppendJSON([]byte("x"), k)), want}, {string(strings.AppendJSON([]byte("x"), s)), written(t, quote(s))}} {
			text, err := json.Marshal(got[1])
			if err != nil || got[0] != "x"+string(text) {
				t.Errorf("%q is written %s, want x%s", s, got[0], text)
			}
		}
	}
	if got, want := Encode(struct{}{}), written(t); got != want {
		t.Errorf("the only key is written %s, want %s", got, want)
	}
	room := make([]byte, 0, 100)
	w.AppendJSON(room, place{Name: "abc"})
	if n := testing.AllocsPerRun(100, func() { w.AppendJSON(room, place{Name: "abc"}) }); n > 0 {
		t.Errorf("a key is written with %v allocations", n)
	}
}

// Keys ascend if and only if Order leaves them as they are and none is there twice.
func TestKeysAscendIfTheyAreInOrderAndEachOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(16, 61))
	ascending := 0
	for range 3000 {
		keys := make([]place, rng.IntN(4))
		for i := range keys {
			keys[i] = place{string(rune('a' + rng.IntN(2))), int8(rng.IntN(3) - 1), [2]uint16{0, uint16(rng.IntN(2))}, rng.IntN(2) > 0}
		}
		want := true
		for i, at := range Order(keys) {
			want = want && int(at) == i && (i == 0 || keys[i] != keys[i-1])
		}
		if Ascending(keys) != want {
			t.Fatalf("%v ascend: %t", keys, !want)
		}
		if want {
			ascending++
		}
	}
	if ascending < 500 || ascending > 2500 {
		t.Errorf("%d of 3000 ascend", ascending)
	}
}

// More keys than there can be bytes for are refused before there is memory for them.
func TestKeysThatCannotBeThereTakeNoMemory(t *testing.T) {
	from := make([]byte, 1<<20)
	if n := testing.AllocsPerRun(10, func() {
		if _, _, err := CutAll[[100]string](nil, 1<<20, from); err == nil {
			t.Error("a byte is a key of 800")
		}
		if _, _, err := CutAll[struct {
			A, B int8
			C    [20]byte
		}](nil, 1<<20/36+1, from); err == nil {
			t.Error("35 bytes are a key of 36")
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
	if ks, rest, err := CutAll[struct {
		A, B int8
		C    [20]byte
	}](nil, 1<<20/36, from); err != nil || len(ks) != 1<<20/36 || len(rest) != 1<<20%36 {
		t.Errorf("%d keys, %d bytes are left, %v", len(ks), len(rest), err)
	}
}

// Whoever ends an order is asked no more, and it is asked often: once in so many keys and comparisons.
func TestAnOrderEndsSoon(t *testing.T) {
	keys := make([]int, 50_000)
	for i := range keys {
		keys[i] = i * 7919 % 50_021
	}
	asked := 0
	if order := OrderUntil(keys, func() bool { asked++; return false }); !slices.Equal(order, Order(keys)) || asked < 12*len(keys)/4096 {
		t.Errorf("asked %d times", asked)
	}
	for _, last := range []int{1, asked / 2, asked} {
		n := 0
		OrderUntil(keys, func() bool { n++; return n >= last })
		if n != last {
			t.Errorf("it was asked %d times after it was told to end at %d", n-last, last)
		}
	}
}
