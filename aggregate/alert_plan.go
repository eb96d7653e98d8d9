package aggregate

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/calibrate"
	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// An AlertPlan is a checked [Alert] with a price. It is immutable and safe for concurrent
// use. [Watch] runs it.
type AlertPlan[Row any, Unit, Group comparable] struct {
	alert     Alert[Row, Unit, Group]
	inner     *Plan[Row, Unit, seriesPair[Group]] // reads rows and adds them up, by pairs
	given     []Group
	on        *schedule[Row]
	first     int
	labels    []string
	column    answer
	loss      dp.Loss
	event     dp.Event  // of one period
	numbers   *core.Law // noise of a number
	threshold *core.Law // noise of the threshold
	least     *big.Int  // steps from which on a number is not below the threshold
	mark      string    // fingerprint
}

// Plan checks the declaration and splits loss between the noise of the threshold and that of the
// numbers. All mistakes are reported, joined, and none depends on rows. It costs nothing.
//
// All answers together, over however many periods and groups, are ε- or ρ-private as loss
// says, for a unit's whole history, also if what people do depends on the alerts. Proof:
// docs/proofs/alerts.md.
//
// The column is a count, units or a sum. The loss is a [dp.Pure] or a [dp.Concentrated]: an
// alert needs no δ.
func (a *Alert[Row, Unit, Group]) Plan(loss dp.Loss, column AnyColumn) (*AlertPlan[Row, Unit, Group], error) {
	if err := errors.Join(a.check(), dp.CheckLoss(loss)); err != nil {
		return nil, err
	}
	columns, weights, weightErr := unweighted([]AnyColumn{column})
	asked, err := a.Query.checkColumns(columns)
	if err := errors.Join(err, weightErr); err != nil {
		return nil, err
	}
	if k := asked[0].kind; k != kindCount && k != kindUnits && k != kindSum {
		return nil, fmt.Errorf("aggregate: column %v is no count and no sum; one unit can move it from any side of a threshold to the other, so no alert can be given on it", asked[0])
	}
	epsilon, ofNumbers, err := a.split(loss)
	if err != nil {
		return nil, err
	}
	query := *a.Query
	query.Groups, query.Consent, query.Retention = slices.Clone(query.Groups), copied(query.Consent), copied(query.Retention)
	p := &AlertPlan[Row, Unit, Group]{alert: *a, given: query.given(), on: a.schedule(), loss: loss}
	p.alert.Query, p.first, p.labels = &query, p.on.first(), p.on.labels()
	if err := p.compile(asked, weights, ofNumbers); err != nil {
		return nil, err
	}
	if err := p.calibrate(epsilon, ofNumbers); err != nil {
		return nil, err
	}
	p.place()
	p.mark = p.describe()
	return p, nil
}

// split returns the loss of all answers together, and what of it the noise of the numbers has:
// so that alerts are near the threshold both ways, at 95 %, by the bounds of [AlertPlan.Margins].
func (a *Alert[Row, Unit, Group]) split(loss dp.Loss) (epsilon, ofNumbers *big.Rat, err error) {
	const surely = 20 // one in twenty
	asked := float64(a.Periods * len(a.Query.given()))
	numbers := math.Sqrt(float64(a.Most) * math.Log(surely*asked))
	share := big.NewRat(int64(math.Round(256*numbers/(numbers+math.Sqrt(math.Log(surely))))), 256)
	epsilon, delta, rho := dp.PartsOf(loss).Exact()
	switch {
	case delta.Sign() > 0:
		return nil, nil, fmt.Errorf("aggregate: an alert needs no δ, and %v has one; use a dp.Pure or a dp.Concentrated", loss)
	case rho.Sign() > 0: // bounded range (1+share)·ε is ((1+share)·ε)²/8-concentrated
		root := math.Sqrt(exact.FloatDown(rho.Mul(rho, big.NewRat(8, 1))))
		epsilon = exact.Float(math.Nextafter(root, 0))
		epsilon.Quo(epsilon, new(big.Rat).Add(share, big.NewRat(1, 1)))
	}
	return epsilon, share.Mul(share, epsilon), nil
}

// compile makes what reads the rows.
func (p *AlertPlan[Row, Unit, Group]) compile(asked []column, weights map[column]*big.Rat, ofNumbers *big.Rat) error {
	q := p.alert.Query
	var pairs []seriesPair[Group]
	for _, g := range p.given {
		for t := range p.alert.Periods {
			pairs = append(pairs, seriesPair[Group]{g, t})
		}
	}
	ws, weightOf := wants(asked, weights, false)
	calibrated, err := question{
		wants: ws, weights: weightOf, loss: p.loss, l0: int64(p.alert.Most), rows: int64(q.MaxRowsPerGroup), groups: len(pairs), apart: true,
	}.laplace(ofNumbers, nil)
	if err != nil {
		return err
	}
	inner := &Query[Row, Unit, seriesPair[Group]]{
		Dataset: q.Dataset, UnitName: q.UnitName, UnitIsEvent: q.UnitIsEvent, Unit: q.Unit, Group: p.pair, GroupName: q.GroupName,
		MaxGroups: len(pairs), MaxRowsPerGroup: q.MaxRowsPerGroup, Groups: pairs, Consent: q.Consent, Retention: q.Retention,
	}
	p.inner = inner.compile(p.loss, asked, calibrated)
	p.column = p.inner.answers[0]
	return nil
}

// pair returns the pair of a row. One outside the periods is in none.
func (p *AlertPlan[Row, Unit, Group]) pair(row Row) seriesPair[Group] {
	k := seriesPair[Group]{Period: p.on.period(row, p.first)}
	if p.alert.Query.Group != nil {
		k.Group = p.alert.Query.Group(row)
	}
	return k
}

// calibrate gives the numbers and the threshold noise.
func (p *AlertPlan[Row, Unit, Group]) calibrate(epsilon, ofNumbers *big.Rat) error {
	m, width := p.column.measure, p.width()
	most := new(big.Int).Mul(big.NewInt(int64(p.alert.Most)), width)
	scale := new(big.Rat).Quo(new(big.Rat).SetInt(most), ofNumbers)
	ofThreshold := new(big.Rat).Sub(epsilon, ofNumbers)
	first := new(big.Rat).Quo(new(big.Rat).SetInt(width), ofThreshold)
	if !width.IsInt64() || !calibrate.Fits(scale) || !calibrate.Fits(first) {
		approx, _ := scale.Float64()
		return fmt.Errorf("aggregate: %v needs noise of scale %.3g, must be at most 2^40; use a larger loss, fewer alerts, or a coarser step", m, approx)
	}
	var err1, err2 error
	p.numbers, err1 = calibrate.Law(core.OneSided, scale)
	p.threshold, err2 = calibrate.Law(core.OneSided, first)
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("aggregate: %v: %w", m, err)
	}
	p.event = dp.Event{
		Mechanism: dp.AboveThreshold, For: p.column.String() + " " + p.alert.When.String(), Scale: p.numbers.Scale, Epsilon: epsilon, Count: 1,
		Sensitivity: dp.Sensitivity{L0: int64(p.alert.Most), LInf: width.Int64()},
	}
	return nil
}

// width returns how far apart the numbers are, in steps, that a unit can add to a pair: a
// unit that is not there adds 0.
func (p *AlertPlan[Row, Unit, Group]) width() *big.Int {
	m, rows := p.column.measure, int64(p.inner.maxRows)
	if m.perUnit() {
		rows = 1
	}
	low, high := m.ends()
	width := new(big.Int).Sub(big.NewInt(max(high, 0)), big.NewInt(min(low, 0)))
	return width.Mul(width, big.NewInt(rows))
}

// place finds the threshold on the grid, exactly.
func (p *AlertPlan[Row, Unit, Group]) place() {
	steps := exact.Decimal(p.alert.When.threshold)
	if g := p.column.measure.grid; g != nil {
		steps.Quo(steps, g.Step)
	}
	p.least = ceil(steps)
	if p.least.CmpAbs(farther) > 0 { // which no sum reaches, and noise neither
		p.least.Mul(farther, big.NewInt(int64(p.least.Sign())))
	}
}

// farther is a number of steps that no sum has: of at most 2^63 records, each of at most 2^62 steps. A
// threshold that is as far away fits in 128 bits, and so it does with its noise.
var farther = new(big.Int).Lsh(big.NewInt(1), 126)

// ceil returns the least integer that is r or more.
func ceil(r *big.Rat) *big.Int {
	down := new(big.Int).Div(new(big.Int).Neg(r.Num()), r.Denom())
	return down.Neg(down)
}

// Periods returns the names of all periods, such as "2026-W05".
func (p *AlertPlan[Row, Unit, Group]) Periods() []string { return slices.Clone(p.labels) }

// Charge returns what all answers together cost. [Watch] reserves it.
func (p *AlertPlan[Row, Unit, Group]) Charge(r Request) dp.Charge {
	c := p.draw(r, 0)
	c.Key, c.Events[0].Count = r.Key, p.alert.Periods
	return c
}

// draw returns what the answer of period t is drawn by.
func (p *AlertPlan[Row, Unit, Group]) draw(r Request, t int) dp.Charge {
	states := p.inner.states()
	states.Grouped, states.KeysGiven, states.Step = p.alert.Query.Group != nil, p.alert.Query.Group != nil, p.alert.Step.String()
	states.Units = false // there are no numbers
	return dp.Charge{
		Dataset: p.inner.dataset, Unit: p.inner.unitName, Purpose: r.Purpose, Key: r.Key + " " + p.labels[t], Plan: p.mark, Question: p.mark,
		Analyst: r.Analyst, Periods: slices.Clone(r.Periods), Loss: p.loss, Events: []dp.Event{p.event.Clone()}, States: states,
	}
}

// describe hashes all that stands in the declaration and its noise.
func (p *AlertPlan[Row, Unit, Group]) describe() string {
	var b strings.Builder
	a := p.alert
	fmt.Fprintf(&b, "equipoise alert 1\n%s\n%v %q %d %d\n", p.inner.fingerprint, a.Step, a.Zone.String(), p.first, a.Periods)
	fmt.Fprintf(&b, "when %v at most %d times\n", a.When, a.Most)
	if a.Arrived != nil {
		fmt.Fprintf(&b, "rows arrive within %v\n", a.Wait)
	}
	fmt.Fprintf(&b, "event %+v %v %v threshold %v\n", p.event.Sensitivity, p.event.Scale, p.event.Epsilon, p.threshold.Scale)
	hash := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(hash[:])
}
