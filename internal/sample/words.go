package sample

import "encoding/binary"

// word returns the i-th word of w.
func word(w []byte, i int) uint64 { return binary.LittleEndian.Uint64(w[8*i:]) }

// wordsOf copies words out of a source's buffer, before it is refilled.
func wordsOf(w []byte) []uint64 {
	out := make([]uint64, len(w)/8)
	for i := range out {
		out[i] = word(w, i)
	}
	return out
}
