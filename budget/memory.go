package budget

import (
	"bytes"
	"context"
	"iter"
	"slices"
	"sync"
)

// Memory returns a Store that forgets everything when the process ends. Use it
// in tests and examples only.
func Memory() Store { return &memory{accounts: map[string]*memoryAccount{}} }

type memory struct {
	mu       sync.Mutex
	accounts map[string]*memoryAccount
}

type memoryAccount struct{ records []Record }

// Read implements [Store].
func (m *memory) Read(ctx context.Context, account string, from uint64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(Record{}, err)
			return
		}
		for _, r := range m.tail(account, from) {
			if !yield(Record{Seq: r.Seq, Data: bytes.Clone(r.Data)}, nil) {
				return
			}
		}
	}
}

func (m *memory) tail(account string, from uint64) []Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.accounts[account]
	if a == nil || from >= uint64(len(a.records)) {
		return nil
	}
	return slices.Clip(a.records[from:])
}

// Append implements [Store].
func (m *memory) Append(ctx context.Context, account string, records ...Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.accounts[account]
	if a == nil {
		a = &memoryAccount{}
	}
	for i, r := range records {
		if r.Seq != uint64(len(a.records)+i) {
			return ErrConflict
		}
	}
	for _, r := range records {
		a.records = append(a.records, Record{Seq: r.Seq, Data: bytes.Clone(r.Data), Release: bytes.Clone(r.Release)})
	}
	if len(records) > 0 {
		m.accounts[account] = a
	}
	return nil
}

// Kept implements [Store].
func (m *memory) Kept(ctx context.Context, account string, seq uint64) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for _, r := range m.tail(account, seq) {
		return bytes.Clone(r.Release), nil
	}
	return nil, nil
}

// Releases implements [Store].
func (m *memory) Releases(ctx context.Context, account string) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(Record{}, err)
			return
		}
		for _, r := range m.tail(account, 0) {
			if r.Release != nil && !yield(Record{Seq: r.Seq, Release: bytes.Clone(r.Release)}, nil) {
				return
			}
		}
	}
}

// Accounts implements [Store].
func (m *memory) Accounts(ctx context.Context) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	names := []string{}
	for name, a := range m.accounts {
		if len(a.records) > 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}
