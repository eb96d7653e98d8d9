package aggregate

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/calibrate"
	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/grid"
)

// A question is what is to be calibrated: which measures, and how much of them
// one unit can move.
type question struct {
	wants   []want
	weights map[want]*big.Rat // of 1 where there is none
	reads   map[want][]reads  // what columns read of them
	l0      int64             // groups of a unit
	rows    int64             // rows of a unit in a group
	selects bool
	loss    dp.Loss
	ranks   map[*value]asked
	groups  int  // that are given; 0 if they are selected
	trees   bool // all quantiles are read from trees, as in earlier versions
	apart   bool // no numbers are one vector: in earlier versions, and in series
}

// A calibration is a question with noise for it.
type calibration struct {
	family    core.Family
	measures  []*measure
	threshold *threshold // nil unless groups are selected
	finder    *finder    // nil unless nothing else is asked of them
	top       *top       // nil unless the largest groups are asked for
}

// calibrate chooses the noise. A [dp.Approx] is tried with both families, and
// gets the one that serves the plan better.
func (q question) calibrate() (*calibration, error) {
	if len(q.wants) == 0 {
		f, err := q.finder()
		return &calibration{finder: f}, err
	}
	epsilon, delta, rho := dp.PartsOf(q.loss).Exact()
	switch q.loss.(type) {
	case dp.Pure:
		return q.laplace(epsilon, nil)
	case dp.Concentrated:
		return q.gaussian(rho.Add(rho, rho), delta)
	case dp.Approx:
		laplace, errL := q.approxLaplace()
		gaussian, errG := q.approxGaussian()
		switch {
		case errL != nil && errG != nil:
			return nil, errL
		case errG != nil, errL == nil && laplace.badness() <= gaussian.badness():
			return laplace, nil
		}
		return gaussian, nil
	}
	return nil, fmt.Errorf("aggregate: internal error: no calibration for %T", q.loss)
}

// approxLaplace spends all of epsilon on noise and all of delta on selection.
func (q question) approxLaplace() (*calibration, error) {
	epsilon, delta, _ := dp.PartsOf(q.loss).Exact()
	return q.laplace(epsilon, delta)
}

// approxGaussian spends delta on noise, or half of it if groups are selected.
func (q question) approxGaussian() (*calibration, error) {
	epsilon, delta, _ := dp.PartsOf(q.loss).Exact()
	if q.selects {
		delta.Quo(delta, big.NewRat(2, 1))
	}
	budget := calibrate.FineBudget(epsilon, delta)
	if ranges := q.mixedRanges(); len(ranges) > 0 {
		budget = calibrate.MixedBudget(epsilon, delta, ranges...)
	}
	if budget == nil {
		return nil, fmt.Errorf("aggregate: no Gaussian noise is wide enough for %v", q.loss)
	}
	return q.gaussian(budget, delta)
}

// laplace gives every measure its share of epsilon (basic composition: Dwork,
// Kenthapadi, McSherry, Mironov, Naor 2006, Theorem 1).
func (q question) laplace(epsilon, delta *big.Rat) (*calibration, error) {
	return q.build(core.Laplace, delta, func(share *big.Rat, c calibrate.Change) *big.Rat {
		return c.Laplace(share.Mul(share, epsilon))
	})
}

// gaussian gives every measure its share of budget, a bound on Σ(L2/σ)²: it is
// μ² of Gaussian differential privacy (Dong, Roth, Su 2022, Corollary 3.3) and
// 2ρ of concentrated differential privacy (Bun, Steinke 2016, Lemma 2.3).
func (q question) gaussian(budget, delta *big.Rat) (*calibration, error) {
	return q.build(core.Gaussian, delta, func(share *big.Rat, c calibrate.Change) *big.Rat {
		return c.Gaussian(share.Mul(share, budget))
	})
}

// gaussianFor is gaussian on a grid for noise that is wider by so many bits.
func (q question) gaussianFor(budget *big.Rat, bits uint) (*calibration, error) {
	wider := new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), bits))
	return q.build(core.Gaussian, nil, func(share *big.Rat, c calibrate.Change) *big.Rat {
		scale := c.Gaussian(share.Mul(share, budget))
		return scale.Mul(scale, wider)
	})
}

// share returns which part of the loss a measure gets: its weight among the
// weights of all. The shares add up to 1.
func (q question) share(w want) *big.Rat {
	sum := new(big.Rat)
	for _, other := range q.wants {
		sum.Add(sum, q.weight(other))
	}
	return new(big.Rat).Quo(q.weight(w), sum)
}

func (q question) weight(w want) *big.Rat {
	if given := q.weights[w]; given != nil {
		return given
	}
	return big.NewRat(1, 1)
}

// leastShare returns the smallest share of the measures of a value, which decides
// how fine the grid of all of them can be.
func (q question) leastShare(v *value) *big.Rat {
	var least want
	for _, w := range q.wants {
		if w.value == v && (least.value == nil || q.weight(w).Cmp(q.weight(least)) < 0) {
			least = w
		}
	}
	return q.share(least)
}

// A scaler returns the scale of noise that a change needs at a share of the loss. It may
// write to the share.
type scaler func(share *big.Rat, c calibrate.Change) *big.Rat

// build makes the measures, and the threshold if groups are selected.
func (q question) build(f core.Family, delta *big.Rat, scale scaler) (*calibration, error) {
	c := &calibration{family: f, measures: q.joints(f, scale)}
	var errs []error
	for _, w := range q.wants {
		if c.find(w.form, w.value) != nil {
			continue // a joint answers it
		}
		m, err := q.measure(w, c, scale)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		c.measures = append(c.measures, m)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if q.selects {
		t, err := newThreshold(c.units(), q.l0, delta)
		if err != nil {
			return nil, err
		}
		c.threshold = t
	}
	return c, nil
}

// measure makes the measure of a want, with a grid and noise, beside those that a
// calibration has.
func (q question) measure(w want, c *calibration, scale scaler) (*measure, error) {
	m := &measure{form: w.form, value: w.value}
	if w.value != nil {
		g, err := q.gridFor(w.value, c, scale(q.leastShare(w.value), calibrate.Change{L0: big.NewInt(q.l0), LInf: q.records(m)}))
		if err != nil {
			return nil, err
		}
		m.grid = g
	}
	share := q.share(w)
	m.share, _ = share.Float64()
	if w.form == formRanks {
		drawn, err := q.setRanks(m, w, c.family, scale)
		if err != nil {
			return nil, err
		}
		share.Sub(share, drawn)
	}
	if share.Sign() == 0 {
		return m, nil // nothing is added to anything
	}
	return m, q.setNoise(m, share, c.family, scale)
}

// setRanks chooses how quantiles are found, and returns the share that drawing them takes.
func (q question) setRanks(m *measure, w want, f core.Family, scale scaler) (*big.Rat, error) {
	draws, why := q.draws(w.value)
	m.why = why
	if !draws {
		m.chooseLeaves(branching(f), q.trees)
		return new(big.Rat), nil
	}
	d, err := q.newDrawing(m, w, f, scale)
	if err != nil {
		return nil, err
	}
	m.drawing = d
	each, first := q.drawShare(w, f)
	if first.Sign() > 0 {
		m.why += q.drawnTwice()
	}
	return each.Add(each, first), nil
}

// setNoise gives a measure noise at a share of the loss.
func (q question) setNoise(m *measure, share *big.Rat, f core.Family, scale scaler) error {
	change := calibrate.Change{
		L0:   new(big.Int).Mul(big.NewInt(q.l0), big.NewInt(m.levels())),
		LInf: new(big.Int).Mul(m.norm(), q.records(m)),
	}
	if f == core.Gaussian {
		m.shift = calibrate.Fineness(scale(new(big.Rat).Set(share), change))
	}
	change.LInf.Lsh(change.LInf, m.shift)
	return m.calibrate(f, change, scale(share, change))
}

// gridFor returns the grid of a value, which all its measures share: that of a vector, if
// it is in one.
func (q question) gridFor(v *value, c *calibration, times *big.Rat) (*grid.Grid, error) {
	for _, m := range c.measures {
		if m.joint != nil && slices.Contains(m.joint.values, v) {
			return m.joint.of(v).grid, nil
		}
	}
	return v.chooseGrid(q.formsOf(v), times)
}

// branching is the number of children of a node of the tree that gave the least
// error with either noise on continuous data.
func branching(f core.Family) int {
	if f == core.Laplace {
		return 16
	}
	return 4
}

// records returns how many records a unit has in a group.
func (q question) records(m *measure) *big.Int {
	return big.NewInt(m.records(q.rows))
}

func (q question) formsOf(v *value) []form {
	var forms []form
	for _, w := range q.wants {
		if w.value == v {
			forms = append(forms, w.form)
		}
	}
	return forms
}

// calibrate sets the noise of a measure whose numbers change as given.
func (m *measure) calibrate(f core.Family, c calibrate.Change, scale *big.Rat) error {
	if m.shift > 61 {
		return fmt.Errorf("aggregate: %v needs noise of less than 2^-49, which is none; use a smaller loss", m)
	}
	if !c.L0.IsInt64() || !c.LInf.IsInt64() || !calibrate.Fits(scale) {
		approx, _ := scale.Float64()
		return fmt.Errorf("aggregate: %v needs noise of scale %.3g, must be at most 2^40; use a larger loss or smaller caps", m, approx)
	}
	law, err := calibrate.Law(f, scale)
	if m.joint != nil && f == core.Laplace {
		law, err = core.NewCube(m.parts(), new(big.Rat).Set(scale))
	}
	if err != nil {
		return fmt.Errorf("aggregate: %v: %w", m, err)
	}
	m.law = law
	m.event = dp.Event{
		Mechanism: m.mechanism(f), For: m.noisyName(), Scale: law.Scale, Count: 1,
		Sensitivity: dp.Sensitivity{L0: c.L0.Int64(), LInf: c.LInf.Int64()},
	}
	return nil
}

// mechanism names the noise. Only a measure of one number per group changes by a
// box.
func (m *measure) mechanism(f core.Family) dp.Mechanism {
	switch {
	case f == core.Gaussian:
		return dp.DiscreteGaussian
	case m.joint != nil:
		return dp.CubeNorm
	case m.parts() == 1:
		return dp.DiscreteLaplace
	}
	return dp.DiscreteLaplaceVector
}

// units returns the measure of units, which a selection always has.
func (c *calibration) units() *measure { return c.find(formUnits, nil) }

func (c *calibration) find(f form, v *value) *measure {
	for _, m := range c.measures {
		if m.form == f && m.value == v || m.joint != nil && slices.Contains(m.joint.answers, want{f, v}) {
			return m
		}
	}
	return nil
}

// badness is the logarithm of what whoever reads the columns loses, and what is
// compared between families: the noise, each measure's of the weight that it has, and, where
// groups are selected, the
// threshold below which they do not see a group at all. A threshold that is lower
// by a per cent is worth noise that is more by a per cent: where the sizes of
// groups fall as a power of their rank, as those of words and shops do, so many
// more groups are shown. The noise of the number of units that selects them counts half: it is
// in the threshold already, and every group that is shown has several times as many.
func (c *calibration) badness() float64 {
	noise := 0.0
	for _, m := range c.measures {
		share := m.share
		if c.threshold != nil && m.form == formUnits {
			share /= 2
		}
		noise += share * m.noisiness()
	}
	if c.threshold != nil {
		noise += math.Log(c.threshold.units())
	}
	return noise
}

// noisiness is the mean of the measures' noisiness, each of one weight for every column
// that is asked.
func (c *calibration) noisiness() float64 {
	sum, n := 0.0, 0
	for _, m := range c.measures {
		answers := 1
		if m.joint != nil {
			answers = len(m.joint.answers)
		}
		sum += float64(answers) * m.noisiness()
		n += answers
	}
	return sum / float64(n)
}

// noisiness is the logarithm of the noise of a record's norm, or the mean of those that a
// joint answers, each of its weight.
func (m *measure) noisiness() float64 {
	switch {
	case m.joint != nil:
		sum := 0.0
		for i, w := range m.joint.answers {
			half, middle := w.halves()
			sum += m.joint.weights[i] * math.Log(m.noiseOf(w)/(half+math.Abs(middle)))
		}
		return sum
	case m.drawing != nil:
		return m.drawing.noisiness()
	}
	norm, _ := new(big.Rat).SetInt(m.norm()).Float64()
	depth := math.Sqrt(float64(m.shape.Base * m.shape.Height))
	return math.Log(m.law.StdDev()/math.Ldexp(norm, int(m.shift))) + math.Log(max(depth, 1))
}
