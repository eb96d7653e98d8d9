package rows

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
)

// An ID stands for the name of a unit: AES-CMAC of it under a [Secret], 128 bits that nobody who
// lacks the Secret can tell from random ones. Equal names have equal IDs; the chance that any two of a
// billion others have is below 2⁻⁶⁰. Names are compared as texts are elsewhere: without spaces around them,
// and in one of the ways to write a letter.
//
// It keeps names out of what is kept while rows are read: the buffers of a plan, a dump of
// the memory, a page that is swapped out. Without the Secret an ID tells nothing of a name, also
// to who can try all names, and IDs of two runs cannot be put together. It does not hide how
// many rows a unit has or what is in them, and nothing from whoever reads the Secret in
// the same memory: it makes rows no less personal. Units that are asked for consent by name need the name.
type ID [aes.BlockSize]byte

// Format prints that there is something private.
func (ID) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "rows.ID(private)") }

// MarshalText returns an error: an ID is not for being kept.
func (ID) MarshalText() ([]byte, error) {
	return nil, errors.New("rows: an ID is private, and has no text")
}

// A Secret is the key under which names become IDs, 256 bits from crypto/rand. It is in
// memory only, and gone with the program.
type Secret struct{ key [32]byte }

// NewSecret makes a secret: one for all sources of a run.
func NewSecret() *Secret {
	s := new(Secret)
	_, _ = rand.Read(s.key[:]) // never fails
	return s
}

// Format prints that there is something private.
func (Secret) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "rows.Secret(private)") }

// hasher returns what makes IDs of one source.
func (s *Secret) hasher() func(name []byte) ID {
	block, err := aes.NewCipher(s.key[:])
	if err != nil {
		panic("rows: " + err.Error()) // the key has a length that AES takes
	}
	return newCMAC(block).sum
}

// A cmac is the function of NIST SP 800-38B for a block cipher of 128 bits: a
// pseudorandom function of texts of any length (Iwata and Kurosawa, OMAC, FSE 2003). It needs one call
// of AES for a name of up to 16 bytes, about a seventh of the time of HMAC-SHA256, measured once.
type cmac struct {
	block         cipher.Block
	whole, padded ID // what the last block is combined with
	state         ID
}

func newCMAC(block cipher.Block) *cmac {
	c := &cmac{block: block}
	block.Encrypt(c.state[:], c.state[:])
	c.whole = doubled(c.state)
	c.padded = doubled(c.whole)
	return c
}

// doubled multiplies by x in the field of 2¹²⁸ elements with x¹²⁸ = x⁷ + x² + x + 1.
func doubled(a ID) (b ID) {
	carry := byte(0)
	for i := len(a) - 1; i >= 0; i-- {
		b[i] = a[i]<<1 | carry
		carry = a[i] >> 7
	}
	b[len(b)-1] ^= carry * 0x87
	return b
}

func (c *cmac) sum(name []byte) ID {
	c.state = ID{}
	for len(name) > len(c.state) {
		subtle.XORBytes(c.state[:], c.state[:], name)
		c.block.Encrypt(c.state[:], c.state[:])
		name = name[len(c.state):]
	}
	subtle.XORBytes(c.state[:], c.state[:], name)
	last := &c.whole
	if len(name) < len(c.state) {
		c.state[len(name)] ^= 0x80
		last = &c.padded
	}
	subtle.XORBytes(c.state[:], c.state[:], last[:])
	c.block.Encrypt(c.state[:], c.state[:])
	return c.state
}
