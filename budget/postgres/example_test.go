package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/equipoise-dp/equipoise/budget/postgres"
)

// A server that is not reached is no missing ledger, and nobody should make a new one
// for it.
func ExampleOpen() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, "host=/no/such/socket dbname=ledger")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pool.Close()
	_, err = postgres.Open(ctx, pool)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		fmt.Println("there is no ledger")
	case errors.As(err, new(*pgconn.ConnectError)):
		fmt.Println("there is no server; what was spent is not known")
	}
	// Output:
	// there is no server; what was spent is not known
}
