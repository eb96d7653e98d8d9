package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/equipoise-dp/equipoise/examples/bench/internal/contest"
)

// Pixels of a panel, which has a set of columns, and of the plot in it.
const (
	panelWidth, panelHeight = 600, 480
	left, right             = 70, 180
	top, bottom             = 60, 60
)

var inks = map[string]string{
	"map": "#57606a", "ours": "#0969da", contest.Tenth: "#0a7ea4", "csv": "#8250df", "parquet": "#bf3989", "duckdb": "#bc4c00", "google": "#1a7f37",
}

// chart draws what the processors took for a row, by how many rows there are: both in a scale of magnitudes.
func chart(all []contest.Result) string {
	var sets []string
	for _, r := range all {
		if !slices.Contains(sets, r.Columns) {
			sets = append(sets, r.Columns)
		}
	}
	a := axesOf(all)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" font-size="13" fill="#1f2328" role="img" aria-label="Nanoseconds of all processors a row, by the number of rows">`+"\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n", panelWidth*len(sets), panelHeight)
	for i, columns := range sets {
		fmt.Fprintf(&b, `<g transform="translate(%d 0)"><text x="%d" y="24" font-weight="600">%s</text><text x="%d" y="44">ns of all processors a row; dashed: two workers</text>`+"\n", i*panelWidth, left, columns, left)
		a.draw(&b)
		a.lines(&b, columns, all)
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// Axes are the least and the most of rows, and of nanoseconds.
type axes struct{ x, y [2]float64 }

func axesOf(all []contest.Result) (a axes) {
	for i, r := range all {
		x, y := float64(r.Rows), r.CPU
		if i == 0 {
			a = axes{[2]float64{x, x}, [2]float64{y, y}}
		}
		a.x = [2]float64{min(a.x[0], x), max(a.x[1], x)}
		a.y = [2]float64{min(a.y[0], y), max(a.y[1], y)}
	}
	if a.x[0] == a.x[1] {
		a.x[0], a.x[1] = a.x[0]/2, 2*a.x[1]
	}
	a.y[0], a.y[1] = a.y[0]/1.3, 1.3*a.y[1]
	return a
}

func (a axes) at(rows, ns float64) (x, y float64) {
	return left + (panelWidth-left-right)*share(rows, a.x), panelHeight - bottom - (panelHeight-top-bottom)*share(ns, a.y)
}

func share(v float64, of [2]float64) float64 { return math.Log(v/of[0]) / math.Log(of[1]/of[0]) }

// draw draws the grid.
func (a axes) draw(b *strings.Builder) {
	for _, rows := range ticks(a.x, 1, 3) {
		x, y := a.at(rows, a.y[0])
		fmt.Fprintf(b, `<line x1="%.1f" x2="%.1f" y1="%d" y2="%.1f" stroke="#d1d9e0"/><text x="%.1f" y="%.1f" text-anchor="middle">%s</text>`+"\n", x, x, top, y, x, y+20, short(rows))
	}
	for _, ns := range ticks(a.y, 1, 2, 5) {
		x, y := a.at(a.x[0], ns)
		fmt.Fprintf(b, `<line x1="%.1f" x2="%d" y1="%.1f" y2="%.1f" stroke="#d1d9e0"/><text x="%.1f" y="%.1f" text-anchor="end">%s</text>`+"\n", x, panelWidth-right, y, y, x-8, y+4, short(ns))
	}
	x, _ := a.at(math.Sqrt(a.x[0]*a.x[1]), a.y[0])
	fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle">rows</text>`+"\n", x, panelHeight-bottom+42)
}

// ticks returns the numbers in a range that begin with one of some digits and end with zeros.
func ticks(in [2]float64, digits ...float64) (at []float64) {
	for power := math.Floor(math.Log10(in[0])); power <= math.Log10(in[1]); power++ {
		for _, d := range digits {
			if v := d * math.Pow(10, power); v >= in[0]*0.999 && v <= in[1]*1.001 {
				at = append(at, v)
			}
		}
	}
	return at
}

func short(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%g M", v/1e6)
	case v >= 1e3:
		return fmt.Sprintf("%g k", v/1e3)
	}
	return fmt.Sprintf("%g", v)
}

// lines draws a line for each engine and number of workers, with its name at the end.
func (a axes) lines(b *strings.Builder, columns string, all []contest.Result) {
	var labels []label
	for _, c := range cases {
		if c.Columns != columns {
			continue
		}
		var points []string
		var end label
		for _, r := range all {
			if r.Columns != columns || r.Engine != c.Engine || r.Workers != c.Workers {
				continue
			}
			x, y := a.at(float64(r.Rows), r.CPU)
			points = append(points, fmt.Sprintf("%.1f,%.1f", x, y))
			fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", x, y, inks[c.Engine])
			end = label{x, y, y, c, r.CPU}
		}
		if points == nil {
			continue
		}
		dashes := ""
		if c.Workers > 1 {
			dashes = ` stroke-dasharray="6 4"`
		}
		fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"%s/>`+"\n", strings.Join(points, " "), inks[c.Engine], dashes)
		labels = append(labels, end)
	}
	name(b, labels)
}

// A label is at the end of a line.
type label struct {
	x, y, text float64
	of         contest.Work
	ns         float64
}

// name writes labels, none over another.
func name(b *strings.Builder, labels []label) {
	slices.SortFunc(labels, func(p, q label) int { return cmp.Compare(q.y, p.y) })
	for i := range labels {
		if i > 0 {
			labels[i].text = min(labels[i].y, labels[i-1].text-15)
		}
		l := labels[i]
		workers := ""
		if l.of.Workers > 1 {
			workers = fmt.Sprintf(", %d workers", l.of.Workers)
		}
		fmt.Fprintf(b, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s"/><text x="%.1f" y="%.1f" fill="%s">%s%s %.0f</text>`+"\n",
			l.x+4, l.y, l.x+12, l.text, inks[l.of.Engine], l.x+14, l.text+4, inks[l.of.Engine], l.of.Engine, workers, l.ns)
	}
}
