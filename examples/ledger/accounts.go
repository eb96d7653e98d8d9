package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/equipoise-dp/equipoise/budget"
)

// withStore opens the ledger for the time of do.
func (e *env) withStore(ctx context.Context, do func(*store) error) error {
	s, err := open(ctx, e.ledger)
	if err != nil {
		return err
	}
	return s.use(do)
}

func (s *store) use(do func(*store) error) (err error) {
	defer func() { err = errors.Join(err, s.close()) }()
	return do(s)
}

// withAccount opens the account that --account names, or the only one there is.
func (e *env) withAccount(ctx context.Context, do func(*budget.Account) error) error {
	return e.withStore(ctx, func(s *store) error {
		a, err := e.only(ctx, s)
		if err != nil {
			return err
		}
		return do(a)
	})
}

func (e *env) only(ctx context.Context, s *store) (*budget.Account, error) {
	names, err := e.accounts(ctx, s)
	if err != nil {
		return nil, err
	}
	if len(names) > 1 {
		return nil, usagef("--account is missing; the ledger has %s", quoted(names))
	}
	return budget.Open(ctx, s, names[0])
}

// accounts returns the name of --account, or else all there are, at least one.
func (e *env) accounts(ctx context.Context, s *store) ([]string, error) {
	if e.account != "" {
		return []string{e.account}, nil
	}
	names, err := s.Accounts(ctx)
	if err == nil && len(names) == 0 {
		err = fmt.Errorf("the ledger has no account; %w", errMissing)
	}
	return names, err
}

func quoted(names []string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(q, ", ")
}
