package dp

import (
	"errors"
	"fmt"
	"math"
)

// A Loss bounds what a release may reveal about one unit. It is a [Pure], an
// [Approx] or a [Concentrated] value: the kind of the loss chooses the noise,
// so there is no pair of loss and noise to get wrong.
//
// The numbers are read as the decimals that a person wrote: an Epsilon of 0.1
// is one tenth exactly, in the sampler, in the ledger and in a refusal.
//
// The zero value of every kind is refused wherever a Loss is taken. It never
// means "no limit" nor "all that is left".
type Loss interface {
	fmt.Stringer

	// Check returns nil if the loss is positive and finite; otherwise every
	// mistake, joined.
	Check() error

	// parts are the numbers of the loss, for [PartsOf]. That it is not exported
	// seals the interface, so that kinds can be added later.
	parts() Parts
}

// Pure is ε-differential privacy (Dwork, McSherry, Nissim, Smith 2006,
// Definition 1): no output is more than e^Epsilon times as likely with a unit's
// rows as without them. Noise is discrete Laplace.
type Pure struct{ Epsilon float64 }

// Approx is (ε, δ)-differential privacy (Dwork, Kenthapadi, McSherry, Mironov,
// Naor 2006, Definition 1): as [Pure], but for a probability of at most Delta.
// Noise is discrete Laplace or discrete Gaussian, whichever has less variance
// for the whole plan. Keys can be selected privately.
type Approx struct{ Epsilon, Delta float64 }

// Concentrated is ρ-zero-concentrated differential privacy (Bun, Steinke 2016,
// Definition 1.1), but for an event of probability at most Delta (the same, Definition
// 8.1). Noise is discrete Gaussian. With a Delta, keys can be selected privately: all of
// it is for them, and no noise needs it. If 0, there is no such event.
type Concentrated struct{ Rho, Delta float64 }

// Check implements [Loss].
func (l Pure) Check() error { return positive("epsilon", l.Epsilon) }

// Check implements [Loss]. Delta must be in (0, 1); a loss without δ is a
// [Pure].
func (l Approx) Check() error {
	err := positive("epsilon", l.Epsilon)
	if !(l.Delta > 0 && l.Delta < 1) { // written so that NaN fails
		err = errors.Join(err, fmt.Errorf("dp: delta is %v, must be in (0, 1); for a loss without delta use dp.Pure", l.Delta))
	}
	return err
}

// Check implements [Loss]. Delta must be in [0, 1).
func (l Concentrated) Check() error {
	err := positive("rho", l.Rho)
	if !(l.Delta >= 0 && l.Delta < 1) { // written so that NaN fails
		err = errors.Join(err, fmt.Errorf("dp: delta beside rho is %v, must be in [0, 1)", l.Delta))
	}
	return err
}

func positive(name string, x float64) error {
	if !(x > 0) || math.IsInf(x, 1) {
		return fmt.Errorf("dp: %s is %v, must be positive and finite", name, x)
	}
	return nil
}

// CheckLoss returns nil if l is a loss that can be spent. Unlike Loss.Check it
// accepts a nil Loss, and says so.
func CheckLoss(l Loss) error {
	switch l.(type) {
	case nil:
		return errors.New("dp: no loss given; use dp.Pure, dp.Approx or dp.Concentrated")
	case Pure, Approx, Concentrated:
		return l.Check()
	}
	return fmt.Errorf("dp: loss is a %T, must be a dp.Pure, dp.Approx or dp.Concentrated value", l) // a pointer to one, or what embeds one
}
