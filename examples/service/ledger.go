package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/policy"
	"github.com/equipoise-dp/equipoise/budget/policy/policyyaml"
	"github.com/equipoise-dp/equipoise/budget/postgres"
	"github.com/equipoise-dp/equipoise/budget/sqlite"
	"github.com/equipoise-dp/equipoise/dp"
)

// terms are what a new account is created with: everything that is ever published of the
// purchases is ε = 3. They never change, so choose them before the first start; docs/guide.md helps.
var terms = budget.Terms{
	Dataset: dataset, Unit: unit, Limit: dp.Approx{Epsilon: 3, Delta: 1e-6},
	Rule: budget.Basic, Refusals: 100,
}

//go:embed policy.yaml
var examplePolicy []byte

// A ledger is an open account with what is to be closed after it.
type ledger struct {
	*budget.Account
	store interface {
		budget.Store
		Writable(context.Context) error
	}
	close func() error
}

func isDSN(s string) bool {
	return strings.HasPrefix(s, "postgres://") || strings.HasPrefix(s, "postgresql://")
}

// openLedger opens the account, or makes it with its policy. What is there is verified whole
// before anything is spent from it.
func openLedger(ctx context.Context, o *options) (*ledger, error) {
	l, err := openStore(ctx, o.ledger)
	if err != nil {
		return nil, err
	}
	if err := l.open(ctx, o); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

func openStore(ctx context.Context, where string) (*ledger, error) {
	if !isDSN(where) {
		s, err := sqlite.OpenOrCreate(ctx, where)
		if err != nil {
			return nil, err
		}
		return &ledger{store: s, close: s.Close}, nil
	}
	pool, err := pgxpool.New(ctx, where)
	if err != nil {
		return nil, errors.New("-ledger is no address of PostgreSQL such as postgres://user@host/database") // the error of pgx may show the password
	}
	s, err := postgres.OpenOrCreate(ctx, pool)
	if err != nil {
		pool.Close()
		return nil, err
	}
	return &ledger{store: s, close: func() error { pool.Close(); return nil }}, nil
}

func (l *ledger) open(ctx context.Context, o *options) error {
	anchors, err1 := readAnchors(o.anchors)
	p, err2 := readPolicy(o.policy)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	a, err := budget.OpenOrCreate(ctx, l.store, terms, anchors...)
	if err != nil {
		return err
	}
	if _, err := a.Verify(ctx, anchors...); err != nil {
		return err
	}
	a.Authenticate(askers{})
	l.Account = a
	return firstPolicy(ctx, a, p)
}

func readPolicy(path string) (*policy.Policy, error) {
	text := examplePolicy
	if path != "" {
		var err error
		if text, err = os.ReadFile(path); err != nil {
			return nil, err
		}
	}
	return policyyaml.Parse(text)
}

// firstPolicy puts the policy in force if none is. One that is in force stays: it is changed by an
// act with a reason and a name, and not by a restart.
func firstPolicy(ctx context.Context, a *budget.Account, p *policy.Policy) error {
	now, err := a.Policy(ctx)
	if err != nil || now != nil {
		return err
	}
	err = a.SetPolicy(ctx, p, "the first start of the service", p.By)
	if now, again := a.Policy(ctx); again == nil && now != nil {
		return nil // by this instance, or by one that started at the same time
	}
	return err
}

// readAnchors reads a file of anchors, one a line; none is there before the first night.
func readAnchors(path string) ([]budget.Anchor, error) {
	text, err := os.ReadFile(path)
	if path == "" || errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []budget.Anchor
	for line := range strings.Lines(string(text)) {
		a, err := budget.ParseAnchor(strings.TrimSpace(line))
		if err != nil {
			return nil, fmt.Errorf("-anchors: %w", err)
		}
		all = append(all, a)
	}
	return all, nil
}

// writeAnchor adds the anchor of now to the file.
func (l *ledger) writeAnchor(ctx context.Context, path string) error {
	if path == "" {
		return nil
	}
	a, err := l.Anchor(ctx)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, a)
	return errors.Join(err, f.Sync(), f.Close())
}
