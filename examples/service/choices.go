package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"; that of SQLite comes with the ledger

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/aggregate/consent"
)

// choices are what people said. They name people, so they are kept as rows are: apart from
// the ledger, and for nobody but this program.
type choices struct {
	*sql.DB
	dollar bool
}

const table = "service_choices"

// openChoices opens the table beside the ledger: a file of its own, or a table of the same
// database.
func openChoices(ctx context.Context, ledger string) (*choices, error) {
	c := &choices{dollar: isDSN(ledger)}
	var err error
	if c.dollar {
		c.DB, err = sql.Open("pgx", ledger)
	} else {
		c.DB, err = openFile(strings.TrimSuffix(ledger, filepath.Ext(ledger)) + "-choices.db")
	}
	if err != nil {
		return nil, errors.New("the choices of people cannot be opened: see -ledger")
	}
	if err := c.create(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("the choices of people: %w", err), c.Close())
	}
	return c, nil
}

func openFile(path string) (*sql.DB, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // for its owner alone
	if err != nil {
		return nil, err
	}
	full, err := filepath.Abs(path)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	query := url.Values{"mode": {"rw"}, "_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "trusted_schema(0)"}}
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(full), RawQuery: query.Encode()}
	return sql.Open("sqlite", u.String())
}

func (c *choices) create(ctx context.Context) (err error) {
	for range 3 { // of instances that start together one makes it, and PostgreSQL refuses the others
		_, err = c.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS "+table+
			" (person TEXT NOT NULL, purpose TEXT NOT NULL, choice TEXT NOT NULL CHECK (choice IN ('yes', 'no')), PRIMARY KEY (person, purpose))")
		if err == nil {
			return nil
		}
	}
	return err
}

// source is asked by plans, at every run.
func (c *choices) source() aggregate.ConsentSource[string] {
	return consent.Table[string]{
		DB: c.DB, Name: table, Dollar: c.dollar, Unit: "person", Purpose: "purpose", Choice: "choice",
		Text: func(u string) string { return u },
	}
}

// of returns what a person said, by purpose.
func (c *choices) of(ctx context.Context, person string) (said map[string]string, err error) {
	rows, err := c.QueryContext(ctx, c.spell("SELECT purpose, choice FROM "+table+" WHERE person = ?"), person)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	said = map[string]string{}
	for rows.Next() {
		var purpose, choice string
		if err := rows.Scan(&purpose, &choice); err != nil {
			return nil, err
		}
		said[purpose] = choice
	}
	return said, rows.Err()
}

// say records a choice. One about everything replaces those about single purposes.
func (c *choices) say(ctx context.Context, person, purpose, choice string) error {
	tx, err := c.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to undo
	if purpose == consent.Every {
		if _, err := tx.ExecContext(ctx, c.spell("DELETE FROM "+table+" WHERE person = ?"), person); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, c.spell("INSERT INTO "+table+
		" (person, purpose, choice) VALUES (?, ?, ?) ON CONFLICT (person, purpose) DO UPDATE SET choice = excluded.choice"), person, purpose, choice); err != nil {
		return err
	}
	return tx.Commit()
}

// spell writes parameters as the database does.
func (c *choices) spell(statement string) string {
	for i := 1; c.dollar && strings.Contains(statement, "?"); i++ {
		statement = strings.Replace(statement, "?", fmt.Sprint("$", i), 1)
	}
	return statement
}
