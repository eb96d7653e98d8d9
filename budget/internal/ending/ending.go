// Package ending has contexts that end when they have been asked so often whether they
// have ended, so that tests of stores can give up at every step of an operation.
package ending

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
)

type ending struct {
	context.Context
	cancel context.CancelFunc

	mu   sync.Mutex
	left int
}

func (e *ending) ask() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.left--; e.left == -1 {
		e.cancel()
	}
}

// lasted reports whether it has not ended by itself. Goroutines of database/sql may still ask.
func (e *ending) lasted() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.left >= 0
}

// Done implements [context.Context].
func (e *ending) Done() <-chan struct{} { e.ask(); return e.Context.Done() }

// Err implements [context.Context].
func (e *ending) Err() error { e.ask(); return e.Context.Err() }

// EachStep does something again and again, gives up at a later step each time, and ends
// when it is done before that, or after most times. Each time there must be an error that
// wraps [context.Canceled], or what there is without giving up. It returns how often there was
// an error.
func EachStep(t *testing.T, name string, most int, do func(context.Context) (any, error)) (errs int) {
	t.Helper()
	want, err := do(t.Context())
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for n := range most {
		ctx, cancel := context.WithCancel(t.Context())
		e := &ending{Context: ctx, cancel: cancel, left: n}
		got, err := do(e)
		cancel()
		switch {
		case errors.Is(err, context.Canceled):
			errs++
		case err != nil || fmt.Sprint(got) != fmt.Sprint(want):
			t.Errorf("%s, given up at step %d: %v, %v, want context.Canceled or %v", name, n, got, err, want)
		}
		if e.lasted() {
			return errs
		}
	}
	return errs
}
