package aggregate

import (
	"context"

	"github.com/equipoise-dp/equipoise/dp"
)

// An earlier version chose the family of noise without looking at the threshold, and
// read all quantiles from trees. What it released was paid for by another charge, so
// where the choice is now another one, the plan also knows the noise that it would
// have had: whoever paid then still gets the answer, at no cost.

// calibrateEarlier returns the calibration of the earlier version, or nil if it is
// that of today.
func (q question) calibrateEarlier(today *calibration) *calibration {
	drawn := len(q.drawn()) > 0
	q.trees = true
	l, approx := q.loss.(dp.Approx)
	if !approx {
		if old, err := q.calibrate(); drawn && err == nil {
			return old
		}
		return nil
	}
	if !q.selects && !drawn {
		return nil
	}
	laplace, errL := q.approxLaplace(l)
	gaussian, errG := q.approxGaussian(l)
	if errL != nil || errG != nil {
		return nil
	}
	old := gaussian
	if laplace.noisiness() <= gaussian.noisiness() {
		old = laplace
	}
	if old.family == today.family && !drawn {
		return nil
	}
	return old
}

// paidEarlier reports whether the request was paid for by the charge of the
// earlier version.
func (p *Plan[Row, Unit, Key]) paidEarlier(ctx context.Context, b Budget, r Request) bool {
	if p.earlier == nil {
		return false
	}
	_, err := b.Kept(ctx, p.earlier.Charge(r))
	return err == nil
}
