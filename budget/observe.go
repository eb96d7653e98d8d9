package budget

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"

	"github.com/equipoise-dp/equipoise/dp"
)

// An Outcome is how a request ended.
type Outcome string

// The outcomes of requests.
const (
	OutcomeSpent     Outcome = "spent"
	OutcomeRepeated  Outcome = "repeated" // paid before, at no cost now
	OutcomeRefused   Outcome = "refused"
	OutcomeKeyReused Outcome = "key_reused"
	OutcomeUnknown   Outcome = "unknown"
	OutcomeFailed    Outcome = "failed" // the store failed, and nothing was spent
)

// An Observer is told how requests end. It is called outside of all locks, by
// the goroutine whose request it is, which waits for it. The library itself
// never logs.
type Observer interface {
	Observe(ctx context.Context, o Observation)
}

// An Observation is one request that ended. It holds nothing private.
type Observation struct {
	Account string
	Purpose string
	Outcome Outcome
	Entry   uint64  // if it was paid
	Asked   dp.Loss // what the charge declares
	Err     error   // or nil
}

// Attrs returns the observation as attributes with names as OpenTelemetry
// writes them. The request key and the analyst are left out: they may name
// people.
func (o Observation) Attrs() []slog.Attr {
	attrs := []slog.Attr{
		slog.String("equipoise.account", o.Account),
		slog.String("equipoise.purpose", o.Purpose),
		slog.String("equipoise.outcome", string(o.Outcome)),
		slog.String("equipoise.loss.asked", dp.FormatLoss(o.Asked)),
	}
	if e, ok := errors.AsType[*RefusedError](o.Err); ok {
		return append(attrs, slog.String("equipoise.loss.left", dp.FormatLoss(e.Left)), slog.Bool("equipoise.frozen", e.Frozen))
	}
	if o.Err == nil {
		attrs = append(attrs, slog.Uint64("equipoise.entry", o.Entry))
	}
	return attrs
}

// Counts are the requests of one [Account] value since it was opened.
type Counts struct{ Spent, Repeated, Refused, KeyReused, Unknown, Failed, Conflicts uint64 }

type counters struct {
	spent, repeated, refused, keyReused, unknown, failed, conflicts atomic.Uint64
}

// Observe makes o the observer of the account; nil removes it.
func (a *Account) Observe(o Observer) {
	if o == nil {
		a.observer.Store(nil)
		return
	}
	a.observer.Store(&o)
}

// Counts returns how requests have ended. Conflicts are appends that another
// process was faster at; they were decided again.
func (a *Account) Counts() Counts {
	c := &a.counts
	return Counts{
		Spent: c.spent.Load(), Repeated: c.repeated.Load(), Refused: c.refused.Load(), KeyReused: c.keyReused.Load(),
		Unknown: c.unknown.Load(), Failed: c.failed.Load(), Conflicts: c.conflicts.Load(),
	}
}

func (a *Account) observe(ctx context.Context, out Outcome, r *request, p dp.Payment, err error) {
	a.counts.of(out).Add(1)
	if e, ok := errors.AsType[*RefusedError](err); ok {
		a.keepRefusal(ctx, r.charge, e)
	}
	if o := a.observer.Load(); o != nil {
		(*o).Observe(ctx, Observation{Account: a.name, Purpose: r.charge.Purpose, Outcome: out, Entry: p.Entry, Asked: r.charge.Loss, Err: err})
	}
}

func (c *counters) of(out Outcome) *atomic.Uint64 {
	switch out {
	case OutcomeSpent:
		return &c.spent
	case OutcomeRepeated:
		return &c.repeated
	case OutcomeRefused:
		return &c.refused
	case OutcomeKeyReused:
		return &c.keyReused
	case OutcomeUnknown:
		return &c.unknown
	}
	return &c.failed
}

func outcomeOf(err error) Outcome {
	if _, ok := errors.AsType[*RefusedError](err); ok {
		return OutcomeRefused
	}
	switch {
	case errors.Is(err, ErrKeyReused):
		return OutcomeKeyReused
	case errors.Is(err, ErrUnknown):
		return OutcomeUnknown
	}
	return OutcomeFailed
}
