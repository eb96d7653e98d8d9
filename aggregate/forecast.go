package aggregate

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"

	"github.com/equipoise-dp/equipoise/internal/exact"
)

// Assumed is what a forecast takes for granted of a group. It is made up, or known
// from what is public; a forecast is no better than it.
type Assumed struct {
	Units int // that are in the group, after the caps

	// Rows is how many rows each unit has in it, on average and after the cap. If 0,
	// it is 1.
	Rows float64

	// Means are the means of values, by their names, after clamping. Values that are
	// not named are taken to be in the middle of their bounds.
	Means map[string]float64
}

// A Forecast says how a group would be shown.
type Forecast struct {
	Shown   float64    // the probability that it is; 1 if the groups are given
	Columns []Expected // in the order in which they were asked
}

// Expected is one column of a [Forecast].
type Expected struct {
	Column string
	Value  float64 // before noise, as it was assumed; distinct values are taken to be as many as units

	// PlusMinus is half the width of the 95 % interval. Records are taken to be spread
	// evenly around the mean of their value, over half of its bounds or as much of that
	// as the bounds leave room for. For quantiles they are spread over all of them, falling off or
	// rising exponentially to have the mean that is assumed, and PlusMinus is a guide only: the
	// interval of one is random, and can be half or twice as wide. It is NaN for a quantile
	// without an interval.
	PlusMinus float64
}

// Forecast says how a group that is as assumed would be shown: with which probability,
// and how near to the truth. It reads no row and costs nothing. What caps and
// bounds cut off is not in it: only the rows know.
func (p *Plan[Row, Unit, Group]) Forecast(of Assumed) (Forecast, error) {
	if of.Rows == 0 {
		of.Rows = 1
	}
	if err := p.checkAssumed(of); err != nil {
		return Forecast{}, err
	}
	f := Forecast{Shown: 1}
	switch {
	case p.finder != nil || p.top != nil:
		return Forecast{}, errNoColumn
	case p.threshold != nil:
		f.Shown = p.threshold.shown(of.Units)
	}
	for _, a := range p.answers {
		f.Columns = append(f.Columns, p.expected(a, of))
	}
	return f, nil
}

var errNoColumn = errors.New("aggregate: a plan that only finds groups has no column to forecast; Plan.Threshold says which groups it shows, Plan.Prices how near the largest are")

func (c *compiled) checkAssumed(of Assumed) error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf("aggregate: "+format, args...)) }
	if of.Units < 1 || of.Units > mostAssumed {
		fail("Assumed.Units is %d, must be 1 to %d", of.Units, mostAssumed)
	}
	if !(of.Rows >= 1 && of.Rows <= float64(c.maxRows)) {
		fail("Assumed.Rows is %v, must be 1 to %d, the cap on the rows of a unit in a group", of.Rows, c.maxRows)
	}
	for _, name := range slices.Sorted(maps.Keys(of.Means)) {
		at := slices.IndexFunc(c.inputs, func(in input) bool { return in.name == name })
		if at < 0 {
			fail("Assumed.Means has %q, which is no value of the plan", name)
			continue
		}
		lower, _ := c.inputs[at].lower.Float64()
		upper, _ := c.inputs[at].upper.Float64()
		if mean := of.Means[name]; !(mean >= lower && mean <= upper) {
			fail("Assumed.Means[%q] is %v, must be within its bounds, %v to %v", name, mean, lower, upper)
		}
	}
	return errors.Join(errs...)
}

const mostAssumed = 1 << 40

// shown returns the probability that a group of so many units is released, or a
// little less.
func (t *threshold) shown(units int) float64 {
	if int64(units) > math.MaxInt64>>(t.shift+1) {
		return 1
	}
	least, _ := t.law.LogTail(t.at - int64(units)<<t.shift)
	return math.Exp(least)
}

// expected forecasts one column.
func (c *compiled) expected(a answer, of Assumed) Expected {
	m := a.measure
	records := float64(of.Units)
	if !m.perUnit() {
		records *= of.Rows
	}
	on := a.on()
	mean, assumed := 0.0, false
	if on.value != nil {
		mean, assumed = of.Means[on.value.name]
	}
	among := inTheMiddle(on)
	if assumed {
		among = around(on, mean)
	}
	e := Expected{Column: a.String()}
	if a.kind == kindQuantile {
		_, ranks, _ := c.accuracy(a)
		span := m.valueSpan()
		least, _ := span.least.Float64()
		width, _ := new(big.Rat).Sub(span.most, span.least).Float64()
		law := evenly
		if assumed {
			law = withMean((mean - least) / width)
		}
		at := law.quantile(a.rank)
		e.Value, e.PlusMinus = least+at*width, min(ranks/records/law.density(at), 1)*width
		return e
	}
	estimate := c.likely(m, among, int64(math.Round(records))).estimate(a)
	e.Value, _ = estimate.value.Float64()
	switch a.kind {
	case kindCount, kindUnits, kindDistinct:
		e.Value = math.Round(e.Value)
	case kindMean, kindVariance, kindStdDev:
		estimate = estimate.limited()
	}
	switch { // made-up records are on the grid, and what was assumed need not be
	case assumed && a.kind == kindMean:
		e.Value = mean
	case assumed && a.kind == kindSum:
		e.Value = mean * records
	}
	e.PlusMinus = halfWidth(estimate)
	return e
}

// A stretch says where each of [ManyRecords] made up records is, on the grid of a
// measure.
type stretch func(i int64) int64

func inTheMiddle(m *measure) stretch {
	return func(i int64) int64 {
		if m.grid == nil {
			return 0
		}
		return m.grid.Cells/4 + int64(float64(i)/ManyRecords*float64(m.grid.Cells/2))
	}
}

// around returns the stretch with a mean: as many records above it as below, and as far.
func around(m *measure, mean float64) stretch {
	from := new(big.Rat).SetFloat64(mean)
	from.Quo(from.Sub(from, m.grid.Lower), m.grid.Step)
	position, _ := from.Float64()
	at := min(max(int64(math.Round(position)), 0), m.grid.Cells)
	arm := min(m.grid.Cells/4, at, m.grid.Cells-at)
	return func(i int64) int64 {
		off := int64(float64(i/2*2+1) / ManyRecords * float64(arm))
		if i%2 == 0 {
			return at + off
		}
		return at - off
	}
}

// likely returns a cell without noise in which a measure has so many records, placed
// as a stretch says: public, made up, and only good for prices and forecasts.
func (c *compiled) likely(of *measure, among stretch, records int64) Cell {
	g := c.newGroup()
	for i := range int64(ManyRecords) {
		if of.form != formRanks {
			of.record(among(i), partsOf(of, g.sums))
		}
	}
	sums := make([]*big.Int, c.sums)
	if of.joint != nil && of.joint.centre != nil {
		partsOf(of, g.sums)[of.joint.people()] = exact.Int(ManyRecords) // as if there were no other group
	}
	for i, sum := range of.centred(partsOf(of, g.sums)) {
		scaled := new(big.Int).Mul(sum.Shl(of.shift).Big(), big.NewInt(records))
		sums[of.first+i] = scaled.Quo(scaled, big.NewInt(ManyRecords))
	}
	return cellOf(c, sums)
}
