package filter

import "math/big"

// Amounts of ε, δ and ρ are rationals. They are added and compared exactly, so
// that a third three times is one, and rounded only where they would grow too
// long: in [settle], after a sum is complete.

var (
	zero = new(big.Rat)
	one  = big.NewRat(1, 1)
	half = big.NewRat(1, 2)
)

// longest is how many bits the denominator of a sum may have. Sums of decimals,
// and of the shares of a plan, have fewer.
const longest = 2048

// settle returns a sum that is kept: x itself, or the next multiple of 10⁻⁴⁰⁰ if
// x is too long. Every decimal of a float64 is a multiple of it, the smallest
// is 10⁷⁶ of it, and so sums of what people wrote are never rounded.
func settle(x *big.Rat) *big.Rat {
	if x == nil || x.Denom().BitLen() <= longest {
		return x
	}
	n := new(big.Int).Mul(x.Num(), settled)
	n.Add(n, x.Denom()).Sub(n, big.NewInt(1)).Quo(n, x.Denom())
	return new(big.Rat).SetFrac(n, settled)
}

var settled = new(big.Int).Exp(big.NewInt(10), big.NewInt(400), nil)

// sum adds what both have; a nil has no bound.
func sum(a, b *big.Rat) *big.Rat {
	switch {
	case a == nil || b == nil:
		return nil
	case a.Sign() == 0:
		return b
	case b.Sign() == 0:
		return a
	}
	return new(big.Rat).Add(a, b)
}

func product(a, n *big.Rat) *big.Rat {
	if a == nil {
		return nil
	}
	return new(big.Rat).Mul(a, n)
}

func halfSquare(x *big.Rat) *big.Rat {
	y := new(big.Rat).Mul(x, x)
	return y.Mul(y, half)
}
