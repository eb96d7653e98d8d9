package aggregate

import "errors"

// A Request names one release, so that asking again is not paying again.
type Request struct {
	// Key names the request. The same key and plan return the stored release at
	// no cost; the same key and another plan is an error. Required.
	Key string

	// Purpose says why the question is asked. The account may allow only some
	// purposes, and limit each. Required.
	Purpose string

	// Analyst says who asks, if the account limits analysts.
	Analyst string

	// Periods are the periods of the data that are read, such as "2026-05", if
	// the account limits periods. They are periods of the data's own time, and
	// not of the clock.
	Periods []string
}

// check returns every mistake of a request, joined, and says if there is no budget.
func check(b Budget, r Request) error {
	var errs []error
	if b == nil {
		errs = append(errs, errors.New("aggregate: no Budget given; package budget makes one"))
	}
	if r.Key == "" {
		errs = append(errs, errors.New("aggregate: Request.Key is empty; name the request, so that asking again is not paying again"))
	}
	if r.Purpose == "" {
		errs = append(errs, errors.New("aggregate: Request.Purpose is empty; say why the question is asked"))
	}
	return errors.Join(errs...)
}

// checkReserved is check for what is drawn from a reservation, by whoever consents.
func checkReserved[Unit comparable](noAccount bool, r Request, consent *Consent[Unit]) error {
	var b Budget = noBudget{}
	if noAccount {
		b = nil
	}
	return errors.Join(check(b, r), consent.checkPurpose(r))
}

// noBudget stands for an account where nothing but its presence is checked.
type noBudget struct{ Budget }
