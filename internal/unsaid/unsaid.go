// Package unsaid keeps the words of database drivers to itself: a conversion that fails names
// the value.
package unsaid

import (
	"context"
	"errors"
)

// Error returns an error that says what, and nothing of what err says: it is nil for nil, and the
// error of a context that ended.
func Error(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	}
	return unsaid{what, func(target error) bool { return errors.Is(err, target) }}
}

// An unsaid error has its cause in a function, so that nothing prints it; errors.Is still knows it.
type unsaid struct {
	what string
	is   func(target error) bool
}

func (e unsaid) Error() string { return e.what }

func (e unsaid) Is(target error) bool { return e.is(target) }
