package main

import (
	"crypto/rand"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strconv"
)

// A ride is a row of a bicycle hire.
type ride struct {
	rider   uint64
	city    string
	minutes float64
}

var cities = []string{"Bern", "Graz", "Lyon"}

// madeUp makes rides up: of most riders more than the caps let count, in more cities.
func madeUp(n int) (rows []ride) {
	for i := range n {
		rows = append(rows, ride{uint64(i * i % 997), cities[i%7%3], float64(i * 31 % 90)})
	}
	return rows
}

// split writes the rows of each shard to a file of its own, as an engine would that
// partitions a table.
func split(q question, folder string, rows []ride) error {
	shardOf, err := q.plan.ShardOf("env:"+secretName, shards)
	if err != nil {
		return err
	}
	own := make([][][]string, shards)
	for i, line := range linesOf(rows) {
		at := shardOf(rows[i].rider)
		own[at] = append(own[at], line)
	}
	var errs []error
	for i, lines := range own {
		errs = append(errs, writeCSV(rowsFile(folder, i), lines))
	}
	return errors.Join(errs...)
}

func linesOf(rows []ride) (lines [][]string) {
	for _, r := range rows {
		lines = append(lines, []string{strconv.FormatUint(r.rider, 10), r.city, strconv.FormatFloat(r.minutes, 'g', -1, 64)})
	}
	return lines
}

func rowsFile(folder string, shard int) string {
	return filepath.Join(folder, fmt.Sprintf("rows-%d.csv", shard))
}

func writeCSV(path string, lines [][]string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(csv.NewWriter(f).WriteAll(lines), f.Close())
}

// read yields the rides of a file. A line that is no ride is an error that does not show it.
func read(from io.Reader) iter.Seq2[ride, error] {
	return func(yield func(ride, error) bool) {
		lines := csv.NewReader(from)
		lines.FieldsPerRecord = 3
		for n := 1; ; n++ {
			fields, err := lines.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			var r ride
			if err == nil {
				r.city = fields[1]
				var err1, err2 error
				r.rider, err1 = strconv.ParseUint(fields[0], 10, 64)
				r.minutes, err2 = strconv.ParseFloat(fields[2], 64)
				err = errors.Join(err1, err2)
			}
			if err != nil {
				yield(ride{}, fmt.Errorf("line %d is no ride", n))
				return
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// newSecret draws the secret of a release and leaves it where this process and its workers look.
func newSecret() error {
	secret := make([]byte, 32)
	rand.Read(secret) // never fails
	return os.Setenv(secretName, hex.EncodeToString(secret))
}
