package aggregate

import (
	"fmt"
	"math"
	"strings"
)

// Margins says how near to the threshold alerts are, in units of the column. With this
// probability no alert is given, over all periods and groups together, while every number is on
// the right side and at least quiet away from the threshold. And with this probability an alert is given
// for every number that is on the wrong side and at least sure away from it, until there were as
// many as there may be.
//
// A confidence of 1 has infinite margins. Both are bounds for all data: docs/proofs/alerts.md, section 4.
func (p *AlertPlan[Row, Unit, Group]) Margins(confidence float64) (quiet, sure float64) {
	if !(confidence < 1) {
		return math.Inf(1), math.Inf(1)
	}
	odds := 1 - max(confidence, 0)
	numbers, _ := p.numbers.Scale.Float64()
	threshold, _ := p.threshold.Scale.Float64()
	step := 1.0
	if g := p.column.measure.grid; g != nil {
		step, _ = g.Step.Float64()
	}
	// P(ν ≥ x+ρ) = e^(-x/b₂)·E[e^(-ρ/b₂)] for whole x ≥ 0; P(ρ > y) = e^(-(y+1)/b₁).
	meets := math.Expm1(-1/threshold) / math.Expm1(-1/threshold-1/numbers)
	asked := float64(len(p.labels) * len(p.given))
	quiet = max(0, math.Ceil(numbers*math.Log(asked*meets/odds)))
	sure = max(0, math.Ceil(-threshold*math.Log(odds)-1))
	return quiet * step, sure * step
}

// String returns the price list: what is paid once, what is asked, and the margins at 95 %.
func (p *AlertPlan[Row, Unit, Group]) String() string {
	var b strings.Builder
	in, a := p.inner, p.alert
	fmt.Fprintf(&b, "%s of %s: %v for all of %s, %s to %s\n",
		in.dataset, in.unitName, p.loss, plural(a.Periods, a.Step.String()), p.labels[0], p.labels[a.Periods-1])
	fmt.Fprintf(&b, "at most %s: %v %v in a %v%s\n", plural(a.Most, "alert"), p.column, a.When, a.Step, p.inGroups())
	for _, input := range in.inputs {
		fmt.Fprintln(&b, input.clamped())
	}
	quiet, sure := p.Margins(0.95)
	fmt.Fprintf(&b, "none at all, at 95 %%, while every number is %s or more away on the right side\n", short(quiet))
	fmt.Fprintf(&b, "one for certain, at 95 %%, where a number is %s or more away on the wrong side\n", short(sure))
	return b.String()
}

func (p *AlertPlan[Row, Unit, Group]) inGroups() string {
	if len(p.given) == 1 {
		return ""
	}
	return fmt.Sprintf(", in any of %s", plural(len(p.given), "group"))
}
