package dptest

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// A look is one attempt at a claim, with samples of its own.
type look struct {
	trial Trial
	runs  int     // of either input
	alpha float64 // probability that it refutes a true claim, at most
}

// heldOut is how many events are judged, at most. The bounds are corrected for
// this number whatever the number of events that were found.
const heldOut = 6

// A draw holds samples of both inputs.
type draw struct{ a, b []Sample }

func drawn(n int, a, b func() Sample) draw {
	var d draw
	for range n {
		d.a = append(d.a, a())
		d.b = append(d.b, b())
	}
	return d
}

// take draws and judges: a quarter of the samples builds events, a quarter ranks
// them, half judges.
func (l look) take(a, b func() Sample) Result {
	quarter := l.runs / 4
	events := l.find(drawn(quarter, a, b), drawn(quarter, a, b))
	return l.judge(events, drawn(l.runs-2*quarter, a, b))
}

// find returns the best events: built on some samples, ranked on others.
func (l look) find(build, rank draw) []event {
	var all []event
	for _, f := range features(build, l.trial.Features) {
		for _, p := range partitions(f, build) {
			all = append(all, l.rank(p, rank)...)
		}
	}
	return best(all, heldOut)
}

// alike is how many events of one feature are judged, at most, so that the six are not
// all the same.
const alike = 2

// best returns the events that promise most, at most so many, and few of one feature. Of
// those that promise the same the first come first.
func best(events []event, most int) []event {
	slices.SortStableFunc(events, func(x, y event) int { return cmp.Compare(y.promise, x.promise) })
	perFeature := make(map[string]int)
	var chosen []event
	for _, e := range events {
		if len(chosen) == most {
			break
		}
		if perFeature[e.part.feature.name]++; perFeature[e.part.feature.name] <= alike {
			chosen = append(chosen, e)
		}
	}
	return chosen
}

// rank returns the best events of a partition, with what they promise: no more than are
// taken of its feature.
func (l look) rank(p *partition, d draw) []event {
	a, b := p.count(d.a), p.count(d.b)
	z := -distuv.UnitNormal.Quantile(l.each())
	var events []event
	for _, at := range points(l.trial.Claim) {
		p.events(at, func(e event) {
			k, m := e.in(a), e.in(b)
			if e.swapped {
				k, m = m, k
			}
			if e.promise = l.promise(k, m, len(d.a), z, at); !math.IsInf(e.promise, -1) {
				if events = append(events, e); len(events) > 8*alike {
					events = best(events, alike)
				}
			}
		})
	}
	return best(events, alike)
}

// each is the error probability of one bound.
func (l look) each() float64 { return l.alpha / (2 * heldOut) }

// promise guesses by how much an event would exceed the claim, if the rest of the
// samples were like these. It only chooses; nothing that is reported rests on
// it.
func (l look) promise(k, m, n int, z float64, at point) float64 {
	left := float64(l.runs - 2*(l.runs/4))
	p, q := float64(k)/float64(n), (float64(m)+0.5)/(float64(n)+0.5)
	p -= z * math.Sqrt(p*(1-p)/left)
	q += z*math.Sqrt(q*(1-q)/left) + z*z/(2*left)
	if !(p > at.delta) {
		return math.Inf(-1)
	}
	return math.Log((p-at.delta)/q) - at.epsilon
}

// judge bounds the epsilon of each event from samples that neither built nor
// ranked it. All bounds hold at once but for a probability of alpha.
func (l look) judge(events []event, d draw) Result {
	first := points(l.trial.Claim)[0]
	best := Result{EpsilonLowerBound: math.Inf(-1), Delta: first.delta, Claimed: first.epsilon, Event: "nothing"}
	for _, e := range events {
		a, b := d.a, d.b
		if e.swapped {
			a, b = b, a
		}
		p := low(e.in(e.part.count(a)), len(a), l.each())
		q := high(e.in(e.part.count(b)), len(b), l.each())
		found := Result{Delta: e.at.delta, Claimed: e.at.epsilon, Event: e.String(), EpsilonLowerBound: math.Inf(-1)}
		if p > e.at.delta {
			found.EpsilonLowerBound = math.Log((p - e.at.delta) / q)
		}
		found.Refuted = found.EpsilonLowerBound > found.Claimed
		if found.excess() > best.excess() {
			best = found
		}
	}
	return best
}
