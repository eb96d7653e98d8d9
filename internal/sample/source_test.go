package sample

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/cryptotest"
)

// The stream is AES-256-CTR under a key and a counter from crypto/rand, and
// nothing else.
func TestSourceIsAESCTR(t *testing.T) {
	cryptotest.SetGlobalRandom(t, 3)
	var seed [48]byte
	rand.Read(seed[:])
	block, err := aes.NewCipher(seed[:32])
	if err != nil {
		t.Fatal(err)
	}
	want := make([]byte, 8*2000)
	cipher.NewCTR(block, seed[32:]).XORKeyStream(want, want)

	cryptotest.SetGlobalRandom(t, 3)
	s := NewSource()
	for i := range 2000 {
		if got, w := s.Uint64(), binary.LittleEndian.Uint64(want[8*i:]); got != w {
			t.Fatalf("word %d is %#x, want %#x", i, got, w)
		}
	}
}

// F2: a key serves 16 MiB, then crypto/rand gives another.
func TestSourceRenewsItsKey(t *testing.T) {
	s := NewSource()
	s.Uint64()
	before := s.block
	for range refillsPerKey {
		s.refill(bufferWords)
	}
	if s.block == before {
		t.Errorf("after %d refills the key is still the first one", refillsPerKey)
	}
}

// F2: two sources never share a stream.
func TestSourcesNeverShareAStream(t *testing.T) {
	if a, b := NewSource().Uint64(), NewSource().Uint64(); a == b {
		t.Errorf("two sources begin with the same word %#x", a)
	}
}

func TestWipingErases(t *testing.T) {
	s := NewSource()
	s.Uint64()
	for len(s.buf) < bufferWords { // both buffers were in use
		s.Uint64()
	}
	block := reflect.ValueOf(s.block)
	stream := reflect.ValueOf(s.stream)
	for stream.Kind() == reflect.Struct {
		stream = stream.Field(0)
	}
	s.Wipe()
	if !reflect.NewAt(block.Type().Elem(), block.UnsafePointer()).Elem().IsZero() {
		t.Error("the key schedule of the block cipher is still in memory")
	}
	if !reflect.NewAt(stream.Type().Elem(), stream.UnsafePointer()).Elem().IsZero() {
		t.Error("the key schedule of the stream is still in memory")
	}
	for _, b := range [][]byte{s.raw, s.first.raw[:]} {
		if slices.ContainsFunc(b, func(x byte) bool { return x != 0 }) {
			t.Error("a buffer is still in memory")
		}
	}
	for _, b := range [][]uint64{s.buf, s.first.buf[:]} {
		if slices.ContainsFunc(b, func(x uint64) bool { return x != 0 }) {
			t.Error("words are still in memory")
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a wiped source gives words")
		}
	}()
	s.Uint64()
}

func TestWipeOfAnUnusedSource(t *testing.T) { NewSource().Wipe() }

// F3: no file outside the tests knows a generator that is not cryptographic,
// or a float.
func TestNoFileKnowsAnotherGenerator(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		read++
		file, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			switch path := strings.Trim(spec.Path.Value, `"`); path {
			case "math/rand", "math/rand/v2", "testing", "unsafe", "time":
				t.Errorf("%s imports %s", e.Name(), path)
			}
		}
	}
	if read < 10 {
		t.Fatalf("%d files read, expected the whole package", read)
	}
}

// The same stream gives the same samples.
func TestDrawsAreDeterministic(t *testing.T) {
	for _, f := range families {
		for _, text := range []string{"1/2", "3", "1000"} {
			cryptotest.SetGlobalRandom(t, 4)
			a := f.samples(t, rat(text), 1000)
			cryptotest.SetGlobalRandom(t, 4)
			if !reflect.DeepEqual(a, f.samples(t, rat(text), 1000)) {
				t.Errorf("%s %s: two draws from one stream differ", f.name, text)
			}
		}
	}
}

func TestFillAllocatesNothing(t *testing.T) {
	s, dst := NewSource(), make([]int64, 100)
	for _, f := range families {
		for _, text := range []string{"1/2", "3", "16", "1000", "1099511627776"} {
			l, err := f.make(rat(text))
			if err != nil {
				t.Fatal(err)
			}
			if n := testing.AllocsPerRun(100, func() { l.Fill(s, dst) }); n != 0 {
				t.Errorf("%s %s: %v allocations to fill 100 samples, want 0", f.name, text, n)
			}
		}
	}
}

// A law is shared between goroutines, each with a source of its own.
func TestLawsAreShared(t *testing.T) {
	l, err := NewLaplace(rat("16"))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan int64)
	for range 4 {
		go func() {
			s, dst, sum := NewSource(), make([]int64, 1000), int64(0)
			defer s.Wipe()
			l.Fill(s, dst)
			for _, x := range dst {
				sum += x
			}
			done <- sum
		}()
	}
	for range 4 {
		if sum := <-done; sum > 16*10*1000 || sum < -16*10*1000 {
			t.Errorf("1000 samples of scale 16 sum to %d", sum)
		}
	}
}
