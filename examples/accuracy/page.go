package main

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"percent": func(x *float64) string {
		if x == nil {
			return "–"
		}
		return fmt.Sprintf("%.1f %%", 100**x)
	},
	"short": func(x float64) string { return fmt.Sprintf("%.3g", x) },
}).Parse(pageText))

// A panel is what the page shows of one task.
type panel struct {
	Title, Error string
	Chart        template.HTML
	Words        string
}

// A strip is the coverage of one task: a mark for every data set, size and ε.
type strip struct {
	Title string
	SVG   template.HTML
}

type page struct {
	Runs    int
	Delta   float64
	Quick   bool
	Panels  []panel
	Strips  []strip
	Results []result

	Versions map[string]string // of the libraries whose figures are stored
}

func writePage(w io.Writer, o *options, results []result) error {
	others, err := storedPeers()
	if err != nil {
		return err
	}
	p := page{Runs: o.Runs, Delta: o.Delta, Quick: o.Quick, Results: results, Versions: others.Versions}
	for _, t := range tasks {
		of := slices.DeleteFunc(slices.Clone(results), func(r result) bool { return r.Task != t.Name })
		if len(of) == 0 {
			continue
		}
		p.Panels = append(p.Panels, t.panel(of, o.Epsilons, others))
		if s, ok := t.strip(of); ok {
			p.Strips = append(p.Strips, s)
		}
	}
	return pageTemplate.Execute(w, p)
}

// panel draws a task: errors against ε, or numbers of groups against the cap.
func (t *task) panel(of []result, epsilons []float64, others peers) panel {
	c := chart{title: t.Title, xName: "ε", ticks: slices.Sorted(slices.Values(epsilons)), percent: true}
	at := func(r result) float64 { return r.Epsilon }
	if t.more() {
		c.xName, c.percent, c.ticks = "groups that a unit may be in", false, floats(t.caps)
		at = func(r result) float64 { return float64(r.L0) }
		middle := c.middle(of)
		of = slices.DeleteFunc(of, func(r result) bool { return r.Epsilon != middle })
	}
	for i, n := range ns(of) {
		for library := range others.Versions {
			if stored := others.beside(library, of); len(stored) > 0 {
				c.lines = append(c.lines, over(stored, n, at, fmt.Sprintf("%s size%d", library, i), library+", n = %d", func(r result) float64 { return r.Peer }))
			}
		}
		c.lines = append(c.lines,
			over(of, n, at, fmt.Sprintf("peer size%d", i), "Google, n = %d", func(r result) float64 { return r.Peer }),
			over(of, n, at, fmt.Sprintf("ours size%d", i), "Equipoise, n = %d", func(r result) float64 { return r.Ours }))
	}
	return panel{t.Title, t.Error, c.SVG(), t.words(of)}
}

// middle returns ε = 1 if it was measured, and the first ε if not.
func (chart) middle(of []result) float64 {
	for _, r := range of {
		if r.Epsilon == 1 {
			return 1
		}
	}
	return of[0].Epsilon
}

func floats(ints []int) []float64 {
	var list []float64
	for _, i := range ints {
		list = append(list, float64(i))
	}
	return list
}

func ns(of []result) []int {
	var list []int
	for _, r := range of {
		list = append(list, r.N)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// over is the geometric mean of a figure over the data sets, at each place of the
// x axis.
func over(of []result, n int, at func(result) float64, class, label string, figure func(result) float64) series {
	places := map[float64][]result{}
	for _, r := range of {
		if r.N == n {
			places[at(r)] = append(places[at(r)], r)
		}
	}
	s := series{class: class, label: fmt.Sprintf(label, n)}
	s.x = slices.Sorted(maps.Keys(places))
	for _, x := range s.x {
		s.y = append(s.y, geometric(places[x], figure))
	}
	return s
}

// words says in a sentence what the chart shows.
func (t *task) words(of []result) string {
	r := chart{}.middle(of)
	at := slices.DeleteFunc(slices.Clone(of), func(x result) bool { return x.Epsilon != r })
	ratio := geometric(at, func(x result) float64 { return x.Ratio })
	if t.more() {
		return fmt.Sprintf("At ε = %v, %.2f times as many groups as with Google's library, over all caps.", r, ratio)
	}
	return fmt.Sprintf("At ε = %v the error is %.2f times that of Google's library.", r, ratio)
}

// strip draws the coverage of a task between 90 and 100 %.
func (t *task) strip(of []result) (strip, bool) {
	const width, height, low = 380.0, 34.0, 0.90
	x := func(share float64) float64 { return 8 + (max(share, low)-low)/(1-low)*(width-16) }
	svg := fmt.Sprintf(`<svg viewBox="0 0 %v %v" role="img" aria-label="coverage of %s"><line class="goal" x1="%.1f" x2="%.1f" y1="2" y2="%v"/>`,
		width, height, template.HTMLEscapeString(t.Title), x(0.95), x(0.95), height-2)
	any := false
	for _, r := range of {
		if r.Coverage == nil {
			continue
		}
		any = true
		class := "covers"
		if r.Refuted {
			class = "refuted"
		}
		svg += fmt.Sprintf(`<circle class="%s" cx="%.1f" cy="%v" r="4"><title>%s, n = %d, ε = %v: %.1f %%</title></circle>`,
			class, x(*r.Coverage), height/2, template.HTMLEscapeString(r.Data), r.N, r.Epsilon, 100**r.Coverage)
	}
	return strip{t.Title, template.HTML(svg + "</svg>")}, any
}
