package filter

import (
	"flag"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

var long = flag.Bool("long", false, "run the longer versions of tests")

// A book is the oracle's filter: everything that was accepted, described in the
// way in which it was accepted, and judged anew for each charge.
type book struct {
	rule        Rule
	limit       dp.Loss
	share, star float64
	orders      []float64
	taken       []worth
	first       Way
}

// A verdict is yes, no, or unsure where floats are too near a limit to tell.
type verdict int

const (
	no verdict = iota
	yes
	unsure
)

func within(x, limit, slack float64) verdict {
	switch {
	case x <= limit*(1-slack):
		return yes
	case x >= limit*(1+slack):
		return no
	}
	return unsure
}

// with returns the sums of a property over what was taken and n copies of w; nil if
// any has no bound.
func (b *book) with(w worth, n int64, of func(worth) *big.Rat) *big.Rat {
	if of(w) == nil {
		return nil
	}
	sum := mul(of(w), new(big.Rat).SetInt64(n))
	for _, t := range b.taken {
		if of(t) == nil {
			return nil
		}
		sum.Add(sum, of(t))
	}
	return sum
}

func epsilonOf(w worth) *big.Rat { return w.pure }
func deltaOf(w worth) *big.Rat   { return w.delta }
func rhoOf(w worth) *big.Rat     { return w.rho }

func atMost(a, b *big.Rat) bool { return a != nil && a.Cmp(b) <= 0 }

// basic says whether n copies of a declared loss fit.
func (b *book) basic(l dp.Loss, n int64) bool {
	limit, w := declaredWorth(b.limit), declaredWorth(l)
	return atMost(b.with(w, n, epsilonOf), limit.pure) && atMost(b.with(w, n, deltaOf), limit.delta)
}

// converts says whether a rule that converts takes n copies of what is described.
func (b *book) converts(w worth, n int64) verdict {
	limit := b.limit.(dp.Approx)
	e, d, _ := dp.PartsOf(limit).Exact()
	if share, _ := new(big.Rat).SetString(fmt.Sprint(b.share)); !atMost(b.with(w, n, deltaOf), mul(d, share)) {
		return no
	}
	if atMost(b.with(w, n, epsilonOf), e) {
		return yes
	}
	conversion := limit.Delta * (1 - b.share)
	switch b.rule {
	case GDP:
		return b.gdp(w, n, limit.Epsilon, conversion)
	case ZCDP:
		if rho := b.with(w, n, rhoOf); rho != nil {
			return within(rhoDelta(float(rho), limit.Epsilon), conversion, 1e-6)
		}
		return no
	}
	return b.renyi(w, n, limit.Epsilon, conversion)
}

func (b *book) gdp(w worth, n int64, epsilon, delta float64) verdict {
	mu2 := 0.0
	for _, t := range append(b.taken[:len(b.taken):len(b.taken)], w) {
		if t.mu2 == nil {
			return no
		}
		mu2 += *t.mu2
	}
	mu2 += float64(n-1) * *w.mu2
	return within(gaussianDelta(math.Sqrt(mu2), epsilon), delta, 3e-4)
}

// gaussianDelta is Φ(μ/2-ε/μ) - e^ε·Φ(-μ/2-ε/μ).
func gaussianDelta(mu, e float64) float64 {
	phi := func(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }
	return phi(mu/2-e/mu) - math.Exp(e)*phi(-mu/2-e/mu)
}

// rhoDelta is the least over many orders.
func rhoDelta(rho, e float64) float64 {
	log := func(x float64) float64 {
		a := 1 + math.Exp(x)
		return (a-1)*(a*rho-e) - math.Log(a-1) + a*math.Log1p(-1/a)
	}
	best := -12.0
	for step := 0.1; step > 1e-6; step /= 10 {
		middle := best
		for i := -250; i <= 250; i++ {
			if x := middle + float64(i)*step; log(x) < log(best) {
				best = x
			}
		}
	}
	return math.Exp(log(best))
}

// renyi says whether one of the orders fits, with its weight of δ: four fifths for
// the star, and a fifth shared by the others.
func (b *book) renyi(w worth, n int64, epsilon, delta float64) verdict {
	out := no
	for _, a := range b.orders {
		weight := 0.2 / 14
		if a == b.star {
			weight = 0.8
			for _, other := range renyiOrders {
				if other == a {
					weight += 0.2 / 14
				}
			}
		}
		limit := epsilon - math.Log(1-1/a) + math.Log(a*weight*delta)/(a-1)
		least, most := w.renyi(a)
		least, most = float64(n)*least, float64(n)*most
		for _, t := range b.taken {
			l, m := t.renyi(a)
			least, most = least+l, most+m
		}
		switch {
		case most <= limit-1e-7*math.Abs(limit)-1e-9:
			return yes
		case least <= limit+1e-7*math.Abs(limit)+1e-9:
			out = unsure
		}
	}
	return out
}

// decide says how a charge is taken: by which of its descriptions, or not at all.
func (b *book) decide(c *dp.Charge) (Way, verdict) {
	events, declared := remembered(total(c.Events)), remembered(declaredWorth(c.Loss))
	switch l := b.limit.(type) {
	case dp.Pure:
		return byLossIf(b.basic(c.Loss, 1))
	case dp.Concentrated:
		for way, w := range map[Way]worth{ByEvents: events, ByDeclared: declared} {
			fits := func(w worth) bool {
				return atMost(b.with(w, 1, deltaOf), exact.Decimal(l.Delta)) && atMost(b.with(w, 1, rhoOf), exact.Decimal(l.Rho))
			}
			if way == ByDeclared && fits(events) {
				continue // the tighter one comes first
			}
			if fits(w) {
				return way, yes
			}
		}
		return Refused, yes
	}
	switch {
	case b.rule == Basic || b.rule == Default && b.first == ByLoss:
		return byLossIf(b.basic(c.Loss, 1))
	case b.rule == Default && len(b.taken) == 0:
		if way, v := b.choose(c, events, declared); v != no {
			return way, v
		}
	}
	return b.convert(c, events, declared)
}

func byLossIf(fits bool) (Way, verdict) {
	if fits {
		return ByLoss, yes
	}
	return Refused, yes
}

func (b *book) convert(c *dp.Charge, events, declared worth) (Way, verdict) {
	if v := b.converts(events, 1); v != no {
		return ByEvents, v
	}
	if v := b.converts(declared, 1); v != no {
		return ByDeclared, v
	}
	if len(b.taken) == 0 && c.Loss == b.limit {
		return ByLoss, yes
	}
	return Refused, yes
}

// choose says whether Default becomes Basic with its first charge: where that takes
// more copies than the rule that converts, which takes each in the first way that fits.
func (b *book) choose(c *dp.Charge, events, declared worth) (Way, verdict) {
	copies := *b
	for n := int64(1); b.basic(c.Loss, n); n++ {
		way, v := copies.convert(c, events, declared)
		switch {
		case v == unsure:
			return way, unsure
		case way == Refused:
			return ByLoss, yes
		case way == ByEvents:
			copies.taken = append(copies.taken, events)
		default:
			copies.taken = append(copies.taken, declared)
		}
	}
	return Refused, no
}

// remembered computes each divergence once.
func remembered(w worth) worth {
	of, known := w.renyi, map[float64][2]float64{}
	w.renyi = func(a float64) (float64, float64) {
		r, ok := known[a]
		if !ok {
			r[0], r[1] = of(a)
			known[a] = r
		}
		return r[0], r[1]
	}
	return w
}

func (b *book) take(c *dp.Charge, w Way) {
	if len(b.taken) == 0 {
		b.first = w
	}
	taken := declaredWorth(c.Loss)
	if w == ByEvents {
		taken = total(c.Events)
	}
	b.taken = append(b.taken, remembered(taken))
}

func (g charger) limit() (Rule, dp.Loss) {
	switch g.IntN(7) {
	case 0:
		return []Rule{Default, Basic}[g.IntN(2)], dp.Pure{Epsilon: 40}
	case 1:
		i := g.IntN(2)
		return []Rule{Default, ZCDP}[i], dp.Concentrated{Rho: 30, Delta: []float64{0, 1e-4}[i]}
	}
	return Rule(g.IntN(4)), dp.Approx{Epsilon: float64(10 + g.IntN(30)), Delta: 1e-4}
}

func (g charger) loss() dp.Loss {
	e := math.Round(g.Float64()*8e4) / 1e4
	switch g.IntN(4) {
	case 0:
		last := int(math.Round(e*1e4)) % 100
		return dp.Concentrated{Rho: 0.1 + e, Delta: float64(max(last-50, 0)) * 1e-7}
	case 1:
		return dp.Pure{Epsilon: 0.1 + e}
	}
	return dp.Approx{Epsilon: 0.1 + e, Delta: math.Round(1e4*g.Float64()+1) * 1e-9}
}

// newPair returns a filter and its book.
func newPair(rule Rule, share float64, limit dp.Loss) (*Setup, Filter, *book) {
	s, f := newFilter(rule, share, limit)
	star, _ := Star(rule, limit)
	if share == 0 && rule == Default {
		share = 0.25
	}
	return s, f, &book{rule: rule, limit: limit, share: share, star: star, orders: s.orders}
}

func TestEveryRuleDecidesAsItsProofSays(t *testing.T) {
	runs := 150
	if *long {
		runs = 5000
	}
	ways, unsures, decided := map[string]int{}, 0, 0
	for seed := range runs {
		g := charger{rand.New(rand.NewPCG(uint64(seed), 7))}
		rule, limit := g.limit()
		share := []float64{0, 0, 0.5}[g.IntN(3)]
		s, f, b := newPair(rule, share, limit)
		for i := range 14 {
			c := &dp.Charge{Loss: g.loss(), Events: g.events()[:1]}
			if _, concentrated := limit.(dp.Concentrated); !concentrated && g.IntN(6) == 0 && i == 0 {
				c.Loss = limit
			}
			if _, rho := c.Loss.(dp.Concentrated); rho && (rule == Basic || rule == Default) {
				c.Loss = dp.Pure{Epsilon: 1} // how Basic converts ρ is another matter
			}
			p := s.Price(c)
			want, v := b.decide(c)
			got := f.Decide(p)
			if v == unsure {
				unsures++
			} else if got != want {
				t.Errorf("seed %d, charge %d, rule %d of %v: taken as %q, want %q: %v %+v", seed, i, rule, limit, got, want, c.Loss, c.Events)
			}
			decided++
			ways[fmt.Sprint(rule, " ", got)]++
			if got != Refused {
				f.Add(p, got, 1)
				b.take(c, got)
			}
			if left := f.Left(); left != nil && f.Decide(lossPrice(left, s.orders)) == Refused {
				t.Errorf("seed %d, charge %d, rule %d of %v: %v is left, and does not fit", seed, i, rule, limit, left)
			}
			if g.IntN(12) == 0 {
				limit = larger(limit)
				f, b.limit = f.Raise(limit), limit
			}
		}
	}
	if unsures > decided/20 {
		t.Errorf("unsure of %d of %d decisions", unsures, decided)
	}
	for _, way := range []string{"0 loss", "0 events", "0 declared", "0 ", "1 loss", "1 ", "2 events", "2 declared", "2 ", "3 events", "3 declared", "3 "} {
		if ways[way] < runs/75 {
			t.Errorf("way %q was seen %d times: %v", way, ways[way], ways)
		}
	}
}

func larger(l dp.Loss) dp.Loss {
	switch l := l.(type) {
	case dp.Pure:
		return dp.Pure{Epsilon: 1.5 * l.Epsilon}
	case dp.Concentrated:
		return dp.Concentrated{Rho: 1.5 * l.Rho, Delta: 2 * l.Delta}
	case dp.Approx:
		return dp.Approx{Epsilon: 1.5 * l.Epsilon, Delta: 2 * l.Delta}
	}
	return l
}

// Raising the limit forgets nothing: what fits in all is what fits into a filter that
// has had the larger limit from the start.
func TestRaisingTheLimitForgetsNothing(t *testing.T) {
	for seed := range 200 {
		g := charger{rand.New(rand.NewPCG(uint64(seed), 8))}
		rule, limit := g.limit()
		s, f, _ := newPair(rule, 0.3, limit)
		star, _ := Star(rule, limit)
		fresh := s.New(larger(limit), star)
		c := &dp.Charge{Loss: g.loss(), Events: g.events()[:1]}
		p := s.Price(c)
		if dp.PartsOf(limit).Rho > 0 && !p.Covered {
			continue // what declares less than it costs fits in one way and then in the other
		}
		before, f := Fill(f, p, 1e6)
		if before == 0 || before == 1e6 {
			continue
		}
		after, _ := Fill(f.Raise(larger(limit)), p, 1e7)
		if s.New(limit, star).Decide(p) != fresh.Decide(p) {
			continue // Default may choose another filter for the larger limit
		}
		if all, _ := Fill(fresh, p, 1e7); before+after != all {
			t.Errorf("seed %d, rule %d, %v: %d fit, %d more after %v, and %d from the start: %v %+v", seed, rule, limit, before, after, larger(limit), all, c.Loss, c.Events)
		}
	}
}

// Whatever it consists of, a charge that declares the limit is taken by an account
// that has spent nothing, and then nothing is, until the limit is raised by as much.
func TestAFirstChargeOfTheWholeLimitIsTakenAndNothingAfterIt(t *testing.T) {
	for _, limit := range []dp.Approx{{Epsilon: 1, Delta: 1e-6}, {Epsilon: 0.01, Delta: 0.6}} {
		testWhole(t, limit)
	}
}

func testWhole(t *testing.T, limit dp.Approx) {
	e, d, _ := dp.PartsOf(limit).Exact()
	whole := &dp.Charge{Loss: limit, Events: []dp.Event{{Mechanism: dp.Declared, Epsilon: e, Delta: d, Count: 1}}}
	tiny := &dp.Charge{Loss: dp.Pure{Epsilon: 1e-9}, Events: []dp.Event{{Mechanism: dp.Declared, Epsilon: big.NewRat(1, 1e9), Count: 1}}}
	tinyRho := &dp.Charge{Loss: dp.Concentrated{Rho: 1e-12}, Events: []dp.Event{{Mechanism: dp.Declared, Rho: big.NewRat(1, 1e12), Count: 1}}}
	for _, rule := range []Rule{GDP, ZCDP} {
		for _, share := range []float64{0, 0.25, 0.9} {
			s, f, _ := newPair(rule, share, limit)
			after := f.Clone()
			after.Add(s.Price(tiny), after.Decide(s.Price(tiny)), 1)
			if w := after.Decide(s.Price(whole)); w != Refused {
				t.Errorf("rule %d, share %v: the whole limit is taken as %q after something was spent", rule, share, w)
			}
			w := f.Decide(s.Price(whole))
			if w != ByLoss {
				t.Errorf("rule %d, share %v: the whole limit is taken as %q, want %q", rule, share, w, ByLoss)
			}
			f.Add(s.Price(whole), w, 1)
			for _, c := range []*dp.Charge{tiny, tinyRho, whole} {
				if w := f.Decide(s.Price(c)); w != Refused {
					t.Errorf("rule %d, share %v: after the whole limit %v is taken as %q", rule, share, c.Loss, w)
				}
			}
			if f.Left() != nil || f.Spent() != dp.Loss(limit) || s.LargestFit(tinyRho.Loss, []Filter{f}) != nil {
				t.Errorf("rule %d, share %v: %v is spent and %v left", rule, share, f.Spent(), f.Left())
			}
			if w := f.Raise(dp.Approx{Epsilon: 2, Delta: limit.Delta}).Decide(s.Price(tiny)); w != Refused {
				t.Errorf("rule %d, share %v: with more ε and no more δ, %v is taken as %q", rule, share, tiny.Loss, w)
			}
		}
	}
}

// The sums of a rule that converts may reach what (ε, δ) allows, and no more.
func TestTheLimitsOfSumsAreWhatTheLossAllows(t *testing.T) {
	for _, l := range []dp.Approx{{Epsilon: 0.3, Delta: 1e-9}, {Epsilon: 1, Delta: 1e-6}, {Epsilon: 4, Delta: 1e-4}, {Epsilon: 20, Delta: 0.1}} {
		for _, share := range []float64{0, 0.25} {
			conversion := l.Delta * (1 - share)
			near := func(what string, at, beyond float64) {
				if !(at <= conversion*(1+1e-6)) || !(beyond > conversion) {
					t.Errorf("%v, share %v: %s has the δ %v, and a little more %v; want %v between them", l, share, what, at, beyond, conversion)
				}
			}
			_, g, _ := newPair(GDP, share, l)
			mu := math.Sqrt(g.(*eventFilter).meter.(*gdpMeter).limit)
			near("the largest μ", gaussianDelta(mu, l.Epsilon), gaussianDelta(mu*1.00001, l.Epsilon))
			_, z, _ := newPair(ZCDP, share, l)
			rho := float(z.(*eventFilter).meter.(*rhoMeter).limit)
			near("the largest ρ", rhoDelta(rho, l.Epsilon), rhoDelta(rho*1.00001, l.Epsilon))
		}
	}
}

// Near the end too, what is shown as left fits.
func TestWhatIsLeftFitsWhenLittleIsLeft(t *testing.T) {
	for _, rule := range []Rule{Default, GDP, ZCDP} {
		s, f, _ := newPair(rule, 0.25, dp.Approx{Epsilon: 1, Delta: 1e-6})
		e := dp.Event{Mechanism: dp.Gaussian, Scale: big.NewRat(400, 1), Sensitivity: dp.Sensitivity{L0: 1, LInf: 1}, Count: 1}
		n, full := Fill(f, s.Price(&dp.Charge{Loss: dp.Approx{Epsilon: 1, Delta: 1e-6}, Events: []dp.Event{e}}), 1e6)
		left := full.Left()
		if n < 1000 || left != nil && full.Decide(lossPrice(left, s.orders)) == Refused {
			t.Errorf("rule %d: after %d Gaussians %v is left, and does not fit", rule, n, left)
		}
	}
}
