package pld

import "math"

// A Composition is a multiset of mechanisms used on the same people, in any order.
// The zero value is empty. Its bounds hold when the multiset was fixed before the
// first answer was seen (Zhu, Dong and Wang 2022, Theorem 10; adaptive order and
// early stopping included); for mechanisms chosen in the light of answers use Rényi
// divergences of fixed order, or sums.
type Composition struct {
	entries []entry
	index   map[Mechanism]int
	broken  bool
}

type entry struct {
	mechanism Mechanism
	count     int
}

// Add adds count uses of a mechanism. An invalid mechanism or a negative count
// makes the composition cost everything.
func (c *Composition) Add(m Mechanism, count int) {
	switch {
	case m.kind == invalid || count < 0:
		c.broken = true
	case m.kind == nothing || count == 0:
	default:
		c.put(m, count)
	}
}

func (c *Composition) put(m Mechanism, count int) {
	if c.index == nil {
		c.index = make(map[Mechanism]int)
	}
	i, known := c.index[m]
	if !known {
		c.index[m] = len(c.entries)
		c.entries = append(c.entries, entry{m, count})
		return
	}
	if c.entries[i].count > math.MaxInt-count {
		c.broken = true
		return
	}
	c.entries[i].count += count
}

// Delta returns an upper bound on the least δ for which the composition is (ε,
// δ)-differentially private: the least of the contour engine's bound, basic
// composition's, the Rényi bound, and a closed form where there is one. Round-off
// is included and there is no floor. It returns 1 if ε is NaN or negative or a
// mechanism invalid. Proof: docs/proofs/accounting-contour.md.
func (c *Composition) Delta(eps float64) float64 {
	if c.broken || !(eps >= 0) {
		return 1
	}
	worst := 0.0
	for _, flip := range c.directions() {
		worst = math.Max(worst, c.deltaOne(eps, flip))
	}
	return math.Min(1, worst)
}

// Epsilon returns an upper bound on the least ε for which the composition is (ε,
// δ)-differentially private, by the same engines. It returns +Inf if no ε will do,
// if δ is NaN or negative, or if a mechanism is invalid, and 0 for δ >= 1. Proof:
// docs/proofs/accounting-contour.md.
func (c *Composition) Epsilon(delta float64) float64 {
	if delta >= 1 {
		return 0
	}
	if c.broken || !(delta >= 0) {
		return math.Inf(1)
	}
	worst := 0.0
	for _, flip := range c.directions() {
		worst = math.Max(worst, c.epsilonOne(delta, flip))
	}
	return worst
}

// directions is both orders of neighbours if any mechanism tells them apart.
func (c *Composition) directions() []bool {
	if c.has(table) {
		return []bool{false, true}
	}
	return []bool{false}
}

func (c *Composition) deltaOne(eps float64, flip bool) float64 {
	p := newProfile(c.entries, flip)
	infinite := p.infinite()
	return (infinite + (1-infinite)*c.finiteDelta(p, eps)) * (1 + 8*ulp)
}

// finiteDelta is the least of the bounds on the part of δ that finite losses make.
func (c *Composition) finiteDelta(p *profile, eps float64) float64 {
	switch {
	case math.IsInf(eps, 1):
		return 0
	case c.has(zcdp):
		return c.renyiDelta(p, eps)
	case p.v == 0 && eps >= p.top():
		return 0
	case len(p.parts) == 0 && p.v > 0:
		return p.gaussianDelta(eps)
	}
	best := math.Min(basicDelta(p.top(), eps), p.single(eps))
	exactly := p.single(eps) < 1
	if !exactly && !p.hopeless && len(p.parts) > 0 {
		best = math.Min(best, p.lawDelta(eps))
	}
	if c.has(pureZcdp) || !exactly && (best > 1e-3 || c.has(boundedRange)) {
		best = math.Min(best, c.renyiDelta(p, eps))
	}
	return best
}

// lawDelta is the bound of the contour, or of the grid where that has none.
func (p *profile) lawDelta(eps float64) float64 {
	if engine := p.engineDelta(eps); engine < math.Inf(1) {
		return engine
	}
	return p.gridDelta(eps)
}

// basicDelta is what losses of at most top allow, whatever their law.
func basicDelta(top, eps float64) float64 {
	if math.IsInf(top, 1) {
		return 1
	}
	return math.Min(1, singleUp(-math.Expm1(eps-top), top))
}

// gaussianDelta is the closed form, the smallest losses taken off ε.
func (p *profile) gaussianDelta(eps float64) float64 {
	mu := math.Sqrt(p.v) * (1 + 4*ulp)
	if eps < p.small {
		return GaussianDelta(mu, 0) + p.small
	}
	return GaussianDelta(mu, eps-p.small)
}

func (c *Composition) epsilonOne(delta float64, flip bool) float64 {
	p := newProfile(c.entries, flip)
	infinite, left := p.infinite(), delta
	if infinite > 0 {
		left = (delta - infinite) / (1 - infinite) * (1 - 8*ulp)
	}
	switch {
	case infinite > delta || infinite == 1:
		return math.Inf(1)
	case left <= 0 && c.has(zcdp):
		return math.Inf(1)
	case left <= 0:
		return p.top()
	}
	return c.finiteEpsilon(p, left)
}

// finiteEpsilon is the least of the bounds at which finite losses make no more than δ.
func (c *Composition) finiteEpsilon(p *profile, delta float64) float64 {
	switch {
	case c.has(zcdp):
		return c.renyiEpsilon(p, delta)
	case len(p.parts) == 0 && p.v > 0:
		return (GaussianEpsilon(math.Sqrt(p.v)*(1+4*ulp), delta) + p.small) * (1 + 4*ulp)
	}
	best := p.top()
	if len(p.parts) == 0 {
		return best
	}
	exactly := p.single(0) < 1
	switch {
	case exactly:
		fits := func(eps float64) bool { return eps >= best || p.single(eps) <= delta }
		best = math.Min(best, least(best, fits))
	case !p.hopeless:
		best = math.Min(best, p.lawEpsilon(delta))
	}
	if c.has(pureZcdp) || !exactly && (c.has(boundedRange) || p.hopeless || math.IsInf(best, 1)) {
		best = math.Min(best, c.renyiEpsilon(p, delta))
	}
	return best
}

// lawEpsilon is the bound of the contour, or of the grid where that has none.
func (p *profile) lawEpsilon(delta float64) float64 {
	if engine := p.engineEpsilon(delta); engine < math.Inf(1) {
		return engine
	}
	return p.gridEpsilon(delta)
}

func (c *Composition) has(k kind) bool {
	for _, e := range c.entries {
		if e.mechanism.kind == k {
			return true
		}
	}
	return false
}

// single is the closed form of one lone mechanism, or 1.
func (p *profile) single(eps float64) float64 {
	if p.v > 0 || p.small > 0 || len(p.parts) != 1 || p.parts[0].count != 1 {
		return 1
	}
	switch t := p.parts[0].transform.(type) {
	case laplaceTransform:
		return singleUp(-math.Expm1((eps-t.eps)/2), eps)
	case discreteLaplaceTransform:
		return DiscreteLaplaceDelta(1/t.a*(1-2*ulp), t.s, eps)
	case twoPoint:
		return singleUp(-math.Expm1(eps-t.eps)/(1+math.Exp(-t.eps)), eps)
	case rangeTransform:
		gap := math.Expm1((eps - t.eps) / 2)
		return singleUp(gap*gap/-math.Expm1(-t.eps), eps)
	}
	return 1
}

func singleUp(delta, eps float64) float64 {
	return delta*up + 4*ulp*eps*0x1p-20 + math.SmallestNonzeroFloat64
}

// engineDelta is the contour's bound; not finite if it has none.
func (p *profile) engineDelta(eps float64) float64 {
	t := p.saddleAt(eps)
	k, _ := p.log(t)
	goal := k - t*eps - math.Log(t) - math.Log1p(t)
	if g, ok := p.lattice(); ok {
		if c, ok := newFolded(p, g, t, goal); ok {
			return c.delta(eps, p.slack())
		}
	}
	// A relative change of δ by t times a change of ε.
	return p.refine(t, eps, goal, 1e-5*t*eps, func(c *contour) float64 {
		return c.delta(eps, p.slack())
	}, func(a, b float64) float64 { return (a - b) / b })
}

// engineEpsilon is the contour's bound.
func (p *profile) engineEpsilon(delta float64) float64 {
	goal := math.Log(delta)
	t, eps := p.saddleFor(goal)
	if g, ok := p.lattice(); ok {
		if c, ok := newFolded(p, g, t, goal); ok {
			return c.epsilon(delta, eps, p.slack())
		}
	}
	top := p.top()
	eps = math.Min(math.Max(eps, 0), top)
	start := eps
	return p.refine(t, eps, goal, math.Max(2e-7, 1e-5*eps), func(c *contour) float64 {
		found := c.epsilon(delta, start, p.slack(), top)
		if found < math.Inf(1) {
			start = found
		}
		return found
	}, func(a, b float64) float64 { return a - b })
}

// refine evaluates a bound with a fictitious Gaussian of ever smaller variance, if
// one is needed at all. A quarter of the standard deviation moves a smooth bound by
// fifteen sixteenths of what the variance costs; where the loss is lumpy it moves
// more, and then a finer one pays, until the nodes run out.
func (p *profile) refine(t, eps, goal, tolerance float64, bound func(*contour) float64, apart func(a, b float64) float64) float64 {
	c, used := newContour(p, t, eps, goal, 1.0/16)
	best := bound(c)
	for fine := 1.0; used && fine <= 4096; fine *= 16 {
		c, used = newContour(p, t, eps, goal, fine)
		next := bound(c)
		moved := apart(best, next)
		best = math.Min(best, next)
		limit := 2 * tolerance
		if fine == 1 {
			limit = 40 * tolerance
		}
		if moved <= limit || len(c.y) > mostNodes/4 {
			break
		}
	}
	return best
}

func sane01(delta float64) float64 {
	if !(delta >= 0 && delta <= 1) {
		return 1
	}
	return delta
}
