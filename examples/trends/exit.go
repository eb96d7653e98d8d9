package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/equipoise-dp/equipoise/budget"
)

// A usage error is a mistake on the command line.
type usage struct{ error }

func (u usage) Unwrap() error { return u.error }

// verdict turns an error into an exit status and what to say.
func verdict(err error) (code int, message string) {
	var refused *budget.RefusedError
	var wrong usage
	var unknown *budget.UnknownError
	switch {
	case err == nil:
		return exitDone, ""
	case errors.As(err, &refused):
		return exitRefused, "trends: " + refusal(refused)
	case errors.As(err, &wrong):
		return exitUsage, lines(err)
	case errors.As(err, &unknown):
		return exitError, lines(err)
	case errors.Is(err, context.Canceled):
		return exitError, "trends: interrupted; nothing was spent and no file was written"
	}
	return exitError, lines(err)
}

// lines puts the program's name before every line of joined errors.
func lines(err error) string {
	// What aggregate says of rows that it could not read is in the error already.
	text := strings.ReplaceAll(err.Error(), "aggregate: reading rows: -input:", "-input:")
	return "trends: " + strings.ReplaceAll(text, "\n", "\ntrends: ")
}

// refusal says in one sentence what was refused and what can be done.
func refusal(r *budget.RefusedError) string {
	if r.Frozen || r.Reason != "" {
		return strings.TrimPrefix(r.Error(), "budget: ") + "; no report was written"
	}
	return fmt.Sprintf("refused: this report asks for %v, but %s is left of the limit of %v on dataset %q, which is too little %s, so no report was written; a report that was paid for can be shown again, with its key",
		r.Asked, loss(r.Left), r.Limit, r.Account, letters(r.Binds))
}
