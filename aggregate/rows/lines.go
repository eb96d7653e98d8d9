package rows

import (
	"bytes"
	"errors"
	"io"
)

// lines finds lines in a reader. What it returned is there until more is asked for.
type lines struct {
	in    io.Reader
	buf   []byte
	start int   // of what was not taken
	end   int   // of what was read
	err   error // of reading, for when all is taken
}

const (
	firstBuffer = 1 << 18
	mostRecord  = 1 << 24 // bytes that one record may have
)

var errLong = errors.New("a record is longer than 16 million bytes")

// upTo returns what was not taken, up to and with the end of the first line that goes
// beyond n bytes, and less at the end of the input.
func (l *lines) upTo(n int) ([]byte, error) {
	seen := n
	for {
		have := l.buf[l.start:l.end]
		if seen < len(have) {
			if i := bytes.IndexByte(have[seen:], '\n'); i >= 0 {
				return have[:seen+i+1], nil
			}
			seen = len(have)
		}
		switch {
		case l.err == io.EOF && len(have) > n:
			return have, nil
		case l.err != nil:
			return have, l.err
		case len(have) >= mostRecord:
			return nil, errLong
		}
		l.fill()
	}
}

// take takes n bytes.
func (l *lines) take(n int) { l.start += n }

// fill reads once.
func (l *lines) fill() {
	if l.start > 0 {
		l.end = copy(l.buf, l.buf[l.start:l.end])
		l.start = 0
	}
	if l.end == len(l.buf) {
		bigger := make([]byte, max(firstBuffer, 2*len(l.buf)))
		copy(bigger, l.buf[:l.end])
		l.buf = bigger
	}
	n, err := l.in.Read(l.buf[l.end:])
	l.end += n
	l.err = err
}
