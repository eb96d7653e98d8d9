package main

import (
	"context"
	"errors"
	"net/http"
	"slices"
)

// An identity says who sends a request. A team puts its own here: sessions, certificates of
// clients, tokens of its identity provider. It must take the name from what it has checked,
// and from nothing else in the request. Tokens is the one of this example.
type identity interface {
	// Who returns who asks, or errNobody if nobody does whom it knows. Other errors are
	// that it cannot tell at present.
	Who(*http.Request) (caller, error)
}

var errNobody = errors.New("nobody who is known")

// A caller is whoever sends a request, and what they may do.
type caller struct {
	Name     string   // as the policy writes askers
	Purposes []string // of questions that they may ask
	Operator bool     // sees how the service is
	Person   string   // the unit that they are, who may say yes or no; empty for staff
}

// may reports whether they may ask for a purpose.
func (c caller) may(purpose string) bool { return slices.Contains(c.Purposes, purpose) }

type askerKey struct{}

// as returns a context of somebody who asks, for askers.
func as(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, askerKey{}, name)
}

// askers is the budget.Authenticator: it knows whom a request was found to be of, and for whom
// this program finishes what was accepted from them.
type askers struct{}

func (askers) Asker(ctx context.Context) (string, error) {
	name, ok := ctx.Value(askerKey{}).(string)
	if !ok {
		return "", errNobody
	}
	return name, nil
}
