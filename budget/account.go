package budget

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// An Account is a limited amount of privacy loss, durable in a [Store]. It is
// safe for concurrent use, beside other Accounts of the same name in this and in
// other processes.
type Account struct {
	store Store
	name  string
	now   func() time.Time // what is recorded; nothing is decided by it

	// turn is held by whoever reads from or appends to the store's records.
	// state is written by the holder of turn, under mu.
	turn  chan struct{}
	mu    sync.RWMutex
	state *state

	queue    queue
	doubt    bool // an append may or may not be there; guarded by turn
	observer atomic.Pointer[Observer]

	authenticator atomic.Pointer[Authenticator]

	counts counters
}

// Create creates an account. It returns an error that wraps [ErrExists] if there
// is one of that name.
func Create(ctx context.Context, s Store, t Terms) (*Account, error) {
	if err := t.Check(); err != nil {
		return nil, err
	}
	t = t.clone()
	r := &record{Kind: KindCreate, At: stamp(coarse(time.Now())), ID: rand.Text(), Engine: engineVersion, Terms: &t, Orders: starsFor(t)}
	data, _, err := r.encode()
	if err != nil {
		return nil, err
	}
	if err := create(ctx, s, t.Dataset, data); err != nil {
		return nil, err
	}
	return Open(ctx, s, t.Dataset)
}

// OpenOrCreate opens the account of the terms, or creates it if there is none. Of
// processes that start together one creates it, and all open what it created. It
// returns a [*TermsError], and opens nothing, if the account was created with
// other terms; a limit that was raised since is as good as the first.
//
// An account that is not there is a fresh budget. Where it was there before, give
// an anchor: then it returns an error that wraps [ErrTampered], and creates
// nothing.
func OpenOrCreate(ctx context.Context, s Store, t Terms, anchors ...Anchor) (*Account, error) {
	if err := t.Check(); err != nil {
		return nil, err
	}
	a, err := Open(ctx, s, t.Dataset, anchors...)
	if errors.Is(err, ErrNotFound) {
		if len(anchors) > 0 {
			return nil, fmt.Errorf("%w: account %q is not there, and an anchor says that it was", ErrTampered, t.Dataset)
		}
		a, err = Create(ctx, s, t)
	}
	if errors.Is(err, ErrExists) {
		a, err = Open(ctx, s, t.Dataset)
	}
	if err != nil {
		return nil, err
	}
	if err := a.compare(t); err != nil {
		return nil, err
	}
	return a, nil
}

// create appends the first record. The random ID in it tells whether a record
// that is there after an error is this one.
func create(ctx context.Context, s Store, name string, data []byte) error {
	err := s.Append(ctx, name, Record{Data: data})
	if err == nil {
		return nil
	}
	switch there, readErr := holds(ctx, s, name, 0, data); {
	case readErr == nil && there:
		return nil
	case errors.Is(err, ErrConflict):
		return fmt.Errorf("%w: %q; open it instead", ErrExists, name)
	}
	return fmt.Errorf("budget: create account %q: %w", name, err)
}

// Open opens an account. It returns an error that wraps [ErrNotFound] if there
// is none, and never creates it. Given anchors, it returns an error that wraps
// [ErrTampered] if the store is older than one of them or has other records.
//
// It starts from the last checkpoint; given anchors, from the last one that the newest
// of them covers. The package documentation says what that leaves to [Account.Verify].
func Open(ctx context.Context, s Store, dataset string, anchors ...Anchor) (*Account, error) {
	a := &Account{store: s, name: dataset, now: time.Now, turn: make(chan struct{}, 1)}
	if err := a.load(ctx, anchors); err != nil {
		return nil, fmt.Errorf("budget: open account %q: %w", dataset, err)
	}
	return a, nil
}

// load reads every record from the last checkpoint on, or from the first.
func (a *Account) load(ctx context.Context, anchors []Anchor) error {
	l := a.loader(ctx)
	if err := a.restore(ctx, l, anchors); err != nil {
		return err
	}
	from := uint64(0)
	if l.state != nil {
		a.state, from = l.state, l.state.next
	}
	hashes, err := a.hashesBefore(ctx, from, anchors)
	if err != nil {
		return err
	}
	for rec, err := range a.store.Read(ctx, a.name, from) {
		if err != nil {
			return err
		}
		if err := l.next(rec); err != nil {
			return err
		}
		if _, ok := hashes[rec.Seq]; ok {
			hashes[rec.Seq] = l.state.last
		}
	}
	if l.state == nil {
		return ErrNotFound
	}
	a.state = l.state
	for _, x := range anchors {
		err := x.check(a.name, func(seq uint64) (digest, bool) { return hashes[seq], seq < a.state.next })
		if err != nil {
			return err
		}
	}
	return nil
}

// hashesBefore returns what the store has where anchors are, if that is before a record.
// Later ones are there without a hash.
func (a *Account) hashesBefore(ctx context.Context, from uint64, anchors []Anchor) (map[uint64]digest, error) {
	hashes := map[uint64]digest{}
	for _, x := range anchors {
		hashes[x.Seq] = digest{}
		if x.Seq >= from {
			continue
		}
		rec, err := a.record(ctx, x.Seq)
		if err != nil {
			return nil, err
		}
		if rec != nil {
			hashes[x.Seq] = hashOf(rec.Data)
		}
	}
	return hashes, nil
}

// A loader builds a state from records.
type loader struct {
	name    string
	state   *state                 // nil before the first record
	recall  func(seq uint64) error // adds a payment of before the checkpoint, or nil
	compare func(settled) error    // looks at what a checkpoint has, or nil; then it is seen
	seen    []settled
}

// loader returns one that reads what it needs besides. Whoever uses it has the turn and
// the lock, or the account is not open yet.
func (a *Account) loader(ctx context.Context) *loader {
	return &loader{
		name: a.name, state: a.state,
		recall:  func(seq uint64) error { return a.recallEntry(ctx, seq) },
		compare: func(c settled) error { return a.compareCheckpoint(ctx, c) },
	}
}

func (l *loader) next(rec Record) error {
	r, err := decodeRecord(rec.Data)
	if err != nil {
		return err
	}
	hash := hashOf(rec.Data)
	if l.state == nil {
		return l.first(rec, r, hash)
	}
	if rec.Seq != l.state.next {
		return fmt.Errorf("%w: the store gives record %d where record %d belongs", ErrTampered, rec.Seq, l.state.next)
	}
	if err := r.follows(link{l.state.next, l.state.last, l.state.checkpoint}); err != nil {
		return err
	}
	switch {
	case r.Kind == KindCheckpoint:
		if err := l.checkpoint(r); err != nil {
			return err
		}
	case r.Kind == KindKeep && l.recall != nil:
		if err := l.recall(r.From); err != nil {
			return err
		}
	}
	return l.state.apply(r, hash)
}

func (l *loader) checkpoint(r *record) error {
	c, err := l.state.settled(r)
	switch {
	case err != nil:
		return err
	case l.compare != nil:
		return l.compare(c)
	}
	l.seen = append(l.seen, c)
	return nil
}

func (l *loader) first(rec Record, r *record, hash digest) error {
	if rec.Seq != 0 {
		return fmt.Errorf("%w: the store has no record 0", ErrTampered)
	}
	if err := r.follows(link{}); err != nil {
		return err
	}
	if r.Terms == nil {
		return fmt.Errorf("%w: record 0 has no terms", ErrTampered)
	}
	if err := r.Terms.Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrTampered, err)
	}
	if r.Terms.Dataset != l.name {
		return fmt.Errorf("%w: these are the records of account %q", ErrTampered, r.Terms.Dataset)
	}
	for sc, a := range r.Orders {
		if !(a > 1 && a < 1e6) {
			return fmt.Errorf("%w: the order of %s is %v, must be above 1", ErrTampered, sc, a)
		}
	}
	l.state = newState(*r.Terms, r.Orders)
	return l.state.apply(r, hash)
}

// Terms returns what the account was created with. A limit that was raised
// since is in [Account.Status].
func (a *Account) Terms() Terms {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.state.terms.clone()
}

// take waits for the turn.
func (a *Account) take(ctx context.Context) error {
	select {
	case a.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("budget: account %q: %w", a.name, ctx.Err())
	}
}

func (a *Account) release() { <-a.turn }

// refresh reads what others have appended. If somebody of this Account is at
// it, or is appending, what is known already is fresh enough.
func (a *Account) refresh(ctx context.Context) error {
	select {
	case a.turn <- struct{}{}:
		defer a.release()
		_, err := a.readOn(ctx)
		return err
	default:
		return nil
	}
}

// catchUp reads what others have appended, and waits for whoever is at it.
func (a *Account) catchUp(ctx context.Context) error {
	if err := a.take(ctx); err != nil {
		return err
	}
	defer a.release()
	_, err := a.readOn(ctx)
	return err
}

// readOn applies records that are not known yet, and says whether there were
// any. The caller holds the turn.
func (a *Account) readOn(ctx context.Context) (grew bool, err error) {
	l := a.loader(ctx)
	for rec, err := range a.store.Read(ctx, a.name, a.state.next) {
		if err != nil {
			return grew, fmt.Errorf("budget: account %q: %w", a.name, err)
		}
		a.mu.Lock()
		err := l.next(rec)
		a.mu.Unlock()
		if err != nil {
			return grew, fmt.Errorf("budget: account %q: %w", a.name, err)
		}
		grew = true
	}
	return grew, nil
}

// holds says whether the store has exactly this record.
func holds(ctx context.Context, s Store, name string, seq uint64, data []byte) (bool, error) {
	for rec, err := range s.Read(ctx, name, seq) {
		if err != nil {
			return false, err
		}
		return rec.Seq == seq && string(rec.Data) == string(data), nil
	}
	return false, nil
}
