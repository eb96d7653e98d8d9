package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
)

// A stretchOfTime is what one line of the numbers of a series is about: a view, such as
// "week" or "to date", and periods.
type stretchOfTime struct {
	view     string
	from, to int
}

// stretchesOfTime returns all that are written: every period, every rolling window, what
// every quarter and, of several, every year has had so far, and the total to date at every period.
func (d *declared) stretchesOfTime() []stretchOfTime {
	var all []stretchOfTime
	for i := range d.through {
		all = append(all, stretchOfTime{string(d.Period), i, i + 1})
	}
	for i, n := 0, perWindow[d.Period]; i+n <= d.through; i++ {
		all = append(all, stretchOfTime{fmt.Sprintf("last %d %ss", n, d.Period), i, i + n})
	}
	for _, c := range d.calendarStretches() {
		if c.view != string(d.Period) {
			all = append(all, c)
		}
	}
	for i := range d.through {
		all = append(all, stretchOfTime{"to date", 0, i + 1})
	}
	return all
}

// perYear is how many periods make a year, or 52 weeks where those are what repeats.
var perYear = map[calendar]int{days: 364, weeks: 52, months: 12, quarters: 4}

// yearBefore returns the same stretch a year before, if the series has it and both are
// whole.
func (d *declared) yearBefore(s stretchOfTime) (stretchOfTime, bool) {
	n := perYear[d.Period]
	return stretchOfTime{s.view, s.from - n, s.to - n}, s.from >= n && s.view != "quarter" && s.view != "year" && s.view != "to date"
}

// A lineOfSeries is the numbers of a stretch and a group.
type lineOfSeries struct {
	stretchOfTime
	Group   string
	Figures []figure
	Year    []*figure // as a multiple of the same stretch a year before; nil where there is none
}

func (p *seriesPage) lines() ([]lineOfSeries, error) {
	groups := p.groups
	if p.By != "" {
		groups = append([]string{everything}, groups...)
	}
	var all []lineOfSeries
	for _, g := range groups {
		for _, s := range p.stretchesOfTime() {
			line, err := p.lineOf(g, s)
			if err != nil {
				return nil, err
			}
			all = append(all, line)
		}
	}
	return all, nil
}

func (p *seriesPage) lineOf(group string, s stretchOfTime) (lineOfSeries, error) {
	line := lineOfSeries{stretchOfTime: s, Group: p.nameOf(group)}
	cell, err := p.trend.Over(p.stretch(group, s.from, s.to))
	if err != nil {
		return line, err
	}
	before, whole := p.yearBefore(s)
	for _, q := range p.shown {
		line.Figures = append(line.Figures, figureOf(q.over(cell), single))
		var year *figure
		if whole && q.smooth != nil {
			e, err := q.ratio(p.trend, p.stretch(group, s.from, s.to), p.stretch(group, before.from, before.to))
			if err != nil {
				return line, err
			}
			f := figureOf(e, single)
			year = &f
		}
		line.Year = append(line.Year, year)
	}
	return line, nil
}

// dates returns the first and the last day of a stretch.
func (o *options) dates(s stretchOfTime) (first, last string) {
	from, to := o.Period.first(o.periods[s.from]), o.Period.first(o.periods[s.to-1])
	return from.Format(time.DateOnly), o.Period.next(to).AddDate(0, 0, -1).Format(time.DateOnly)
}

// csv writes a line for every stretch and group: the ends are those of 95 % intervals, each
// by itself, and _year columns are multiples of the same stretch a year before. What is
// unknown or has no limit is blank.
func (p *seriesPage) csv() ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	header := []string{"view", "from", "to", "group"}
	for _, q := range p.shown {
		name := inert(q.Name)
		header = append(header, name, name+"_low", name+"_high")
		if q.smooth != nil {
			header = append(header, name+"_year", name+"_year_low", name+"_year_high")
		}
	}
	w.Write(header)
	lines, err := p.lines()
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		first, last := p.dates(l.stretchOfTime)
		record := []string{l.view, first, last, inert(l.Group)}
		for i, f := range l.Figures {
			record = append(record, f.fields()...)
			if p.shown[i].smooth == nil {
				continue
			}
			if l.Year[i] == nil {
				record = append(record, "", "", "")
			} else {
				record = append(record, l.Year[i].fields()...)
			}
		}
		w.Write(record)
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return nil, fmt.Errorf("-csv: %w", err)
	}
	return b.Bytes(), nil
}

// fields returns a figure as CSV has it.
func (f figure) fields() []string {
	value := plain(f.Value)
	if f.Unknown {
		value = ""
	}
	return []string{value, plain(f.Low), plain(f.High)}
}

type seriesJSON struct {
	Dataset    string              `json:"dataset"`
	Series     string              `json:"series"`
	Confidence float64             `json:"confidence"`
	Released   int                 `json:"released"`
	Quantities []quantityJSON      `json:"quantities"`
	Lines      []lineJSON          `json:"lines"`
	Cost       dp.Loss             `json:"cost"`
	Left       dp.Loss             `json:"left"`
	Receipts   []aggregate.Receipt `json:"receipts"`
}

type lineJSON struct {
	View    string                      `json:"view"`
	From    string                      `json:"from"`
	To      string                      `json:"to"`
	Group   string                      `json:"group,omitempty"`
	Numbers map[string]seriesNumberJSON `json:"numbers"`
}

type seriesNumberJSON struct {
	figureJSON
	Year *figureJSON `json:"year,omitempty"`
}

// json writes everything.
func (p *seriesPage) json() ([]byte, error) {
	j := seriesJSON{Dataset: p.Dataset, Series: p.Series, Confidence: single, Released: p.through,
		Cost: p.loss(), Left: p.left, Receipts: p.trend.Receipts(), Lines: []lineJSON{}}
	for _, q := range p.shown {
		j.Quantities = append(j.Quantities, quantityJSON{q.Name, q.Label, q.Note})
	}
	lines, err := p.lines()
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		first, last := p.dates(l.stretchOfTime)
		line := lineJSON{View: l.view, From: first, To: last, Group: l.Group, Numbers: make(map[string]seriesNumberJSON)}
		for i, f := range l.Figures {
			n := seriesNumberJSON{figureJSON: f.json()}
			if y := l.Year[i]; y != nil {
				year := y.json()
				n.Year = &year
			}
			line.Numbers[p.shown[i].Name] = n
		}
		j.Lines = append(j.Lines, line)
	}
	text, err := json.MarshalIndent(j, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("-json: %w", err)
	}
	return append(text, '\n'), nil
}
