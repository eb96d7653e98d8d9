package forecast

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/equipoise-dp/equipoise/dp"
)

// A Use is a charge, and how often it will be made. What the charge is called and
// what it is for do not matter.
type Use struct {
	Charge dp.Charge
	Times  int
}

// check returns every mistake of a question, joined.
func check(delta float64, uses []Use) error {
	var errs []error
	if !(delta > 0 && delta < 1) { // written so that NaN fails
		errs = append(errs, fmt.Errorf("forecast: delta is %v, must be in (0, 1)", delta))
	}
	if len(uses) == 0 {
		errs = append(errs, errors.New("forecast: no uses are given, must be at least one"))
	}
	for i, u := range uses {
		for _, err := range u.mistakes() {
			errs = append(errs, fmt.Errorf("forecast: use %d: %w", i, err))
		}
	}
	return errors.Join(errs...)
}

func (u Use) mistakes() (errs []error) {
	if u.Times < 1 || u.Times > mostTimes {
		errs = append(errs, fmt.Errorf("field Times is %d, must be 1 to %d", u.Times, mostTimes))
	}
	if err := dp.CheckLoss(u.Charge.Loss); err != nil {
		errs = append(errs, err)
	}
	if len(u.Charge.Events) == 0 {
		errs = append(errs, errors.New("Charge.Events is empty, must say what the charge consists of"))
	}
	for _, e := range u.Charge.Events {
		if err := e.Check(); err != nil {
			errs = append(errs, err)
		} else if e.Count > math.MaxInt/mostTimes {
			errs = append(errs, fmt.Errorf("an event has count %d, must be at most %d", e.Count, math.MaxInt/mostTimes))
		}
	}
	return errs
}

// mostTimes is how often a use can be made.
const mostTimes = 1_000_000

// Together returns the charge of a reservation of all the uses: their events, with
// the dataset, the unit, the purpose and all else of the first use, and that use's
// key. Set its loss to what [LeastLoss] returns.
func Together(uses ...Use) dp.Charge {
	if len(uses) == 0 {
		return dp.Charge{}
	}
	whole := uses[0].Charge
	whole.Events = nil
	for _, u := range uses {
		for _, e := range u.Charge.Events {
			e = e.Clone()
			if e.Mechanism == dp.AboveThreshold { // its Count is no number of uses
				whole.Events = append(whole.Events, slices.Repeat([]dp.Event{e}, u.Times)...)
				continue
			}
			e.Count *= u.Times
			whole.Events = append(whole.Events, e)
		}
	}
	return whole
}
