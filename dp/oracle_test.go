package dp

import (
	"math"
	"math/big"
)

// This file computes δ of discrete noise in big.Float, from definitions alone: it
// shares no code with what it checks.

const bits = 320

func num(x float64) *big.Float       { return new(big.Float).SetPrec(bits).SetFloat64(x) }
func fromRat(r *big.Rat) *big.Float  { return new(big.Float).SetPrec(bits).SetRat(r) }
func fromInt(x int64) *big.Float     { return new(big.Float).SetPrec(bits).SetInt64(x) }
func add(x, y *big.Float) *big.Float { return new(big.Float).SetPrec(bits).Add(x, y) }
func sub(x, y *big.Float) *big.Float { return new(big.Float).SetPrec(bits).Sub(x, y) }
func mul(x, y *big.Float) *big.Float { return new(big.Float).SetPrec(bits).Mul(x, y) }
func quo(x, y *big.Float) *big.Float { return new(big.Float).SetPrec(bits).Quo(x, y) }
func half(x *big.Float) *big.Float   { return mul(x, num(0.5)) }
func float(x *big.Float) float64     { f, _ := x.Float64(); return f }
func root(x *big.Float) *big.Float   { return new(big.Float).SetPrec(bits).Sqrt(x) }
func floorOf(x *big.Float) (n int64) {
	i, _ := x.Int64()
	if fromInt(i).Cmp(x) > 0 {
		i--
	}
	return i
}

// exp returns e^x: by Taylor's series at x/2^k, squared k times.
func exp(x *big.Float) *big.Float {
	if x.Sign() == 0 {
		return num(1)
	}
	const extra = 128
	k := max(x.MantExp(nil)+20, 0)
	r := new(big.Float).SetPrec(bits+extra).SetMantExp(x, -k)
	sum := new(big.Float).SetPrec(bits + extra).SetInt64(1)
	term := new(big.Float).Copy(sum)
	for n := int64(1); term.Sign() != 0 && term.MantExp(nil) > -bits-extra; n++ {
		term.Mul(term, r)
		term.Quo(term, new(big.Float).SetInt64(n))
		sum.Add(sum, term)
	}
	for range k {
		sum.Mul(sum, sum)
	}
	return new(big.Float).SetPrec(bits).Set(sum)
}

var pi, _, _ = big.ParseFloat("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534211706798214808651328230664709384460955058", 10, bits, big.ToNearestEven)

// upperTail returns P(Z > x) for a standard normal Z: 1/2 - x·φ(x)·Σ x^2n/(1·3·…·(2n+1)),
// whose terms are all positive, with as many more bits as the subtraction takes.
func upperTail(x *big.Float) *big.Float {
	f := float(x)
	prec := uint(bits + 64 + 1.5*f*f)
	wide := func() *big.Float { return new(big.Float).SetPrec(prec) }
	square := wide().Mul(x, x)
	term, sum := wide().Set(x), wide().Set(x)
	for n := int64(1); term.Sign() != 0 && term.MantExp(nil) > sum.MantExp(nil)-int(prec); n++ {
		term.Mul(term, square)
		term.Quo(term, new(big.Float).SetInt64(2*n+1))
		sum.Add(sum, term)
	}
	// φ(x) at the same precision.
	e := wide().SetInt64(1)
	t := wide().SetInt64(1)
	k := max(square.MantExp(nil)+20, 0)
	r := wide().SetMantExp(square, -k-1)
	for n := int64(1); t.Sign() != 0 && t.MantExp(nil) > -int(prec)-64; n++ {
		t.Mul(t, r)
		t.Quo(t, new(big.Float).SetInt64(n))
		e.Add(e, t)
	}
	for range k {
		e.Mul(e, e)
	}
	density := wide().Quo(wide().SetInt64(1), e)
	density.Quo(density, wide().Sqrt(wide().Mul(piAt(prec), wide().SetInt64(2))))
	sum.Mul(sum, density)
	return new(big.Float).SetPrec(bits).Sub(wide().SetFloat64(0.5), sum)
}

var piCache = map[uint]*big.Float{}

// piAt returns π by Machin's formula.
func piAt(prec uint) *big.Float {
	if p := piCache[prec]; p != nil {
		return p
	}
	atanInv := func(n int64) *big.Int { // 2^(prec+32)·atan(1/n)
		one := new(big.Int).Lsh(big.NewInt(1), prec+32)
		term, sum := one.Quo(one, big.NewInt(n)), new(big.Int)
		sum.Set(term)
		for k := int64(1); term.Sign() != 0; k++ {
			term.Quo(term, big.NewInt(n*n))
			part := new(big.Int).Quo(term, big.NewInt(2*k+1))
			if k%2 == 1 {
				part.Neg(part)
			}
			sum.Add(sum, part)
		}
		return sum
	}
	p := new(big.Int).Mul(atanInv(5), big.NewInt(16))
	p.Sub(p, new(big.Int).Mul(atanInv(239), big.NewInt(4)))
	f := new(big.Float).SetPrec(prec).SetInt(p)
	f.SetMantExp(f, -int(prec+32))
	piCache[prec] = f
	return f
}

// continuousDelta returns δ(ε) of Gaussian noise whose sensitivity is mu standard
// deviations: Φ(mu/2 - ε/mu) - e^ε·Φ(-mu/2 - ε/mu) (Balle, Wang 2018, Theorem 8).
func continuousDelta(mu, epsilon *big.Float) *big.Float {
	h, q := half(mu), quo(epsilon, mu)
	return sub(upperTail(sub(q, h)), mul(exp(epsilon), upperTail(add(q, h))))
}

// trueGaussianDelta returns δ(ε) of n independent discrete Gaussians, each against
// itself moved by s, exactly but for rounding. The loss is a function of the sum
// of the draws, whose law is sumLaw.
func trueGaussianDelta(sigma *big.Rat, n, s int64, epsilon *big.Float) *big.Float {
	sigma2 := mul(fromRat(sigma), fromRat(sigma))
	// loss(x) = (n·s² - 2·s·x)/2σ² > ε if and only if x < n·s/2 - ε·σ²/s
	edge := floorOf(sub(quo(mul(fromInt(n), fromInt(s)), num(2)), quo(mul(epsilon, sigma2), fromInt(s))))
	e := exp(epsilon)
	if f, _ := sigma.Float64(); f >= 8 {
		// By Poisson summation the sum has the law of one discrete Gaussian of
		// σ√n, up to a part of e^(-π²σ²/2) < 1e-137 of the whole.
		wide := mul(sigma2, fromInt(n))
		norm := root(mul(mul(num(2), pi), wide))
		tail := sub(lowerSum(wide, edge), mul(e, lowerSum(wide, edge-n*s)))
		return quo(tail, norm)
	}
	law, first := sumLaw(sigma2, float(sigma2), n, edge)
	delta := num(0)
	for i, p := range law {
		x := first + int64(i)
		if x > edge {
			break
		}
		if j := i - int(n*s); j >= 0 {
			p = sub(p, mul(e, law[j]))
		}
		delta = add(delta, p)
	}
	return delta
}

// lowerSum returns Σ exp(-x²/2v) over the integers x ≤ edge, by a recurrence.
func lowerSum(v *big.Float, edge int64) *big.Float {
	if edge > 0 { // the whole, less what is above
		return sub(root(mul(mul(num(2), pi), v)), lowerSum(v, -edge-1))
	}
	x := fromInt(edge)
	weight := exp(quo(mul(x, x), mul(num(-2), v)))
	ratio := exp(quo(sub(mul(num(2), x), num(1)), mul(num(2), v))) // weight(x-1)/weight(x)
	step := exp(quo(num(-1), v))
	sum := num(0)
	for sum.Sign() == 0 || weight.MantExp(nil) > sum.MantExp(nil)-200 {
		sum.Add(sum, weight)
		weight.Mul(weight, ratio)
		ratio.Mul(ratio, step)
	}
	return sum
}

// sumLaw returns the law of the sum of n draws, as probabilities of first, first+1, … up to
// edge at least.
func sumLaw(v *big.Float, approx float64, n, edge int64) (law []*big.Float, first int64) {
	m := int64(math.Ceil(math.Sqrt(approx)*20)) + 1
	var one []*big.Float
	norm := num(0)
	for x := -m; x <= m; x++ {
		w := exp(quo(fromInt(x*x), mul(num(-2), v)))
		one = append(one, w)
		norm.Add(norm, w)
	}
	for _, w := range one {
		w.Quo(w, norm)
	}
	law, first = one, -m
	most := max(0, edge+n*m+1)
	for range n - 1 {
		first -= m
		law = mirrored(convolve(law, one, min(most, 1-first)), 1-2*first, most)
	}
	return law, first
}

// mirrored returns a law of so many numbers, or the most that are needed, of which the first
// half is given, with the middle.
func mirrored(half []*big.Float, numbers, most int64) []*big.Float {
	law := half
	for i := int64(len(half)); i < min(numbers, most); i++ {
		law = append(law, half[numbers-1-i])
	}
	return law
}

// convolve returns the first numbers of a convolution, so many at most. They need no more
// of either law.
func convolve(a, b []*big.Float, most int64) []*big.Float {
	out := make([]*big.Float, min(int64(len(a)+len(b)-1), most))
	for i := range out {
		out[i] = num(0)
	}
	product := num(0)
	for i, x := range a {
		for j, y := range b[:max(0, min(len(b), len(out)-i))] {
			out[i+j].Add(out[i+j], product.Mul(x, y))
		}
	}
	return out
}

// trueLaplaceDelta returns δ(ε) of n independent discrete Laplace draws, each against
// itself moved by s; n > 1 needs a small s. With one number, P(x) - e^ε·P(x-s) is
// positive for x ≤ edge, and both sums are geometric.
func trueLaplaceDelta(scale *big.Rat, n, s int64, epsilon *big.Float) *big.Float {
	a := quo(num(1), fromRat(scale))
	q := exp(mul(num(-1), a))
	c := quo(sub(num(1), q), add(num(1), q))
	e := exp(epsilon)
	if n == 1 {
		top := mul(a, fromInt(s))
		if epsilon.Cmp(top) >= 0 {
			return num(0)
		}
		edge := min(floorOf(half(quo(sub(top, epsilon), a))), s) // the last x with (s-2x)/scale ≥ ε
		below := quo(q, sub(num(1), q))                          // Σ over x < 0 of q^-x
		p := add(below, geometric(q, 0, edge))
		// Σ over x ≤ edge of q^(s-x) = q^(s-edge)/(1-q)
		shifted := quo(power(q, s-edge), sub(num(1), q))
		return mul(c, sub(p, mul(e, shifted)))
	}
	// Losses are (s-2x)/scale for x = 0 … s, with all x ≤ 0 and all x ≥ s together.
	atoms := make([]*big.Float, s+1)
	for x := range atoms {
		atoms[x] = mul(c, power(q, int64(x)))
	}
	atoms[0] = quo(c, sub(num(1), q))
	atoms[s] = mul(c, quo(power(q, s), sub(num(1), q)))
	law := atoms
	for range n - 1 {
		law = convolve(law, atoms, math.MaxInt64)
	}
	delta := num(0)
	for i, p := range law {
		loss := mul(a, fromInt(n*s-2*int64(i)))
		if loss.Cmp(epsilon) > 0 {
			delta = add(delta, mul(p, sub(num(1), exp(sub(epsilon, loss)))))
		}
	}
	return delta
}

// geometric returns Σ q^x for x in from … to.
func geometric(q *big.Float, from, to int64) *big.Float {
	return quo(sub(power(q, from), power(q, to+1)), sub(num(1), q))
}

func power(q *big.Float, n int64) *big.Float {
	result, base := num(1), q
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			result = mul(result, base)
		}
		base = mul(base, base)
	}
	return result
}
