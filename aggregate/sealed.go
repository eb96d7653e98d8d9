package aggregate

import (
	"bytes"
	"context"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/equipoise-dp/equipoise/internal/sealed"
)

// kindPartial is what sealed bytes of a Partial call themselves.
const kindPartial = "partial"

// A Part names one sealed Partial: it tells nothing private. Whoever lists the parts of a
// release has said of each shard which attempt at it counts, see [Plan.OpenParts].
type Part struct {
	Plan   string  `json:"plan"`   // fingerprint
	Shards []Shard `json:"shards"` // that it holds; none if it was not collected by shards
	Digest string  `json:"sha256"` // of the sealed bytes, in 64 hexadecimal digits: it can be the name of a file
	Size   int64   `json:"size"`   // of the sealed bytes, at most 16 GiB
}

func (p Part) String() string { return fmt.Sprintf("part %.12s with %v", p.Digest, p.Shards) }

// Seal encrypts a Partial so that it can leave the process, and writes it to w: to whoever has the private key,
// by HPKE (RFC 9180), so that nobody else learns more of it than a power of two of its length. It can be opened
// with the same plan only, and if it was collected by shards, only be made by who has
// their secret. It returns its name too, once all of it was written; what w has after an error is no part.
//
// Make a key with hpke.MLKEM768X25519().GenerateKey(). Proof: docs/proofs/sealed.md.
func (p *Partial[Group]) Seal(w io.Writer, to hpke.PublicKey) (Part, error) {
	b, part, err := p.sealed(to)
	if err != nil {
		return Part{}, err
	}
	if _, err := w.Write(b); err != nil {
		return Part{}, fmt.Errorf("aggregate: writing a sealed Partial: %w", err)
	}
	return part, nil
}

func (p *Partial[Group]) sealed(to hpke.PublicKey) ([]byte, Part, error) {
	if p == nil || p.state == nil {
		return nil, Part{}, errors.New("aggregate: the Partial is empty; Collect makes one")
	}
	state := p.state()
	if state.wiped {
		return nil, Part{}, errWiped
	}
	payload := state.pack()
	defer clear(payload)
	bytes, err := sealed.Seal(to, state.seals, sealed.Form{Kind: kindPartial, Plan: state.fingerprint}, payload)
	part := Part{Plan: state.fingerprint, Shards: shardsOf(state.origins), Digest: digest(bytes), Size: int64(len(bytes))}
	if err == nil {
		err = part.check()
	}
	if err != nil {
		return nil, Part{}, fmt.Errorf("aggregate: sealing a Partial: %w", err)
	}
	return bytes, part, nil
}

// mostPart is how long a part is at most. AES-GCM is safe for four times as much.
const mostPart = 16 << 30

// check returns every mistake in what is to be the name of a file, and how much of it is read.
func (p Part) check() error {
	var errs []error
	if b, err := hex.DecodeString(p.Digest); err != nil || len(b) != sha256.Size || hex.EncodeToString(b) != p.Digest {
		errs = append(errs, fmt.Errorf("aggregate: Part.Digest is %.80q, must be %d hexadecimal digits in lower case: the list was changed", p.Digest, hex.EncodedLen(sha256.Size)))
	}
	if p.Size < 1 || p.Size > mostPart {
		errs = append(errs, fmt.Errorf("aggregate: Part.Size is %d, must be 1 to %d: the list was changed, or sealed by an earlier version; seal the parts again", p.Size, int64(mostPart)))
	}
	return errors.Join(errs...)
}

func digest(sealed []byte) string {
	sum := sha256.Sum256(sealed)
	return hex.EncodeToString(sum[:])
}

// shardsOf returns which shards there are, without their secret.
func shardsOf(origins []origin) (shards []Shard) {
	for _, o := range origins {
		if o.keyed {
			shards = append(shards, o.shard())
		}
	}
	return shards
}

// Open opens what was sealed with this plan, and merges it. Secret names that of the shards,
// as [Shard] does, and is empty if there is none; without one whoever has the public key can
// have made what is opened. What is no sealed Partial of this plan, or was changed or cut off,
// is an error that tells nothing private. [Plan.OpenParts] reads files and streams.
func (p *Plan[Row, Unit, Group]) Open(ctx context.Context, key hpke.PrivateKey, secret string, parts ...[]byte) (*Partial[Group], error) {
	opener, err := p.opener(key, secret)
	if err != nil {
		return nil, err
	}
	m := merging[Row, Unit, Group]{plan: p, ctx: ctx}
	for i, b := range parts {
		part, err := opener(b)
		if err != nil {
			return nil, fmt.Errorf("aggregate: opening sealed Partial %d: %w", i, err)
		}
		if err := m.add(part); err != nil {
			return nil, err
		}
	}
	return m.merged()
}

// OpenParts opens the parts that a list names, and merges them as they are read, in memory for few of them. Each
// counts once: open returns a file or stream of the sealed bytes of a part, and only those count that have its size and
// digest. So it does not matter what else was sealed: other attempts at the same shard, or
// parts of other plans. Key and secret are those of [Plan.Open].
//
// Nothing of the list is believed. All of it is checked before open is called: a digest can be the name of a file. Of each
// part one byte more than its size is read at most, as far as there are bytes, and it is closed; opening takes a small multiple of that in memory.
func (p *Plan[Row, Unit, Group]) OpenParts(ctx context.Context, key hpke.PrivateKey, secret string, parts []Part, open func(Part) (io.ReadCloser, error)) (*Partial[Group], error) {
	opener, err := p.opener(key, secret)
	if err := errors.Join(err, p.checkParts(parts)); err != nil {
		return nil, err
	}
	m := merging[Row, Unit, Group]{plan: p, ctx: ctx}
	for _, named := range parts {
		bytes, err := named.read(open)
		if err != nil {
			return nil, fmt.Errorf("aggregate: reading %v: %w", named, err)
		}
		part, err := opener(bytes)
		if err == nil && !slices.Equal(shardsOf(part.origins), withoutSecret(named.Shards)) {
			err = errors.New("it holds other shards than its name says")
		}
		if err != nil {
			return nil, fmt.Errorf("aggregate: opening %v: %w", named, err)
		}
		if err := m.add(part); err != nil {
			return nil, err
		}
	}
	return m.merged()
}

// read returns the bytes of a part, if it is the one that is named.
func (p Part) read(open func(Part) (io.ReadCloser, error)) ([]byte, error) {
	from, err := open(p)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(from, p.Size+1))
	switch err := errors.Join(err, from.Close()); {
	case err != nil:
		return nil, err
	case n < p.Size:
		return nil, fmt.Errorf("it has %d bytes and not %d: it was cut off, or is not whole yet", n, p.Size)
	case n > p.Size:
		return nil, fmt.Errorf("it has more than %d bytes: something was written after it", p.Size)
	case digest(b.Bytes()) != p.Digest:
		return nil, errors.New("it has another digest: it was changed, or is another attempt")
	}
	return b.Bytes(), nil
}

func withoutSecret(shards []Shard) (without []Shard) {
	for _, s := range shards {
		without = append(without, Shard{Number: s.Number, Of: s.Of})
	}
	return without
}

// checkParts returns every mistake of a list that can be seen before anything is read.
func (p *Plan[Row, Unit, Group]) checkParts(parts []Part) error {
	var errs []error
	seen := make(map[string]bool)
	for _, part := range parts {
		if err := part.check(); err != nil {
			errs = append(errs, err)
		}
		if part.Plan != p.fingerprint {
			errs = append(errs, fmt.Errorf("aggregate: %v is of another plan", part))
		}
		if seen[part.Digest] {
			errs = append(errs, fmt.Errorf("aggregate: %v is in the list twice; a unit would count twice", part))
		}
		seen[part.Digest] = true
	}
	return errors.Join(errs...)
}

// opener returns what opens sealed Partials of this plan.
func (p *Plan[Row, Unit, Group]) opener(key hpke.PrivateKey, reference string) (func([]byte) (*partial[Group], error), error) {
	var seals []byte
	if reference != "" {
		secret, err := secretAt(reference)
		if err != nil {
			return nil, err
		}
		defer clear(secret)
		seals = derived(secret, "seals")
	}
	form := sealed.Form{Kind: kindPartial, Plan: p.fingerprint}
	return func(bytes []byte) (*partial[Group], error) {
		payload, err := sealed.Open(key, seals, form, bytes)
		if err != nil {
			return nil, err
		}
		defer clear(payload)
		part, err := p.unpack(payload)
		if err != nil {
			return nil, err
		}
		if part.origins[0].keyed != (seals != nil) {
			return nil, errPacked // a secret makes shards, and nothing else does
		}
		part.seals = seals
		return part, nil
	}, nil
}

// A merging merges Partials as they come: two of as many parts become one, so that few are
// there at a time, and each is added up about as often as there are digits in their number.
type merging[Row any, Unit, Group comparable] struct {
	plan  *Plan[Row, Unit, Group]
	ctx   context.Context
	stack []*partial[Group]
	sizes []int
}

func (m *merging[Row, Unit, Group]) add(part *partial[Group]) error {
	m.stack, m.sizes = append(m.stack, part), append(m.sizes, 1)
	for n := len(m.sizes); n > 1 && m.sizes[n-1] >= m.sizes[n-2]; n = len(m.sizes) {
		if err := m.join(2); err != nil {
			return err
		}
	}
	return nil
}

// join joins the last n of the stack.
func (m *merging[Row, Unit, Group]) join(n int) error {
	from := len(m.stack) - n
	joined, err := m.plan.merge(m.ctx, m.stack[from:])
	if err != nil {
		return err
	}
	size := 0
	for i, part := range m.stack[from:] {
		part.wipe()
		size += m.sizes[from+i]
	}
	m.stack, m.sizes = append(m.stack[:from], joined), append(m.sizes[:from], size)
	return nil
}

func (m *merging[Row, Unit, Group]) merged() (*Partial[Group], error) {
	if len(m.stack) == 0 {
		return nil, errors.New("aggregate: nothing sealed is given")
	}
	if len(m.stack) > 1 {
		if err := m.join(len(m.stack)); err != nil {
			return nil, err
		}
	}
	return newPartial(m.stack[0]), nil
}
