package pld

import "math"

// Where the integrand is least on the real axis is where the contour should cross
// it: the saddle of K(t) - ε t - ln t - ln(1+t). The last two terms are the kernel
// 1/(z(z+1)), without which no saddle exists once δ is below the probability of the
// largest loss.

const (
	leastTilt = 1e-9
	mostTilt  = 1e13
)

// saddleAt returns the tilt for a given ε.
func (p *profile) saddleAt(eps float64) float64 {
	return p.solve(func(t, first, second float64) (value, slope float64) {
		return first - eps - 1/t - 1/(1+t), second + 1/(t*t) + 1/((1+t)*(1+t))
	})
}

// saddleFor returns the tilt t and the ε at which the saddle-point estimate of ln
// δ, prefactor included, is goal.
func (p *profile) saddleFor(goal float64) (t, eps float64) {
	t = p.solve(func(t, first, second float64) (value, slope float64) {
		k, _ := p.log(t)
		curve := t*t*second + 1 + t*t/((1+t)*(1+t))
		value = goal - (k - t*first + 1 + t/(1+t) - math.Log1p(t)) + math.Log(2*math.Pi*curve)/2
		slope = t*second*(1+1/curve) + 1/(1+t) - 1/((1+t)*(1+t))
		return value, slope
	})
	first, _ := p.slopes(t)
	return t, first - 1/t - 1/(1+t)
}

// solve finds the root of a rising function of ln t by Newton's method kept inside
// a bisection; steps are short, for far from the root the slopes are noise.
func (p *profile) solve(f func(t, first, second float64) (value, slope float64)) float64 {
	lo, hi := math.Log(leastTilt), math.Log(mostTilt)
	x := p.firstTilt()
	for range 60 {
		t := math.Exp(x)
		first, second := p.slopes(t)
		value, slope := f(t, first, second)
		if value < 0 {
			lo = x
		} else {
			hi = x
		}
		next := x - math.Max(-2, math.Min(2, value/(slope*t)))
		if math.IsNaN(next) || next <= lo || next >= hi {
			next = lo + (hi-lo)/2
		}
		if math.Abs(next-x) < 1e-3 || hi-lo < 1e-3 {
			return math.Exp(next)
		}
		x = next
	}
	return math.Exp(x)
}

// firstTilt guesses from the spread of the losses.
func (p *profile) firstTilt() float64 {
	spread := p.v
	for _, q := range p.parts {
		spread += float64(q.count) * q.reach() * q.reach()
	}
	x := math.Log(5 / math.Sqrt(spread))
	return math.Max(-15, math.Min(20, x))
}
