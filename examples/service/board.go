package main

import (
	"context"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

// A board shows what was accepted and what is finished, as the ledger had it at the last
// tick. Ticks are the multiples of a time that does not depend on rows, and the same ones for
// every instance, so when a result appears tells how long its rows took to read only if that
// was longer than half a tick. Nothing is kept but in the ledger: whoever starts anew, or beside
// another, sees the same.
//
// Only at the start of a program it looks between ticks.
type board struct {
	ledger *ledger
	every  time.Duration

	mu    sync.Mutex
	at    time.Time       // of the last tick
	last  budget.Anchor   // that was seen then
	seen  map[string]paid // by request key
	since map[string]dp.Charge
}

// A paid is a request that was accepted.
type paid struct {
	charge dp.Charge
	entry  uint64
	kept   bool
	seen   time.Time // by this instance, for the first time
}

// look reads the ledger. It is called at ticks.
func (b *board) look(ctx context.Context) error {
	b.mu.Lock()
	last := b.last
	b.mu.Unlock()
	now, err := b.ledger.Anchor(ctx)
	if err != nil {
		return err
	}
	if now == last {
		b.show(nil, now)
		return nil
	}
	seen, err := b.read(ctx)
	if err == nil {
		b.show(seen, now)
	}
	return err
}

// read lists what was paid. What nobody vouched for is not of this service.
func (b *board) read(ctx context.Context) (map[string]paid, error) {
	seen, keys := map[string]paid{}, map[uint64]string{}
	for e, err := range b.ledger.Entries(ctx) {
		switch {
		case err != nil:
			return nil, err
		case e.Kind == budget.KindSpend && e.Charge.States != nil && e.Charge.States.Authenticated:
			keys[e.Seq] = e.Charge.Key
			seen[e.Charge.Key] = paid{charge: *e.Charge, entry: e.Seq, seen: time.Now()}
		case e.Kind == budget.KindKeep:
			if p, ok := seen[keys[e.From]]; ok {
				p.kept = true
				seen[keys[e.From]] = p
			}
		}
	}
	return seen, nil
}

// show replaces what is shown; nil leaves it.
func (b *board) show(seen map[string]paid, last budget.Anchor) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at, b.last = time.Now(), last
	if seen == nil {
		return
	}
	for key, p := range seen {
		if before, ok := b.seen[key]; ok {
			p.seen = before.seen
			seen[key] = p
		}
		delete(b.since, key)
	}
	b.seen = seen
}

// accept notes what was paid since the last tick.
func (b *board) accept(c dp.Charge) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.seen[c.Key]; !ok {
		b.since[c.Key] = c
	}
}

// of returns the request of a key, and whether it was accepted.
func (b *board) of(key string) (paid, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p, ok := b.seen[key]; ok {
		return p, true
	}
	c, ok := b.since[key]
	return paid{charge: c}, ok
}

// all returns everything that was accepted.
func (b *board) all() map[string]paid {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := maps.Clone(b.seen)
	for key, c := range b.since {
		all[key] = paid{charge: c, seen: b.at}
	}
	return all
}

// open counts what is accepted and not finished under keys that begin so.
func (b *board) open(prefix string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for key, p := range b.seen {
		if !p.kept && strings.HasPrefix(key, prefix) {
			n++
		}
	}
	for key := range b.since {
		if strings.HasPrefix(key, prefix) {
			n++
		}
	}
	return n
}

// lookedAt is when the ledger was looked at last.
func (b *board) lookedAt() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.at
}

// next is when the next tick is.
func (b *board) next() time.Time { return time.Now().Truncate(b.every).Add(b.every) }

// middle is when the next middle between two ticks is.
func (b *board) middle() time.Time {
	m := time.Now().Truncate(b.every).Add(b.every / 2)
	if !m.After(time.Now()) {
		m = m.Add(b.every)
	}
	return m
}

// ticks calls each at every tick until ctx is done.
func (b *board) ticks(ctx context.Context, each func()) {
	for wait(ctx, b.next()) {
		each()
	}
}

// wait waits until a time, and says whether ctx is not done.
func wait(ctx context.Context, until time.Time) bool {
	t := time.NewTimer(time.Until(until))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return ctx.Err() == nil
	}
}

func newBoard(l *ledger, every time.Duration) *board {
	return &board{ledger: l, every: every, seen: map[string]paid{}, since: map[string]dp.Charge{}}
}
