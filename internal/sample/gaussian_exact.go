package sample

import "math/big"

// tails returns P(base >= b) for b = 0, 1, ... as far as p bits reach.
func (g *Gaussian) tails(p uint) []interval {
	weights := g.weights(p)
	sums := make([]interval, len(weights)+tableStep)
	rest := interval{new(big.Int), big.NewInt(tailBound)}
	for i := range sums {
		sums[i] = rest
	}
	for i := len(weights) - 1; i >= 0; i-- {
		rest = rest.add(weights[i])
		sums[i] = rest
	}
	for i := range sums {
		sums[i] = sums[i].div(rest, p)
	}
	return sums
}

// tailBound is what all weights together may have, in units of 2^-p, that
// weights leaves out.
const tailBound = 16

// weights returns the unnormalised law of base up to the last weight that p
// bits can tell from 0. If there is no offset, base is |x|, and all but 0 weigh
// double.
func (g *Gaussian) weights(p uint) []interval {
	q := expNeg(g.baseRate(), p)
	q2 := q.mul(q, p)
	half := new(big.Int).Lsh(one, p-1)
	var out []interval
	weight, step := wholeInterval(1, p), q
	for weight.hi.Int64() > 4 || !weight.hi.IsInt64() || step.hi.Cmp(half) > 0 {
		out = append(out, weight)
		weight, step = weight.mul(step, p), step.mul(q2, p)
	}
	if g.shift == 0 {
		for i := range out[1:] {
			out[i+1] = out[i+1].add(out[i+1])
		}
	}
	return out
}

// tail is P(base >= b).
func (g *Gaussian) tail(b int) real {
	return func(p uint) interval {
		w := p + 32
		tails := g.tails(w)
		return tails[min(b, len(tails)-1)].narrow(w, p)
	}
}

// exactBase counts the tails above u.
func (g *Gaussian) exactBase(u *uniform) uint64 {
	b := 1
	for u.less(g.tail(b)) {
		b++
	}
	return uint64(b - 1)
}

// exactTrial decides the same trial as trial from the same words, and reads
// further random bits where they leave it open.
func (g *Gaussian) exactTrial(s *Source, baseWord, offsetWord, acceptWord uint64) (x, accepted uint64) {
	base := g.exactBase(newUniform(s, baseWord))
	offset, sign := (offsetWord&g.mask)>>(64-g.shift), offsetWord&1
	if newUniform(s, acceptWord).less(g.acceptance(base, offset)) {
		accepted = 1
	}
	magnitude := base<<g.shift + offset
	if magnitude == 0 && sign == 1 {
		accepted = 0
	}
	return signed(magnitude, sign), accepted
}

// acceptance is exp(-offset*(offset+2^(shift+1)*base)/(2 sigma^2)).
func (g *Gaussian) acceptance(base, offset uint64) real {
	o := new(big.Int).SetUint64(offset)
	e := new(big.Int).SetUint64(base)
	e.Lsh(e, g.shift+1).Add(e, o).Mul(e, o)
	r := new(big.Rat).SetInt(e)
	r.Mul(r, g.rate)
	return func(p uint) interval { return expNeg(r, p) }
}
