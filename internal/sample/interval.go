package sample

import "math/big"

var one = big.NewInt(1)

// interval is a real number known to lie in [lo, hi] / 2^p, for a p that its
// user knows. Both ends are non-negative. Every operation rounds lo down and hi
// up, so the truth stays inside.
type interval struct{ lo, hi *big.Int }

// real computes a number x to p bits. The result must contain x for every p,
// and narrow to x/2^-p as p grows.
type real func(p uint) interval

func wholeInterval(n uint64, p uint) interval {
	x := new(big.Int).SetUint64(n)
	x.Lsh(x, p)
	return interval{x, x}
}

func ratInterval(r *big.Rat, p uint) interval {
	lo := new(big.Int).Lsh(r.Num(), p)
	rem := new(big.Int)
	lo.QuoRem(lo, r.Denom(), rem)
	if rem.Sign() == 0 {
		return interval{lo, lo}
	}
	return interval{lo, new(big.Int).Add(lo, one)}
}

func (a interval) add(b interval) interval {
	return interval{new(big.Int).Add(a.lo, b.lo), new(big.Int).Add(a.hi, b.hi)}
}

// sub returns a-b, cut off at 0: only for differences known not to be negative.
func (a interval) sub(b interval) interval {
	return interval{cut(new(big.Int).Sub(a.lo, b.hi)), cut(new(big.Int).Sub(a.hi, b.lo))}
}

func cut(x *big.Int) *big.Int {
	if x.Sign() < 0 {
		return x.SetInt64(0)
	}
	return x
}

func (a interval) mul(b interval, p uint) interval {
	return interval{
		shiftDown(new(big.Int).Mul(a.lo, b.lo), p),
		shiftUp(new(big.Int).Mul(a.hi, b.hi), p),
	}
}

// div returns a/b. An upper bound of a number near 0 may be divided by 0: what
// is not known to be positive is answered by a bound that decides nothing.
func (a interval) div(b interval, p uint) interval {
	hi := new(big.Int).Lsh(a.hi, p)
	if b.lo.Sign() == 0 {
		return interval{new(big.Int), hi.Lsh(hi, p)}
	}
	lo := new(big.Int).Lsh(a.lo, p)
	return interval{lo.Quo(lo, b.hi), quoUp(hi, b.lo)}
}

func (a interval) divWhole(n int64, p uint) interval {
	d := big.NewInt(n)
	return interval{new(big.Int).Quo(a.lo, d), quoUp(new(big.Int).Set(a.hi), d)}
}

// narrow keeps the first q of p bits.
func (a interval) narrow(p, q uint) interval {
	return interval{new(big.Int).Rsh(a.lo, p-q), shiftUp(new(big.Int).Set(a.hi), p-q)}
}

func shiftDown(x *big.Int, n uint) *big.Int { return x.Rsh(x, n) }

// shiftUp returns the ceiling of x/2^n, in x.
func shiftUp(x *big.Int, n uint) *big.Int {
	exact := x.Sign() == 0 || x.TrailingZeroBits() >= n
	x.Rsh(x, n)
	if !exact {
		x.Add(x, one)
	}
	return x
}

// quoUp returns the ceiling of x/d, in x.
func quoUp(x, d *big.Int) *big.Int {
	rem := new(big.Int)
	x.QuoRem(x, d, rem)
	if rem.Sign() != 0 {
		x.Add(x, one)
	}
	return x
}
