package aggregate

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/equipoise-dp/equipoise/dp"
)

// A Price says what a column costs and how accurate it will be. It does not
// depend on rows.
type Price struct {
	Column    string       // such as "total mean"
	Measure   string       // what it is read from; columns of one measure are paid for once
	Mechanism dp.Mechanism // the noise of the measure
	Share     float64      // of the loss, for the measure
	StdDev    float64      // of the noise, in the column's unit; see PlusMinus
	PlusMinus float64      // half the width of the 95 % noise interval

	// OwnStdDev is what StdDev would be if no column of the measure had an interval,
	// at the same share: of quantiles whose interval is drawn, else StdDev.
	OwnStdDev float64

	// Intervals is the part of Share that pays for intervals alone.
	Intervals float64

	// Why says why quantiles are drawn, or read from a tree, and why several numbers
	// are released as one vector, with what they would cost one by one.
	Why string

	// LeavesOut says what PlusMinus knows nothing of, which are the bounds and caps that may
	// cut something off. It is empty where they cannot. [Value.Cut] tells how much bounds cut.
	LeavesOut string

	// Per says what StdDev and PlusMinus are of.
	Per Per
}

// A Per says what the noise of a column is stated for, where it depends on the data.
type Per int

const (
	PerNumber      Per = 1 + iota // the number itself, whatever the rows
	PerManyRecords                // the number in a group of [ManyRecords]: of means and variances
	PerRank                       // records by which the rank of a quantile may be off
)

// ManyRecords is the number of records for which prices of means are given.
const ManyRecords = 1000

// String returns what stands behind a number in a price list, such as " for 1000
// records".
func (p Per) String() string {
	switch p {
	case PerManyRecords:
		return fmt.Sprintf(" for %d records", ManyRecords)
	case PerRank:
		return " records of rank"
	}
	return ""
}

// Prices returns the price list: one line for each column.
func (p *Plan[Row, Unit, Group]) Prices() []Price {
	if p.top != nil {
		return []Price{p.topPrice()}
	}
	var prices []Price
	for _, a := range p.answers {
		m := a.measure
		price := Price{Column: a.String(), Measure: m.String(), Mechanism: m.events()[0].Mechanism, Share: m.share, Why: m.why}
		price.StdDev, price.PlusMinus, price.Per = p.accuracy(a)
		price.OwnStdDev, price.LeavesOut = price.StdDev, p.leavesOut(a.column)
		if m.drawing != nil && m.law != nil {
			price.Intervals, price.OwnStdDev = m.share/3, price.StdDev*m.alone()
		}
		prices = append(prices, price)
	}
	return prices
}

// Threshold returns the noisy number of units from which on a group is released,
// and the number from which on it is released with a probability of 95 %. Both
// are 0 if the groups are given. Where nothing but groups is asked, they are of units
// that are in no other group; a unit in s groups may count as little as 1/√s in each.
func (p *Plan[Row, Unit, Group]) Threshold() (units, surely float64) {
	if p.finder != nil {
		return p.finder.threshold()
	}
	if p.threshold == nil {
		return 0, 0
	}
	return p.threshold.units(), p.threshold.shows(0.95)
}

// accuracy returns the noise of a column as it would be in a cell.
func (c *compiled) accuracy(a answer) (stdDev, plusMinus float64, per Per) {
	m := a.measure
	switch a.kind {
	case kindQuantile:
		if m.drawing != nil {
			stdDev, plusMinus = drawAccuracy(a.column, m)
			return stdDev, plusMinus, PerRank
		}
		levels := math.Sqrt(float64(m.levels()))
		one := []float64{levels * math.Ldexp(1, -int(m.shift))}
		return m.law.CombinedStdDev(one...), m.law.Combined(0.95, one...), PerRank
	case kindMean, kindVariance, kindStdDev:
		e := c.likely(m, inTheMiddle(a.on()), ManyRecords).estimate(a).limited()
		return e.stdDev, halfWidth(e), PerManyRecords
	}
	e := c.likely(m, inTheMiddle(a.on()), 0).estimate(a)
	return e.stdDev, halfWidth(e), PerNumber
}

func halfWidth(e estimate) float64 {
	lo, hi := e.interval(0.95)
	width, _ := new(big.Rat).Sub(hi, lo).Float64()
	return width / 2
}

// clamped says what is done to a value before it counts, for price lists.
func (in input) clamped() string {
	if in.most > 0 {
		return fmt.Sprintf("of %s at most %s of a unit count in a group", in.name, plural(in.most, "distinct value"))
	}
	r := in.receipt()
	return fmt.Sprintf("%s is clamped to [%s, %s] per %s, in steps of %s", r.Name, r.Lower, r.Upper, r.Per, r.Step)
}

// String returns the price list as a table: the loss, the caps, and for each
// column its measure, noise, and the half-width of its 95 % noise interval.
func (p *Plan[Row, Unit, Group]) String() string {
	var b strings.Builder
	if p.finder != nil {
		fmt.Fprintf(&b, "groups of %s: %v per release, %s\neach %s counts in at most %s\n%v", p.dataset, p.loss, p.noise(), p.unitName, plural(p.maxGroups, "group"), p.finder)
		return b.String()
	}
	if p.top != nil {
		p.writeTop(&b)
		return b.String()
	}
	fmt.Fprintf(&b, "%s of %s: %v per release, %v noise\n", p.dataset, p.unitName, p.loss, p.noise())
	fmt.Fprintf(&b, "each %s counts in at most %s%s\n", p.unitName, plural(p.maxGroups, "group"), p.rowsInEach())
	for _, in := range p.inputs {
		fmt.Fprintln(&b, in.clamped())
	}
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\ncolumn\tread from\tshare\tscale\t± at 95 %")
	for i, price := range p.Prices() {
		scale := p.answers[i].scale()
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", price.Column, price.Measure, percent(price.Share), short(scale), price.accuracy())
	}
	w.Flush()
	p.writeWhy(&b)
	if p.threshold != nil {
		units, surely := p.Threshold()
		fmt.Fprintf(&b, "\na group shows if its noisy number of units is at least %s: 95 %% of the time from %.0f units on\n", short(units), surely)
	}
	return b.String()
}

// writeWhy says of each value with quantiles how they are found, why, and what their
// intervals cost.
func (p *Plan[Row, Unit, Group]) writeWhy(b *strings.Builder) {
	said := make(map[*measure]bool)
	for i, price := range p.Prices() {
		m := p.answers[i].measure
		if m.why == "" || said[m] {
			continue
		}
		said[m] = true
		fmt.Fprintf(b, "\n%v are %s\n", m, m.why)
		if m.drawing != nil {
			fmt.Fprintf(b, "%s is off by %s ranks (standard deviation) where values are spread evenly%s\n", price.Column, short(price.StdDev), price.alone())
		}
		if m.drawing != nil && m.drawing.base.Logarithmic() {
			fmt.Fprintf(b, "half of what is drawn without rows is even over the bounds of %s, and half over their octaves\n", m.value.name)
		}
	}
}

func (p Price) alone() string {
	if p.Intervals == 0 {
		return ""
	}
	return fmt.Sprintf("; %s of the loss pays for intervals, and without them it is off by %s", percent(p.Intervals), short(p.OwnStdDev))
}

// noise names the noise of a plan.
func (c *compiled) noise() string {
	if c.finder != nil {
		return c.finder.noise()
	}
	if c.top != nil {
		return string(c.paid[0].Mechanism)
	}
	var names []string
	for _, m := range c.measures {
		name := c.family.String()
		if m.law != nil {
			name = m.law.Family.String()
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, " and ")
}

// rowsInEach says how many rows of a unit count in a group. It is said also where
// the cap costs nothing, since it cuts off all the same.
func (c *compiled) rowsInEach() string {
	if c.maxRows == math.MaxInt {
		return ", with all its rows in each"
	}
	return ", with at most " + plural(c.maxRows, "row") + " in each"
}

func (p Price) accuracy() string {
	if math.IsNaN(p.PlusMinus) {
		return "no interval"
	}
	return short(p.PlusMinus) + p.Per.String()
}

// scale returns the scale of what a column is read from.
func (a answer) scale() float64 {
	if j := a.measure.joint; j != nil && a.kind == kindMean {
		scale, _ := new(big.Rat).Quo(a.measure.law.Scale, big.NewRat(j.times[0], 1)).Float64()
		return scale
	} else if j != nil {
		largest := new(big.Rat)
		for _, w := range a.weights {
			if w.Cmp(largest) > 0 {
				largest = w
			}
		}
		scale, _ := largest.Mul(largest, a.measure.law.Scale).Float64()
		return scale
	}
	if a.measure.drawing != nil {
		return a.measure.drawing.scale(a.rank)
	}
	return a.measure.scaleInUnits()
}

// scaleInUnits returns the scale of the noise in the unit of the measure:
// records, or the value for sums.
func (m *measure) scaleInUnits() float64 {
	unit := m.recordSize()
	if m.form == formTotal {
		unit = new(big.Rat).Quo(unit, m.grid.Step)
	}
	scale, _ := new(big.Rat).Quo(m.law.Scale, unit).Float64()
	return scale
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func percent(share float64) string { return strconv.FormatFloat(100*share, 'f', 0, 64) + " %" }

func short(x float64) string { return strconv.FormatFloat(x, 'g', 4, 64) }

// decimal writes a rational as a decimal of up to 12 places, without trailing
// zeros.
func decimal(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	f, _ := r.Float64()
	return strconv.FormatFloat(f, 'g', 12, 64)
}
