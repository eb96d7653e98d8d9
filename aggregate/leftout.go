package aggregate

import (
	"context"
	"errors"
	"iter"
)

// LeftOut yields the units of rows that a consent leaves out, each once: who said no, or
// with OptIn did not say yes. They are rows of a question of its own, how many opt-outs
// were honoured, whose answer has noise and is paid for like any other. Give it a query
// whose rows are units, without a Consent, under a purpose of its own. Rows that are too old are no
// business of it: leave them out before.
//
// Privacy: whether a unit is among them depends on its own rows and its own choice alone,
// so data that differ by one unit, or by what one unit said, give rows that differ by at
// most one unit: docs/proofs/consent.md. Who they are is private. Do not show what LeftOut yields, nor count
// it by hand.
func LeftOut[Row any, Unit comparable](ctx context.Context, c *Consent[Unit], unit func(Row) Unit, rows iter.Seq2[Row, error]) iter.Seq2[Unit, error] {
	return func(yield func(Unit, error) bool) {
		var none Unit
		if c == nil || unit == nil || rows == nil {
			yield(none, errors.New("aggregate: LeftOut needs a consent, a function that tells the unit of a row, and rows; one of them is nil"))
			return
		}
		if err := c.check(); err != nil {
			yield(none, err)
			return
		}
		seen := map[Unit]bool{}
		for row, err := range heard(ctx, c, true, unit, rows) {
			if err != nil {
				yield(none, err)
				return
			}
			u := unit(row)
			if seen[u] {
				continue
			}
			if seen[u] = true; !yield(u, nil) {
				return
			}
		}
	}
}
