package dp

import (
	"math"
	"math/big"

	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
)

// Noise is noise that is calibrated and ready to be added. It is immutable,
// comparable, and safe for concurrent use. The zero Noise is not valid; it is
// distinct from every noise that [Calibrate] returns.
type Noise struct{ *noise }

type noise struct {
	loss        Loss
	sensitivity Sensitivity
	law         *core.Law
	coarse      uint // numbers are rounded to multiples of 2^coarse before noise is added
}

// Add returns x with noise. It is private up to [Noise.Loss] for one unit that
// moves the numbers by at most the calibrated [Sensitivity]: one call for each of
// the numbers. Every further call on the same number draws anew and costs anew.
// The sum saturates at the ends of int64, after noise.
func (n Noise) Add(x int64) Estimate[int64] {
	var one [1]int64
	one[0] = x
	return n.AddAll(one[:])[0]
}

// AddAll returns every number of a vector with independent noise: together they
// cost [Noise.Loss].
func (n Noise) AddAll(xs []int64) []Estimate[int64] {
	out := make([]Estimate[int64], len(xs))
	core.InSession(func(session *core.Session) {
		for i, draw := range session.Noise(n.law, len(xs)) {
			value := n.add(xs[i], draw)
			out[i] = NewEstimate(value, n.StdDev(), Spread[int64](additive{n, value}))
		}
	})
	return out
}

// add rounds to the grid of the noise and adds in 128 bits.
func (n Noise) add(x, draw int64) int64 {
	rounded := exact.Int(x).RoundShift(n.coarse).Add(exact.Int(draw))
	return exact.Mul(rounded.Clamp(), 1<<n.coarse).Clamp()
}

// Loss returns what one noisy vector of the calibrated sensitivity costs.
func (n Noise) Loss() Loss { return n.loss }

// Event returns what an accountant needs to know of one noisy vector.
func (n Noise) Event() Event {
	return Event{
		Mechanism:   Mechanism(n.law.Family.String()),
		Sensitivity: coarsened(n.sensitivity, n.coarse),
		Scale:       n.law.Scale,
		Count:       1,
	}.Clone()
}

// StdDev returns the standard deviation of the noise, and of the rounding where
// there is any.
func (n Noise) StdDev() float64 {
	step := math.Ldexp(1, int(n.coarse))
	rounding := 0.0
	if n.coarse > 0 {
		rounding = step / math.Sqrt(12)
	}
	return math.Hypot(step*n.law.StdDev(), rounding)
}

// String says which noise it is, such as "discrete laplace, scale 3".
func (n Noise) String() string {
	if n.noise == nil {
		return "no noise"
	}
	scale, _ := new(big.Rat).Mul(n.law.Scale, big.NewRat(1<<n.coarse, 1)).Float64()
	return n.law.Family.String() + ", scale " + formatFloat(scale)
}

// additive is the spread of an integer with one draw of noise on it.
type additive struct {
	noise Noise
	value int64
}

// Interval implements Spread.
func (a additive) Interval(confidence float64) (lo, hi int64) {
	half := a.noise.law.HalfWidth(confidence)
	if a.noise.coarse > 0 {
		half = math.Ldexp(half+1, int(a.noise.coarse))
	}
	if !(half < 1<<62) {
		return math.MinInt64, math.MaxInt64
	}
	width := exact.Int(int64(half))
	return exact.Int(a.value).Sub(width).Clamp(), exact.Int(a.value).Add(width).Clamp()
}
