package dp

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"

	"github.com/equipoise-dp/equipoise/internal/core"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/pld"
)

// maxScale is the largest scale that the samplers take. Noise that must be
// wider is drawn on a coarser grid.
var maxScale = new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), 40))

// Calibrate returns the noise that hides one unit, up to loss, in integers of
// the given sensitivity. It returns every mistake at once, and takes less than
// a second for any arguments.
//
//   - [Pure]: discrete Laplace of scale L0·LInf/ε (Ghosh, Roughgarden,
//     Sundararajan 2009, and Dwork, McSherry, Nissim, Smith 2006, Proposition 1
//     for vectors). Proof: docs/proofs/laplace.md.
//   - [Concentrated]: discrete Gaussian with σ² = L0·LInf²/2ρ (Canonne, Kamath,
//     Steinke 2020, Theorem 14). Proof: docs/proofs/gaussian.md.
//   - [Approx]: whichever of discrete Laplace and discrete Gaussian has less
//     variance. Both are calibrated to the hockey-stick divergence of the
//     discrete law itself, composed over L0 numbers. Proof:
//     docs/proofs/gaussian.md.
//
// Scales are rationals rounded towards more noise. Where a scale would be more
// than 2^40, numbers are first rounded to a coarser grid, and the sensitivity is
// rounded up to that grid.
func Calibrate(loss Loss, s Sensitivity) (Noise, error) {
	if err := errors.Join(CheckLoss(loss), s.Check()); err != nil {
		return Noise{}, err
	}
	for coarse := range uint(63) {
		law, err := calibrateOn(loss, coarsened(s, coarse))
		if err != nil {
			return Noise{}, err
		}
		if law != nil {
			return Noise{&noise{loss, s, law, coarse}}, nil
		}
		if s.LInf>>coarse == 0 { // a coarser grid would be no better
			break
		}
	}
	return Noise{}, fmt.Errorf("dp: %v needs noise of more than 2^40 steps of any grid for sensitivity L0 %d, LInf %d; use a larger loss or smaller bounds", loss, s.L0, s.LInf)
}

// coarsened bounds the sensitivity of numbers that are rounded to multiples of
// 2^k, in such multiples: if |x-y| ≤ LInf, the multiples nearest to them (halves
// go up) differ by at most ⌈LInf/2^k⌉, because ⌊a⌋ - ⌊b⌋ ≤ ⌈a-b⌉.
func coarsened(s Sensitivity, k uint) Sensitivity {
	return Sensitivity{s.L0, (s.LInf-1)>>k + 1}
}

// calibrateOn returns nil if the grid is too fine for the noise.
func calibrateOn(loss Loss, s Sensitivity) (*core.Law, error) {
	switch l := loss.(type) {
	case Pure:
		return law(core.Laplace, laplaceScale(l.Exact(), s))
	case Concentrated:
		return law(core.Gaussian, concentratedScale(l.Exact(), s))
	case Approx:
		return approxLaw(l, s)
	}
	return nil, fmt.Errorf("dp: internal error: no calibration for %T", loss)
}

// approxLaw takes the family with less variance. It searches for the least
// Laplace scale only where that can change the choice or the noise: where noise
// is other than 0 with a probability below 1e-13 there is nothing to gain, and
// where Gaussian noise is narrower by half than Laplace noise before the search,
// it is so after it. A δ above one half is taken for one half.
func approxLaw(l Approx, s Sensitivity) (*core.Law, error) {
	l.Delta = min(l.Delta, 0.5)
	pure := laplaceScale(exact.Decimal(l.Epsilon), s)
	if pure.Cmp(big.NewRat(1, 32)) <= 0 {
		return law(core.Laplace, pure)
	}
	gaussian, stdDev := approxScale(l, s), math.Inf(1)
	if gaussian != nil {
		stdDev = core.StdDev(core.Gaussian, exact.FloatUp(gaussian))
	}
	laplace := laplaceStart(l, s, pure)
	if laplace.Cmp(maxScale) <= 0 && core.StdDev(core.Laplace, exact.FloatUp(laplace)) < 1.5*stdDev {
		laplace = approxLaplaceScale(l, s, laplace)
	}
	if stdDev < core.StdDev(core.Laplace, exact.FloatUp(laplace)) {
		return law(core.Gaussian, gaussian)
	}
	return law(core.Laplace, laplace)
}

func law(f core.Family, scale *big.Rat) (*core.Law, error) {
	if scale == nil || scale.Cmp(maxScale) > 0 {
		return nil, nil
	}
	if scale.Cmp(minScale) < 0 {
		scale = minScale
	}
	return core.NewLaw(f, scale)
}

// minScale is the smallest scale that the samplers take. Less noise is never
// needed: at this scale a draw differs from 0 with probability below e^-500.
var minScale = big.NewRat(1, 1024)

// laplaceScale returns L0·LInf/ε, exactly unless it needs more than 48 bits, and
// then rounded up.
func laplaceScale(epsilon *big.Rat, s Sensitivity) *big.Rat {
	l1 := new(big.Int).Mul(big.NewInt(s.L0), big.NewInt(s.LInf))
	scale := new(big.Rat).Quo(new(big.Rat).SetInt(l1), epsilon)
	if scale.Num().BitLen()+scale.Denom().BitLen() > 96 {
		return exact.RatUp(scale)
	}
	return scale
}

// squaredL2 returns L0·LInf².
func squaredL2(s Sensitivity) *big.Rat {
	l2 := new(big.Int).Mul(big.NewInt(s.LInf), big.NewInt(s.LInf))
	return new(big.Rat).SetInt(l2.Mul(l2, big.NewInt(s.L0)))
}

// concentratedScale returns √(L0·LInf²/2ρ), rounded up.
func concentratedScale(rho *big.Rat, s Sensitivity) *big.Rat {
	return exact.SqrtUp(new(big.Rat).Quo(squaredL2(s), new(big.Rat).Add(rho, rho)))
}

// approxScale returns the Gaussian scale for (ε, δ): the continuous one where
// the grid is fine enough for the difference not to matter, otherwise the
// smallest one whose exact discrete composition is at most δ. It returns nil if
// there is none that floats can certify.
func approxScale(l Approx, s Sensitivity) *big.Rat {
	mu := exact.Float(pld.FineLatticeBudget(pld.GaussianMu(l.Epsilon, l.Delta)))
	if mu == nil || mu.Sign() <= 0 {
		return nil
	}
	fine := exact.RatUp(new(big.Rat).Quo(exact.SqrtUp(squaredL2(s)), mu))
	if fine.Cmp(big.NewRat(pld.FineLattice, 1)) >= 0 {
		return fine
	}
	return discreteScale(l, s, fine)
}

func formatFloat(x float64) string { return strconv.FormatFloat(x, 'g', 6, 64) }
