package aggregate

import (
	"errors"
	"fmt"
	"iter"
	"time"
)

// A Retention says for how long rows count: those that are more than so many days old at the
// start of a run, by their own time, are left out before anything is counted. Days are
// those of UTC, so when a run was made tells the first day that counted.
type Retention[Row any] struct {
	Time func(Row) time.Time
	Days int
}

// check returns every mistake, joined.
func (r *Retention[Row]) check() error {
	if r == nil {
		return nil
	}
	var errs []error
	if r.Time == nil {
		errs = append(errs, errors.New("aggregate: Query.Retention.Time is nil; it must say when a row is of"))
	}
	if r.Days < 1 {
		errs = append(errs, fmt.Errorf("aggregate: Query.Retention.Days is %d, must be at least 1", r.Days))
	}
	return errors.Join(errs...)
}

// first returns when the first day begins whose rows count.
func (r *Retention[Row]) first(now time.Time) time.Time {
	return now.UTC().Truncate(24*time.Hour).AddDate(0, 0, -r.Days)
}

// recent yields the rows that count.
func (r *Retention[Row]) recent(now time.Time, rows iter.Seq2[Row, error]) iter.Seq2[Row, error] {
	first := r.first(now)
	return func(yield func(Row, error) bool) {
		for row, err := range rows {
			if (err != nil || !r.Time(row).Before(first)) && !yield(row, err) {
				return
			}
		}
	}
}
