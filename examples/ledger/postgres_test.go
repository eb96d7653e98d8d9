package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/equipoise-dp/equipoise/internal/pgtest"
)

// The same commands on a database.
func TestCommandsWorkOnADatabase(t *testing.T) {
	dsn := pgtest.Database(t)
	testscript.Run(t, testscript.Params{Dir: "testdata/postgres", RequireExplicitExec: true, Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits}, Setup: func(e *testscript.Env) error {
		e.Setenv(envLedger, dsn)
		return nil
	}})
}
