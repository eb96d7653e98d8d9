package dp

import (
	"errors"
	"fmt"
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
//   - [Approx]: whichever of discrete Laplace, of scale L0·LInf/ε, and discrete
//     Gaussian has less variance. The Gaussian is calibrated to the hockey-stick
//     divergence of the discrete law itself, composed over L0 numbers. Proof:
//     docs/proofs/gaussian.md.
//
// Scales are rationals rounded towards more noise. Where a scale would be more
// than 2^40, numbers are first rounded to a coarser grid, and the sensitivity
// grows by that rounding.
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
	}
	return Noise{}, fmt.Errorf("dp: %v needs noise of more than 2^102 for sensitivity L0 %d, LInf %d; use a larger loss or smaller bounds", loss, s.L0, s.LInf)
}

// coarsened bounds the sensitivity of numbers that are rounded to multiples of
// 2^k, in such multiples: if |x-y| ≤ LInf, the multiples nearest to them differ
// by at most ⌈LInf/2^k⌉ + 1, and by LInf itself if k is 0.
func coarsened(s Sensitivity, k uint) Sensitivity {
	if k == 0 {
		return s
	}
	return Sensitivity{s.L0, (s.LInf-1)>>k + 2}
}

// calibrateOn returns nil if the grid is too fine for the noise.
func calibrateOn(loss Loss, s Sensitivity) (*core.Law, error) {
	switch l := loss.(type) {
	case Pure:
		return law(core.Laplace, laplaceScale(l.Exact(), s))
	case Concentrated:
		return law(core.Gaussian, concentratedScale(l.Exact(), s))
	case Approx:
		laplace, err := law(core.Laplace, laplaceScale(exact.Decimal(l.Epsilon), s))
		if err != nil {
			return nil, err
		}
		gaussian, err := law(core.Gaussian, approxScale(l, s))
		if err != nil || gaussian == nil {
			return laplace, err
		}
		if laplace == nil || gaussian.StdDev() < laplace.StdDev() {
			return gaussian, nil
		}
		return laplace, nil
	}
	return nil, fmt.Errorf("dp: internal error: no calibration for %T", loss)
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
	mu := exact.Float(pld.GaussianMu(l.Epsilon, l.Delta))
	if mu == nil || mu.Sign() <= 0 {
		return nil
	}
	l2 := exact.SqrtUp(squaredL2(s))
	fine := exact.RatUp(new(big.Rat).Quo(l2, new(big.Rat).Quo(mu, fineLatticeFactor)))
	if fine.Cmp(big.NewRat(fineLattice, 1)) >= 0 {
		return fine
	}
	return discreteScale(l, s, new(big.Rat).Quo(l2, mu))
}

// At a scale of fineLattice steps, a discrete Gaussian costs at most what a
// continuous one costs whose μ is larger by fineLatticeFactor. Proof:
// docs/proofs/accounting-vector.md.
const fineLattice = 4096

var fineLatticeFactor = big.NewRat(10001, 10000)

func formatFloat(x float64) string { return strconv.FormatFloat(x, 'g', 6, 64) }
