package budget

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
)

// filled returns an account with n entries of 20 distinct mechanisms.
func filled(b *testing.B, n int) *Account {
	b.Helper()
	a := newAccount(b, testTerms(dp.Approx{Epsilon: 1e6, Delta: 0.5}))
	for i := range n {
		if _, err := a.Spend(b.Context(), benchCharge(i)); err != nil {
			b.Fatal(err)
		}
	}
	return a
}

func benchCharge(i int) dp.Charge {
	return gaussianCharge(fmt.Sprint("request ", i), dp.Approx{Epsilon: 0.3, Delta: 1e-6}, int64(20+i%20))
}

// BenchmarkSpend10k is one check and spend on an account with 10,000 entries.
func BenchmarkSpend10k(b *testing.B) {
	a := filled(b, 10_000)
	i := 10_000
	for b.Loop() {
		if _, err := a.Spend(b.Context(), benchCharge(i)); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

func BenchmarkAfford10k(b *testing.B) {
	a := filled(b, 10_000)
	c := benchCharge(10_000)
	for b.Loop() {
		if err := a.Afford(b.Context(), c); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen10k(b *testing.B) {
	a := filled(b, 10_000)
	for b.Loop() {
		if _, err := Open(b.Context(), a.store, "visits"); err != nil {
			b.Fatal(err)
		}
	}
}

// slowStore takes a millisecond to commit, like a disk.
type slowStore struct {
	Store
	commit time.Duration
	n      atomic.Int64
}

func (s *slowStore) Append(ctx context.Context, account string, records ...Record) error {
	time.Sleep(s.commit)
	s.n.Add(1)
	return s.Store.Append(ctx, account, records...)
}

// BenchmarkGroupCommit compares a bare commit, one caller and 64 callers.
func BenchmarkGroupCommit(b *testing.B) {
	ctx := context.Background()
	newSlow := func() *slowStore { return &slowStore{Store: Memory(), commit: time.Millisecond} }
	b.Run("bare", func(b *testing.B) {
		s := newSlow()
		for seq := uint64(0); b.Loop(); seq++ {
			if err := s.Append(ctx, "visits", Record{Seq: seq, Data: make([]byte, 700)}); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprint("callers=", callers), func(b *testing.B) {
			s := newSlow()
			a, err := Create(ctx, s, testTerms(dp.Approx{Epsilon: 1e6, Delta: 1e-6}))
			if err != nil {
				b.Fatal(err)
			}
			var i atomic.Int64
			b.SetParallelism(callers)
			if callers == 1 {
				for b.Loop() {
					if _, err := a.Spend(ctx, benchCharge(int(i.Add(1)))); err != nil {
						b.Fatal(err)
					}
				}
				return
			}
			b.SetParallelism(callers / 2)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := a.Spend(ctx, benchCharge(int(i.Add(1)))); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/float64(s.n.Load()), "spends/commit")
		})
	}
}
