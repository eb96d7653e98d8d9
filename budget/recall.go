package budget

import (
	"context"
	"fmt"
)

// What was paid before the checkpoint from which an account was opened is read when it is
// asked for.

// recall makes a key known that was paid before.
func (a *Account) recall(ctx context.Context, key string) error {
	a.mu.RLock()
	_, here := a.state.keys[key]
	_, before := a.state.old.find(key)
	a.mu.RUnlock()
	if here || !before {
		return nil
	}
	if err := a.take(ctx); err != nil { // whoever has the turn reads without the lock
		return err
	}
	defer a.release()
	p, err := a.paidBefore(ctx, key)
	if err != nil {
		return fmt.Errorf("budget: account %q: %w", a.name, err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.state.keys[key] == nil {
		a.state.know(key, p)
	}
	return nil
}

// paidBefore reads the payment of a key that the index has.
func (a *Account) paidBefore(ctx context.Context, key string) (*paid, error) {
	seq, hash, _ := a.state.old.paid(key)
	rec, err := a.record(ctx, seq)
	if err != nil {
		return nil, err
	}
	if rec == nil || hashOf(rec.Data) != hash {
		return nil, fmt.Errorf("%w: record %d is not the one of which a checkpoint has the hash", ErrTampered, seq)
	}
	r, err := decodeRecord(rec.Data)
	if err != nil {
		return nil, err
	}
	c, err := r.charge()
	if err != nil {
		return nil, err
	}
	if c.Key != key {
		return nil, fmt.Errorf("%w: a checkpoint says that record %d paid for another key", ErrTampered, seq)
	}
	p, err := a.state.newPaid(r, c, hash)
	if err != nil {
		return nil, err
	}
	p.kept = a.state.old.keptFor(seq)
	return p, nil
}

// keyOf returns the key for which a record paid, or "" if it paid for none.
func (a *Account) keyOf(ctx context.Context, seq uint64) (string, error) {
	rec, err := a.record(ctx, seq)
	if rec == nil || err != nil {
		return "", err
	}
	r, err := decodeRecord(rec.Data)
	if err != nil || r.Charge == nil {
		return "", err
	}
	c, err := r.charge()
	if err != nil {
		return "", err
	}
	return c.Key, nil
}

// recallPayment is recall by the number of what paid.
func (a *Account) recallPayment(ctx context.Context, seq uint64) error {
	a.mu.RLock()
	known := a.state.old == nil || a.state.entries[seq] != nil
	a.mu.RUnlock()
	if known {
		return nil
	}
	key, err := a.keyOf(ctx, seq)
	if err == nil {
		err = a.recall(ctx, key)
	}
	return err
}

// recallEntry is recall for who has the turn and the lock, by the number of what paid.
func (a *Account) recallEntry(ctx context.Context, seq uint64) error {
	if a.state == nil || a.state.old == nil || a.state.entries[seq] != nil {
		return nil
	}
	key, err := a.keyOf(ctx, seq)
	if err != nil {
		return err
	}
	if _, before := a.state.old.find(key); !before {
		return nil // applying the record finds out
	}
	p, err := a.paidBefore(ctx, key)
	if err == nil {
		a.state.know(key, p)
	}
	return err
}
