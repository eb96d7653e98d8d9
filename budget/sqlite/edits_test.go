package sqlite_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/budgettest"
	"github.com/equipoise-dp/equipoise/budget/sqlite"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// placed is a store, and where it is.
type placed struct {
	*sqlite.Store
	path string
}

// Edits that leave nothing to be found but the chain: rows and their sums, counts and
// triggers are as if the ledger had never been otherwise.
func TestRandomEditsOfRowsAreFound(t *testing.T) {
	budgettest.TestEdits(t, budgettest.Edits{
		Open: func(t *testing.T) budget.Store {
			path := filepath.Join(t.TempDir(), "ledger.db")
			s, err := sqlite.Create(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			return placed{s, path}
		},
		Rewrite: func(t *testing.T, s budget.Store, account string, records []budget.Record) {
			rewrite(t, s.(placed).path, account, records)
		},
		Times: times(40, 1000),
	})
}

func rewrite(t *testing.T, path, account string, records []budget.Record) {
	t.Helper()
	db := raw(t, path)
	defer db.Close()
	triggers := dropTriggers(t, db)
	do(t, db, "DELETE FROM records WHERE account = ?", account)
	do(t, db, "DELETE FROM releases WHERE account = ?", account)
	for _, r := range records {
		do(t, db, "INSERT INTO records VALUES (?, ?, ?)", account, r.Seq, r.Data)
		if r.Release != nil {
			do(t, db, "INSERT INTO releases VALUES (?, ?, ?, ?)", account, r.Seq, r.Release, sqlite.Sum(account, r.Seq, r.Release))
		}
	}
	recount(t, db)
	for _, trigger := range triggers {
		do(t, db, trigger)
	}
}

// dropTriggers drops every trigger and returns what makes it.
func dropTriggers(t *testing.T, db *sql.DB) (all []string) {
	t.Helper()
	names := map[string]string{}
	rows, err := db.Query("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			t.Fatal(err)
		}
		names[name] = text
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		t.Fatal(err)
	}
	for name := range names {
		do(t, db, "DROP TRIGGER "+name)
	}
	return slices.Sorted(maps.Values(names))
}

// recount makes the counts fit the rows.
func recount(t *testing.T, db *sql.DB) {
	t.Helper()
	do(t, db, `UPDATE accounts SET records = (SELECT count(*) FROM records r WHERE r.account = accounts.account),
		releases = (SELECT count(*) FROM releases r WHERE r.account = accounts.account)`)
	do(t, db, "UPDATE ledger SET changes = (SELECT sum(records + releases) FROM accounts)")
}

func do(t *testing.T, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.Exec(query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// Statements of somebody with a SQL prompt, who puts back some of what he took away,
// and bits of the file: whatever is not found when the ledger is opened and verified
// with an anchor has changed no record and no release.
func TestRandomStatementsAndBitsAreFound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	s, err := sqlite.Create(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	anchor, want := paidAndKept(t, s), dump(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole := snapshot(t, path)
	r := rand.New(rand.NewPCG(3, 4))
	found, bits := 0, 0
	edits := times(40, 1000)
	for i := range edits {
		path := filepath.Join(t.TempDir(), "ledger.db")
		name := "a bit of the file"
		if err := whole.write(path); err != nil {
			t.Fatal(err)
		}
		if r.IntN(4) == 0 {
			b := bytes.Clone(whole[""])
			at := r.IntN(len(b))
			for b[at] == 0 { // most of these are room for more
				at = r.IntN(len(b))
			}
			b[at] ^= 1 << r.IntN(8)
			write(t, path, b)
			bits++
		} else {
			name = statement(t, r, path)
		}
		got, err := verified(t, path, anchor)
		switch {
		case err != nil:
			found++
		case !slices.EqualFunc(got, want, func(a, b budget.Record) bool {
			return a.Seq == b.Seq && bytes.Equal(a.Data, b.Data) && bytes.Equal(a.Release, b.Release)
		}):
			t.Errorf("edit %d, %s, is not found", i, name)
		case name != "a bit of the file":
			t.Errorf("edit %d, %s, is not found, and should be", i, name)
		}
	}
	t.Logf("%d of %d edits were found, %d of which are bits of the file; the others changed nothing that is read", found, edits, bits)
}

// paidAndKept fills a ledger and returns its anchor.
func paidAndKept(t *testing.T, s budget.Store) budget.Anchor {
	t.Helper()
	a, err := budget.Create(t.Context(), s, budget.Terms{Dataset: "visits", Unit: "patient", Limit: dp.Pure{Epsilon: 10}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 6 {
		l := dp.Pure{Epsilon: 0.5}
		c := dp.Charge{
			Dataset: "visits", Unit: "patient", Purpose: "test", Key: fmt.Sprint("k", i), Loss: l,
			Events: []dp.Event{{Mechanism: dp.Declared, Count: 1, Epsilon: exact.Decimal(l.Epsilon)}},
		}
		if _, err := a.Once(t.Context(), c, func() ([]byte, error) { return fmt.Append(nil, "about ", 40+i), nil }); err != nil {
			t.Fatal(err)
		}
	}
	anchor, err := a.Anchor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return anchor
}

func dump(t *testing.T, s budget.Store) (all []budget.Record) {
	t.Helper()
	for r, err := range s.Read(t.Context(), "visits", 0) {
		if err == nil {
			r.Release, err = s.Kept(t.Context(), "visits", r.Seq)
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// verified opens and verifies a ledger, and returns what is in it.
func verified(t *testing.T, path string, anchor budget.Anchor) ([]budget.Record, error) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	a, err := budget.Open(t.Context(), s, "visits", anchor)
	if err == nil {
		_, err = a.Verify(t.Context(), anchor)
	}
	if err != nil {
		return nil, err
	}
	return dump(t, s), nil
}

// statement does to a ledger what its triggers forbid, and says what it did.
func statement(t *testing.T, r *rand.Rand, path string) string {
	t.Helper()
	db := raw(t, path)
	defer db.Close()
	triggers := dropTriggers(t, db)
	paid, kept := 1+2*r.IntN(6), 2+2*r.IntN(6)
	other := 1 + (paid+1)%12
	query := []string{
		fmt.Sprintf("DELETE FROM records WHERE seq = %d", paid),
		fmt.Sprintf("DELETE FROM records WHERE seq >= %d", paid),
		fmt.Sprintf("DELETE FROM releases WHERE seq = %d", kept),
		"DELETE FROM releases",
		fmt.Sprintf("UPDATE records SET data = CAST(replace(CAST(data AS TEXT), '\"epsilon\":\"0.5\"', '\"epsilon\":\"0.1\"') AS BLOB) WHERE seq = %d", paid),
		"UPDATE records SET data = CAST(replace(CAST(data AS TEXT), '\"epsilon\":\"10\"', '\"epsilon\":\"99\"') AS BLOB) WHERE seq = 0",
		fmt.Sprintf("UPDATE records SET data = (SELECT data FROM records WHERE seq = %d) WHERE seq = %d", other, paid),
		fmt.Sprintf("UPDATE releases SET data = CAST('about %d' AS BLOB) WHERE seq = %d", 50+r.IntN(9), kept),
		fmt.Sprintf("UPDATE releases SET (data, sum) = (SELECT data, sum FROM releases WHERE seq = %d) WHERE seq = %d", 2+kept%12, kept),
		fmt.Sprintf("UPDATE releases SET seq = %d WHERE seq = %d", paid, kept),
		fmt.Sprintf("UPDATE records SET seq = 99 WHERE seq = %d", paid),
		fmt.Sprintf("UPDATE records SET account = 'visit' WHERE seq = %d", paid),
		"UPDATE records SET account = 'visit'",
		fmt.Sprintf("INSERT INTO releases VALUES ('visits', %d, CAST('about 7' AS BLOB), x'00')", paid),
		fmt.Sprintf("INSERT INTO records SELECT account, 13, data FROM records WHERE seq = %d", paid),
	}[r.IntN(15)]
	do(t, db, query)
	if r.IntN(2) == 0 {
		query += "; sums"
		resum(t, db)
	}
	if r.IntN(2) == 0 {
		query += "; counts"
		do(t, db, "INSERT INTO accounts SELECT DISTINCT account, 0, 0 FROM records WHERE account NOT IN (SELECT account FROM accounts)")
		recount(t, db)
	}
	if r.IntN(4) > 0 {
		query += "; triggers"
		for _, trigger := range triggers {
			do(t, db, trigger)
		}
	}
	return query
}

// resum makes the sums of releases anew.
func resum(t *testing.T, db *sql.DB) {
	t.Helper()
	rows, err := db.Query("SELECT account, seq, data FROM releases")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []budget.Record
	for rows.Next() {
		var account string
		var r budget.Record
		if err := rows.Scan(&account, &r.Seq, &r.Data); err != nil {
			t.Fatal(err)
		}
		r.Release = sqlite.Sum(account, r.Seq, r.Data)
		all = append(all, r)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		do(t, db, "UPDATE releases SET sum = ? WHERE seq = ?", r.Release, r.Seq)
	}
}
