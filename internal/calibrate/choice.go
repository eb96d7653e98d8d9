package calibrate

import "math/big"

// Choice returns the bounded range ε that each of k draws may have, so that all of them
// together are ε-private (delta and rho are 0), ρ-zCDP (rho is not 0) or (ε, δ)-private: basic
// composition (Dwork, Kenthapadi, McSherry, Mironov, Naor 2006, Theorem 1); k draws of range
// ε are kε²/8-zCDP (Cesar, Rogers 2021, Lemma 3.4; Bun, Steinke 2016, Lemma 2.3); and the
// larger of the first and of what [MixedBudget] finds. Proof: docs/proofs/top-k.md.
func Choice(epsilon, delta, rho *big.Rat, k int) *big.Rat {
	draws := big.NewInt(int64(k))
	if rho.Sign() > 0 {
		return rangeOf(new(big.Rat).Add(rho, rho), draws)
	}
	each := new(big.Rat).Quo(epsilon, new(big.Rat).SetInt(draws))
	if delta.Sign() == 0 || k == 1 {
		return each
	}
	budget := MixedBudget(epsilon, delta, Ranges{Share: big.NewRat(1, 1), Count: draws})
	if budget == nil {
		return each
	}
	if more := rangeOf(budget, draws); more.Cmp(each) > 0 {
		return more
	}
	return each
}

// rangeOf returns 2·√(budget/draws), rounded down.
func rangeOf(budget *big.Rat, draws *big.Int) *big.Rat {
	each := new(big.Rat).Inv(Change{L0: draws, LInf: big.NewInt(1)}.Gaussian(budget))
	return each.Add(each, each)
}
