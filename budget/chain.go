package budget

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

type digest = [sha256.Size]byte

// hashOf is the hash that the next record holds.
func hashOf(data []byte) digest { return sha256.Sum256(data) }

// A link is where the next record of a chain belongs.
type link struct {
	seq        uint64
	prev       digest // hash of the record before
	checkpoint uint64 // the last one, or 0
}

// after returns the link after a record that follows.
func (l link) after(r *record, hash digest) link {
	if r.Kind == KindCheckpoint {
		l.checkpoint = r.Seq
	}
	return link{r.Seq + 1, hash, l.checkpoint}
}

// follows returns nil if r is the record that belongs there.
func (r *record) follows(l link) error {
	seq, want := l.seq, ""
	if seq > 0 {
		want = hexOf(l.prev)
	}
	switch {
	case r.Seq != seq:
		return fmt.Errorf("%w: record %d stands where record %d belongs", ErrTampered, r.Seq, seq)
	case r.Prev != want:
		return fmt.Errorf("%w: record %d does not hold the hash of the record before it", ErrTampered, seq)
	case r.Checkpoint != l.checkpoint:
		return fmt.Errorf("%w: record %d names checkpoint %d, and %d is the last", ErrTampered, seq, r.Checkpoint, l.checkpoint)
	case seq == 0 && r.Kind != KindCreate:
		return fmt.Errorf("%w: record 0 is of kind %q, must be %q", ErrTampered, r.Kind, KindCreate)
	}
	return nil
}

// An Anchor is the number and the hash of one record, to be kept outside of the
// store. A store that has another record there, or none, was changed or rolled
// back.
type Anchor struct {
	Account string
	Seq     uint64
	Hash    [sha256.Size]byte
}

// String returns the anchor as one line, for [ParseAnchor].
func (a Anchor) String() string { return fmt.Sprintf("%d:%x:%s", a.Seq, a.Hash, a.Account) }

// ParseAnchor reads what String wrote.
func ParseAnchor(s string) (Anchor, error) {
	fail := fmt.Errorf("budget: anchor is %q, must be a number, a colon, 64 hexadecimal digits, a colon and an account", s)
	parts := strings.SplitN(s, ":", 3)
	if len(parts) != 3 || parts[2] == "" {
		return Anchor{}, fail
	}
	seq, err := strconv.ParseUint(parts[0], 10, 64)
	if err != nil {
		return Anchor{}, fail
	}
	h, err := hex.DecodeString(parts[1])
	if err != nil || len(h) != sha256.Size {
		return Anchor{}, fail
	}
	return Anchor{parts[2], seq, digest(h)}, nil
}

// Anchor returns the anchor of the last record.
func (a *Account) Anchor(ctx context.Context) (Anchor, error) {
	if err := a.refresh(ctx); err != nil {
		return Anchor{}, err
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	return Anchor{a.state.terms.Dataset, a.state.next - 1, a.state.last}, nil
}

// check returns nil if the account has the anchor's record.
func (x Anchor) check(account string, hash func(seq uint64) (digest, bool)) error {
	if x.Account != account {
		return fmt.Errorf("budget: anchor is of account %q, and this is %q", x.Account, account)
	}
	got, ok := hash(x.Seq)
	switch {
	case !ok:
		return fmt.Errorf("%w: account %q has no record %d any more, which an anchor says it had: the store was rolled back", ErrTampered, account, x.Seq)
	case got != x.Hash:
		return fmt.Errorf("%w: record %d of account %q is not the one of the anchor: the store was changed or replaced", ErrTampered, x.Seq, account)
	}
	return nil
}
