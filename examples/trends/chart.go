package main

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// A chart is one quantity of one group over time, as inline SVG. Its colours are
// classes that the page's style fills for light, dark and paper.
type chart struct {
	ID, Label, Note, Group string
	Last                   string // the last number, in words
	Noisy                  string // that it cannot be read, or empty
	SVG                    template.HTML
}

// Charts returns the charts group by group; those of one quantity share a scale.
func (r *report) Charts() [][]chart {
	var all [][]chart
	for n, g := range r.Groups {
		var row []chart
		for i, q := range r.Quantities {
			last := g.Rows[len(g.Rows)-1]
			w := r.FigureWords(i, last.Figures[i])
			c := chart{ID: fmt.Sprintf("chart-%d-%d", n, i), Label: q.Label, Note: q.Note, Group: g.Name,
				Last: r.Period.short(last.Period) + ": " + w.Value + " " + w.interval()}
			c.Noisy = r.noisy(r.frame(i), g, i)
			c.SVG = r.draw(c, g, i)
			row = append(row, c)
		}
		all = append(all, row)
	}
	return all
}

// The size of a chart, in CSS pixels where it is not scaled.
const (
	chartWidth, chartHeight = 360.0, 190.0
	right, top, bottom      = 12.0, 10.0, 26.0
)

// A frame maps numbers and periods to places.
type frame struct {
	low, high, step float64
	labels          []string // beside the grid, from low to high
	left            float64  // room for them
	periods         []string // all of the time axis, without gaps
	place           map[string]float64
}

func (f frame) x(period string) float64 {
	share := 0.5
	if n := len(f.periods); n > 1 {
		share = f.place[period] / float64(n-1)
	}
	return f.left + 8 + share*(chartWidth-f.left-right-16)
}

func (f frame) y(value float64) float64 {
	value = min(max(value, f.low), f.high)
	return top + (f.high-value)/(f.high-f.low)*(chartHeight-top-bottom)
}

// frame finds the scale of a quantity over all groups.
func (r *report) frame(i int) frame {
	f := frame{place: make(map[string]float64)}
	var first, last string
	for _, g := range r.Groups {
		for _, c := range g.Rows {
			if first == "" || c.Period < first {
				first = c.Period
			}
			last = max(last, c.Period)
			f.low, f.high = min(f.low, r.bottom(i, c.Figures[i])), max(f.high, visible(c.Figures[i].High, c.Figures[i].Value))
			if c.Exact != nil {
				f.low, f.high = min(f.low, c.Exact[i]), max(f.high, c.Exact[i])
			}
		}
	}
	f.periods = r.Period.between(r.Period.first(first), r.Period.first(last), maxCells)
	for n, p := range f.periods {
		f.place[p] = float64(n)
	}
	f.scale(func(v, largest float64) string { return r.tick(r.Quantities[i], v, largest) })
	return f
}

// scale widens the scale to round numbers and labels them.
func (f *frame) scale(label func(v, largest float64) string) {
	if f.low >= f.high {
		f.high = f.low + 1
	}
	f.step = niceStep(f.high - f.low)
	f.low, f.high = math.Floor(f.low/f.step)*f.step, math.Ceil(f.high/f.step)*f.step
	longest := 0
	for n := range int(math.Round((f.high-f.low)/f.step)) + 1 {
		text := label(math.Round(f.low/f.step+float64(n))*f.step, max(-f.low, f.high))
		f.labels = append(f.labels, text)
		longest = max(longest, utf8.RuneCountInString(text))
	}
	f.left = 12 + 7.2*float64(longest)
}

// bottom returns how far down the axis must reach for a figure. What cannot be
// below zero has its band cut off there, so that noise does not need half of the
// picture.
func (r *report) bottom(i int, f figure) float64 {
	if r.Quantities[i].Money && r.Lower < 0 {
		return visible(f.Low, f.Value)
	}
	return f.Value
}

// visible returns an end of an interval, or the value if the end is infinite.
func visible(end, value float64) float64 {
	if math.IsInf(end, 0) {
		return value
	}
	return end
}

// niceStep returns 1, 2 or 5 times a power of ten, about a fourth of the span.
func niceStep(span float64) float64 {
	if !(span > 0) {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(span/4)))
	for _, m := range []float64{1, 2, 5} {
		if span/(m*power) <= 5 {
			return m * power
		}
	}
	return 10 * power
}

// draw writes the picture: axes, band, line, dots, and with -truth crosses.
func (r *report) draw(c chart, g group, i int) template.HTML {
	f := r.frame(i)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %g %g" role="img" aria-labelledby="%s-t %s-d"><title id="%s-t">%s</title><desc id="%s-d">%s</desc>`,
		chartWidth, chartHeight, c.ID, c.ID, c.ID, template.HTMLEscapeString(r.chartTitle(c)), c.ID, template.HTMLEscapeString(r.describe(g, i)))
	r.drawAxes(&b, f)
	for _, run := range runs(g.Rows) {
		drawBand(&b, f, run, i)
		drawLine(&b, f, run, i)
	}
	drawMarks(&b, f, g.Rows, i)
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

func (r *report) chartTitle(c chart) string {
	t := c.Label + ", " + c.Note
	if r.By != "" {
		t += ", " + r.By + ": " + r.GroupName(c.Group)
	}
	return t
}

// describe says what the picture shows to those who do not see it.
func (r *report) describe(g group, i int) string {
	q := r.Quantities[i]
	known := slices.DeleteFunc(slices.Clone(g.Rows), func(c cells) bool { return c.Figures[i].Unknown })
	if len(known) == 0 {
		return "Bands of 95 % intervals; every number is hidden by the noise."
	}
	byValue := func(a, b cells) int { return cmp.Compare(a.Figures[i].Value, b.Figures[i].Value) }
	lowest, highest := slices.MinFunc(known, byValue), slices.MaxFunc(known, byValue)
	f := r.finding(g, i, q)
	return fmt.Sprintf("A line with a band of 95 %% intervals. Highest: %s in %s. Lowest: %s in %s. %d of %d changes are sure, %d more likely. The numbers are in the table below.",
		r.write(q, highest.Figures[i].Value), r.Period.words(highest.Period), r.write(q, lowest.Figures[i].Value), r.Period.words(lowest.Period), f.Sure, f.All, f.Perhaps)
}

// runs splits cells where periods are missing.
func runs(all []cells) [][]cells {
	var out [][]cells
	for _, c := range all {
		if c.Changes == nil {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], c)
	}
	return out
}

func (r *report) drawAxes(b *strings.Builder, f frame) {
	for n, label := range f.labels {
		v := f.low + float64(n)*f.step
		class := "grid"
		if math.Abs(v) < f.step/2 {
			class = "zero"
		}
		fmt.Fprintf(b, `<line class="%s" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, class, f.left, chartWidth-right, f.y(v), f.y(v))
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="end">%s</text>`, f.left-6, f.y(v)+3.5, template.HTMLEscapeString(label))
	}
	every := tickEvery(len(f.periods))
	for n := 0; n < len(f.periods); n += every {
		x := f.x(f.periods[n])
		fmt.Fprintf(b, `<line class="tick" x1="%.1f" x2="%.1f" y1="%g" y2="%g"/>`, x, x, chartHeight-bottom, chartHeight-bottom+4)
		fmt.Fprintf(b, `<text x="%.1f" y="%g" text-anchor="middle">%s</text>`, x, chartHeight-8, template.HTMLEscapeString(r.Period.tick(f.periods[n])))
	}
}

// tickEvery returns how many periods apart labels stand, for at most seven.
func tickEvery(n int) int {
	for _, every := range []int{1, 2, 3, 4, 6, 12, 13, 26, 52} {
		if (n-1)/every < 6 {
			return every
		}
	}
	return (n-1)/6 + 1
}

// tick returns a period as it stands below a chart.
func (c calendar) tick(name string) string {
	t := c.first(name)
	switch c {
	case days, weeks:
		return t.Format("2 Jan")
	case months:
		return t.Format("Jan 06")
	}
	return fmt.Sprintf("Q%s %s", name[len(name)-1:], t.Format("06"))
}

// tick returns a number as it stands beside a chart whose largest one is given:
// short, and in the same unit as the others.
func (r *report) tick(q quantity, v, largest float64) string {
	unit, name := 1.0, ""
	switch {
	case largest >= 1e9:
		unit, name = 1e9, "bn"
	case largest >= 1e6:
		unit, name = 1e6, "m"
	case largest >= 1e4:
		unit, name = 1e3, "k"
	}
	v /= unit
	if v == 0 {
		name = ""
	}
	decimals := 0
	for decimals < 4 && math.Abs(v*math.Pow10(decimals)-math.Round(v*math.Pow10(decimals))) > 1e-6 {
		decimals++
	}
	text := grouped(v, decimals) + name
	if !q.Money {
		return text
	}
	if rest, negative := strings.CutPrefix(text, minus); negative {
		return minus + r.Currency + rest
	}
	return r.Currency + text
}

// drawBand fills the 95 % intervals of consecutive periods.
func drawBand(b *strings.Builder, f frame, run []cells, i int) {
	if len(run) == 1 {
		c := run[0]
		fmt.Fprintf(b, `<line class="bar" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, f.x(c.Period), f.x(c.Period), f.y(c.Figures[i].Low), f.y(c.Figures[i].High))
		return
	}
	b.WriteString(`<polygon class="band" points="`)
	for _, c := range run {
		fmt.Fprintf(b, "%.1f,%.1f ", f.x(c.Period), f.y(c.Figures[i].High))
	}
	for n := range run {
		c := run[len(run)-1-n]
		fmt.Fprintf(b, "%.1f,%.1f ", f.x(c.Period), f.y(c.Figures[i].Low))
	}
	b.WriteString(`"/>`)
}

// drawLine joins consecutive periods: solid where the change is sure, dashed where
// it is likely, dotted where the noise can explain it.
func drawLine(b *strings.Builder, f frame, run []cells, i int) {
	var solid, dashed, dotted strings.Builder
	for n := 1; n < len(run); n++ {
		if run[n-1].Figures[i].Unknown || run[n].Figures[i].Unknown {
			continue
		}
		to := &dotted
		switch v := run[n].Changes[i].Verdict; {
		case v.sure():
			to = &solid
		case v.perhaps():
			to = &dashed
		}
		a, c := run[n-1], run[n]
		fmt.Fprintf(to, "M%.1f %.1fL%.1f %.1f", f.x(a.Period), f.y(a.Figures[i].Value), f.x(c.Period), f.y(c.Figures[i].Value))
	}
	for _, path := range []struct {
		class string
		of    *strings.Builder
	}{{"sure", &solid}, {"perhaps", &dashed}, {"noise", &dotted}} {
		if path.of.Len() > 0 {
			fmt.Fprintf(b, `<path class="%s" d="%s"/>`, path.class, path.of.String())
		}
	}
}

// drawMarks draws a dot for every number, unless there are too many to tell apart
// or no line meets it, and a cross for every exact value.
func drawMarks(b *strings.Builder, f frame, rows []cells, i int) {
	joined := func(n int) bool { // to the number before it
		return n > 0 && n < len(rows) && rows[n].Changes != nil && !rows[n-1].Figures[i].Unknown && !rows[n].Figures[i].Unknown
	}
	for n, c := range rows {
		x := f.x(c.Period)
		if !c.Figures[i].Unknown && (len(rows) <= 60 || !joined(n) && !joined(n+1)) {
			fmt.Fprintf(b, `<circle class="dot" cx="%.1f" cy="%.1f" r="2.4"/>`, x, f.y(c.Figures[i].Value))
		}
		if c.Exact != nil {
			y := f.y(c.Exact[i])
			fmt.Fprintf(b, `<path class="exact" d="M%.1f %.1fl6 6m0 -6l-6 6"/>`, x-3, y-3)
		}
	}
}
