package aggregate

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
)

// A Consent says whose rows count. It is asked at every run, before anything is counted:
// whoever says no between two runs is in the first and not in the second. What was
// released before stays as it is.
//
// Each unit is in or out by its own choice alone, so a release tells no more about who
// opted out than about who has no rows: docs/proofs/consent.md. How long a run takes
// can tell how many units were asked; see SECURITY.md.
type Consent[Unit comparable] struct {
	Mode    ConsentMode
	Purpose string // what units are asked about; a request for another purpose is an error
	Source  ConsentSource[Unit]
}

// A ConsentMode says what silence means.
type ConsentMode int

const (
	OptIn  ConsentMode = 1 + iota // whoever said yes counts
	OptOut                        // whoever did not say no counts
)

// String returns "opt-in" or "opt-out", which is what ledgers and policies hold.
func (m ConsentMode) String() string {
	switch m {
	case OptIn:
		return "opt-in"
	case OptOut:
		return "opt-out"
	}
	return fmt.Sprintf("ConsentMode(%d)", int(m))
}

// A Choice is what a unit said about a purpose.
type Choice int

const (
	Silent Choice = 1 + iota // it said nothing
	Yes
	No
)

// A ConsentSource knows what units said. Package aggregate/consent has some.
type ConsentSource[Unit comparable] interface {
	// Choices returns what each of the units says about the purpose now, in their
	// order. A unit is asked once in a run.
	Choices(ctx context.Context, purpose string, units []Unit) ([]Choice, error)
}

// A consentError says that a source failed, and nothing of what the source says: that may
// name a unit. Whoever wants to know unwraps it.
type consentError struct{ err error }

func (e *consentError) Error() string {
	return "aggregate: consent could not be asked, so nothing was counted, paid or released; the cause may name a unit and is not printed: errors.Unwrap returns it"
}

func (e *consentError) Unwrap() error { return e.err }

// check returns every mistake, joined.
func (c *Consent[Unit]) check() error {
	if c == nil {
		return nil
	}
	var errs []error
	if c.Mode != OptIn && c.Mode != OptOut {
		errs = append(errs, fmt.Errorf("aggregate: Query.Consent.Mode is %d, must be OptIn or OptOut", int(c.Mode)))
	}
	if c.Purpose == "" {
		errs = append(errs, errors.New("aggregate: Query.Consent.Purpose is empty; say what units are asked about"))
	}
	if c.Source == nil {
		errs = append(errs, errors.New("aggregate: Query.Consent.Source is nil; it must know what units said"))
	}
	return errors.Join(errs...)
}

// checkPurpose returns an error if units were not asked about the purpose of a request.
func (c *Consent[Unit]) checkPurpose(r Request) error {
	if c == nil || r.Purpose == c.Purpose {
		return nil
	}
	return fmt.Errorf("aggregate: Request.Purpose is %q, and the query asks units for their consent to %q; make a query for each purpose", r.Purpose, c.Purpose)
}

// asksAtOnce bounds how many rows wait for what their units say.
const asksAtOnce = 4096

// consenting yields the rows of the units that are in. Nothing that is counted sees the
// others.
func consenting[Row any, Unit comparable](ctx context.Context, c *Consent[Unit], unit func(Row) Unit, rows iter.Seq2[Row, error]) iter.Seq2[Row, error] {
	return heard(ctx, c, false, unit, rows)
}

// heard yields the rows of the units that are in, or of those that are out.
func heard[Row any, Unit comparable](ctx context.Context, c *Consent[Unit], out bool, unit func(Row) Unit, rows iter.Seq2[Row, error]) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		asking := &asking[Row, Unit]{ctx: ctx, consent: c, unit: unit, yield: yield, out: out, in: map[Unit]bool{}}
		for row, err := range rows {
			if err != nil {
				yield(row, err)
				return
			}
			if asking.add(row); len(asking.waiting) == asksAtOnce && !asking.answer() {
				return
			}
		}
		asking.answer()
	}
}

// asking is what is known of the units of a run, and the rows that wait.
type asking[Row any, Unit comparable] struct {
	ctx     context.Context
	consent *Consent[Unit]
	unit    func(Row) Unit
	yield   func(Row, error) bool
	out     bool          // rows of units that are out are wanted, and not of those that are in
	in      map[Unit]bool // whether a unit is in; asked ones only
	ask     []Unit        // of the rows that wait, those that were not asked
	waiting []Row
}

func (a *asking[Row, Unit]) add(row Row) {
	a.waiting = append(a.waiting, row)
	u := a.unit(row)
	if _, asked := a.in[u]; !asked {
		a.in[u] = false // until it is asked
		a.ask = append(a.ask, u)
	}
}

// answer yields the rows that wait, of units that are in, and reports whether to go on.
func (a *asking[Row, Unit]) answer() bool {
	if len(a.ask) > 0 {
		if err := a.question(); err != nil {
			var none Row
			a.yield(none, &consentError{err})
			return false
		}
	}
	for _, row := range a.waiting {
		if a.in[a.unit(row)] != a.out && !a.yield(row, nil) {
			return false
		}
	}
	clear(a.waiting)
	a.waiting, a.ask = a.waiting[:0], nil
	return true
}

func (a *asking[Row, Unit]) question() error {
	choices, err := a.consent.Source.Choices(a.ctx, a.consent.Purpose, slices.Clone(a.ask))
	if err != nil {
		return err
	}
	if len(choices) != len(a.ask) {
		return fmt.Errorf("the source was asked for %d choices and returned %d", len(a.ask), len(choices))
	}
	for i, u := range a.ask {
		switch choices[i] {
		case Yes:
			a.in[u] = true
		case Silent:
			a.in[u] = a.consent.Mode == OptOut
		case No:
		default:
			return fmt.Errorf("the source returned choice %d, which is none", int(choices[i]))
		}
	}
	return nil
}
