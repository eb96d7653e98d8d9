package aggregate

import (
	"context"
	"fmt"
)

// A watch asks now and then during long work whether its context is done. Until a
// release is paid for, all work on rows goes under one: so it ends soon, and costs nothing.
type watch struct {
	ctx   context.Context
	doing string // for the error
	steps int
	err   error
}

// often is after how many steps a watch asks: some microseconds of work.
const often = 256

// stop counts one step of work, and reports whether the work must end.
func (w *watch) stop() bool {
	if w.steps++; w.steps%often == 0 {
		w.ask()
	}
	return w.err != nil
}

// ends asks now, and reports whether the work must end.
func (w *watch) ends() bool { return w.err != nil || w.ask() != nil }

// ask asks now.
func (w *watch) ask() error {
	if err := w.ctx.Err(); err != nil && w.err == nil {
		w.err = fmt.Errorf("aggregate: %s: %w", w.doing, err)
	}
	return w.err
}
