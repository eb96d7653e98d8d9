package pld

import (
	"math"
	"math/big"
)

// Reference arithmetic for the tests: plain series in wide binary floats, nothing
// shared with the code under test.

// bigPrec is the width in bits; the Gaussian series needs all of it.
var bigPrec = 3200

// setPrecision narrows the arithmetic for tests that can do with less, until the
// function returned is called.
func setPrecision(bits int) (restore func()) {
	old := bigPrec
	bigPrec = bits
	return func() { bigPrec = old }
}

func bigF(x float64) *big.Float         { return new(big.Float).SetPrec(uint(bigPrec)).SetFloat64(x) }
func bigNew() *big.Float                { return new(big.Float).SetPrec(uint(bigPrec)) }
func bigAdd(a, b *big.Float) *big.Float { return bigNew().Add(a, b) }
func bigSub(a, b *big.Float) *big.Float { return bigNew().Sub(a, b) }
func bigMul(a, b *big.Float) *big.Float { return bigNew().Mul(a, b) }
func bigQuo(a, b *big.Float) *big.Float { return bigNew().Quo(a, b) }

// bigExp returns e^x by the Taylor series after halving x often enough.
func bigExp(x *big.Float) *big.Float {
	if x.Sign() == 0 {
		return bigF(1)
	}
	halvings := max(0, x.MantExp(nil)+8)
	y := bigNew().SetMantExp(x, -halvings)
	sum, term := bigF(1), bigF(1)
	for n := 1; ; n++ {
		term = bigQuo(bigMul(term, y), bigF(float64(n)))
		sum = bigAdd(sum, term)
		if term.Sign() == 0 || term.MantExp(nil) < -bigPrec {
			break
		}
	}
	for range halvings {
		sum = bigMul(sum, sum)
	}
	return sum
}

// bigPi is Machin's formula.
func bigPi() *big.Float {
	atanInv := func(n float64) *big.Float {
		sum, p := bigNew(), bigQuo(bigF(1), bigF(n))
		for k := 0; p.Sign() != 0 && p.MantExp(nil) > -bigPrec; k++ {
			t := bigQuo(p, bigF(float64(2*k+1)))
			if k%2 == 1 {
				t.Neg(t)
			}
			sum = bigAdd(sum, t)
			p = bigQuo(p, bigF(n*n))
		}
		return sum
	}
	return bigMul(bigF(4), bigSub(bigMul(bigF(4), atanInv(5)), atanInv(239)))
}

var bigSqrt2Pi = bigNew().Sqrt(bigMul(bigF(2), bigPi()))

// bigUpper returns Q(x) = 1 - Phi(x) by the everywhere convergent series of Phi;
// good for |x| < 42.
func bigUpper(x *big.Float) *big.Float {
	x2 := bigMul(x, x)
	sum, term := bigAdd(x, bigNew()), bigAdd(x, bigNew())
	for n := 1; term.Sign() != 0; n++ {
		term = bigQuo(bigMul(term, x2), bigF(float64(2*n+1)))
		sum = bigAdd(sum, term)
		if term.MantExp(nil) < -bigPrec {
			break
		}
	}
	half := bigNew().SetMantExp(x2, -1)
	density := bigQuo(bigExp(half.Neg(half)), bigSqrt2Pi)
	return bigSub(bigF(0.5), bigMul(density, sum))
}

// bigGaussianDelta is Balle and Wang's formula as it stands.
func bigGaussianDelta(mu, eps float64) *big.Float {
	q, half := bigQuo(bigF(eps), bigF(mu)), bigF(mu/2)
	return bigSub(bigUpper(bigSub(q, half)), bigMul(bigExp(bigF(eps)), bigUpper(bigAdd(q, half))))
}

// excess returns (got - want)/want as a float.
func excess(got float64, want *big.Float) float64 {
	r, _ := bigQuo(bigSub(bigF(got), want), want).Float64()
	if want.Sign() == 0 {
		return math.Inf(1)
	}
	return r
}
