// Package contest is what programs that compare engines have in common: the work, what is
// measured of it, and Equipoise's own part. It is shared with examples/bench/others, a module
// of its own.
package contest

import (
	"context"
	"fmt"
)

// A Work is one engine on one set of columns, with so many workers.
type Work struct {
	Columns, Engine string
	Workers         int
}

// An Input is what all engines read.
type Input struct {
	Rows  int
	Shape string // of package sales
}

// The sets of columns.
const (
	Sums      = "count, sum, mean"
	Quantiles = "count, sum, mean, p50, p95"
)

func (w Work) String() string { return fmt.Sprintf("%s/%s/%d", w.Columns, w.Engine, w.Workers) }

// Parts gives each worker its share of rows.
func Parts[Row any](w Work, rows []Row) (parts [][]Row) {
	for i := range w.Workers {
		parts = append(parts, rows[i*len(rows)/w.Workers:(i+1)*len(rows)/w.Workers])
	}
	return parts
}

// An Answer reads all rows, answers, and returns how many groups it shows.
type Answer func(context.Context) (groups int, err error)

// A Result is what one engine took for one work.
type Result struct {
	Engine  string  `json:"engine"`
	Columns string  `json:"columns"`
	Rows    int     `json:"rows"`
	Workers int     `json:"workers"`
	Wall    float64 `json:"wall_s"`
	CPU     float64 `json:"cpu_ns_row"`
	Speed   float64 `json:"rows_s"`
	Peak    int64   `json:"peak_rss_bytes"`   // above that of the input
	Ratio   float64 `json:"ratio,omitempty"`  // of CPU, to the map of the same columns and rows
	Growth  float64 `json:"growth,omitempty"` // of CPU a row, to the same work on the fewest rows
}
