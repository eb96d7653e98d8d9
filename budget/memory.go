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

type memoryAccount struct {
	records []Record
	kept    map[uint64][]byte
}

// Read implements [Store].
func (m *memory) Read(ctx context.Context, account string, from uint64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(Record{}, err)
			return
		}
		for _, r := range m.tail(account, from) {
			if !yield(Record{r.Seq, bytes.Clone(r.Data)}, nil) {
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
		a = &memoryAccount{kept: map[uint64][]byte{}}
	}
	for i, r := range records {
		if r.Seq != uint64(len(a.records)+i) {
			return ErrConflict
		}
	}
	for _, r := range records {
		a.records = append(a.records, Record{r.Seq, bytes.Clone(r.Data)})
	}
	if len(records) > 0 {
		m.accounts[account] = a
	}
	return nil
}

// Keep implements [Store].
func (m *memory) Keep(ctx context.Context, account string, seq uint64, release []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if release == nil {
		return nil, ErrNilRelease
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.accounts[account]
	if a == nil {
		a = &memoryAccount{kept: map[uint64][]byte{}}
		m.accounts[account] = a
	}
	if _, ok := a.kept[seq]; !ok {
		a.kept[seq] = append([]byte{}, release...)
	}
	return bytes.Clone(a.kept[seq]), nil
}

// Kept implements [Store].
func (m *memory) Kept(ctx context.Context, account string, seq uint64) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.accounts[account]
	if a == nil {
		return nil, nil
	}
	return bytes.Clone(a.kept[seq]), nil
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
