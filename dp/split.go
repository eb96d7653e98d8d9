package dp

import (
	"math/big"

	"github.com/equipoise-dp/equipoise/internal/exact"
)

// Split returns the largest loss of which n together are at most l: its ε, δ or
// ρ are those of l, divided by n and rounded down as decimals. An account whose
// limit is l takes n charges of it, where sums are what its rule adds up. The
// plain quotient can be too much: 1.0/11 is 0.09090909090909091, and eleven of
// that are more than 1.
//
// It returns nil, which is nothing, if n is less than 1 or l is no loss. Where a
// part is below the smallest float64, the result does not pass its Check.
func Split(l Loss, n int) Loss {
	if n < 1 || CheckLoss(l) != nil {
		return nil
	}
	p := PartsOf(l)
	for _, x := range []*float64{&p.Epsilon, &p.Delta, &p.Rho} {
		*x = exact.DecimalDown(new(big.Rat).Quo(exact.Decimal(*x), big.NewRat(int64(n), 1)))
	}
	return p.Loss()
}
