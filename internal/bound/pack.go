package bound

import (
	"encoding/binary"
	"errors"

	"github.com/equipoise-dp/equipoise/internal/keys"
)

// pack appends some of the rows as bytes, for this process to read.
func (c *columns[Unit]) pack(b []byte, from, to, width int) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(to-from))
	ranked := len(c.seen) > 0
	if b = append(b, 0); ranked {
		b[len(b)-1] = 1
	}
	b = keys.AppendAll(b, c.unit[from:to])
	for _, k := range c.key[from:to] {
		b = binary.LittleEndian.AppendUint32(b, k)
	}
	for _, v := range c.values[from*width : to*width] {
		b = binary.LittleEndian.AppendUint64(b, uint64(v))
	}
	if ranked {
		b = appendWords(appendWords(b, c.priority[from:to]), c.seen[from:to])
	}
	return b
}

func appendWords(b []byte, words []uint64) []byte {
	for _, w := range words {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	return b
}

// unpack appends rows that pack wrote, and returns the bytes after them.
func (c *columns[Unit]) unpack(b []byte, width int) (rest []byte, err error) {
	if len(b) < 5 {
		return nil, errPack
	}
	n, ranked := int(binary.LittleEndian.Uint32(b)), b[4] == 1
	if c.unit, b, err = keys.CutAll(c.unit, n, b[5:]); err != nil {
		return nil, err
	}
	if len(b) < n*(4+8*width) || ranked && len(b) < n*(4+8*width+rankBytes) {
		return nil, errPack
	}
	for range n {
		c.key = append(c.key, binary.LittleEndian.Uint32(b))
		b = b[4:]
	}
	for range n * width {
		c.values = append(c.values, int64(binary.LittleEndian.Uint64(b)))
		b = b[8:]
	}
	if ranked {
		c.rankUpTo(c.len() - n)
		c.priority, b = cutWords(c.priority, n, b)
		c.seen, b = cutWords(c.seen, n, b)
	} else if len(c.seen) > 0 {
		c.rankUpTo(c.len())
	}
	return b, nil
}

var errPack = errors.New("bound: internal error: rows in a temporary file are cut off")

func cutWords(to []uint64, n int, b []byte) ([]uint64, []byte) {
	for range n {
		to = append(to, binary.LittleEndian.Uint64(b))
		b = b[8:]
	}
	return to, b
}

// only leaves of the rows from one on those that are asked for.
func (c *columns[Unit]) only(from, width int, keeps func(Unit) bool) {
	n := from
	for i := from; i < c.len(); i++ {
		if !keeps(c.unit[i]) {
			continue
		}
		c.unit[n], c.key[n] = c.unit[i], c.key[i]
		copy(c.values[n*width:(n+1)*width], c.values[i*width:])
		if len(c.seen) > 0 {
			c.priority[n], c.seen[n] = c.priority[i], c.seen[i]
		}
		n++
	}
	clear(c.unit[n:])
	c.unit, c.key, c.values = c.unit[:n], c.key[:n], c.values[:n*width]
	if len(c.seen) > 0 {
		c.priority, c.seen = c.priority[:n], c.seen[:n]
	}
}
