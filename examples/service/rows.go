package main

import (
	"bytes"
	"context"
	"iter"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate/rows"
	"github.com/equipoise-dp/equipoise/examples/trends/data"
)

// A purchase is a row.
type purchase struct {
	Customer string    `rows:"customer"`
	Day      rows.Date `rows:"date"`
	CDs      int64     `rows:"cds"`
	Dollars  float64   `rows:"dollars"`
}

func (p purchase) time() time.Time {
	return time.Date(p.Day.Year, p.Day.Month, p.Day.Day, 0, 0, 0, 0, time.UTC)
}

// A source opens the rows anew, for every question.
type source func(context.Context) (iter.Seq2[purchase, error], error)

// purchases reads a file, or the purchases that are part of the program.
func purchases(path string) source {
	return func(ctx context.Context) (iter.Seq2[purchase, error], error) {
		if path == "" {
			return rows.Read[purchase](ctx, bytes.NewReader(data.Purchases), rows.Options{Name: "purchases"})
		}
		all, err := rows.Files[purchase](ctx, rows.Options{}, path)
		if err != nil {
			return nil, err
		}
		return all[0], nil
	}
}
