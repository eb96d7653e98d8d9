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

// Together returns the charge of a reservation of all the uses, from which each of them can be
// drawn: their events, with the dataset, the unit, the purpose and the analyst that they share, all
// periods of them, and what they ask if that is the same. Its Key and Loss are for the caller to
// set, the loss to what [LeastLoss] returns, and Plan where it has a name; Periods is to have every
// period that will be drawn for.
//
// A reservation is for one dataset, unit, purpose and analyst. Uses of several are an error.
func Together(uses ...Use) (dp.Charge, error) {
	if len(uses) == 0 {
		return dp.Charge{}, errors.New("forecast: no uses are given, must be at least one")
	}
	first := uses[0].Charge
	whole := dp.Charge{Dataset: first.Dataset, Unit: first.Unit, Purpose: first.Purpose, Analyst: first.Analyst, Question: first.Question, States: first.States, Events: eventsOf(uses)}
	var errs []error
	for i, u := range uses {
		c := u.Charge
		for _, f := range []struct{ name, is, must string }{
			{"Dataset", c.Dataset, first.Dataset}, {"Unit", c.Unit, first.Unit}, {"Purpose", c.Purpose, first.Purpose}, {"Analyst", c.Analyst, first.Analyst},
		} {
			if f.is != f.must {
				errs = append(errs, fmt.Errorf("forecast: use %d has %s %q, and use 0 has %q; one reservation is for one, so make one for each", i, f.name, f.is, f.must))
			}
		}
		if c.Question != first.Question { // then it is a list of mechanisms for any questions
			whole.Question, whole.States = "", nil
		}
		for _, p := range c.Periods {
			if !slices.Contains(whole.Periods, p) {
				whole.Periods = append(whole.Periods, p)
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return dp.Charge{}, err
	}
	return whole, nil
}

// composed is a charge with the events of all uses, to work out what they cost.
func composed(uses []Use) dp.Charge { return dp.Charge{Events: eventsOf(uses)} }

func eventsOf(uses []Use) (events []dp.Event) {
	for _, u := range uses {
		for _, e := range u.Charge.Events {
			e = e.Clone()
			if e.Mechanism == dp.AboveThreshold { // its Count is no number of uses
				events = append(events, slices.Repeat([]dp.Event{e}, u.Times)...)
				continue
			}
			e.Count *= u.Times
			events = append(events, e)
		}
	}
	return events
}
