package budget

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/equipoise-dp/equipoise/dp"
)

// A release is appended together with a record that holds its digest, in one step
// of the store. So there is no moment at which a digest is there and its release
// is not: a digest of numbers that might be drawn again would be a second answer,
// which whoever reads the ledger finds by guessing. And the chain decides who of
// several is first, as it does for what is spent.
//
// Before its release stand 32 random bytes. They are stored with the release and
// nowhere else, and the digest is of both, so that the ledger and its anchors, by
// themselves, do not even confirm a guess.
//
// Format 1 kept releases beside the record that paid, without a record or salt of
// their own. They get a record when they are next asked for, or by Cover; its
// digest is of the bytes alone.

const saltSize = 32

// kept says where the release of a payment is.
type kept struct {
	seq    uint64 // of the record that holds the digest; 0 if there is none
	digest digest
	early  bool // the release stands beside the record that paid
}

// beside returns the number under which the store has the release.
func (p *paid) beside() uint64 {
	if p.kept.early {
		return p.seq
	}
	return p.kept.seq
}

// keeping is a release on its way into the ledger.
type keeping struct {
	paid    uint64
	release []byte // as it will be stored; nil if it is stored already
	digest  digest
}

func newKeeping(account string, p paid, release []byte) *keeping {
	salted := make([]byte, saltSize, saltSize+len(release))
	rand.Read(salted) //nolint:errcheck // it never fails
	salted = append(salted, release...)
	return &keeping{p.seq, salted, digestOf(account, p.seq, salted)}
}

// digestOf binds what is stored to the payment that it answers.
func digestOf(account string, paid uint64, stored []byte) digest {
	return digestInPlace("equipoise kept release 1\n", account, paid, stored)
}

// digestInPlace is a digest of bytes that nothing else has: of no other kind, in no other
// account, beside no other record.
func digestInPlace(kind, account string, seq uint64, stored []byte) digest {
	h := sha256.New()
	h.Write([]byte(kind))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(account))))
	h.Write([]byte(account))
	h.Write(binary.BigEndian.AppendUint64(nil, seq))
	h.Write(stored)
	return digest(h.Sum(nil))
}

// check returns nil if these bytes, or nil for none, are what was kept.
func (p *paid) check(account string, stored []byte) error {
	switch {
	case stored == nil:
		return fmt.Errorf("%w: the release of entry %d is missing", ErrTampered, p.seq)
	case digestOf(account, p.seq, stored) != p.kept.digest:
		return fmt.Errorf("%w: the release of entry %d is not the one that was kept", ErrTampered, p.seq)
	case !p.kept.early && len(stored) < saltSize:
		return fmt.Errorf("%w: the release of entry %d is cut off", ErrTampered, p.seq)
	}
	return nil
}

// Keep stores a release beside the charge that paid for it, unless one is there,
// and returns the one that is there afterwards: of two callers that race under
// one key, both get the same numbers. It returns [ErrNotPaid] if the charge was
// not spent, and an error that wraps [ErrTampered] if what is there is not what
// was kept.
//
// A release may be empty; a nil one is an error. [Account.Kept] looks and keeps
// nothing.
//
// The release and its digest are durable, in one step, before Keep returns. The
// digest covers every byte, so [Account.Verify] and every [Anchor] cover the
// numbers that were published; it tells nobody what they are.
func (a *Account) Keep(ctx context.Context, c dp.Charge, release []byte) ([]byte, error) {
	if release == nil {
		return nil, errNilRelease
	}
	p, exact, err := a.paidWith(ctx, c)
	if err != nil {
		return nil, err
	}
	if p.kept.seq == 0 && p.early {
		if there, err := a.adopt(ctx, c.Key, p); there != nil || err != nil {
			return there, err
		}
	}
	if p.kept.seq == 0 {
		if !exact {
			return nil, &keyReused{a.name, c.Key, p.seq, true}
		}
		first, err := a.keep(ctx, c.Key, newKeeping(a.name, p, release))
		if err != nil {
			return nil, err
		}
		if first {
			return bytes.Clone(release), nil
		}
		p, _ = a.known(c.Key)
	}
	return a.read(ctx, p)
}

// keep gets the digest of a release into the ledger, and the release beside it
// unless it is stored already. It says whether it was this one that got there.
func (a *Account) keep(ctx context.Context, key string, k *keeping) (bool, error) {
	r := &request{ctx: ctx, charge: &dp.Charge{Key: key}, keep: k, done: make(chan struct{})}
	_, err := a.submit(ctx, r)
	return err == nil && r.first, err // who gives up looks at nothing that is being decided
}

// addKeep adds a release to the draft, unless there is one.
func (d *draft) addKeep(r *request) error {
	k := r.keep
	p := d.entries[k.paid]
	if _, ok := d.keeping[k.paid]; ok || p.kept.seq != 0 {
		return nil
	}
	rec := record{Kind: KindKeep, At: stamp(p.at), From: k.paid, Digest: hexOf(k.digest), Early: k.release == nil}
	if err := d.write(&rec, k.release); err != nil {
		return err
	}
	if d.keeping == nil {
		d.keeping = map[uint64]kept{}
	}
	d.keeping[k.paid] = kept{rec.Seq, k.digest, rec.Early}
	r.first = true
	return nil
}

// unknown is the error of a request of which nobody knows whether it is in the
// ledger.
func (r *request) unknown(account string, err error) error {
	if r.keep == nil {
		return &UnknownError{account, r.charge.Key, err}
	}
	return fmt.Errorf("budget: account %q: request key %q is paid, in entry %d, and whether its release was kept is unknown; show nothing, and keep again under the same key: %w",
		account, r.charge.Key, r.keep.paid, err)
}

// Kept returns the release that was kept for a charge. It returns nil if none
// was, or the charge was not spent; an error that wraps [ErrKeyReused] if the key was
// used for another charge, and one that wraps [ErrTampered] if what is there is not
// what was kept.
//
// What it returns, but for nil and nil, ends a request, and is observed and counted.
func (a *Account) Kept(ctx context.Context, c dp.Charge) ([]byte, error) {
	p, _, err := a.paidWith(ctx, c)
	if errors.Is(err, ErrNotPaid) {
		return nil, nil
	}
	var release []byte
	if err == nil {
		release, err = a.keptUnder(ctx, c.Key)
	}
	r := &request{charge: &c}
	switch {
	case err != nil:
		a.observe(ctx, outcomeOf(err), r, dp.Payment{}, err)
	case release != nil:
		a.observe(ctx, OutcomeRepeated, r, dp.Payment{Entry: p.seq}, nil)
	}
	return release, err
}

// Payment returns the payment that was made under a key, with the release that
// was kept, if any. It returns [ErrNotPaid] if there is none.
func (a *Account) Payment(ctx context.Context, key string) (dp.Payment, error) {
	p, err := a.lookup(ctx, key)
	if err != nil {
		return dp.Payment{}, err
	}
	kept, err := a.keptUnder(ctx, key)
	if err != nil {
		return dp.Payment{}, err
	}
	return dp.Payment{Account: a.name, Entry: p.seq, At: p.at, Hash: p.hash, Kept: kept, Repeated: true}, nil
}

// keptUnder returns the release of a key that was paid, or nil.
func (a *Account) keptUnder(ctx context.Context, key string) ([]byte, error) {
	p, _ := a.known(key)
	if p.kept.seq == 0 { // others may have kept it
		if err := a.catchUp(ctx); err != nil {
			return nil, err
		}
		p, _ = a.known(key)
	}
	switch {
	case p.kept.seq != 0:
		return a.read(ctx, p)
	case p.early:
		return a.adopt(ctx, key, p)
	}
	return nil, nil
}

// read returns a release whose digest is in the ledger.
func (a *Account) read(ctx context.Context, p paid) ([]byte, error) {
	stored, err := a.store.Kept(ctx, a.name, p.beside())
	if err == nil {
		err = p.check(a.name, stored)
	}
	if err != nil {
		return nil, fmt.Errorf("budget: account %q: %w", a.name, err)
	}
	if p.kept.early {
		return stored, nil
	}
	return stored[saltSize:], nil
}

// adopt returns the release that format 1 kept, or nil, and records its digest. A
// ledger that cannot be written is left as it is.
func (a *Account) adopt(ctx context.Context, key string, p paid) ([]byte, error) {
	stored, err := a.store.Kept(ctx, a.name, p.seq)
	if err != nil {
		return nil, fmt.Errorf("budget: account %q: %w", a.name, err)
	}
	if stored == nil {
		return nil, nil
	}
	if _, err := a.keep(ctx, key, &keeping{p.seq, nil, digestOf(a.name, p.seq, stored)}); err != nil && !errors.Is(err, ErrNotAppended) {
		return nil, err
	}
	return stored, nil
}

// Cover records the digests of all releases that were kept by a version of this
// library that recorded none, and returns how many it found. Each of them gets its
// digest also when it is next asked for.
func (a *Account) Cover(ctx context.Context) (int, error) {
	if err := a.catchUp(ctx); err != nil {
		return 0, err
	}
	n := 0
	for r, err := range a.store.Releases(ctx, a.name) {
		if err != nil {
			return n, fmt.Errorf("budget: account %q: %w", a.name, err)
		}
		if err := a.recallPayment(ctx, r.Seq); err != nil {
			return n, err
		}
		if !a.uncovered(r.Seq) {
			continue
		}
		if _, err := a.keep(ctx, "", &keeping{r.Seq, nil, digestOf(a.name, r.Seq, r.Release)}); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func (a *Account) uncovered(seq uint64) bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	p := a.state.entries[seq]
	return p != nil && p.early && !p.whole && p.kept.seq == 0
}

// paidWith finds what a charge was paid with, and whether with the same noise.
func (a *Account) paidWith(ctx context.Context, c dp.Charge) (p paid, exact bool, err error) {
	raw, err := c.MarshalJSON()
	if err != nil {
		return paid{}, false, fmt.Errorf("budget: charge: %w", err)
	}
	if err := a.vouch(ctx, &c); err != nil {
		return paid{}, false, err
	}
	if p, err = a.lookup(ctx, c.Key); err != nil {
		return paid{}, false, err
	}
	asked := askedBy(&c, raw)
	if !p.answers(&c, asked) || p.whole {
		return paid{}, false, &keyReused{account: a.name, key: c.Key, entry: p.seq}
	}
	return p, p.asked.charge == asked.charge, nil
}

// applyKeep adds the record of a release that is stored.
func (s *state) applyKeep(r *record) error {
	d, err := r.digest()
	if err != nil {
		return err
	}
	at, err := r.time()
	if err != nil {
		return err
	}
	p := s.entries[r.From]
	switch {
	case p == nil || p.whole:
		return fmt.Errorf("%w: record %d keeps a release of record %d, which does not pay for one", ErrTampered, r.Seq, r.From)
	case p.kept.seq != 0:
		return fmt.Errorf("%w: records %d and %d keep a release of record %d", ErrTampered, p.kept.seq, r.Seq, r.From)
	case r.Early && !p.early:
		return fmt.Errorf("%w: record %d keeps an early release of record %d, which is not of format 1", ErrTampered, r.Seq, r.From)
	case !at.Equal(p.at):
		return fmt.Errorf("%w: record %d is not dated as record %d, which paid for it", ErrTampered, r.Seq, r.From)
	}
	s.addKept(p, kept{r.Seq, d, r.Early})
	return nil
}

func (r *record) digest() (d digest, err error) {
	b, err := hex.DecodeString(r.Digest)
	if err != nil || len(b) != len(d) || hex.EncodeToString(b) != r.Digest {
		return d, fmt.Errorf("%w: record %d has digest %q, must be 64 lower-case hexadecimal digits", ErrTampered, r.Seq, r.Digest)
	}
	return digest(b), nil
}
