package main

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
)

// A series is one line of a chart. Its class says whose it is and the page's style
// gives it a colour; dashes tell sizes apart.
type series struct {
	class, label string
	x, y         []float64
}

// A chart is lines over a logarithmic axis of ε or of caps, as inline SVG.
type chart struct {
	title, xName string
	ticks        []float64 // of the x axis
	percent      bool      // y is a share
	lines        []series
}

const (
	chartWidth, chartHeight = 380.0, 240.0
	chartLeft, chartRight   = 56.0, 16.0
	chartTop, chartBottom   = 12.0, 40.0
)

// low and high are the powers of ten around all numbers but 0, which is drawn at
// the bottom.
func (c chart) low() float64 { return math.Floor(slices.Min(c.logs())) }

func (c chart) high() float64 { return math.Ceil(slices.Max(c.logs())) }

func (c chart) logs() []float64 {
	var logs []float64
	for _, l := range c.lines {
		for _, y := range l.y {
			if y > 0 {
				logs = append(logs, math.Log10(y))
			}
		}
	}
	if logs == nil {
		return []float64{-3}
	}
	return logs
}

func (c chart) px(x float64) float64 {
	first, last := math.Log(c.ticks[0]), math.Log(c.ticks[len(c.ticks)-1])
	share := 0.5
	if last > first {
		share = (math.Log(x) - first) / (last - first)
	}
	return chartLeft + 10 + share*(chartWidth-chartLeft-chartRight-20)
}

func (c chart) py(y float64) float64 {
	low, high := c.low(), max(c.high(), c.low()+1)
	share := (math.Log10(max(y, math.Pow(10, low))) - low) / (high - low)
	return chartHeight - chartBottom - share*(chartHeight-chartTop-chartBottom)
}

// SVG draws the chart.
func (c chart) SVG() template.HTML {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %v %v" role="img" aria-label="%s">`, chartWidth, chartHeight, template.HTMLEscapeString(c.title))
	for p := c.low(); p <= max(c.high(), c.low()+1); p++ {
		y := c.py(math.Pow(10, p))
		fmt.Fprintf(&b, `<line class="grid" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/><text class="tick" x="%.1f" y="%.1f" text-anchor="end">%s</text>`,
			chartLeft, chartWidth-chartRight, y, y, chartLeft-6, y+4, c.name(math.Pow(10, p)))
	}
	for _, x := range c.ticks {
		fmt.Fprintf(&b, `<text class="tick" x="%.1f" y="%.1f" text-anchor="middle">%v</text>`, c.px(x), chartHeight-chartBottom+18, x)
	}
	fmt.Fprintf(&b, `<text class="tick" x="%.1f" y="%.1f" text-anchor="middle">%s</text>`, (chartLeft+chartWidth-chartRight)/2, chartHeight-6, c.xName)
	for _, l := range c.lines {
		c.draw(&b, l)
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

func (c chart) name(y float64) string {
	if c.percent {
		return fmt.Sprintf("%v %%", round(100*y))
	}
	return fmt.Sprint(round(y))
}

func round(x float64) float64 {
	if x == 0 {
		return 0
	}
	return nearest(x, math.Pow(10, math.Floor(math.Log10(x))-2))
}

// nearest returns the multiple of a power of ten that is nearest to x: the float of its decimal.
func nearest(x, unit float64) float64 {
	if unit < 1 {
		return math.Round(x*math.Round(1/unit)) / math.Round(1/unit)
	}
	return math.Round(x/unit) * unit
}

func (c chart) draw(b *strings.Builder, l series) {
	var points []string
	for i, x := range l.x {
		points = append(points, fmt.Sprintf("%.1f,%.1f", c.px(x), c.py(l.y[i])))
	}
	fmt.Fprintf(b, `<g class="%s"><polyline points="%s"/>`, l.class, strings.Join(points, " "))
	for i, x := range l.x {
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3.2"><title>%s, %v: %s</title></circle>`, c.px(x), c.py(l.y[i]), template.HTMLEscapeString(l.label), x, c.name(l.y[i]))
	}
	b.WriteString("</g>")
}
