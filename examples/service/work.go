package main

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/equipoise-dp/equipoise/budget"
)

// mostTime is how long one question may take.
const mostTime = 10 * time.Minute

// work finishes what was accepted and has no release: from this instance, from another one, or
// from before a restart. It is begun at a tick, released in the middle between two, and shown at
// the next. So not even the order of the ledger's records, which receipts tell by their numbers, says
// how long rows took to read. If two instances finish one request, the ledger keeps the numbers of one,
// and both show those.
func (s *service) work(ctx context.Context) {
	w := &worker{service: s, busy: map[string]bool{}}
	defer w.running.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.begin:
			for _, p := range unfinished(s.board.all()) {
				w.begin(ctx, p)
			}
		}
	}
}

// A worker reads rows for one request at a time, and holds what it has read.
type worker struct {
	*service
	running sync.WaitGroup
	reading sync.Mutex
	mu      sync.Mutex
	busy    map[string]bool // by request key
}

func (w *worker) begin(ctx context.Context, p paid) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p.entry == 0 || w.busy[p.charge.Key] { // accepted after the tick, or begun
		return
	}
	w.busy[p.charge.Key] = true
	w.running.Go(func() {
		w.finish(ctx, p)
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.busy, p.charge.Key)
	})
}

func unfinished(all map[string]paid) (open []paid) {
	for _, p := range all {
		if !p.kept {
			open = append(open, p)
		}
	}
	slices.SortFunc(open, func(a, b paid) int { return cmp.Compare(a.entry, b.entry) })
	return open
}

// finish answers one request. What goes wrong is told to operators, by its kind; whoever
// asked sees that it is not finished.
func (w *worker) finish(ctx context.Context, p paid) {
	s := w.service
	q, ok := s.catalogue.asked(p.charge)
	if !ok {
		return // the page of operators tells
	}
	ctx, cancel := context.WithTimeout(as(ctx, p.charge.Analyst), mostTime)
	defer cancel()
	_, err := q.run(ctx, s.ledger, requestOf(p.charge), collecting{w.alone(s.rows(ctx)), s.held})
	s.state.finished(err)
	if err != nil {
		s.log.Warn("a release is not finished", slog.String("equipoise.question", q.Name), slog.Uint64("equipoise.entry", p.entry), slog.String("error.type", kindOf(err)))
		return
	}
	s.log.Info("a release is finished", slog.String("equipoise.question", q.Name), slog.Uint64("equipoise.entry", p.entry))
}

// alone reads rows when nobody else does.
func (w *worker) alone(rows iter.Seq2[purchase, error]) iter.Seq2[purchase, error] {
	return func(yield func(purchase, error) bool) {
		w.reading.Lock()
		defer w.reading.Unlock()
		rows(yield)
	}
}

// held returns in the middle between two ticks.
func (s *service) held(ctx context.Context) error {
	wait(ctx, s.board.middle())
	return ctx.Err()
}

// heldRows end in the middle between two ticks.
func (s *service) heldRows(ctx context.Context) iter.Seq2[purchase, error] {
	return func(yield func(purchase, error) bool) {
		for p, err := range s.rows(ctx) {
			if !yield(p, err) {
				return
			}
		}
		if err := s.held(ctx); err != nil {
			yield(purchase{}, err)
		}
	}
}

// rows opens the source when the first row is asked for.
func (s *service) rows(ctx context.Context) iter.Seq2[purchase, error] {
	return func(yield func(purchase, error) bool) {
		rows, err := s.source(ctx)
		if err != nil {
			yield(purchase{}, err)
			return
		}
		rows(yield)
	}
}

// kindOf says what went wrong without its text, which may come from a driver and show what
// it was given.
func kindOf(err error) string {
	switch {
	case err == nil:
		return "none"
	case errors.As(err, new(*budget.RefusedError)):
		return "refused"
	case errors.Is(err, budget.ErrTampered):
		return "the ledger is not intact"
	case errors.Is(err, budget.ErrUnknown), errors.Is(err, budget.ErrNotAppended):
		return "the ledger could not be written"
	case errors.Is(err, context.DeadlineExceeded):
		return "it took too long"
	case errors.Is(err, context.Canceled):
		return "it was stopped"
	}
	return "the rows, the choices of people or the ledger could not be read"
}
