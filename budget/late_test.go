package budget

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// A lateStore reports that appends failed which happened, which never happen, and
// which happen later, when others may have appended: what a broken connection to a
// server can do.
type lateStore struct {
	Store
	mu   sync.Mutex
	rng  *rand.Rand
	late [][]Record
	name string
}

var errLost = errors.New("the connection was lost")

func (s *lateStore) Append(ctx context.Context, account string, records ...Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arrive(ctx, s.rng.IntN(3))
	switch s.rng.IntN(8) {
	case 0:
		return errLost
	case 1:
		s.Store.Append(ctx, account, records...) //nolint:errcheck // whatever it says is lost
		return errLost
	case 2:
		s.late = append(s.late, records)
		return errLost
	case 3:
		return fmt.Errorf("%w: refused", ErrNotAppended)
	}
	return s.Store.Append(ctx, account, records...)
}

// arrive lets up to n of what is late happen, in any order, if it still can.
func (s *lateStore) arrive(ctx context.Context, n int) {
	for ; n > 0 && len(s.late) > 0; n-- {
		i := s.rng.IntN(len(s.late))
		s.Store.Append(ctx, s.name, s.late[i]...) //nolint:errcheck // nobody is told
		s.late = append(s.late[:i], s.late[i+1:]...)
	}
}

// Whatever a store loses, reports wrongly or does later, all that is ever shown
// under one key is one answer, and what was shown was paid, once.
func TestOneAnswerAndOnePaymentThroughAStoreThatIsLate(t *testing.T) {
	for seed := range uint64(20) {
		oneAnswerLate(t, seed)
	}
}

func oneAnswerLate(t *testing.T, seed uint64) {
	const keys = 6
	terms := testTerms(dp.Pure{Epsilon: 100})
	terms.Refusals = 5
	m := Memory()
	if _, err := Create(t.Context(), m, terms); err != nil {
		t.Fatal(err)
	}
	store := &lateStore{Store: m, rng: rand.New(rand.NewPCG(seed, 8)), name: terms.Dataset}
	key := func(k int) dp.Charge { return laplaceCharge(fmt.Sprint("key ", k), dp.Pure{Epsilon: 0.1}, 10) }
	var mu sync.Mutex
	shown := make([]map[string]bool, keys)
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(worker)))
			a, err := Open(t.Context(), store, terms.Dataset)
			if err != nil {
				t.Error(err)
				return
			}
			for range 40 {
				if rng.IntN(10) == 0 { // the process dies, and another one starts
					if a, err = Open(t.Context(), store, terms.Dataset); err != nil {
						t.Error(err)
						return
					}
				}
				if rng.IntN(6) == 0 {
					a.Spend(t.Context(), laplaceCharge(fmt.Sprint("much", rng.Int()), dp.Pure{Epsilon: 1000}, 1)) //nolint:errcheck
				}
				k := rng.IntN(keys)
				got, err := a.Once(t.Context(), key(k), func() ([]byte, error) {
					if rng.IntN(5) == 0 {
						return nil, errLost
					}
					return fmt.Append(nil, rng.Uint64()), nil
				})
				if errors.Is(err, ErrTampered) || errors.Is(err, ErrKeyReused) || isRefused(err) || (err == nil) == (got == nil) {
					t.Errorf("seed %d: %q, %v", seed, got, err)
				}
				if err == nil {
					mu.Lock()
					if shown[k] == nil {
						shown[k] = map[string]bool{}
					}
					shown[k][string(got)] = true
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	store.arrive(t.Context(), len(store.late))
	a, err := Open(t.Context(), m, terms.Dataset)
	if err != nil {
		t.Fatal(err)
	}
	report, err := a.Verify(t.Context())
	if err != nil || report.Charges > keys || len(report.NotRepeated)+len(report.Uncovered) > 0 {
		t.Fatalf("seed %d: %+v, %v", seed, report, err)
	}
	for k, answers := range shown {
		kept, err := a.Kept(t.Context(), key(k))
		if len(answers) > 1 || err != nil || len(answers) == 1 && !answers[string(kept)] {
			t.Errorf("seed %d: under key %d %d answers were shown; kept is %q, %v", seed, k, len(answers), kept, err)
		}
	}
}

// A caller who gives up while its release is being appended reads nothing that
// whoever appends is writing: the race detector says so.
func TestGivingUpWhileKeeping(t *testing.T) {
	for range 300 {
		a := newAccount(t, testTerms(dp.Pure{Epsilon: 1}))
		c, other := laplaceCharge("k", dp.Pure{Epsilon: 0.1}, 10), laplaceCharge("l", dp.Pure{Epsilon: 0.1}, 10)
		for _, c := range []dp.Charge{c, other} {
			if _, err := a.Spend(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		held := &heldStore{Store: a.store, begun: make(chan struct{}), end: make(chan struct{})}
		a.store = held
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		keep := func(ctx context.Context, c dp.Charge) {
			got, err := a.Keep(ctx, c, []byte(c.Key))
			if err == nil && string(got) != c.Key || err != nil && got != nil {
				t.Errorf("%q, %v", got, err)
			}
		}
		wg.Go(func() { keep(t.Context(), other) })
		<-held.begun
		for range 2 {
			wg.Go(func() { keep(ctx, c) })
		}
		wg.Go(stop)
		close(held.end)
		wg.Wait()
	}
}

// A heldStore holds its first append until it is told to go on.
type heldStore struct {
	Store
	once       sync.Once
	begun, end chan struct{}
}

func (s *heldStore) Append(ctx context.Context, account string, records ...Record) error {
	s.once.Do(func() { close(s.begun); <-s.end })
	return s.Store.Append(ctx, account, records...)
}
