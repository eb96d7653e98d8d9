package pld

import (
	"encoding/binary"
	"math"
)

// A Mechanism is one release as the accountant sees it: the pair of output
// distributions that dominates it. It is a small comparable value, so that a ledger
// can count how often each distinct one was used. The zero value, and whatever a
// constructor makes of parameters that are NaN, negative or out of range, is
// invalid and costs everything: δ 1, epsilon +Inf. The pairs and their transforms
// are derived in docs/proofs/accounting-contour.md, vectors of noise in
// docs/proofs/accounting-vector.md.
type Mechanism struct {
	kind kind
	a, b float64
	pair string // a finite table's two rows of float bits
}

type kind uint8

const (
	invalid kind = iota
	nothing
	gaussian
	laplace
	discreteLaplace
	discreteGaussian
	declared
	boundedRange
	table
	zcdp
	pureZcdp
)

// Gaussian is Gaussian noise whose sensitivity is mu standard deviations.
func Gaussian(mu float64) Mechanism { return scaled(gaussian, mu) }

// Laplace is continuous Laplace noise whose sensitivity is eps0 scales.
func Laplace(eps0 float64) Mechanism { return scaled(laplace, eps0) }

// Pure is any ε-differentially private mechanism: randomized response dominates it
// (Kairouz, Oh and Viswanath 2015).
func Pure(eps float64) Mechanism { return Declared(eps, 0) }

// Zcdp is any rho-zero-concentrated mechanism (Bun and Steinke 2016). It has no
// loss distribution, so a composition that holds one is priced by Rényi divergences
// alone.
func Zcdp(rho float64) Mechanism { return scaled(zcdp, rho) }

// PureZcdp is any mechanism that is ε-differentially private and rho-zero-concentrated
// too, such as one of bounded range whose ε and rho are known. Randomized response
// dominates it, and its divergences are at most those of both: a composition is priced by
// each, and costs the less of the two. docs/proofs/accounting-conversions.md.
func PureZcdp(eps, rho float64) Mechanism {
	switch {
	case !proper(eps) || !proper(rho):
		return Mechanism{}
	case eps == 0 || rho == 0:
		return Mechanism{kind: nothing}
	case rho >= eps*math.Tanh(eps/2)*(1-1e-9): // its ε says as much
		return Pure(eps)
	}
	return Mechanism{kind: pureZcdp, a: eps, b: rho}
}

// BoundedRange is any mechanism of bounded range ε (Durfee and Rogers 2019): its
// losses on a pair of neighbours all lie in one interval of length ε. The
// exponential mechanism whose scores move by at most s, drawing with probability in
// proportion to exp(c*score), has ε = 2cs, and ε = cs if all scores move one way.
// The pair priced is the pointwise worst one; docs/proofs/accounting-contour.md,
// section 6.
func BoundedRange(eps float64) Mechanism { return scaled(boundedRange, eps) }

// Declared is any (ε, δ)-differentially private mechanism: with probability δ
// everything is revealed, else randomized response (Kairouz, Oh and Viswanath
// 2015).
func Declared(eps, delta float64) Mechanism {
	if !proper(eps) || !(delta >= 0 && delta <= 1) {
		return Mechanism{}
	}
	if eps == 0 && delta == 0 {
		return Mechanism{kind: nothing}
	}
	return Mechanism{kind: declared, a: eps + 0, b: delta + 0}
}

// Threshold is a release that happens with probability at most δ where a neighbour
// never makes it, and is the same otherwise: a group's name that noise let through.
func Threshold(delta float64) Mechanism { return Declared(0, delta) }

// DiscreteLaplace is noise with P(x) in proportion to exp(-|x|/scale) on the
// integers, against itself moved by the integer shift.
func DiscreteLaplace(scale, shift float64) Mechanism { return lattice(discreteLaplace, scale, shift) }

// DiscreteGaussian is noise with P(x) in proportion to exp(-x^2/(2 sigma^2)) on the
// integers (Canonne, Kamath and Steinke 2020, Definition 1), against itself moved
// by the integer shift.
func DiscreteGaussian(sigma, shift float64) Mechanism { return lattice(discreteGaussian, sigma, shift) }

// KRandomizedResponse keeps the answer with probability 1-p and otherwise reports
// one of k answers at random; neighbours differ in one person's answer.
func KRandomizedResponse(p float64, k int) Mechanism {
	if !(p > 0 && p <= 1) || k < 2 || k > 1<<40 {
		return Mechanism{}
	}
	other := p / float64(k)
	same := 1 - p + other
	if k == 2 {
		return Table([]float64{same, other}, []float64{other, same})
	}
	rest := other * float64(k-2)
	return Table([]float64{same, other, rest}, []float64{other, same, rest})
}

// Table is a pair of finite distributions, p with one person's data and q without;
// both directions are priced. The weights are normalised. Rows must have one
// length, at most 1024, and finite non-negative entries.
func Table(p, q []float64) Mechanism {
	if len(p) != len(q) || len(p) == 0 || len(p) > 1024 || !weights(p) || !weights(q) {
		return Mechanism{}
	}
	var bits []byte
	for i := range p {
		bits = binary.LittleEndian.AppendUint64(bits, math.Float64bits(p[i]+0))
		bits = binary.LittleEndian.AppendUint64(bits, math.Float64bits(q[i]+0))
	}
	return Mechanism{kind: table, pair: string(bits)}
}

func weights(row []float64) bool {
	sum := 0.0
	for _, x := range row {
		if !(x >= 0) {
			return false
		}
		sum += x
	}
	return sum > 0 && !math.IsInf(sum, 1)
}

func (m Mechanism) rows() (p, q []float64) {
	for i := 0; i < len(m.pair); i += 16 {
		p = append(p, math.Float64frombits(binary.LittleEndian.Uint64([]byte(m.pair[i:i+8]))))
		q = append(q, math.Float64frombits(binary.LittleEndian.Uint64([]byte(m.pair[i+8:i+16]))))
	}
	return p, q
}

func proper(x float64) bool { return x >= 0 && !math.IsInf(x, 1) }

func scaled(k kind, x float64) Mechanism {
	switch {
	case !proper(x):
		return Mechanism{}
	case x == 0:
		return Mechanism{kind: nothing}
	}
	return Mechanism{kind: k, a: x}
}

func lattice(k kind, scale, shift float64) Mechanism {
	shift = math.Abs(shift)
	switch {
	case !(scale > 0) || math.IsInf(scale, 1) || shift != math.Trunc(shift) || math.IsInf(shift, 1):
		return Mechanism{}
	case shift == 0:
		return Mechanism{kind: nothing}
	}
	return Mechanism{kind: k, a: scale, b: shift}
}
