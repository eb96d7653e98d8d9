package postgres

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/equipoise-dp/equipoise/budget"
)

// What an error means for a statement that changes something and is a transaction
// of its own.

// A verdict is what an error says of the statement.
type verdict int

const (
	unknown verdict = iota // it may be there, or come to be
	nothing                // it is not there and will not be
	again                  // likewise, and the same statement may succeed now
)

// judge decides an error. A server that reports an error of severity ERROR has
// undone the statement: a commit that has become durable is never undone, and a
// server that could not finish one ends itself. Above that the connection ends, by
// the server or by a pooler between, and what became of the statement is not said.
func judge(err error) verdict {
	var e *pgconn.PgError
	switch {
	case unsent(err):
		return nothing
	case !errors.As(err, &e) || e.SeverityUnlocalized != "ERROR" || len(e.Code) != 5:
		return unknown
	}
	if v, ok := codes[e.Code]; ok {
		return v
	}
	return classes[e.Code[:2]]
}

// codes has the codes whose verdict is not that of their class.
var codes = map[string]verdict{
	"40001": again,   // serialization_failure
	"40P01": again,   // deadlock_detected
	"40003": unknown, // statement_completion_unknown, from servers that speak the same protocol
	"08001": nothing, // sqlclient_unable_to_establish_sqlconnection
	"08004": nothing, // sqlserver_rejected_establishment_of_sqlconnection
}

// classes has a verdict for every class of codes in Appendix A of PostgreSQL's
// documentation. A class that is not here is unknown.
var classes = map[string]verdict{
	"00": unknown, // successful completion: no error, so something is wrong
	"01": unknown, // warning: likewise
	"02": unknown, // no data: likewise
	"03": nothing, // SQL statement not yet complete
	"08": unknown, // connection exception: also from poolers, also after the commit
	"09": nothing, // triggered action exception
	"0A": nothing, // feature not supported
	"0B": nothing, // invalid transaction initiation
	"0F": nothing, // locator exception
	"0L": nothing, // invalid grantor
	"0P": nothing, // invalid role specification
	"0Z": nothing, // diagnostics exception
	"10": nothing, // XQuery error, from version 17 on
	"20": nothing, // case not found
	"21": nothing, // cardinality violation
	"22": nothing, // data exception
	"23": nothing, // integrity constraint violation, also one that is deferred to the commit
	"24": nothing, // invalid cursor state
	"25": nothing, // invalid transaction state: 25006 is a server that is read-only
	"26": nothing, // invalid SQL statement name: 26000 is a pooler that lost a prepared statement
	"27": nothing, // triggered data change violation
	"28": nothing, // invalid authorization specification
	"2B": nothing, // dependent privilege descriptors still exist
	"2D": nothing, // invalid transaction termination
	"2F": nothing, // SQL routine exception
	"34": nothing, // invalid cursor name
	"38": nothing, // external routine exception
	"39": nothing, // external routine invocation exception
	"3B": nothing, // savepoint exception
	"3D": nothing, // invalid catalog name
	"3F": nothing, // invalid schema name
	"40": nothing, // transaction rollback
	"42": nothing, // syntax error or access rule violation
	"44": nothing, // WITH CHECK OPTION violation
	"53": nothing, // insufficient resources: 53100 is a full disk
	"54": nothing, // program limit exceeded
	"55": nothing, // object not in prerequisite state: 55P03 is a lock that was not had in time
	"57": nothing, // operator intervention: 57014 is a statement that took too long; shutdowns are FATAL
	"58": nothing, // system error: one at the commit itself is PANIC
	"72": nothing, // snapshot failure
	"F0": nothing, // configuration file error
	"HV": nothing, // foreign data wrapper error
	"P0": nothing, // PL/pgSQL error, as of the triggers of this package
	"XX": unknown, // internal error, or corrupted data: the server does not know itself
}

// An unsentError is that there was no connection to send a statement on.
type unsentError struct{ error }

func (e unsentError) Unwrap() error { return e.error }

// unsent says whether the server cannot have seen the statement.
func unsent(err error) bool {
	var none unsentError
	var connect *pgconn.ConnectError
	return errors.As(err, &none) || errors.As(err, &connect) || pgconn.SafeToRetry(err)
}

// outcome is what a change returns for an error of the server.
func outcome(err error) error {
	if judge(err) == unknown {
		return explain(err)
	}
	return notAppended(explain(err))
}

func notAppended(err error) error { return fmt.Errorf("%w: %w", budget.ErrNotAppended, err) }

// remedies say what to do about a code.
var remedies = map[string]string{
	"42501": "the user may not use schema equipoise; grant the rights in the documentation of this package",
	"53100": "the server has no space left; make room and try again",
	"53300": "the server has no connection left; give the pool fewer, or the server more, and try again",
	"25006": readOnly,
	"55P03": "the lock on the account was not had within lock_timeout; try again, or set it higher",
	"57014": "the statement was cancelled, by somebody or by statement_timeout; try again, or set it higher",
	"57P03": "the server is starting or stopping; try again",
}

const readOnly = "the server is read-only, perhaps a standby; to spend, connect to the primary"

// explain adds what to do to an error of the server.
func explain(err error) error {
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		err = unreachedError{err}
	}
	var e *pgconn.PgError
	if errors.As(err, &e) && remedies[e.Code] != "" {
		return fmt.Errorf("postgres: %s: %w", remedies[e.Code], err)
	}
	return prefixed(err)
}

// An unreachedError is that there is no connection to the server. It may be for want of
// a file, the server's socket, which must not be taken for the want of a ledger.
type unreachedError struct{ cause error }

func (e unreachedError) Error() string      { return e.cause.Error() }
func (e unreachedError) As(target any) bool { return errors.As(e.cause, target) }
func (e unreachedError) Is(target error) bool {
	return target != fs.ErrNotExist && target != fs.ErrExist && errors.Is(e.cause, target)
}

func prefixed(err error) error {
	if err == nil || own(err) {
		return err
	}
	return fmt.Errorf("postgres: %w", err)
}

// A ruleError is one that this package made, and whose text is complete.
type ruleError struct {
	text  string
	cause error
}

func (e *ruleError) Error() string { return e.text }
func (e *ruleError) Unwrap() error { return e.cause }

func own(err error) bool {
	var e *ruleError
	return errors.As(err, &e)
}

func rule(cause error, format string, args ...any) error {
	return &ruleError{"postgres: " + fmt.Sprintf(format, args...), cause}
}
