package main

import (
	"fmt"
	"math"
	"sort"
)

// What counts of one unit is capped, and every cap trades what it cuts off
// against the noise that it lets in. Without a flag the caps are functions of
// what is public: the periods, ε and δ. They are nobody's best caps, but those of
// somebody who does not know the data; who knows it, or may say so, gives flags.
//
// Noise grows as 1/ε. If ε is a tenth, caps of a tenth keep the noise and the
// same caps keep the rows; the rule goes half way, as ratios go: caps follow √ε.

// mostRows is how many rows of one unit may count in one period.
const mostRows = 1_000_000

// lengths are the days of a period.
var lengths = map[calendar]float64{days: 1, weeks: 7, months: 30.44, quarters: 91.3}

// assumed is how many periods a report has whose range is not public.
var assumed = map[calendar]int{days: 31, weeks: 13, months: 12, quarters: 4}

// fillCaps sets the caps that were not given.
func (o *options) fillCaps() error {
	if !o.given["max-rows"] {
		o.MaxRows = o.usualRows()
	}
	if o.given["max-periods"] {
		return nil
	}
	if o.Alert != "" { // costs the same for all
		o.MaxSlots = len(o.periods) * max(len(o.Groups), 1)
		return nil
	}
	if o.Series != "" {
		o.MaxSlots = min(usualTimes, len(o.periods)*max(len(o.Groups), 1))
		return nil
	}
	var err error
	o.MaxSlots, err = o.usualPeriods()
	return err
}

// notes says which caps were chosen for somebody who did not say them, and who
// alone can know whether they cut off much.
func (o *options) notes() []string {
	var all []string
	note := func(most, where, flag string) {
		all = append(all, fmt.Sprintf("note: of one %s at most %s count%s, since %s is not given; if more are usual, what is reported is far too low", o.UnitName, most, where, flag))
	}
	if !o.embedded() && !o.given["max-rows"] {
		note(count(o.MaxRows, o.RowName, o.RowNames), " in one "+string(o.Period), "-max-rows")
	}
	if n := len(o.periods); !o.embedded() && !o.given["max-periods"] && o.MaxSlots < n {
		note(fmt.Sprintf("%s of %d", o.Cells(o.MaxSlots), n), "", "-max-periods")
	}
	return all
}

// usualRows is half way, as ratios go, between one row in the whole period and one
// on every second day, and at least two, times √ε.
func (o *options) usualRows() int {
	rows := max(2, math.Ceil(math.Sqrt(lengths[o.Period]/2)))
	return int(min(max(1, math.Ceil(rows*math.Sqrt(o.Epsilon))), mostRows))
}

// usualPeriods is as many periods as keep the noise on the number of units within
// ±150/√ε, and at most one cell of each period. That is a tenth of a report on
// fifteen hundred units.
func (o *options) usualPeriods() (int, error) {
	most := assumed[o.Period]
	if o.periods != nil {
		most = len(o.periods)
	}
	within := 150 / math.Sqrt(o.Epsilon)
	all, failed := o.unitsNoise(most)
	if failed != nil || all <= within {
		return most, failed // with all, noise may be less than with nearly all
	}
	beyond := sort.Search(most, func(n int) bool {
		noise, err := o.unitsNoise(n + 1)
		if err != nil {
			failed = err
		}
		return !(noise <= within)
	})
	return max(beyond, 1), failed
}

// unitsNoise returns half the width of the 95 % noise interval of the number of
// units if each counts in so many cells.
func (o *options) unitsNoise(cells int) (float64, error) {
	other := *o
	other.MaxSlots = cells
	q, err := other.ask()
	if err != nil {
		return 0, err
	}
	return q.quantities[0].Price.PlusMinus, nil
}

// embeddedUpper is the bound on what one customer of the embedded data spends in a
// period. For ε=1 it was chosen by looking at the data, which is public; a report
// on data that is not must do without.
func (o *options) embeddedUpper() float64 {
	upper := map[calendar]float64{days: 150, weeks: 200, months: 280, quarters: 500}[o.Period] * math.Sqrt(min(o.Epsilon, 1e6))
	if !(upper > 0) {
		return 1 // -epsilon is refused
	}
	unit := math.Pow10(int(math.Floor(math.Log10(upper))) - 1)
	return round(math.Round(upper/unit) * unit)
}

// leastRows is how many rows a unit has in a period in which it is at all: as many as
// the cap, at most. Where the cap is one row, no bounds are narrower than 0 and 1.
func (o *options) leastRows() int64 { return int64(min(o.MaxRows-1, 1)) }
