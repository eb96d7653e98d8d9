package budgettest_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/budgettest"
)

const envMutant = "BUDGETTEST_MUTANT"

// mutants are stores with one mistake each, of the kind that a first version of
// a store has.
var mutants = map[string]func() budget.Store{
	"append never conflicts":        func() budget.Store { return &overwriting{Store: budget.Memory()} },
	"append checks, then acts":      func() budget.Store { return &checkThenAct{Store: budget.Memory()} },
	"append accepts gaps":           func() budget.Store { return &gaps{Store: budget.Memory()} },
	"append adds a part":            func() budget.Store { return &partial{Store: budget.Memory()} },
	"append reports another error":  func() budget.Store { return &otherError{Store: budget.Memory()} },
	"append forgets the last":       func() budget.Store { return &forgetful{Store: budget.Memory()} },
	"append keeps the bytes":        func() budget.Store { return &aliasing{Store: budget.Memory(), kept: map[place][]byte{}} },
	"read ends early, no error":     func() budget.Store { return &quiet{Store: budget.Memory()} },
	"read starts one late":          func() budget.Store { return &late{Store: budget.Memory()} },
	"append loses releases":         func() budget.Store { return &noReleases{Store: budget.Memory()} },
	"append loses some releases":    func() budget.Store { return &firstRelease{Store: budget.Memory()} },
	"releases come before records":  func() budget.Store { return &keepFirst{Store: budget.Memory(), kept: map[place][]byte{}} },
	"a release may be missing":      func() budget.Store { return &nilEmpty{Store: budget.Memory()} },
	"kept is nil where it is empty": func() budget.Store { return &emptyNil{Store: budget.Memory()} },
	"kept returns the next":         func() budget.Store { return &nextKept{Store: budget.Memory()} },
	"releases lack the last":        func() budget.Store { return &lackingReleases{Store: budget.Memory()} },
	"accounts are one":              func() budget.Store { return &oneAccount{Store: budget.Memory()} },
	"accounts lack the last":        func() budget.Store { return &lacking{Store: budget.Memory()} },
	"accounts are not sorted":       func() budget.Store { return &unsorted{Store: budget.Memory()} },
}

// The suite must fail for every one of them. It runs in a process
// of its own, where failing is success.
func TestTheSuiteFailsForEveryBrokenStore(t *testing.T) {
	if name := os.Getenv(envMutant); name != "" {
		open := func(*testing.T) budget.Store { return mutants[name]() }
		budgettest.TestStore(t, open)
		return
	}
	for name := range mutants {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestTheSuiteFailsForEveryBrokenStore$", "-test.timeout=60s")
			cmd.Env = append(os.Environ(), envMutant+"="+name)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || !bytes.Contains(out, []byte("--- FAIL: TestTheSuiteFailsForEveryBrokenStore/")) {
				t.Errorf("the suite accepts this store: %v\n%s", err, out)
			}
		})
	}
}

type place struct {
	account string
	seq     uint64
}

type overwriting struct{ budget.Store }

func (s *overwriting) Append(ctx context.Context, account string, records ...budget.Record) error {
	err := s.Store.Append(ctx, account, records...)
	if errors.Is(err, budget.ErrConflict) {
		return nil
	}
	return err
}

// checkThenAct looks for the number before it takes the lock.
type checkThenAct struct {
	budget.Store
	mu sync.Mutex
}

func (s *checkThenAct) Append(ctx context.Context, account string, records ...budget.Record) error {
	count := func() (n uint64) {
		for range s.Store.Read(ctx, account, 0) {
			n++
		}
		return n
	}
	first := count()
	for i, r := range records {
		if r.Seq != first+uint64(i) {
			return budget.ErrConflict
		}
	}
	runtime.Gosched()
	s.mu.Lock()
	defer s.mu.Unlock()
	next := count()
	moved := make([]budget.Record, len(records))
	for i, r := range records {
		moved[i] = budget.Record{Seq: next + uint64(i), Data: r.Data}
	}
	return s.Store.Append(ctx, account, moved...)
}

type gaps struct{ budget.Store }

func (s *gaps) Append(ctx context.Context, account string, records ...budget.Record) error {
	err := s.Store.Append(ctx, account, records...)
	if errors.Is(err, budget.ErrConflict) && len(records) > 0 && records[0].Seq > 0 {
		for range s.Store.Read(ctx, account, records[0].Seq-1) {
			return err // taken
		}
		return nil
	}
	return err
}

type partial struct{ budget.Store }

func (s *partial) Append(ctx context.Context, account string, records ...budget.Record) error {
	for _, r := range records {
		if err := s.Store.Append(ctx, account, r); err != nil {
			return err
		}
	}
	return nil
}

type otherError struct{ budget.Store }

func (s *otherError) Append(ctx context.Context, account string, records ...budget.Record) error {
	if err := s.Store.Append(ctx, account, records...); err != nil {
		return errors.New("no")
	}
	return nil
}

type forgetful struct{ budget.Store }

func (s *forgetful) Append(ctx context.Context, account string, records ...budget.Record) error {
	if len(records) > 1 {
		records = records[:len(records)-1]
	}
	return s.Store.Append(ctx, account, records...)
}

type aliasing struct {
	budget.Store
	mu   sync.Mutex
	kept map[place][]byte
}

func (s *aliasing) Append(ctx context.Context, account string, records ...budget.Record) error {
	err := s.Store.Append(ctx, account, records...)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range records {
		if err == nil {
			s.kept[place{account, r.Seq}] = r.Data
		}
	}
	return err
}

func (s *aliasing) Read(ctx context.Context, account string, from uint64) iter.Seq2[budget.Record, error] {
	return func(yield func(budget.Record, error) bool) {
		for r, err := range s.Store.Read(ctx, account, from) {
			s.mu.Lock()
			r.Data = s.kept[place{account, r.Seq}]
			s.mu.Unlock()
			if !yield(r, err) {
				return
			}
		}
	}
}

type quiet struct{ budget.Store }

func (s *quiet) Read(ctx context.Context, account string, from uint64) iter.Seq2[budget.Record, error] {
	return func(yield func(budget.Record, error) bool) {
		for r, err := range s.Store.Read(ctx, account, from) {
			if err != nil || !yield(r, nil) {
				return
			}
		}
	}
}

type late struct{ budget.Store }

func (s *late) Read(ctx context.Context, account string, from uint64) iter.Seq2[budget.Record, error] {
	return s.Store.Read(ctx, account, max(from, 1))
}

type noReleases struct{ budget.Store }

func (s *noReleases) Append(ctx context.Context, account string, records ...budget.Record) error {
	bare := slices.Clone(records)
	for i := range bare {
		bare[i].Release = nil
	}
	return s.Store.Append(ctx, account, bare...)
}

type firstRelease struct{ budget.Store }

func (s *firstRelease) Append(ctx context.Context, account string, records ...budget.Record) error {
	some := slices.Clone(records)
	there := false
	for i := range some {
		if there {
			some[i].Release = nil
		}
		there = there || some[i].Release != nil
	}
	return s.Store.Append(ctx, account, some...)
}

// keepFirst keeps releases in a step of their own, before it knows whether the
// records are the next.
type keepFirst struct {
	budget.Store
	mu   sync.Mutex
	kept map[place][]byte
}

func (s *keepFirst) Append(ctx context.Context, account string, records ...budget.Record) error {
	s.mu.Lock()
	for _, r := range records {
		if p := (place{account, r.Seq}); r.Release != nil && s.kept[p] == nil {
			s.kept[p] = append([]byte{}, r.Release...)
		}
	}
	s.mu.Unlock()
	return s.Store.Append(ctx, account, records...)
}

func (s *keepFirst) Kept(_ context.Context, account string, seq uint64) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.kept[place{account, seq}]), nil
}

// nilEmpty keeps a release beside every record.
type nilEmpty struct{ budget.Store }

func (s *nilEmpty) Append(ctx context.Context, account string, records ...budget.Record) error {
	all := slices.Clone(records)
	for i := range all {
		all[i].Release = append([]byte{}, all[i].Release...)
	}
	return s.Store.Append(ctx, account, all...)
}

type nextKept struct{ budget.Store }

func (s *nextKept) Kept(ctx context.Context, account string, seq uint64) ([]byte, error) {
	for r, err := range s.Releases(ctx, account) {
		if err != nil || r.Seq >= seq {
			return r.Release, err
		}
	}
	return nil, nil
}

type lackingReleases struct{ budget.Store }

func (s *lackingReleases) Releases(ctx context.Context, account string) iter.Seq2[budget.Record, error] {
	return func(yield func(budget.Record, error) bool) {
		var before *budget.Record
		for r, err := range s.Store.Releases(ctx, account) {
			if err != nil || before != nil && !yield(*before, nil) {
				return
			}
			before = &r
		}
	}
}

type emptyNil struct{ budget.Store }

func (s *emptyNil) Kept(ctx context.Context, account string, seq uint64) ([]byte, error) {
	kept, err := s.Store.Kept(ctx, account, seq)
	if len(kept) == 0 {
		return nil, err
	}
	return kept, err
}

type lacking struct{ budget.Store }

func (s *lacking) Accounts(ctx context.Context) ([]string, error) {
	names, err := s.Store.Accounts(ctx)
	return names[:max(len(names), 1)-1], err
}

type unsorted struct{ budget.Store }

func (s *unsorted) Accounts(ctx context.Context) ([]string, error) {
	names, err := s.Store.Accounts(ctx)
	slices.Reverse(names)
	return names, err
}

type oneAccount struct{ budget.Store }

func (s *oneAccount) Append(ctx context.Context, _ string, records ...budget.Record) error {
	return s.Store.Append(ctx, "", records...)
}

func (s *oneAccount) Read(ctx context.Context, _ string, from uint64) iter.Seq2[budget.Record, error] {
	return s.Store.Read(ctx, "", from)
}
