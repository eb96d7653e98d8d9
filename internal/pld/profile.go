package pld

import (
	"math"
	"sort"
)

// A profile is a composition taken apart for pricing in one direction: one Gaussian
// of variance v, a multiset of other transforms, and the logarithm of the
// probability that no loss is infinite.
type profile struct {
	parts     []part
	v         float64
	logFinite float64
	small     float64 // the largest sum of losses too small to be worth a transform
	hopeless  bool    // losses beyond what the engines resolve: only sums are sure
	direction bool
}

const (
	// smallLoss is what many uses of one mechanism may lose before they are given a
	// transform; less is added to ε.
	smallLoss = 1e-12
	// largeLoss and largeCount are the sum of losses and the number of uses above
	// which round-off would drown the engines.
	largeLoss  = 1e10
	largeCount = 1e10
)

type part struct {
	transform
	count int
}

// infinite is the probability of an infinite loss, rounded up.
func (p *profile) infinite() float64 {
	if p.logFinite == 0 {
		return 0
	}
	return math.Min(1, -math.Expm1(p.logFinite)*(1+16*ulp)+math.SmallestNonzeroFloat64)
}

func newProfile(entries []entry, flip bool) *profile {
	p := &profile{direction: flip}
	size := 0.0
	for _, e := range entries {
		n := float64(e.count)
		if e.mechanism.kind == gaussian {
			p.v += n * e.mechanism.a * e.mechanism.a
			continue
		}
		t, log := transformOf(e.mechanism, flip)
		if log != 0 {
			p.logFinite += n * log
			size += n * -log
		}
		if t != nil {
			p.add(t, e.count)
		}
	}
	p.hopeless = p.hopeless || !(p.v < largeLoss)
	steps := float64(8 + len(entries))
	p.v *= 1 + steps*ulp
	p.logFinite -= size * steps * ulp
	p.strongestFirst()
	return p
}

// add files a transform by size.
func (p *profile) add(t transform, count int) {
	total := float64(count) * t.reach()
	switch {
	case !(total < largeLoss) || total >= smallLoss && count > largeCount:
		p.hopeless = true
		p.parts = append(p.parts, part{t, count})
	case total < smallLoss:
		p.small += total*(1+8*ulp) + math.SmallestNonzeroFloat64
	default:
		p.parts = append(p.parts, part{t, count})
	}
}

// strongestFirst puts first what makes the integrand small soonest.
func (p *profile) strongestFirst() {
	weight := func(q part) float64 { return float64(q.count) * q.reach() * q.reach() }
	sort.SliceStable(p.parts, func(i, j int) bool { return weight(p.parts[i]) > weight(p.parts[j]) })
}

// log is K(t) = ln E e^(tL), and size bounds the terms its round-off is proportional to.
func (p *profile) log(t float64) (k, size float64) {
	k = p.v * t * (t + 1) / 2
	size = k
	for _, q := range p.parts {
		n := float64(q.count)
		k += n * q.log(t)
		size += n * (1 + t*q.reach())
	}
	return k, size
}

// slopes estimates K' and K” from the phase and the modulus a little off the real
// axis. Only tightness depends on them.
func (p *profile) slopes(t float64) (first, second float64) {
	first, second = p.v*(t+0.5), p.v
	for _, q := range p.parts {
		n, l := float64(q.count), q.line(t)
		near, far := 1e-4/q.reach(), 2e-3/q.reach()
		r := l.at(near)
		first += n * math.Atan2(imag(r), real(r)) / near
		r = l.at(far)
		square := real(r)*real(r) + imag(r)*imag(r)
		second += n * math.Max(0, -math.Log(square)) / (far * far)
	}
	return first, second
}

// top is the largest finite loss, rounded up; reach bounds all of them, infinite
// with Gaussian noise.
func (p *profile) top() float64 {
	if p.v > 0 {
		return math.Inf(1)
	}
	total, size := p.small, p.small
	for _, q := range p.parts {
		total += float64(q.count) * q.top()
		size += float64(q.count) * q.reach()
	}
	return math.Max(0, total+size*float64(len(p.parts)+8)*4*ulp)
}

// slack bounds how far rounding the losses themselves, and leaving the smallest
// out, can move their sum.
func (p *profile) slack() float64 {
	total := 0.0
	for _, q := range p.parts {
		total += float64(q.count) * q.reach()
	}
	return 16*ulp*total + p.small
}
