package budgettest

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/budget"
)

// BenchmarkDurable measures durable spends on one account over a store:
//
//	bare         one caller of Store.Append with a record like that of a spend
//	lone         one caller of Account.Spend
//	callers=64   64 callers of Account.Spend, whose spends are committed in groups
//	ratios       all three in turns, so that what else the machine does hits all
//
// The metrics of ratios are medians over turns: lone/bare is the time of a lone
// spend over that of a bare commit, callers/bare the rate of 64 callers over
// that of bare commits.
func BenchmarkDurable(b *testing.B, open func(*testing.B) budget.Store) {
	b.Run("bare", func(b *testing.B) { newBench(b, open(b)).timed(b, (*bench).bare) })
	b.Run("lone", func(b *testing.B) { newBench(b, open(b)).timed(b, (*bench).lone) })
	b.Run("callers=64", func(b *testing.B) { newBench(b, open(b)).timed(b, (*bench).callers) })
	b.Run("ratios", func(b *testing.B) { newBench(b, open(b)).ratios(b) })
}

type bench struct {
	store   budget.Store
	account *budget.Account
	record  []byte // of a spend
	next    uint64 // of the bare records
	keys    atomic.Int64
}

func newBench(b *testing.B, s budget.Store) *bench {
	a, err := budget.Create(b.Context(), s, terms(1_000_000_000))
	if err != nil {
		b.Fatal(err)
	}
	m := &bench{store: s, account: a}
	m.spend(b)
	for r, err := range s.Read(b.Context(), dataset, 1) {
		if err != nil {
			b.Fatal(err)
		}
		m.record = r.Data
	}
	return m
}

func (m *bench) spend(b *testing.B) {
	if _, err := m.account.Spend(b.Context(), charge(fmt.Sprint("key ", m.keys.Add(1)))); err != nil {
		b.Error(err)
	}
}

// bare, lone and callers make n durable records.
func (m *bench) bare(b *testing.B, n int) {
	for range n {
		if err := m.store.Append(b.Context(), "bare", budget.Record{Seq: m.next, Data: m.record}); err != nil {
			b.Error(err)
		}
		m.next++
	}
}

func (m *bench) lone(b *testing.B, n int) {
	for range n {
		m.spend(b)
	}
}

func (m *bench) callers(b *testing.B, n int) { m.many(b, 64, n) }

func (m *bench) many(b *testing.B, callers, n int) {
	var left atomic.Int64
	left.Store(int64(n))
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				m.spend(b)
			}
		})
	}
	wg.Wait()
}

func (m *bench) timed(b *testing.B, do func(*bench, *testing.B, int)) {
	b.ResetTimer()
	do(m, b, b.N)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
}

func (m *bench) ratios(b *testing.B) {
	var lone, callers []float64
	for b.Loop() {
		bare := perRecord(func() { m.bare(b, 50) }, 50)
		lone = append(lone, perRecord(func() { m.lone(b, 50) }, 50)/bare)
		callers = append(callers, bare/perRecord(func() { m.callers(b, 3200) }, 3200))
	}
	b.ReportMetric(median(lone), "lone/bare")
	b.ReportMetric(median(callers), "callers/bare")
}

func perRecord(do func(), n int) float64 {
	start := time.Now()
	do()
	return time.Since(start).Seconds() / float64(n)
}

func median(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}

// BenchmarkOpen measures how long it takes to open a store, at a place where there is none
// yet, and an account of so many charges in it.
func BenchmarkOpen(b *testing.B, charges int, place string, open func(ctx context.Context, place string) (budget.Store, error)) {
	opened := func() budget.Store {
		s, err := open(b.Context(), place)
		if err != nil {
			b.Fatal(err)
		}
		return s
	}
	closed := func(s budget.Store) {
		if c, ok := s.(io.Closer); ok {
			if err := c.Close(); err != nil {
				b.Fatal(err)
			}
		}
	}
	s := opened()
	newBench(b, s).many(b, 512, charges) // so many that few appends are needed
	closed(s)
	b.Run(fmt.Sprint("charges=", charges), func(b *testing.B) {
		for b.Loop() {
			s := opened()
			if _, err := budget.Open(b.Context(), s, dataset); err != nil {
				b.Fatal(err)
			}
			closed(s)
		}
	})
}
