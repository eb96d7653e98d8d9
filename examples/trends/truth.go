package main

import (
	"iter"
	"math"
	"slices"

	"github.com/equipoise-dp/equipoise/aggregate/rows"
)

// An exactCell holds what the units of a cell spent, without noise, clamps or
// caps. Only -truth makes one, and only of public data.
type exactCell map[rows.ID]*exactUnit

type exactUnit struct {
	rows  int
	value float64
}

// exactly reads the exact cells.
func exactly(rows iter.Seq2[row, error]) (map[slot]exactCell, error) {
	cells := make(map[slot]exactCell)
	for r, err := range rows {
		if err != nil {
			return nil, err
		}
		c := cells[r.Slot]
		if c == nil {
			c = make(exactCell)
			cells[r.Slot] = c
		}
		if c[r.Unit] == nil {
			c[r.Unit] = new(exactUnit)
		}
		c[r.Unit].rows++
		c[r.Unit].value += r.Value
	}
	return cells, nil
}

func (c exactCell) units() int { return len(c) }

func (c exactCell) rows() int {
	n := 0
	for _, u := range c {
		n += u.rows
	}
	return n
}

// values returns the values of the units, sorted, in whole cents.
func (c exactCell) values() []float64 {
	var values []float64
	for _, u := range c {
		values = append(values, math.Round(u.value*100)/100)
	}
	slices.Sort(values)
	return values
}

func (c exactCell) total() float64 {
	sum := 0.0
	for _, v := range c.values() {
		sum += v
	}
	return sum
}

func (c exactCell) mean() float64 { return c.total() / float64(max(len(c), 1)) }

// quantile returns the smallest value that at least this share of the units does
// not exceed.
func (c exactCell) quantile(rank float64) float64 {
	values := c.values()
	if len(values) == 0 {
		return 0
	}
	return values[max(int(math.Ceil(rank*float64(len(values)))), 1)-1]
}
