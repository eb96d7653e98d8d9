// Package cmac is AES-CMAC (NIST SP 800-38B): a pseudorandom function of texts of any length,
// if AES is one of blocks (Iwata and Kurosawa, OMAC, FSE 2003: an adversary who asks for σ blocks
// tells it from a random function by at most 4σ²/2¹²⁸ more than AES from a random
// permutation). A text of up to 16 bytes takes one call of AES, about a seventh of the time of
// HMAC-SHA256, measured once.
package cmac

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
)

// Size is how long a sum is, in bytes.
const Size = aes.BlockSize

// A CMAC is the function of one key. It is not for concurrent use.
type CMAC struct {
	block         cipher.Block
	whole, padded [Size]byte // what the last block is combined with
	state         [Size]byte
}

// New returns the function of a key of 16, 24 or 32 bytes. Keys have those lengths
// where they are made, so it panics at others.
func New(key []byte) *CMAC {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic("cmac: internal error: " + err.Error())
	}
	c := &CMAC{block: block}
	block.Encrypt(c.state[:], c.state[:])
	c.whole = doubled(c.state)
	c.padded = doubled(c.whole)
	return c
}

// doubled multiplies by x in the field of 2¹²⁸ elements with x¹²⁸ = x⁷ + x² + x + 1.
func doubled(a [Size]byte) (b [Size]byte) {
	carry := byte(0)
	for i := len(a) - 1; i >= 0; i-- {
		b[i] = a[i]<<1 | carry
		carry = a[i] >> 7
	}
	b[len(b)-1] ^= carry * 0x87
	return b
}

// Sum returns the function of a text. It allocates nothing.
func (c *CMAC) Sum(text []byte) [Size]byte {
	c.state = [Size]byte{}
	for len(text) > Size {
		c.mix(text)
		c.block.Encrypt(c.state[:], c.state[:])
		text = text[Size:]
	}
	c.mix(text)
	last := &c.whole
	if len(text) < Size {
		c.state[len(text)] ^= 0x80
		last = &c.padded
	}
	c.mix(last[:])
	c.block.Encrypt(c.state[:], c.state[:])
	return c.state
}

func (c *CMAC) mix(with []byte) { subtle.XORBytes(c.state[:], c.state[:], with) }
