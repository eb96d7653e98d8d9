package dp

import (
	"errors"
	"fmt"
	"math"
	"math/big"

	"github.com/equipoise-dp/equipoise/internal/exact"
)

// ForSeveral returns what a loss is for k units at once, such as a household or k rows that are protected one by
// one; what it hides of somebody whose rows are replaced by others, who is one unit removed and one
// added, is that of two. Numbers are rounded up. A guarantee that is none, with a δ of 1 or more, is an
// error, and so is a ρ with a δ, of which take [Concentrated.Approx] first.
//
//   - [Pure]: kε (Dwork, Roth 2014, Theorem 2.2).
//   - [Approx]: kε and δ·(1 + e^ε + ... + e^((k-1)ε)): of neighbours P ≤ e^ε·Q + δ, and of those of Q the same, k times.
//   - [Concentrated]: k²ρ (Bun, Steinke 2016, Proposition 1.9).
func ForSeveral(l Loss, k int) (Loss, error) {
	if err := CheckLoss(l); err != nil {
		return nil, err
	}
	if k < 1 || k > mostSeveral {
		return nil, fmt.Errorf("dp: %d units at once, must be 1 to %d", k, mostSeveral)
	}
	parts, times := PartsOf(l), new(big.Rat).SetInt64(int64(k))
	epsilon, delta, rho := parts.Exact()
	several := Parts{
		Epsilon: exact.DecimalUp(epsilon.Mul(epsilon, times)), Rho: exact.DecimalUp(rho.Mul(rho, new(big.Rat).Mul(times, times))),
	}
	switch {
	case parts.Delta > 0 && parts.Rho > 0:
		return nil, errors.New("dp: a ρ with a δ says nothing of several units; take Concentrated.Approx of it first")
	case parts.Delta > 0:
		if several.Delta = deltaOfSeveral(parts.Epsilon, delta, k); !(several.Delta < 1) {
			return nil, fmt.Errorf("dp: %v hides nothing of %d units at once: their δ would be 1 or more", l, k)
		}
	}
	return several.Loss(), CheckLoss(several.Loss())
}

// mostSeveral is how many units there may be.
const mostSeveral = 1 << 20

// deltaOfSeveral adds up δ·e^(iε) for i below k, with more than floats round.
func deltaOfSeveral(epsilon float64, delta *big.Rat, k int) float64 {
	sum, each, more := 0.0, exact.FloatUp(delta), math.Exp(exact.FloatUp(exact.Decimal(epsilon)))*(1+0x1p-50)
	for range k {
		if sum += each; sum >= 1 {
			return 1
		}
		each *= more
	}
	return exact.DecimalUp(exact.Float(sum * (1 + float64(k)*0x1p-50)))
}
