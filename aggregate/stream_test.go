package aggregate

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// A stream counts what is read of it, and remembers that it was closed.
type stream struct {
	from   io.Reader
	read   int64
	closed int
	fails  error // when it is closed
}

func (s *stream) Read(b []byte) (int, error) {
	n, err := s.from.Read(b)
	s.read += int64(n)
	return n, err
}

func (s *stream) Close() error {
	s.closed++
	return s.fails
}

// forever has no end.
type forever struct{}

func (forever) Read(b []byte) (int, error) { return len(b), nil }

// A part comes from any stream, a byte at a time too. One that is cut off, has more after it, never ends or fails
// is refused; of none is more than a byte read beyond the size that the list has, and all are closed.
func TestPartsAreReadFromStreamsAndNotBeyondTheirSize(t *testing.T) {
	p, key, secret := cutting(t)["fine"], privateKey(t), secretFile(t, aSecret)
	want := shardOf(t, p, Shard{0, 1, secret}, Slice(manyFacts(rand.New(rand.NewPCG(16, 60)), 500)))
	sealed, part := sealTo(t, key, newPartial(want))
	if part.Size != int64(len(sealed)) {
		t.Fatalf("%d bytes are %d", len(sealed), part.Size)
	}
	broken := errors.New("the line broke")
	changed := slices.Clone(sealed)
	changed[len(changed)-1] ^= 1
	for name, test := range map[string]struct {
		stream stream
		says   string // "": opened
	}{
		"whole":              {stream{from: bytes.NewReader(sealed)}, ""},
		"a byte at a time":   {stream{from: iotest.OneByteReader(bytes.NewReader(sealed))}, ""},
		"ended by its data":  {stream{from: iotest.DataErrReader(bytes.NewReader(sealed))}, ""},
		"empty":              {stream{from: strings.NewReader("")}, "it has 0 bytes"},
		"cut off":            {stream{from: bytes.NewReader(sealed[:len(sealed)-1])}, "it was cut off"},
		"a byte after it":    {stream{from: io.MultiReader(bytes.NewReader(sealed), strings.NewReader("x"))}, "something was written after it"},
		"twice":              {stream{from: bytes.NewReader(slices.Concat(sealed, sealed))}, "something was written after it"},
		"without end":        {stream{from: forever{}}, "something was written after it"},
		"changed":            {stream{from: bytes.NewReader(changed)}, "another digest"},
		"broken":             {stream{from: io.MultiReader(bytes.NewReader(sealed[:2000]), iotest.ErrReader(broken))}, broken.Error()},
		"broken at the end":  {stream{from: io.MultiReader(bytes.NewReader(sealed), iotest.ErrReader(broken))}, broken.Error()},
		"broken when closed": {stream{from: bytes.NewReader(sealed), fails: broken}, broken.Error()},
	} {
		got, err := p.OpenParts(t.Context(), key, secret, []Part{part}, func(Part) (io.ReadCloser, error) { return &test.stream, nil })
		switch {
		case test.says == "" && (err != nil || !sameSums(got.state(), want)):
			t.Errorf("%s: %v", name, err)
		case test.says != "" && (got != nil || err == nil || !strings.Contains(err.Error(), test.says)):
			t.Errorf("%s: %v", name, err)
		case test.stream.closed != 1 || test.stream.read > part.Size+1:
			t.Errorf("%s: %d of %d bytes were read, closed %d times", name, test.stream.read, part.Size, test.stream.closed)
		}
	}
}

// A part that could not be written has no name.
func TestAPartThatIsNotWrittenHasNoName(t *testing.T) {
	p, key := cutting(t)["fine"], privateKey(t)
	r, w := io.Pipe()
	full := errors.New("the disk is full")
	r.CloseWithError(full)
	part, err := newPartial(p.collectedFor(t, nil)).Seal(w, key.PublicKey())
	if !errors.Is(err, full) || part.Digest != "" || part.Size != 0 {
		t.Errorf("%+v, %v", part, err)
	}
}
