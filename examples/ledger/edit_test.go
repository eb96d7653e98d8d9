package main

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"os"

	"modernc.org/sqlite"
)

// edit is somebody who holds a ledger's file, and leaves no trace that can be
// avoided: edit path statement… drops the triggers, runs the statements, makes the
// counts fit and puts the triggers back. In statements, sealed(record) is the
// record with its sum made anew, and summed(account, seq, release) is the sum beside a
// release.
func edit() {
	must(sqlite.RegisterDeterministicScalarFunction("sealed", 1, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		return sealed(args[0].([]byte))
	}))
	must(sqlite.RegisterDeterministicScalarFunction("summed", 3, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		return summed(args[0].(string), args[1].(int64), args[2].([]byte)), nil
	}))
	db, err := sql.Open("sqlite", os.Args[1])
	must(err)
	db.SetMaxOpenConns(1)
	triggers := dropped(db)
	for _, statement := range append(os.Args[2:],
		`UPDATE accounts SET records = (SELECT count(*) FROM records r WHERE r.account = accounts.account),
			releases = (SELECT count(*) FROM releases r WHERE r.account = accounts.account)`,
		"UPDATE ledger SET changes = (SELECT sum(records + releases) FROM accounts)") {
		_, err := db.Exec(statement)
		must(err)
	}
	for _, t := range triggers {
		_, err := db.Exec(t)
		must(err)
	}
	must(db.Close())
}

// dropped drops every trigger and returns what makes it.
func dropped(db *sql.DB) (all []string) {
	rows, err := db.Query("SELECT 'DROP TRIGGER ' || name, sql FROM sqlite_schema WHERE type = 'trigger'")
	must(err)
	var drops []string
	for rows.Next() {
		var drop, make string
		must(rows.Scan(&drop, &make))
		drops, all = append(drops, drop), append(all, make)
	}
	must(errors.Join(rows.Err(), rows.Close()))
	for _, d := range drops {
		_, err := db.Exec(d)
		must(err)
	}
	return all
}

func sealed(record []byte) ([]byte, error) {
	i := bytes.LastIndex(record, []byte(`,"sum":"`))
	if i < 0 {
		return nil, errors.New("a record without a sum")
	}
	open := append(bytes.Clone(record[:i]), '}')
	sum := sha256.Sum256(open)
	return append(open[:i:i], `,"sum":"`+hex.EncodeToString(sum[:])+`"}`...), nil
}

func summed(account string, seq int64, release []byte) []byte {
	h := sha256.New()
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(account))))
	h.Write([]byte(account))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(seq)))
	h.Write(release)
	return h.Sum(nil)
}
