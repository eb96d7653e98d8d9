package postgres

import (
	"context"
	"math"

	"github.com/equipoise-dp/equipoise/budget"
)

// durable is a condition that is true, and makes the commit of the statement
// that has it wait for the disk, whatever the session's default is.
const durable = `set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, true) IS NOT NULL`

// One statement is one transaction and one round trip. Whoever counts first
// holds the row of the account until its commit; who waited finds another count.
const (
	countFirst = `INSERT INTO equipoise.accounts (account, records) SELECT $1, cardinality($3::bytea[]) WHERE $2::bigint = 0 AND ` + durable + ` ON CONFLICT DO NOTHING RETURNING account`
	countNext  = `UPDATE equipoise.accounts SET records = records + cardinality($3::bytea[]) WHERE account = $1 AND records = $2::bigint AND ` + durable + ` RETURNING account`
	keep       = `INSERT INTO equipoise.releases (account, seq, data, version) SELECT account, seq, data, $6 FROM counted, unnest($4::bigint[], $5::bytea[]) AS r (seq, data)`
	add        = ` INSERT INTO equipoise.records (account, seq, data, version) SELECT account, $2 + i - 1, data, $6 FROM counted, unnest($3::bytea[]) WITH ORDINALITY AS u (data, i)`

	appendFirst = `WITH counted AS (` + countFirst + `), kept AS (` + keep + `)` + add
	appendNext  = `WITH counted AS (` + countNext + `), kept AS (` + keep + `)` + add
)

// Append implements [budget.Store] with one statement for all records.
func (s *Store) Append(ctx context.Context, account string, records ...budget.Record) error {
	if len(records) == 0 {
		return nil
	}
	if s.behind.Load() {
		if err := s.Writable(ctx); err != nil {
			return err
		}
	}
	data := make([][]byte, len(records))
	beside, releases := []int64{}, [][]byte{}
	for i, r := range records {
		if want := records[0].Seq + uint64(i); r.Seq != want || want > math.MaxInt64 {
			return rule(budget.ErrConflict, "record number is %d after %d records from %d: %v", r.Seq, i, records[0].Seq, budget.ErrConflict)
		}
		data[i] = blob(r.Data)
		if r.Release != nil {
			beside, releases = append(beside, int64(r.Seq)), append(releases, r.Release)
		}
	}
	query := appendNext
	if records[0].Seq == 0 {
		query = appendFirst
	}
	tag, err := s.write(ctx, query, account, int64(records[0].Seq), data, beside, releases, len(versions))
	switch {
	case duplicate(err) || err == nil && tag.RowsAffected() == 0:
		return rule(budget.ErrConflict, "record %d of account %q: %v", records[0].Seq, account, budget.ErrConflict)
	case err != nil:
		return outcome(err)
	}
	return nil
}

// blob makes of nil what the driver does not take for NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
