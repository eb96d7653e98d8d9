package aggregate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"github.com/equipoise-dp/equipoise/dp"
)

// An earlier version chose the family of noise without looking at the threshold, and
// read all quantiles from trees, and every sum by itself. What it released was paid for by another charge, so
// where the choice is now another one, the plan also knows the noise that it would
// have had: whoever paid then still gets the answer, at no cost.

// calibrateEarlier returns the calibration of the earlier version, or nil if it is
// that of today.
func (q question) calibrateEarlier(today *calibration) *calibration {
	if today.finder != nil || today.top != nil {
		return nil // no earlier version answered without columns
	}
	q.trees, q.apart = true, true
	if _, approx := q.loss.(dp.Approx); !approx {
		old, err := q.calibrate()
		if err != nil || old.costs(today) {
			return nil
		}
		return old
	}
	laplace, errL := q.approxLaplace()
	gaussian, errG := q.approxGaussian()
	if errL != nil || errG != nil {
		return nil
	}
	old := gaussian
	if laplace.noisiness() <= gaussian.noisiness() {
		old = laplace
	}
	if old.costs(today) {
		return nil
	}
	return old
}

// costs reports whether two calibrations are paid for by the same charge.
func (c *calibration) costs(other *calibration) bool {
	a, errA := json.Marshal(c.events())
	b, errB := json.Marshal(other.events())
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

// keptEarlier returns the release of the request if the charge of the earlier version
// finds one, and whether the key is another question's to it. It is asked first: of a
// release that the earlier version paid for, today's charge would be told, and the
// account would count, that its key is another question's. A budget that fails has
// failed the request, which is not asked again.
func (p *Plan[Row, Unit, Group]) keptEarlier(ctx context.Context, b Budget, r Request) (kept []byte, other bool, err error) {
	if p.earlier == nil {
		return nil, false, nil
	}
	kept, err = b.Kept(ctx, p.earlier.Charge(r))
	if errors.Is(err, dp.ErrOtherQuestion) {
		return nil, true, nil
	}
	return kept, false, err
}
