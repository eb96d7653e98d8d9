// Package sealed is the one form in which private bytes leave a process.
//
// Whoever has a public key can seal; only who has the private one can open. What is sealed
// is bound to what it is and to the plan that it is of, and its length tells no more than a
// power of two. It says of nothing private why it cannot be opened. Argued in
// docs/proofs/sealed.md.
package sealed

import (
	"crypto/hmac"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// A Form is what sealed bytes say in the clear of what they are. It is public.
type Form struct {
	Kind string // what the payload is, such as "partial"
	Plan string // the fingerprint of the plan that it is of
}

// The first bytes of everything that is sealed, and the version of what comes after, and of the
// hashes by which what is in it was chosen: version 1 chose by HMAC, 2 does by CMAC.
const (
	magic   = "equipoise sealed"
	version = 2
)

// Whoever has the public key can seal, unless there is a secret; so they are two forms.
const (
	byAnyone = 0
	bySecret = 1
)

// header returns what is in the clear: all of it is authenticated.
func (f Form) header(kem hpke.KEM, secret []byte) []byte {
	h := append([]byte(magic), version, byAnyone)
	if secret != nil {
		h[len(h)-1] = bySecret
	}
	h = binary.BigEndian.AppendUint16(h, kem.ID())
	for _, text := range []string{f.Kind, f.Plan} {
		h = append(binary.BigEndian.AppendUint16(h, uint16(len(text))), text...)
	}
	return h
}

// Seal encrypts a payload to whoever has the private key. If there is a secret, nobody can
// seal what [Open] takes who does not have it.
func Seal(to hpke.PublicKey, secret []byte, f Form, payload []byte) ([]byte, error) {
	if to == nil {
		return nil, errors.New("sealed: the public key is nil; give that of whoever releases")
	}
	padded := pad(payload)
	defer clear(padded)
	header := f.header(to.KEM(), secret)
	sealed, err := hpke.Seal(to, hpke.HKDFSHA256(), hpke.AES256GCM(), header, padded)
	if err != nil {
		return nil, fmt.Errorf("sealed: encrypting: %w", err)
	}
	sealed = append(header, sealed...)
	if secret != nil {
		sealed = append(sealed, tag(secret, sealed)...)
	}
	return sealed, nil
}

// Open returns the payload of what was sealed in a form. It needs the secret if there was one,
// and none if there was none.
func Open(key hpke.PrivateKey, secret []byte, f Form, sealed []byte) ([]byte, error) {
	if key == nil {
		return nil, errors.New("sealed: the private key is nil")
	}
	header := f.header(key.KEM(), secret)
	if err := f.differs(header, sealed); err != nil {
		return nil, err
	}
	if secret != nil {
		n := len(sealed) - sha256.Size
		if n < len(header) || !hmac.Equal(tag(secret, sealed[:n]), sealed[n:]) {
			return nil, errClosed
		}
		sealed = sealed[:n]
	}
	padded, err := hpke.Open(key, hpke.HKDFSHA256(), hpke.AES256GCM(), header, sealed[len(header):])
	if err != nil {
		return nil, errClosed // and not why
	}
	return unpad(padded)
}

var (
	errClosed = errors.New("sealed: it cannot be opened: it was changed or cut off, or sealed to another key or with another secret")
	errOther  = errors.New("sealed: these bytes are not sealed by this library, or cut off")
)

// differs says in which way the bytes begin otherwise than the header that is expected:
// nothing that is private.
func (f Form) differs(header, sealed []byte) error {
	n := len(magic)
	switch {
	case len(sealed) < n+4 || string(sealed[:n]) != magic:
		return errOther
	case sealed[n] != version:
		return fmt.Errorf("sealed: the form has version %d, this library knows %d; seal it again with the version of the library that opens it", sealed[n], version)
	case sealed[n+1] < header[n+1]:
		return errors.New("sealed: it was sealed without a secret, so by anyone, and a secret is given")
	case sealed[n+1] > header[n+1]:
		return errors.New("sealed: it was sealed with a secret, which is needed to open it")
	case string(sealed[n+2:n+4]) != string(header[n+2:n+4]):
		return errors.New("sealed: it was sealed to a key of another kind")
	}
	kind, rest, ok := text(sealed[n+4:])
	plan, _, ok2 := text(rest)
	switch {
	case !ok || !ok2:
		return errOther
	case kind != f.Kind:
		return fmt.Errorf("sealed: it is no %s", f.Kind)
	case plan != f.Plan:
		return errors.New("sealed: it is of another plan")
	}
	return nil
}

// text cuts off a text that header wrote.
func text(from []byte) (text string, rest []byte, ok bool) {
	if len(from) < 2 {
		return "", nil, false
	}
	n := int(binary.BigEndian.Uint16(from))
	if len(from) < 2+n {
		return "", nil, false
	}
	return string(from[2 : 2+n]), from[2+n:], true
}

// tag authenticates who sealed.
func tag(secret, sealed []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write(sealed)
	return mac.Sum(nil)
}

// least is how long a padded payload is at least.
const least = 4096

// pad puts the length before a payload, and zeros after it, up to a power of two: of 100 MB
// it tells that it is 64 to 128.
func pad(payload []byte) []byte {
	n := len(payload) + 8
	size := max(least, 1<<bits.Len(uint(n-1)))
	padded := binary.BigEndian.AppendUint64(make([]byte, 0, size), uint64(len(payload)))
	return append(padded, payload...)[:size]
}

func unpad(padded []byte) ([]byte, error) {
	if len(padded) < 8 {
		return nil, errClosed
	}
	n := binary.BigEndian.Uint64(padded)
	if n > uint64(len(padded)-8) {
		return nil, errClosed
	}
	return padded[8 : 8+n], nil
}
