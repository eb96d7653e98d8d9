package main

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"log/slog"
	"slices"
	"time"

	"github.com/equipoise-dp/equipoise/budget"
)

// mostTime is how long one question may take.
const mostTime = 10 * time.Minute

// work finishes what was accepted and has no release: from this instance, from another one, or
// from before a restart. Only what stood on the board at a tick is begun, so nothing is
// finished in the tick in which it was asked. If two instances finish one request, the ledger
// keeps the numbers of one, and both show those.
func (s *service) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.begin:
			for _, p := range unfinished(s.board.all()) {
				if ctx.Err() == nil && p.entry > 0 {
					s.finish(ctx, p)
				}
			}
		}
	}
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
func (s *service) finish(ctx context.Context, p paid) {
	q, ok := s.catalogue.asked(p.charge)
	if !ok {
		return // the page of operators tells
	}
	ctx, cancel := context.WithTimeout(as(ctx, p.charge.Analyst), mostTime)
	defer cancel()
	_, err := q.run(ctx, s.ledger, requestOf(p.charge), s.rows(ctx))
	s.state.finished(err)
	if err != nil {
		s.log.Warn("a release is not finished", slog.String("question", q.Name), slog.Uint64("entry", p.entry), slog.String("error", kindOf(err)))
		return
	}
	s.log.Info("a release is finished", slog.String("question", q.Name), slog.Uint64("entry", p.entry))
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
