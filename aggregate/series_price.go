package aggregate

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
)

// A SeriesPrice says how accurate a column will be in a view, over the whole life of
// the series. It does not depend on rows.
type SeriesPrice struct {
	Column    string
	View      string
	StdDev    float64 // of the noise: the root of the mean variance over the view
	PlusMinus float64 // half the width of the 95 % noise interval, likewise
	Per       Per     // says what StdDev and PlusMinus are of

	// Strategy says how noise is shared, and Relative how much there is beside
	// independent noise of every period, for the same guarantee.
	Strategy string
	Relative float64

	// Others are the other strategies that were compared, with what Relative would be.
	Others map[string]float64
}

// Prices returns the price list: one line for each column and view.
func (p *SeriesPlan[Row, Unit, Group]) Prices() []SeriesPrice {
	var prices []SeriesPrice
	for j, a := range p.answers {
		m := p.sharedOf(j)
		for i, view := range p.views {
			plan := p.read(func(m *shared) float64 { return m.reader.Error(p.spans[i]) }, false)
			price := SeriesPrice{Column: a.String(), View: view.name(), Strategy: m.strategy.Name, Others: make(map[string]float64)}
			price.StdDev, price.PlusMinus, price.Per = plan.accuracy(plan.answers[j])
			for _, c := range m.choices {
				if c.strategy == m.strategy {
					price.Relative = c.relative[i]
				} else {
					price.Others[c.strategy.Name] = c.relative[i]
				}
			}
			prices = append(prices, price)
		}
	}
	return prices
}

// String returns the price list as a table: what is paid once, the caps, and for each
// column and view the half-width of its 95 % noise interval, and how much noise there is
// beside independent noise, with each strategy that was compared.
func (p *SeriesPlan[Row, Unit, Group]) String() string {
	var b strings.Builder
	how := "one by one"
	if p.atOnce {
		how = "at once"
	}
	fmt.Fprintf(&b, "%s of %s: %v for all of %s, %s to %s, released %s\n",
		p.dataset, p.unitName, p.loss, plural(p.periods, p.step.String()), p.labels[0], p.labels[p.periods-1], how)
	fmt.Fprintf(&b, "each %s counts in at most %s of a group and a %v%s\n", p.unitName, plural(p.cap, "pair"), p.step, p.rowsInEach())
	for _, in := range p.inputs {
		fmt.Fprintln(&b, in.clamped())
	}
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\ncolumn\tview\t± at 95 %\tbeside independent noise")
	for _, price := range p.Prices() {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", price.Column, price.View, price.accuracy(), price.compared())
	}
	w.Flush()
	for _, m := range p.measures {
		fmt.Fprintf(&b, "noise of %v: %s\n", m.measure, m.strategy.Name)
	}
	return b.String()
}

func (p SeriesPrice) accuracy() string {
	if math.IsNaN(p.PlusMinus) {
		return "no interval"
	}
	return short(p.PlusMinus) + p.Per.String()
}

// compared writes the noise beside independent noise, that of other strategies in
// brackets.
func (p SeriesPrice) compared() string {
	var others []string
	for name, relative := range p.Others {
		others = append(others, fmt.Sprintf("%s %.2f", name, relative))
	}
	slices.Sort(others)
	return fmt.Sprintf("%.2f (%s)", p.Relative, strings.Join(others, ", "))
}
