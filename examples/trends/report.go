package main

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
)

// A report is what is shown, in whatever form. All of it but Balance and Exact
// follows from the release.
type report struct {
	*options
	Quantities []quantity
	Groups     []group
	Receipt    aggregate.Receipt
	Threshold  float64 // units from which on a cell is surely shown, or 0
	Offers     []offer // what other caps would give
	Balance    balance
	Again      bool // whether the release was kept from before
}

// A group is the cells of one group in the order of time. Without -by there is
// one, without a name.
type group struct {
	Name     string
	Rows     []cells
	Together []*figure // of all rows, in the order of the quantities; nil of what does not add up
}

// Cells are the numbers of one period and group, in the order of the quantities.
type cells struct {
	Period  string
	Figures []figure
	Changes []change  // from the period before; nil if that is not shown
	Exact   []float64 // only with -truth
}

// report puts the report together.
func (o *options) report(q *question, r *aggregate.Release[slot], left balance, again bool) (*report, error) {
	rep := &report{options: o, Quantities: q.quantities, Receipt: r.Receipt(), Balance: left, Again: again}
	_, rep.Threshold = q.plan.Threshold()
	rep.Offers = o.offers(q)
	exact, err := o.exact()
	if err != nil {
		return nil, err
	}
	for _, s := range byGroup(r) {
		cell, _ := r.Cell(s)
		c := cells{Period: s.Period}
		for _, quantity := range q.quantities {
			c.Figures = append(c.Figures, quantity.of(cell))
			if exact != nil {
				c.Exact = append(c.Exact, quantity.exact(exact[s]))
			}
		}
		g := rep.group(s.Group)
		g.Rows = append(g.Rows, c)
	}
	for i := range rep.Groups {
		if err := q.together(r, &rep.Groups[i]); err != nil {
			return nil, err
		}
	}
	rep.judge(r)
	return rep, nil
}

// judge compares every cell with that of the period before it. All are judged
// together, so it takes their number first.
func (r *report) judge(released *aggregate.Release[slot]) {
	quantiles, pairs := 0, 0
	for _, q := range r.Quantities {
		if q.Quantile {
			quantiles++
		}
	}
	eachPair := func(do func(g *group, n int)) {
		for i := range r.Groups {
			for n := 1; n < len(r.Groups[i].Rows); n++ {
				if g := &r.Groups[i]; r.Period.follows(g.Rows[n].Period, g.Rows[n-1].Period) {
					do(g, n)
				}
			}
		}
	}
	eachPair(func(*group, int) { pairs++ })
	j := newJury(pairs*len(r.Quantities), pairs*quantiles)
	eachPair(func(g *group, n int) {
		before, _ := released.Cell(slot{g.Rows[n-1].Period, g.Name})
		after, _ := released.Cell(slot{g.Rows[n].Period, g.Name})
		for _, q := range r.Quantities {
			g.Rows[n].Changes = append(g.Rows[n].Changes, j.compare(q, before, after))
		}
	})
}

// byGroup returns the released cells group by group, each in the order of time.
func byGroup(r *aggregate.Release[slot]) []slot {
	var all []slot
	for s := range r.All() {
		all = append(all, s)
	}
	slices.SortStableFunc(all, func(a, b slot) int {
		if c := strings.Compare(a.Group, b.Group); c != 0 {
			return c
		}
		return strings.Compare(a.Period, b.Period)
	})
	return all
}

// group returns the group of a name, and makes it if there is none yet.
func (r *report) group(name string) *group {
	if n := len(r.Groups); n == 0 || r.Groups[n-1].Name != name {
		r.Groups = append(r.Groups, group{Name: name})
	}
	return &r.Groups[len(r.Groups)-1]
}

// exact returns the exact cells if -truth asks for them.
func (o *options) exact() (map[slot]exactCell, error) {
	if !o.Truth {
		return nil, nil
	}
	in, err := o.open(context.Background(), nil, io.Discard)
	if err != nil {
		return nil, err
	}
	return exactly(in.rows)
}

//go:embed report.html
var page string

// html renders the report as one self-contained page.
func (r *report) html() ([]byte, error) {
	t, err := template.New("report").Funcs(template.FuncMap{
		"title": title, "count": count, "grouped": grouped,
		"short": r.Period.short, "words": r.Period.words,
		"day": func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") },
	}).Parse(page)
	if err != nil {
		return nil, fmt.Errorf("internal error: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, r); err != nil {
		return nil, fmt.Errorf("internal error: %w", err)
	}
	return b.Bytes(), nil
}
