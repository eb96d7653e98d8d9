package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
)

// A seriesPage is what is shown of a series: everything that was released of it.
type seriesPage struct {
	*declared
	trend     *aggregate.Trend[string]
	left      dp.Loss
	Title     string
	Sentences []string // that a person would say aloud; three at the top
	Parts     []seriesPart
	Left      string // of the limit
}

// A seriesPart is one group, or all of them together.
type seriesPart struct {
	Name     string // "" if there is one group
	Charts   []seriesChart
	Calendar []seriesLine // quarters, or years
	Periods  []seriesLine
}

// A seriesLine is a line of a table.
type seriesLine struct {
	Name  string
	Cells []seriesCell
}

// A seriesCell is a number with its 95 % interval.
type seriesCell struct{ Value, Low, High string }

// A seriesChart is a number over time.
type seriesChart struct {
	Label, Note, Words, Year string
	High, From, To           string // what is at its top, and at its ends
	SVG                      template.HTML
}

// page puts the page together.
func (d *declared) page(t *aggregate.Trend[string], left dp.Loss) (*seriesPage, error) {
	names := make([]string, len(d.shown))
	for i, s := range d.shown {
		names[i] = strings.ToLower(s.Label)
	}
	p := &seriesPage{declared: d, trend: t, left: left, Left: loss(left),
		Title: fmt.Sprintf("%s: %s to %s", title(strings.Join(names, ", ")), d.Period.words(d.periods[0]), d.Period.words(d.periods[d.through-1]))}
	groups := d.groups
	if d.By != "" {
		groups = append([]string{everything}, groups...)
	}
	for n, g := range groups {
		part, sentences, err := d.part(t, g)
		if err != nil {
			return nil, err
		}
		p.Parts = append(p.Parts, part)
		if n == 0 {
			p.Sentences = sentences[:min(len(sentences), mostSaid)]
		}
	}
	return p, nil
}

// mostSaid is how many sentences are at the top of a page. The others are at their charts.
const mostSaid = 3

// everything stands for all groups together: no group of a file has this name, since
// names are tidied.
const everything = "\x00all"

// nameOf says which group it is.
func (o *options) nameOf(group string) string {
	switch {
	case o.By == "":
		return ""
	case group == everything:
		return "All together"
	case group == "":
		return "(empty)"
	}
	return group
}

// part works out the numbers of a group. Intervals of a chart hold together over it.
func (d *declared) part(t *aggregate.Trend[string], group string) (seriesPart, []string, error) {
	part := seriesPart{Name: d.nameOf(group)}
	var sentences []string
	together := dp.Jointly(0.95, d.comparisons())
	for _, s := range d.shown {
		words, err := d.comparison(t, s, group, together)
		if err != nil {
			return part, nil, err
		}
		year, err := d.yearly(t, s, group, together)
		if err != nil {
			return part, nil, err
		}
		sentences = append(sentences, words)
		var figures []figure
		for i := range d.through {
			cell, err := t.Over(d.stretch(group, i, i+1))
			if err != nil {
				return part, nil, err
			}
			figures = append(figures, figureOf(s.over(cell), dp.Jointly(0.95, d.through)))
		}
		smooth, err := d.smoothed(t, s, group)
		if err != nil {
			return part, nil, err
		}
		last := d.cell(s, figures[len(figures)-1])
		low, high := reach(figures)
		part.Charts = append(part.Charts, seriesChart{Label: s.Label, Note: s.Note, Words: words, Year: year,
			High: d.write(s.quantity, high), From: d.Period.short(d.periods[0]), To: d.Period.short(d.periods[d.through-1]) + ": " + last.Value,
			SVG: draw(s.Label, figures, smooth, low, high)})
	}
	for i := range d.through {
		line, err := d.line(t, d.Period.short(d.periods[i]), d.stretch(group, i, i+1))
		if err != nil {
			return part, nil, err
		}
		part.Periods = append(part.Periods, line)
	}
	err := d.calendarLines(t, group, &part)
	return part, sentences, err
}

// mostSmoothed is how many periods, the last ones, have a smoothed line, and leastSmoothed
// how many it takes to make one.
const leastSmoothed, mostSmoothed = 8, 400

// smoothed returns the smoothed line of the last periods.
func (d *declared) smoothed(t *aggregate.Trend[string], s shown, group string) ([]float64, error) {
	if s.smooth == nil || d.through < leastSmoothed {
		return nil, nil
	}
	return s.smooth(t, d.stretch(group, max(d.through-mostSmoothed, 0), d.through))
}

// comparisons returns how many sentences of a group hold together.
func (d *declared) comparisons() int {
	if d.hasYear() {
		return 2 * len(d.shown)
	}
	return len(d.shown)
}

// calendarLines adds the quarters that the series has had so far, the years if there are several, and the whole.
func (d *declared) calendarLines(t *aggregate.Trend[string], group string, part *seriesPart) error {
	for _, c := range d.calendarStretches() {
		line, err := d.line(t, d.nameOfCalendar(c), d.stretch(group, c.from, c.to))
		if err != nil {
			return err
		}
		part.Calendar = append(part.Calendar, line)
	}
	line, err := d.line(t, "to date", d.stretch(group, 0, d.through))
	part.Calendar = append(part.Calendar, line)
	return err
}

// calendarStretches returns the quarters and years that the series has had so far.
func (d *declared) calendarStretches() []stretchOfTime {
	all := d.runs("quarter", d.quarterOf)
	if d.yearOf(0) != d.yearOf(len(d.periods)-1) {
		all = append(all, d.runs("year", d.yearOf)...)
	}
	return all
}

// runs returns the stretches of released periods that have the same name.
func (d *declared) runs(view string, nameOf func(int) string) []stretchOfTime {
	var all []stretchOfTime
	for from, to := 0, 0; from < d.through; from = to {
		for to = from + 1; to < d.through && nameOf(to) == nameOf(from); {
			to++
		}
		all = append(all, stretchOfTime{view, from, to})
	}
	return all
}

// nameOfCalendar names a quarter or a year, of which more may be to come.
func (d *declared) nameOfCalendar(c stretchOfTime) string {
	nameOf, name := d.quarterOf, quarters.short(d.quarterOf(c.from))
	if c.view == "year" {
		nameOf, name = d.yearOf, d.yearOf(c.from)
	}
	if c.to == d.through && c.to < len(d.periods) && nameOf(c.to) == nameOf(c.from) {
		name += ", so far"
	}
	return name
}

// quarterOf returns the quarter of a period: that of its Thursday for a week.
func (d *declared) quarterOf(i int) string {
	first := d.Period.first(d.periods[i])
	if d.Period == weeks {
		first = first.AddDate(0, 0, 3)
	}
	return quarters.name(first)
}

// yearOf returns the year of a period, likewise.
func (d *declared) yearOf(i int) string {
	year, _, _ := strings.Cut(d.quarterOf(i), "-")
	return year
}

// line writes all numbers of a stretch.
func (d *declared) line(t *aggregate.Trend[string], name string, s aggregate.Stretch[string]) (seriesLine, error) {
	cell, err := t.Over(s)
	line := seriesLine{Name: name}
	if err != nil {
		return line, err
	}
	for _, shown := range d.shown {
		line.Cells = append(line.Cells, d.cell(shown, figureOf(shown.over(cell), single)))
	}
	return line, nil
}

func (d *declared) cell(s shown, f figure) seriesCell {
	c := seriesCell{d.write(s.quantity, f.Value), d.write(s.quantity, f.Low), d.write(s.quantity, f.High)}
	if f.Unknown {
		c.Value = "unknown"
	}
	return c
}

// comparison says how the last quarter's worth of periods differs from that before it.
func (d *declared) comparison(t *aggregate.Trend[string], s shown, group string, confidence float64) (string, error) {
	n := perQuarter[d.Period]
	if d.through < 2*n {
		return fmt.Sprintf("%s: not enough %ss yet to compare %s with those before.", s.Label, d.Period, d.lastQuarter()), nil
	}
	return d.against(t, s, group, n, "those before", confidence)
}

// yearly says how they differ from the same a year before: nothing, before there is one.
func (d *declared) yearly(t *aggregate.Trend[string], s shown, group string, confidence float64) (string, error) {
	if !d.hasYear() {
		return "", nil
	}
	return d.against(t, s, group, perYear[d.Period], "the same a year before", confidence)
}

// hasYear reports whether the last quarter's worth of periods has the same a year before.
func (d *declared) hasYear() bool { return d.through >= perQuarter[d.Period]+perYear[d.Period] }

func (d *declared) lastQuarter() string {
	return fmt.Sprintf("the last %s", count(perQuarter[d.Period], string(d.Period), string(d.Period)+"s"))
}

// against says how the last quarter's worth of periods differs from as many that were so
// much earlier.
func (d *declared) against(t *aggregate.Trend[string], s shown, group string, earlier int, what string, confidence float64) (string, error) {
	n, span := perQuarter[d.Period], d.lastQuarter()
	e, err := s.ratio(t, d.stretch(group, d.through-n, d.through), d.stretch(group, d.through-n-earlier, d.through-earlier))
	if err != nil {
		return "", err
	}
	lo, hi := e.Interval(confidence)
	percent := func(x float64) string { return grouped(math.Abs(100*x), 0) }
	switch {
	case e.Unknown || math.IsInf(hi, 1):
		return fmt.Sprintf("%s: the noise hides whether %s differ from %s.", s.Label, span, what), nil
	case lo > 1:
		return fmt.Sprintf("%s rose by %s %% (%s to %s) in %s, against %s.", s.Label, percent(e.Value-1), percent(lo-1), percent(hi-1), span, what), nil
	case hi < 1:
		return fmt.Sprintf("%s fell by %s %% (%s to %s) in %s, against %s.", s.Label, percent(1-e.Value), percent(1-hi), percent(1-lo), span, what), nil
	}
	return fmt.Sprintf("%s: no clear change in %s, against %s (between %s%s %% and +%s %%).", s.Label, span, what, minus, percent(1-lo), percent(hi-1)), nil
}

// reach returns the lowest and the highest of what is drawn.
func reach(figures []figure) (low, high float64) {
	for _, f := range figures {
		low, high = min(low, visible(f.Low, f.Value)), max(high, visible(f.High, f.Value))
	}
	return low, max(high, low+1)
}

// draw draws a line with its band, and the smoothed line of the last periods. What is at its ends is
// written beside it, where letters do not shrink with it.
func draw(label string, figures []figure, smooth []float64, low, high float64) template.HTML {
	const width, height, edge = 640.0, 180.0, 4.0
	x := func(i int) float64 {
		return edge + (width-2*edge)*float64(i)/float64(max(len(figures)-1, 1))
	}
	y := func(v float64) float64 {
		return edge + (high-min(max(v, low), high))/(high-low)*(height-2*edge)
	}
	var line, upper, lower, dashed strings.Builder
	for i, f := range figures {
		fmt.Fprintf(&line, "%.1f,%.1f ", x(i), y(f.Value))
		fmt.Fprintf(&upper, "%.1f,%.1f ", x(i), y(f.High))
	}
	for i := len(figures) - 1; i >= 0; i-- {
		fmt.Fprintf(&lower, "%.1f,%.1f ", x(i), y(figures[i].Low))
	}
	for i, v := range smooth {
		fmt.Fprintf(&dashed, "%.1f,%.1f ", x(len(figures)-len(smooth)+i), y(v))
	}
	var b strings.Builder
	name := template.HTMLEscapeString(label)
	fmt.Fprintf(&b, `<svg viewBox="0 0 %g %g" role="img"><title>%s over time</title><desc>A line with the band that the noise leaves; the same numbers are in the tables.</desc>`, width, height, name)
	fmt.Fprintf(&b, `<line class="zero" x1="%g" x2="%g" y1="%.1f" y2="%.1f"/><polygon class="band" points="%s%s"/><polyline class="line" points="%s"/>`,
		edge, width-edge, y(0), y(0), &upper, &lower, &line)
	if len(smooth) > 0 {
		fmt.Fprintf(&b, `<polyline class="smooth" points="%s"/>`, &dashed)
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

//go:embed series.html
var seriesTemplate string

// html renders the page, self-contained.
func (p *seriesPage) html() ([]byte, error) {
	t, err := template.New("series").Funcs(template.FuncMap{"table": tableOf, "tight": tight}).Parse(seriesTemplate)
	if err != nil {
		return nil, fmt.Errorf("internal error: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("internal error: %w", err)
	}
	return b.Bytes(), nil
}

// tight keeps a number and its sign on one line.
func tight(words string) string { return strings.ReplaceAll(words, " %", "\u00a0%") }

// tableOf is what the template of a table takes.
func tableOf(corner string, columns []string, lines []seriesLine) any {
	return struct {
		Corner  string
		Columns []string
		Lines   []seriesLine
	}{corner, columns, lines}
}

// Columns names the columns of the tables.
func (p *seriesPage) Columns() []string {
	var names []string
	for _, s := range p.shown {
		names = append(names, s.Label)
	}
	return names
}

// ByWhat says what the first table of a part is by.
func (p *seriesPage) ByWhat() string {
	if p.yearOf(0) != p.yearOf(len(p.periods)-1) {
		return "By quarter and year"
	}
	return "By quarter"
}

// Paid says what is paid, and for what.
func (p *seriesPage) Paid() string {
	rest := "nothing remains to be released"
	if n := len(p.periods) - p.through; n > 0 {
		rest = count(n, string(p.Period)+" is", string(p.Period)+"s are") + " paid for and still to come"
	}
	return fmt.Sprintf("%v paid once for %s, of which %d are released; %s. Left of the limit: %s.", p.loss(), p.Series, p.through, rest, p.Left)
}

// Rules says what counts.
func (p *seriesPage) Rules() string {
	late := ""
	if p.MaxSlots < len(p.periods)*len(p.groups) {
		late = " Later numbers leave out whoever was there in so many before: where many are, they fall for that reason alone, and -max-periods should be larger."
	}
	dashed := ""
	if p.through >= leastSmoothed && p.Out != "" {
		dashed = " Dashed lines of the page are smoothed by a model, to see a direction in; they promise nothing."
	}
	return fmt.Sprintf("A %s counts in at most %s, the first ones.%s Sums over %ss count a %s once in each. Bands of a chart hold together with a probability of 95 %%, and so do the sentences; intervals of a table each by itself.%s",
		p.UnitName, p.Cells(p.MaxSlots), late, p.Period, p.UnitName, dashed)
}

// recent is how many periods the terminal shows one by one.
const recent = 8

// writeTerminal writes the sentences, and the tables of quarters and of the last periods.
func (p *seriesPage) writeTerminal(w io.Writer) error {
	pen := pen{Writer: w}
	fmt.Fprintln(w, p.Title)
	for _, s := range p.Sentences {
		fmt.Fprintln(w, "  "+s)
	}
	for _, part := range p.Parts {
		fmt.Fprintln(w)
		if part.Name != "" {
			fmt.Fprintln(w, part.Name)
		}
		last := part.Periods[max(len(part.Periods)-recent, 0):]
		for _, lines := range [][]seriesLine{part.Calendar, last} {
			table := [][]string{append([]string{""}, p.Columns()...)}
			for _, l := range lines {
				row := []string{l.Name}
				for _, c := range l.Cells {
					row = append(row, fmt.Sprintf("%s (%s to %s)", c.Value, c.Low, c.High))
				}
				table = append(table, row)
			}
			writeTable(pen, columnsOf(table))
			fmt.Fprintln(w)
		}
	}
	for _, text := range []string{p.Rules(), p.Paid()} {
		for _, line := range wrapped(text, 100) {
			if _, err := fmt.Fprintln(w, line); err != nil {
				return err
			}
		}
	}
	return nil
}

// columnsOf turns lines into columns of one width.
func columnsOf(lines [][]string) [][]string {
	var columns [][]string
	for i := range lines[0] {
		var column []string
		for _, l := range lines {
			column = append(column, l[i])
		}
		columns = append(columns, padded(column, i > 0))
	}
	return columns
}
