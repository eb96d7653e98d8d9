package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
)

// The purposes of the questions. The policy says what they are for and who may ask.
const (
	research = "research" // questions of people
	trend    = "trend"    // the nightly series
)

// dataset and unit are what the account is of.
const (
	dataset = "purchases"
	unit    = "customer"
)

// A question is one that may be asked. A team adds its own in a file of its own, and a
// line in newCatalogue.
type question struct {
	Name    string   `json:"name"`
	About   string   `json:"about"`
	Purpose string   `json:"purpose"`
	Loss    string   `json:"loss"`
	Columns []column `json:"columns"`

	charge func(aggregate.Request) dp.Charge
	run    func(context.Context, aggregate.Budget, aggregate.Request, collecting) (json.Marshaler, error)
}

// A collecting is how rows are read for a release that is not kept yet.
type collecting struct {
	rows iter.Seq2[purchase, error]
	held func(context.Context) error // returns when what was read may be released
}

// A column is what is known of a number before it is asked for.
type column struct {
	Name      string  `json:"name"`
	PlusMinus float64 `json:"plus_minus"` // half the width of the 95 % interval of the noise
	Of        string  `json:"of,omitempty"`
	LeavesOut string  `json:"leaves_out,omitempty"`
}

// ask makes a question of a plan, with the types of its groups forgotten.
func ask[Group comparable](name, about string, loss dp.Loss, q *aggregate.Query[purchase, string, Group], columns ...aggregate.AnyColumn) (question, error) {
	plan, err := q.Plan(loss, columns...)
	if err != nil {
		return question{}, fmt.Errorf("question %s: %w", name, err)
	}
	a := question{Name: name, About: about, Purpose: q.Consent.Purpose, Loss: dp.FormatLoss(loss), charge: plan.Charge}
	for _, p := range plan.Prices() {
		a.Columns = append(a.Columns, column{p.Column, p.PlusMinus, p.Per.String(), p.LeavesOut})
	}
	a.run = func(ctx context.Context, b aggregate.Budget, r aggregate.Request, from collecting) (json.Marshaler, error) {
		return plan.RunFrom(ctx, b, r, func(ctx context.Context, p *aggregate.Plan[purchase, string, Group]) (*aggregate.Partial[Group], error) {
			part, err := p.Collect(ctx, from.rows)
			if err != nil {
				return nil, err
			}
			if err := from.held(ctx); err != nil {
				part.Wipe()
				return nil, err
			}
			return part, nil
		})
	}
	return a, nil
}

// A catalogue is all that may be asked.
type catalogue []question

func newCatalogue(months []string, said aggregate.ConsentSource[string]) (catalogue, error) {
	var c catalogue
	var errs []error
	for _, make := range []func([]string, *aggregate.Consent[string]) (question, error){byMonth, byWeekday, baskets} {
		q, err := make(months, &aggregate.Consent[string]{Mode: aggregate.OptOut, Purpose: research, Source: said})
		c, errs = append(c, q), append(errs, err)
	}
	return c, errors.Join(errs...)
}

// named returns the question of a name.
func (c catalogue) named(name string) (question, bool) {
	for _, q := range c {
		if q.Name == name {
			return q, true
		}
	}
	return question{}, false
}

// asked returns the question that a charge paid for.
func (c catalogue) asked(paid dp.Charge) (question, bool) {
	for _, q := range c {
		if own := q.charge(requestOf(paid)); own.Question == paid.Question && own.Purpose == paid.Purpose {
			return q, true
		}
	}
	return question{}, false
}

// requestOf is the request that a charge is of.
func requestOf(c dp.Charge) aggregate.Request {
	return aggregate.Request{Key: c.Key, Purpose: c.Purpose, Analyst: c.Analyst, Periods: c.Periods}
}
