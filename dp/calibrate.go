package dp

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"

	"github.com/equipoise-dp/equipoise/internal/calibrate"
	"github.com/equipoise-dp/equipoise/internal/core"
)

// Calibrate returns the noise that hides one unit, up to loss, in integers of
// the given sensitivity. It returns every mistake at once, and takes less than
// a second for any arguments.
//
//   - [Pure]: discrete Laplace of scale L0·LInf/ε (Ghosh, Roughgarden,
//     Sundararajan 2009, and Dwork, McSherry, Nissim, Smith 2006, Proposition 1
//     for vectors). Proof: docs/proofs/laplace.md.
//   - [Concentrated]: discrete Gaussian with σ² = L0·LInf²/2ρ (Canonne, Kamath,
//     Steinke 2020, Theorem 14), whatever its Delta, which noise does not need.
//     Proof: docs/proofs/gaussian.md.
//   - [Approx]: whichever of discrete Laplace and discrete Gaussian has less
//     variance. Both are calibrated to the hockey-stick divergence of the
//     discrete law itself, composed over L0 numbers. Proof:
//     docs/proofs/gaussian.md.
//
// Scales are rationals rounded towards more noise. Where a scale would be more
// than 2^40, numbers are first rounded to a coarser grid, and the sensitivity is
// rounded up to that grid.
func Calibrate(loss Loss, s Sensitivity) (Noise, error) {
	if err := errors.Join(CheckLoss(loss), s.check()); err != nil {
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
	change := calibrate.Change{L0: big.NewInt(s.L0), LInf: big.NewInt(s.LInf)}
	epsilon, delta, rho := PartsOf(loss).Exact()
	switch loss.(type) {
	case Pure:
		return calibrate.Law(core.Laplace, change.Laplace(epsilon))
	case Concentrated:
		return calibrate.Law(core.Gaussian, change.Gaussian(rho.Add(rho, rho)))
	case Approx:
		return calibrate.Least(epsilon, delta, change)
	}
	return nil, fmt.Errorf("dp: internal error: no calibration for %T", loss)
}

func formatFloat(x float64) string { return strconv.FormatFloat(x, 'g', 6, 64) }
