package budgettest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/equipoise-dp/equipoise/budget"
)

// A Step is a method of a store.
type Step string

// The steps that [Faulty] can break.
const (
	Read   Step = "Read"
	Append Step = "Append"
	Kept   Step = "Kept"
)

// A Fault is how a step goes wrong. Of a durable step there are these two ways
// and no other: a caller that copes with both copes with every crash.
type Fault string

const (
	// NotPersisted: nothing happens, and an error is returned. Of Read: half of
	// the records are yielded, then an error. Of Kept: an error.
	NotPersisted Fault = "not persisted"

	// Persisted: it happens, and an error is returned, as when a connection
	// breaks after the commit. Of Read: all records are yielded, then an error.
	// Of Kept: an error.
	Persisted Fault = "persisted and reported as failed"
)

// ErrBroken is what a broken step returns.
var ErrBroken = errors.New("budgettest: broken on purpose")

type inner = budget.Store

// Faulty is a store of which single steps break.
type Faulty struct {
	inner // what is not broken

	mu     sync.Mutex
	broken map[Step][]Fault
}

// NewFaulty returns a store that does what s does until a step is broken.
func NewFaulty(s budget.Store) *Faulty { return &Faulty{inner: s, broken: map[Step][]Fault{}} }

// Break breaks the next uses of a step, each in the way given.
func (f *Faulty) Break(s Step, faults ...Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.broken[s] = append(f.broken[s], faults...)
}

// Unused returns how many breaks were asked for and did not happen.
func (f *Faulty) Unused() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, faults := range f.broken {
		n += len(faults)
	}
	return n
}

func (f *Faulty) take(s Step) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.broken[s]) == 0 {
		return ""
	}
	fault := f.broken[s][0]
	f.broken[s] = f.broken[s][1:]
	return fault
}

// Read implements [budget.Store].
func (f *Faulty) Read(ctx context.Context, account string, from uint64) iter.Seq2[budget.Record, error] {
	fault := f.take(Read)
	if fault == "" {
		return f.inner.Read(ctx, account, from)
	}
	return func(yield func(budget.Record, error) bool) {
		var all []budget.Record
		for r, err := range f.inner.Read(ctx, account, from) {
			if err != nil {
				yield(r, err)
				return
			}
			all = append(all, r)
		}
		if fault == NotPersisted {
			all = all[:len(all)/2]
		}
		for _, r := range all {
			if !yield(r, nil) {
				return
			}
		}
		yield(budget.Record{}, fmt.Errorf("%w: %s", ErrBroken, fault))
	}
}

// Append implements [budget.Store].
func (f *Faulty) Append(ctx context.Context, account string, records ...budget.Record) error {
	fault := f.take(Append)
	if fault == NotPersisted {
		return fmt.Errorf("%w: %s", ErrBroken, fault)
	}
	err := f.inner.Append(ctx, account, records...)
	if err == nil && fault == Persisted {
		err = fmt.Errorf("%w: %s", ErrBroken, fault)
	}
	return err
}

// Kept implements [budget.Store].
func (f *Faulty) Kept(ctx context.Context, account string, seq uint64) ([]byte, error) {
	if fault := f.take(Kept); fault != "" {
		return nil, fmt.Errorf("%w: %s", ErrBroken, fault)
	}
	return f.inner.Kept(ctx, account, seq)
}

// Releases implements [budget.Store]. Breaking Kept breaks it before the first
// release.
func (f *Faulty) Releases(ctx context.Context, account string) iter.Seq2[budget.Record, error] {
	if fault := f.take(Kept); fault != "" {
		return func(yield func(budget.Record, error) bool) {
			yield(budget.Record{}, fmt.Errorf("%w: %s", ErrBroken, fault))
		}
	}
	return f.inner.Releases(ctx, account)
}
