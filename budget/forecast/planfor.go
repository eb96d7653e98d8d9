package forecast

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/search"
)

// A Proposal is a plan that meets a goal, and the accounts that can pay for it.
type Proposal[Row any, Unit, Group comparable] struct {
	Plan     *aggregate.Plan[Row, Unit, Group]
	Forecast aggregate.Forecast // of a group that is as the goal assumes

	// Columns are those of the goal, with the weights that they have in the plan: for plans
	// with other caps, say.
	Columns []aggregate.Weighted

	// Ways are the accounts that can pay for all the reports. The best is the first.
	Ways []Way
}

// PlanFor returns the cheapest plan that meets a goal: how much loss, of which kind,
// with which noise, and how the columns share it. Cheapest is what costs the least ε for
// all the reports together at the goal's δ, by exact composition. It reads no row and
// costs nothing.
//
// Losses have three digits, and the next smaller one, shared in the same way, does not
// meet the goal. Caps and bounds are those of the query: what they cut off nobody knows
// beforehand. Where groups are selected and the report is made often, half of δ is for
// their thresholds.
//
// If there is no such plan, or only one that costs more than [Goal.Most] or than any account
// can have, it returns an
// [*ImpossibleError], which says what is nearest, and whether a lower cap would do.
func PlanFor[Row any, Unit, Group comparable](q *aggregate.Query[Row, Unit, Group], g Goal) (*Proposal[Row, Unit, Group], error) {
	if err := g.check(); err != nil {
		return nil, err
	}
	s := &solver[Row, Unit, Group]{query: q, goal: g}
	if err := s.checkAims(); err != nil {
		return nil, err
	}
	best := s.best()
	if best == nil || g.Most > 0 && best.total > g.Most || math.IsInf(best.total, 1) {
		return nil, s.impossible(best)
	}
	ways, err := Ways(g.Delta, s.use(best.plan))
	if err != nil {
		return nil, err
	}
	return &Proposal[Row, Unit, Group]{Plan: best.plan, Forecast: best.forecast, Columns: s.weighted(best.weights), Ways: ways}, nil
}

// A solver looks for the plan of a goal.
type solver[Row any, Unit, Group comparable] struct {
	query *aggregate.Query[Row, Unit, Group]
	goal  Goal
}

// best returns the cheapest plan that meets the goal, or nil.
func (s *solver[Row, Unit, Group]) best() (best *solution[Row, Unit, Group]) {
	for _, kind := range s.kinds() {
		if found := s.solve(kind); found != nil && (best == nil || found.total < best.total) {
			best = found
		}
	}
	return s.climbedDown(best)
}

// climbedDown shares the loss of the best plan in steps that [Share] takes too, and returns the
// cheapest plan with what comes of it: what selects groups may be one of the columns, and columns
// may be one vector, so that sharing by what was furthest off does not end with the least.
func (s *solver[Row, Unit, Group]) climbedDown(best *solution[Row, Unit, Group]) *solution[Row, Unit, Group] {
	if best == nil {
		return nil
	}
	nearer := best
	for _, step := range []float64{2, 1.4} {
		nearer = s.climbed(best.kind(losses.size(best.rung)), nearer, step)
	}
	if nearer == best {
		return best
	}
	if found := s.cheapest(best.kind, best.withUnasked(nearer.weights), best.rung); found != nil && found.total < best.total {
		return found
	}
	return best
}

// selects reports whether groups are selected privately.
func (s *solver[Row, Unit, Group]) selects() bool {
	return s.query.Group != nil && s.query.Groups == nil
}

// A lossKind is one kind of loss, in sizes. Noise falls with the size as its inverse, or
// as that of its square root.
type lossKind func(size float64) dp.Loss

// kinds returns the kinds of loss that can answer the query.
func (s *solver[Row, Unit, Group]) kinds() []lossKind {
	delta := s.goal.Delta
	if s.goal.Times > 1 {
		delta = exact.DecimalDown(exact.Decimal(delta / 2 / float64(s.goal.Times)))
	}
	approx := func(x float64) dp.Loss { return dp.Approx{Epsilon: x, Delta: delta} }
	switch {
	case s.selects() && s.goal.Times == 1:
		return []lossKind{approx}
	case s.selects():
		return []lossKind{approx, func(x float64) dp.Loss { return dp.Concentrated{Rho: x, Delta: delta} }}
	case s.goal.Times == 1:
		return []lossKind{approx, func(x float64) dp.Loss { return dp.Pure{Epsilon: x} }}
	}
	return []lossKind{
		func(x float64) dp.Loss { return dp.Pure{Epsilon: x} },
		func(x float64) dp.Loss { return dp.Concentrated{Rho: x} },
	}
}

// A solution is a plan, and how far it is from the goal.
type solution[Row any, Unit, Group comparable] struct {
	plan     *aggregate.Plan[Row, Unit, Group]
	forecast aggregate.Forecast
	ratios   []float64 // of each aim: what is reached over what was asked
	shown    float64   // the same for ShownFrom
	surely   float64   // units from which on groups are shown
	weights  []float64
	kind     lossKind
	rung     rung    // its size
	total    float64 // ε of all the reports together
}

// worst is above 1 if the goal is not met.
func (s *solution[Row, Unit, Group]) worst() float64 {
	worst := s.shown
	for _, r := range s.ratios {
		worst = max(worst, r)
	}
	return worst
}

// try plans with a loss, shared by weights.
func (s *solver[Row, Unit, Group]) try(loss dp.Loss, weights []float64) (*solution[Row, Unit, Group], error) {
	plan, err := s.query.Plan(loss, s.columns(weights)...)
	if err != nil {
		return nil, err
	}
	forecast, err := plan.Forecast(s.goal.Of)
	if err != nil {
		return nil, err
	}
	found := &solution[Row, Unit, Group]{plan: plan, forecast: forecast, weights: weights}
	for i, c := range forecast.Columns {
		found.ratios = append(found.ratios, s.goal.Aims[i].ratio(c))
	}
	if _, found.surely = plan.Threshold(); s.goal.ShownFrom > 0 {
		found.shown = found.surely / float64(s.goal.ShownFrom)
	}
	return found, nil
}

func (s *solver[Row, Unit, Group]) columns(weights []float64) []aggregate.AnyColumn {
	columns := make([]aggregate.AnyColumn, len(weights))
	for i, c := range s.weighted(weights) {
		columns[i] = c
	}
	return columns
}

func (s *solver[Row, Unit, Group]) weighted(weights []float64) []aggregate.Weighted {
	columns := make([]aggregate.Weighted, len(weights))
	for i, a := range s.goal.Aims {
		columns[i] = aggregate.Weighted{AnyColumn: a.Column, Weight: weights[i]}
	}
	return columns
}

// asked returns the half-width that an aim asks for; 0 if none.
func (a Aim) asked(c aggregate.Expected) float64 {
	return a.Within + a.Part*math.Abs(c.Value)
}

func (a Aim) ratio(c aggregate.Expected) float64 {
	switch asked := a.asked(c); {
	case a.Within == 0 && a.Part == 0:
		return 0
	case !(c.PlusMinus <= asked*1e9):
		return 1e9
	default:
		return c.PlusMinus / asked
	}
}

// checkAims plans once, with much loss, so that mistakes of the query are found.
func (s *solver[Row, Unit, Group]) checkAims() error {
	first, err := s.try(s.kinds()[0](1), s.equal())
	if err != nil {
		return err
	}
	if len(first.forecast.Columns) != len(s.goal.Aims) {
		return errTwice
	}
	for i, price := range first.plan.Prices() {
		if a := s.goal.Aims[i]; price.Per == aggregate.PerRank && a.Within+a.Part > 0 {
			return fmt.Errorf("forecast: Goal.Aims[%d] is of %s, and how far a quantile is off depends on the rows, and the width of its interval on the draw; leave Within and Part 0", i, price.Column)
		} else if a.Within+a.Part > 0 && (strings.HasSuffix(price.Column, " variance") || strings.HasSuffix(price.Column, " standard deviation")) {
			return fmt.Errorf("forecast: Goal.Aims[%d] is of %s, and how far that is off depends on how values are spread, which a Goal does not say; leave Within and Part 0", i, price.Column)
		}
	}
	return nil
}

var errTwice = errors.New("forecast: Goal.Aims has a column twice")

func (s *solver[Row, Unit, Group]) equal() []float64 {
	weights := make([]float64, len(s.goal.Aims))
	for i := range weights {
		weights[i] = 1
	}
	return weights
}

// rounds is how often the loss is shared anew.
const rounds = 3

// solve returns the cheapest plan of a kind of loss that meets the goal, or nil. It
// shares the loss equally at first, and then more of it to what was furthest off.
func (s *solver[Row, Unit, Group]) solve(kind lossKind) (best *solution[Row, Unit, Group]) {
	weights, start := s.equal(), losses.near(1)
	for range rounds {
		found := s.cheapest(kind, weights, start)
		if found == nil {
			return best
		}
		if best == nil || found.total < best.total {
			best = found
		}
		next := found.reweighed()
		if !changes(weights, next, s.selects()) {
			break
		}
		weights, start = next, found.rung
	}
	return best
}

// cheapest returns the plan of the smallest loss that meets the goal with these weights.
func (s *solver[Row, Unit, Group]) cheapest(kind lossKind, weights []float64, start rung) *solution[Row, Unit, Group] {
	tried := make(map[rung]*solution[Row, Unit, Group])
	try := func(r rung) *solution[Row, Unit, Group] {
		found, seen := tried[r]
		if !seen {
			found, _ = s.try(kind(losses.size(r)), weights) //nolint:errcheck // so small or so large a loss meets no goal
			tried[r] = found
		}
		return found
	}
	for range 3 { // noise is about inverse to the loss, or to its root
		found := try(start)
		if found == nil {
			break
		}
		next := losses.near(losses.size(start) * math.Pow(found.worst(), found.power(kind)))
		if next == start {
			break
		}
		start = next
	}
	r, ok := losses.least(start, func(r rung) bool { found := try(r); return found != nil && found.worst() <= 1 })
	if !ok {
		return nil
	}
	found := try(r)
	found.kind, found.rung, found.total = kind, r, s.total(found.plan)
	return found
}

// power says how noise depends on the size of the loss: as size^(-1/power).
func (s *solution[Row, Unit, Group]) power(kind lossKind) float64 {
	if dp.PartsOf(kind(1)).Rho > 0 {
		return 2
	}
	return 1
}

// reweighed returns weights under which all aims would be met as closely as the others:
// Gaussian noise is shared by its square. What selects groups has weight 1. Columns for
// which nothing is asked get an eighth of the largest weight.
func (s *solution[Row, Unit, Group]) reweighed() []float64 {
	power := 1.0
	if s.plan.Prices()[0].Mechanism == dp.DiscreteGaussian {
		power = 2
	}
	unit := 1.0
	if s.surely > 0 {
		unit = max(s.shown, 1./16)
	}
	weights := make([]float64, len(s.weights))
	for i, w := range s.weights {
		if s.ratios[i] > 0 {
			weights[i] = twoDigits(w * math.Pow(max(s.ratios[i], 1./16)/unit, power))
		}
	}
	return s.withUnasked(weights)
}

// withUnasked gives an eighth of the largest weight to columns for which nothing is asked.
func (s *solution[Row, Unit, Group]) withUnasked(weights []float64) []float64 {
	most := 0.0
	for i, w := range weights {
		if s.ratios[i] > 0 {
			most = max(most, w)
		}
	}
	all := slices.Clone(weights)
	for i := range all {
		if s.ratios[i] == 0 {
			all[i] = twoDigits(most / 8)
		}
	}
	return all
}

// changes reports whether other weights share the loss in another way, by a fiftieth or
// more. What selects groups has its weight beside them.
func changes(weights, others []float64, selects bool) bool {
	least, most := math.Inf(1), 0.0
	if selects {
		least, most = 1, 1
	}
	for i, w := range weights {
		least, most = min(least, others[i]/w), max(most, others[i]/w)
	}
	return most > 1.02*least
}

func twoDigits(x float64) float64 {
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'e', 1, 64), 64)
	if err != nil || !(y > 0) {
		return 1
	}
	return y
}

func (s *solver[Row, Unit, Group]) use(p *aggregate.Plan[Row, Unit, Group]) Use {
	return Use{Charge: p.Charge(aggregate.Request{}), Times: s.goal.Times}
}

// total returns the ε of all the reports together, or +Inf.
func (s *solver[Row, Unit, Group]) total(p *aggregate.Plan[Row, Unit, Group]) float64 {
	loss, err := LeastLoss(s.goal.Delta, s.use(p))
	if err != nil {
		return math.Inf(1)
	}
	return loss.Epsilon
}

// impossible says what comes nearest to the goal under the largest ε that is allowed.
func (s *solver[Row, Unit, Group]) impossible(best *solution[Row, Unit, Group]) error {
	most, weights := s.goal.Most, s.equal()
	if most == 0 {
		most = mostUseful
	}
	if best != nil {
		weights = best.weights
	}
	var nearest *solution[Row, Unit, Group]
	for _, kind := range s.kinds() {
		tooMuch := func(r rung) bool {
			found, err := s.try(kind(losses.size(r)), weights)
			return err == nil && s.total(found.plan) > most
		}
		at := losses.last()
		if r, ok := losses.least(losses.near(most/float64(s.goal.Times)), tooMuch); ok {
			at = max(r-1, 0)
		}
		if found, err := s.try(kind(losses.size(at)), weights); err == nil && (nearest == nil || found.worst() < nearest.worst()) {
			nearest = found
		}
	}
	if nearest == nil {
		return fmt.Errorf("forecast: no plan is possible at all for an account of ε=%g δ=%g", most, s.goal.Delta)
	}
	return s.unmet(nearest, most, s.mostGroups(best, most))
}

// mostGroups returns the largest cap below that of the query with which the goal is met
// in the way of the best solution for at most so much ε, and 0 if there is none.
func (s *solver[Row, Unit, Group]) mostGroups(best *solution[Row, Unit, Group], most float64) int {
	if best == nil {
		return 0
	}
	meets := func(n int64) bool {
		capped := &solver[Row, Unit, Group]{query: s.query.WithMaxGroups(int(n)), goal: s.goal}
		found := capped.cheapest(best.kind, best.weights, best.rung)
		return found != nil && found.total <= most
	}
	if s.query.MaxGroups < 2 || !meets(1) {
		return 0
	}
	n, _ := search.Edge(1, int64(s.query.MaxGroups), nil, meets)
	return int(n)
}

// mostUseful is an ε above which nothing is protected.
const mostUseful = 1000

func (s *solver[Row, Unit, Group]) unmet(nearest *solution[Row, Unit, Group], most float64, groups int) error {
	e := &ImpossibleError{Epsilon: most, MaxGroups: groups}
	for i, c := range nearest.forecast.Columns {
		if nearest.ratios[i] > 1 {
			e.Unmet = append(e.Unmet, Unmet{Aim: c.Column, Asked: s.goal.Aims[i].asked(c), Nearest: c.PlusMinus})
		}
	}
	if nearest.shown > 1 {
		e.Unmet = append(e.Unmet, Unmet{Aim: shownFrom, Asked: float64(s.goal.ShownFrom), Nearest: nearest.surely})
	}
	if len(e.Unmet) == 0 {
		return fmt.Errorf("forecast: the goal is met under ε=%g, but by no plan that was tried under it", most)
	}
	return e
}
