package sample

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"reflect"
)

const (
	bufferWords   = 512
	firstWords    = 32      // of the first refill, at least, since many releases have few numbers
	refillsPerKey = 1 << 12 // 16 MiB of one key, see docs/proofs/sampler-laplace.md, "Randomness"
)

// zeros is what the key stream is added to. Nobody writes to it.
var zeros [8 * bufferWords]byte

// Source is a stream of random bits for one release: AES-256 in counter mode
// under a key from crypto/rand, renewed every 16 MiB. It must not outlive the
// release nor be shared between goroutines: a buffer that survives a fork or a
// snapshot of the machine would give two releases the same noise.
type Source struct {
	pos    int
	left   int // refills before the next key
	wiped  bool
	block  cipher.Block
	stream cipher.Stream
	buf    []uint64
	raw    []byte
	first  struct { // the buffers at first
		buf [firstWords]uint64
		raw [8 * firstWords]byte
	}

	weights []uint128 // scratch of choices, which follow private costs
}

// NewSource returns a source under a fresh key.
func NewSource() *Source {
	return &Source{}
}

// Uint64 returns 64 uniform bits.
func (s *Source) Uint64() uint64 {
	return s.words(1)[0]
}

// words returns the next n words, which stay valid until the next call. What is left of
// the buffer when it cannot serve n words is thrown away: its length depends on the calls alone, never on what was drawn.
func (s *Source) words(n int) []uint64 {
	if s.pos+n > len(s.buf) {
		s.refill(n)
	}
	w := s.buf[s.pos : s.pos+n]
	s.pos += n
	return w
}

// refill fills the buffer, so that it holds n words at least.
func (s *Source) refill(n int) {
	if s.wiped {
		panic("sample: internal error: a wiped source was used")
	}
	s.room(n)
	if s.left == 0 {
		s.rekey()
	}
	s.left--
	s.stream.XORKeyStream(s.raw, zeros[:len(s.raw)])
	for i := 0; i < len(s.buf); i += 4 {
		decode((*[4]uint64)(s.buf[i:]), (*[32]byte)(s.raw[8*i:]))
	}
	s.pos = 0
}

// room makes room in the buffers: at first for firstWords if n are no more.
func (s *Source) room(n int) {
	switch {
	case s.buf == nil && n <= firstWords:
		s.buf, s.raw = s.first.buf[:], s.first.raw[:]
	case len(s.buf) < bufferWords:
		s.buf, s.raw = make([]uint64, bufferWords), make([]byte, 8*bufferWords)
	}
}

// decode reads four words at a time, which takes a third of the time of one.
func decode(w *[4]uint64, b *[32]byte) {
	w[0] = binary.LittleEndian.Uint64(b[0:])
	w[1] = binary.LittleEndian.Uint64(b[8:])
	w[2] = binary.LittleEndian.Uint64(b[16:])
	w[3] = binary.LittleEndian.Uint64(b[24:])
}

// rekey draws a key and a first counter. crypto/rand.Read never returns an
// error: it ends the process instead, so no noise is ever drawn without it.
func (s *Source) rekey() {
	var seed [48]byte
	rand.Read(seed[:])
	s.erase()
	block, err := aes.NewCipher(seed[:32])
	if err != nil {
		panic("sample: internal error: AES refuses a key of 32 bytes")
	}
	s.block, s.stream, s.left = block, cipher.NewCTR(block, seed[32:]), refillsPerKey
	clear(seed[:])
}

// Wipe overwrites the key schedule and the buffer with zeros. Using the source
// afterwards panics.
func (s *Source) Wipe() {
	s.erase()
	clear(s.buf)
	clear(s.raw)
	clear(s.first.buf[:])
	clear(s.first.raw[:])
	clear(s.weights[:cap(s.weights)])
	s.pos, s.wiped = len(s.buf), true
}

func (s *Source) erase() {
	eraseValue(reflect.ValueOf(s.block))
	eraseValue(reflect.ValueOf(s.stream))
	s.block, s.stream = nil, nil
}

// eraseValue overwrites what v points to, or the structs that v's own fields
// point to. The standard library offers no way to erase a key schedule, so
// this reaches it by reflection; a test checks that it still does.
func eraseValue(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			reflect.NewAt(v.Type().Elem(), v.UnsafePointer()).Elem().SetZero()
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			eraseValue(field)
		}
	}
}
