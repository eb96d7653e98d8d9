package rows

import (
	"crypto/aes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/equipoise-dp/equipoise/internal/cmac"
	"github.com/equipoise-dp/equipoise/internal/hashed"
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

// Receipts say that units are hashed where they are of this type.
func init() { hashed.ID = reflect.TypeFor[ID]() }

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
	mac := cmac.New(s.key[:])
	return func(name []byte) ID { return mac.Sum(name) }
}
