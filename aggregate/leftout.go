package aggregate

import (
	"context"
	"errors"
	"iter"
	"time"
)

// A LeftOutUnit is a unit that a consent leaves out. It is private, and so is how many there are.
type LeftOutUnit[Unit comparable] struct {
	Unit Unit
	at   time.Time // of one of its rows, where rows are forgotten
}

func (LeftOutUnit[Unit]) leftOut() {}

// asksWhoIsLeftOut reports whether rows are units that a consent leaves out, so that how many there are is
// told from how many units there are: in the ledger, and under a request key.
func asksWhoIsLeftOut[Row any]() bool {
	_, ok := any(*new(Row)).(interface{ leftOut() })
	return ok
}

// LeftOutQuery is the question how many units the query's Consent leaves out: a question of its
// own, whose answer has noise and is paid for like any other. Ask it for its Units, of the rows that [Query.LeftOut]
// yields, under a purpose of its own. It has the Retention of q and no Consent, groups, or values, so a
// policy allows it where its purpose asks for no consent.
func (q *Query[Row, Unit, Group]) LeftOutQuery() *Query[LeftOutUnit[Unit], Unit, string] {
	of := &Query[LeftOutUnit[Unit], Unit, string]{
		Dataset: q.Dataset, UnitName: q.UnitName, UnitIsEvent: q.UnitIsEvent, MaxGroups: 1, MaxRowsPerGroup: 1,
		Unit: func(l LeftOutUnit[Unit]) Unit { return l.Unit },
	}
	if q.Retention != nil {
		of.Retention = &Retention[LeftOutUnit[Unit]]{Days: q.Retention.Days, Time: func(l LeftOutUnit[Unit]) time.Time { return l.at }}
	}
	return of
}

// LeftOut yields the units of rows that the query's Consent leaves out, each once: who said no, or
// with OptIn did not say yes. Rows that its Retention leaves out are not looked at.
//
// Privacy: whether a unit is among them depends on its own rows and its own choice alone,
// so data that differ by one unit, or by what one unit said, give rows that differ by at
// most one unit: docs/proofs/consent.md. Who they are is private. Do not show what LeftOut yields, nor count
// it by hand.
func (q *Query[Row, Unit, Group]) LeftOut(ctx context.Context, rows iter.Seq2[Row, error]) iter.Seq2[LeftOutUnit[Unit], error] {
	return func(yield func(LeftOutUnit[Unit], error) bool) {
		var none LeftOutUnit[Unit]
		if err := q.checkLeftOut(rows == nil); err != nil {
			yield(none, err)
			return
		}
		at := func(Row) time.Time { return time.Time{} }
		if q.Retention != nil {
			rows, at = q.Retention.recent(time.Now(), rows), q.Retention.Time
		}
		seen := map[Unit]bool{}
		for row, err := range heard(ctx, q.Consent, true, q.Unit, rows) {
			if err != nil {
				yield(none, err)
				return
			}
			u := q.Unit(row)
			if seen[u] {
				continue
			}
			if seen[u] = true; !yield(LeftOutUnit[Unit]{u, at(row)}, nil) {
				return
			}
		}
	}
}

func (q *Query[Row, Unit, Group]) checkLeftOut(noRows bool) error {
	if q.Consent == nil || q.Unit == nil || noRows {
		return errors.New("aggregate: LeftOut needs a query with Consent and Unit, and rows; one of them is nil")
	}
	return errors.Join(q.Consent.check(), q.Retention.check())
}
