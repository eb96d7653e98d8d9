package postgres

import (
	"slices"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Versions is how many versions of the schema there are.
var Versions = len(versions)

// BreakMigration makes the last step of every migration fail, until undone.
func BreakMigration() (undo func()) {
	last := len(versions) - 1
	before := versions[last]
	versions[last] = append(slices.Clone(before), "INSERT INTO nowhere VALUES (1)")
	return func() { versions[last] = before }
}

// Classes are the classes of codes that are decided.
var Classes = classes

// Judge says what an error means.
func Judge(err error) string {
	return map[verdict]string{unknown: "unknown", nothing: "nothing", again: "again"}[judge(err)]
}

// On returns a store of a pool that is not asked anything.
func On(pool *pgxpool.Pool) *Store { return &Store{pool: pool} }
