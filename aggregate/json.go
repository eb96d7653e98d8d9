package aggregate

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
)

// String says what was released, such as "orders: 18 groups of 3 columns, ε=1". Of a
// rehearsal, that it is one comes first.
func (r *Release[Group]) String() string {
	receipt, first := r.Receipt(), ""
	if mark := receipt.mark(); mark != "" {
		first = mark + ": "
	}
	return fmt.Sprintf("%s%s: %s of %s, %v", first, receipt.Dataset, plural(len(r.groups), "group"), plural(len(receipt.Columns), "column"), receipt.Loss)
}

// MarshalJSON writes the receipt and, for each group what it is ("key") and the estimates
// of all columns by name, with their standard deviations and 95 % intervals.
// Numbers of integer columns are written exactly. An interval without an end has
// null there, and what is unknown has no value. Where a number was brought into its
// range, "raw" is what the noise left of it: add up those. Intervals are of noise alone, and
// "leaves_out" says beside each which bounds and caps may have cut something off. A rehearsal, and each
// of its groups, has "rehearsal", which says so; a release has not.
func (r *Release[Group]) MarshalJSON() ([]byte, error) {
	mark := r.Receipt().mark()
	type group struct {
		Mark      string                  `json:"rehearsal,omitempty"`
		Key       Group                   `json:"key"`
		Estimates map[string]estimateJSON `json:"estimates"`
	}
	groups := make([]group, 0, len(r.groups))
	for key, cell := range r.All() {
		estimates := make(map[string]estimateJSON)
		for _, a := range cell.plan().answers {
			e := cell.estimate(a).json(a.integer())
			e.LeavesOut = cell.plan().leavesOut(a.column)
			estimates[a.String()] = e
		}
		groups = append(groups, group{mark, key, estimates})
	}
	return json.Marshal(struct {
		Mark    string  `json:"rehearsal,omitempty"`
		Receipt Receipt `json:"receipt"`
		Groups  []group `json:"groups"`
	}{mark, r.Receipt(), groups})
}

// UnmarshalJSON returns an error: the JSON has estimates, and not the noisy numbers
// from which a release computes them.
func (r *Release[Group]) UnmarshalJSON([]byte) error {
	return errors.New("aggregate: a Release is not read back from its JSON; run the plan with the same request and budget, which returns the stored release at no cost")
}

// estimateJSON is what [dp.Estimate] is written as, with integers of any size.
type estimateJSON struct {
	Value   *json.Number `json:"value"`
	Low     *json.Number `json:"low"`
	High    *json.Number `json:"high"`
	StdDev  float64      `json:"stddev"`
	Raw     *json.Number `json:"raw,omitempty"`
	Unknown bool         `json:"unknown,omitempty"`

	LeavesOut string `json:"leaves_out,omitempty"`
}

func (e estimate) json(integer bool) estimateJSON {
	limited := e.limited()
	lo, hi := limited.interval(0.95)
	j := estimateJSON{Low: number(lo, integer), High: number(hi, integer), StdDev: limited.stdDev, Unknown: e.unknown}
	if !e.unknown {
		j.Value = number(limited.value, integer)
	}
	if e.linear && limited.value.Cmp(e.value) != 0 {
		j.Raw = number(e.value, integer)
	}
	return j
}

// number writes a rational: to the nearest integer, or to the nearest float64.
func number(r *big.Rat, integer bool) *json.Number {
	if r == nil {
		return nil
	}
	f, _ := r.Float64()
	n := json.Number(fmt.Sprint(f))
	if integer {
		half := new(big.Rat).Add(r, big.NewRat(1, 2))
		n = json.Number(new(big.Int).Div(half.Num(), half.Denom()).String())
	}
	return &n
}

// integer reports whether estimates of the column are integers.
func (c column) integer() bool {
	switch c.kind {
	case kindCount, kindUnits, kindDistinct:
		return true
	case kindSum, kindQuantile:
		return c.value.integer
	}
	return false
}
