package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/equipoise-dp/equipoise/budget"
)

// The exit statuses. They are documented in --help.
const (
	exitOK = iota
	exitError
	exitUsage
	exitRefused
	exitUnverified
)

// A usageError is a mistake on the command line.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// unverified is that a ledger is there and not as it must be.
type unverified struct{ error }

func (u unverified) Unwrap() error { return u.error }

// errSaid is an exit status without a message, because the output has it.
type errSaid int

func (errSaid) Error() string { return "said already" }

// verdict turns an error into an exit status and what to say.
func verdict(err error) (code int, message string) {
	if said, ok := errors.AsType[errSaid](err); ok {
		return int(said), ""
	}
	return status(err), "ledger: " + strings.ReplaceAll(err.Error(), "\n", "\nledger: ")
}

func status(err error) int {
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	if _, ok := errors.AsType[*budget.RefusedError](err); ok || errors.Is(err, budget.ErrNoRefund) {
		return exitRefused
	}
	if _, ok := errors.AsType[unverified](err); ok || errors.Is(err, budget.ErrTampered) {
		return exitUnverified
	}
	return exitError
}

// damage marks an error of reading a ledger that is there. What could not be
// tried at all is an error like any other.
func damage(err error) error {
	if err == nil || missing(err) || errors.Is(err, context.Canceled) {
		return err
	}
	return unverified{err}
}
