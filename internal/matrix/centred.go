package matrix

import (
	"fmt"
	"math"
	"math/big"

	"github.com/equipoise-dp/equipoise/internal/exact"
)

// centred is a strategy for people who may be in every period: x[t] - m·n is released,
// and w·n. A person whose numbers are in [low, high], which holds 0, moves each of the
// first by at most half the width if m is the middle, instead of by the whole, and the
// last by w (Joseph, Yu 2024; Lebeda 2025). Proof: docs/proofs/series.md.
type centred struct {
	middle  *big.Int // twice m
	width   *big.Int // high - low
	scale   *big.Int // w, times 2^Bits
	periods int
	ratio   float64 // m/w
}

// Centred returns the centred strategy whose noise is least in the mean over the views.
func Centred(periods int, low, high int64, views []View) *Strategy {
	low, high = min(low, 0), max(high, 0)
	c := &centred{
		middle: new(big.Int).Add(big.NewInt(low), big.NewInt(high)), width: new(big.Int).Sub(big.NewInt(high), big.NewInt(low)),
		periods: periods,
	}
	// The squared sensitivity is T·d²/4 + w² and the relative variance of a view 1 + q·m²/w²,
	// with q the mean of the squared lengths of its spans over that of their lengths:
	// the product is least at w² = m·d/2·√(T·q).
	q := 0.0
	all := 0.0
	for _, v := range views {
		squares, lengths := 0.0, 0.0
		for _, s := range v.Spans {
			n := float64(s.To - s.From)
			squares, lengths = squares+n*n, lengths+n
		}
		q, all = q+v.Weight*squares/lengths, all+v.Weight
	}
	m, d := float64(low)/2+float64(high)/2, float64(high)-float64(low)
	w := math.Sqrt(max(math.Abs(m)*d/2*math.Sqrt(float64(periods)*q/all), 1))
	c.scale, _ = big.NewFloat(math.Ceil(w * one)).Int(nil)
	scale, _ := new(big.Float).SetInt(c.scale).Float64()
	c.ratio = m * one / scale
	return &Strategy{Name: fmt.Sprintf("centred at %g", m), coefs: make([]int64, periods), centred: c}
}

// CentredSquares returns what [Strategy.Squares] does for a centred strategy: the
// squared norm of what a person does who is in so many groups, in steps of 2^-Bits.
func (s *Strategy) CentredSquares(groups int) *big.Int {
	c := s.centred
	half := new(big.Int).Lsh(c.width, Bits-1)
	half.Mul(half, half).Mul(half, big.NewInt(int64(c.periods)))
	half.Add(half, new(big.Int).Mul(c.scale, c.scale))
	return half.Mul(half, big.NewInt(int64(groups)))
}

func (c *centred) encode(t, periods int, x []exact.Int128, people exact.Int128) *big.Int {
	if t == periods {
		return new(big.Int).Mul(c.scale, people.Big())
	}
	row := new(big.Int).Lsh(x[t].Big(), Bits)
	middle := new(big.Int).Mul(c.middle, people.Big())
	return row.Sub(row, middle.Lsh(middle, Bits-1))
}

func (c *centred) decode(rows []*big.Int) []*big.Int {
	if len(rows) != c.periods+1 {
		return nil
	}
	// m·n in steps, with spare bits: middle·2^(Bits-1)·rows[last]/scale.
	shift := new(big.Int).Mul(c.middle, rows[c.periods])
	shift.Lsh(shift, Bits-1+spare).Quo(shift, c.scale)
	values := make([]*big.Int, c.periods)
	for t := range values {
		values[t] = new(big.Int).Lsh(rows[t], spare)
		values[t].Add(values[t], shift)
	}
	return totals(values)
}

func (c *centred) covariance(v, w Span) float64 {
	both := max(min(v.To, w.To)-max(v.From, w.From), 0)
	return float64(both) + float64(v.To-v.From)*float64(w.To-w.From)*c.ratio*c.ratio
}
