package aggregate

import (
	"fmt"
	"slices"
	"time"
)

// What units said, and which rows are not too old, is found out when rows are collected. Sums do
// not tell any more whose they are, so nobody can be asked anew: a Partial of a query with
// Consent or Retention counts for a day, and is then to be collected again.

// countsFor is how long after collecting began a Partial can be released, where units were asked
// or rows forgotten.
const countsFor = 24 * time.Hour

// dates reports whether what is collected counts for a time only.
func (q *Query[Row, Unit, Group]) dates() bool { return q.Consent != nil || q.Retention != nil }

// checkDated returns an error if a Partial is too old to be released. It depends on when
// collecting began, and on no row.
func checkDated[Group comparable](partials []*partial[Group], now time.Time) error {
	for i, p := range partials {
		if age := now.Sub(p.dated); !p.dated.IsZero() && (age > countsFor || age < -countsFor) {
			return fmt.Errorf("aggregate: Partial %d was collected from %s on, and where a query has Consent or Retention one can be released for %v: units may have said no since, and rows become too old; collect again",
				i, p.dated.UTC().Format(time.DateTime), countsFor)
		}
	}
	return nil
}

// earliest returns when collecting the first of several began.
func earliest[Group comparable](partials []*partial[Group]) time.Time {
	return slices.MinFunc(partials, func(a, b *partial[Group]) int { return a.dated.Compare(b.dated) }).dated
}
