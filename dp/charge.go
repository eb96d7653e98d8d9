package dp

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// A Mechanism says how noise was drawn. Its text is what a ledger stores, and
// never changes.
type Mechanism string

// The mechanisms whose use an [Event] can describe.
const (
	// DiscreteLaplace adds integers X with P(X=x) ∝ exp(-|x|/Scale) to a vector
	// whose change is a box, Event.Sensitivity.
	DiscreteLaplace Mechanism = "discrete laplace"

	// DiscreteLaplaceVector is the same noise on a vector whose change has an
	// L1 norm of at most L0·LInf and need not be a box. It is Pure with
	// ε = L0·LInf/Scale, and no more is claimed.
	DiscreteLaplaceVector Mechanism = "discrete laplace vector"

	// CubeNorm adds integer vectors Z with P(Z=z) ∝ exp(-max|zᵢ|/Scale) to vectors of
	// which at most L0 change, each in every number by at most LInf. It is Pure with
	// ε = L0·LInf/Scale, and no more is claimed.
	CubeNorm Mechanism = "cube norm"

	// DiscreteGaussian adds integers X with P(X=x) ∝ exp(-x²/(2·Scale²)). At a
	// Scale of 4096 and more the change may be any vector with an L2 norm of at
	// most √L0·LInf whose coordinates are at most √L0·LInf; below, it must be
	// the box.
	DiscreteGaussian Mechanism = "discrete gaussian"

	// Laplace and Gaussian are the continuous laws, as other libraries use them.
	Laplace  Mechanism = "laplace"
	Gaussian Mechanism = "gaussian"

	// Threshold releases keys whose noisy count reaches a threshold. The noise
	// is an event of its own; this one is the δ of the threshold.
	Threshold Mechanism = "threshold"

	// TruncatedGeometric selects keys as in Desfontaines, Voss, Gipson,
	// Mandayam 2022, Theorem 1, with Epsilon and Delta.
	TruncatedGeometric Mechanism = "truncated geometric"

	// BoundedRange is the exponential mechanism with ε = Epsilon.
	BoundedRange Mechanism = "bounded range"

	// PermuteAndFlip chooses one candidate as McKenna, Sheldon 2020, Algorithm 1 does, with
	// ε = Epsilon, and no more is claimed.
	PermuteAndFlip Mechanism = "permute and flip"

	// AboveThreshold says of numbers, one after the other, which are on one side of a
	// threshold, until it has said so Sensitivity.L0 times: docs/proofs/alerts.md. A unit moves
	// all numbers, each within a range of width Sensitivity.LInf. Scale is that of the noise
	// of the numbers and Epsilon the loss of all answers together, of which the noise of the
	// threshold has what L0·LInf/Scale leaves. Count says how many times it may be asked: however often
	// that is, it is one use.
	AboveThreshold Mechanism = "above threshold"

	// Declared is anything that is Epsilon, Delta or Rho private because its
	// user says so.
	Declared Mechanism = "declared"
)

// An Event is one use of one mechanism, in exact terms: what an accountant
// needs to know, now or later, and nothing that depends on data.
type Event struct {
	Mechanism   Mechanism
	For         string      // what it is for, such as "total sum"
	Sensitivity Sensitivity // in grid steps; zero where the mechanism has none
	Scale       *big.Rat    // in grid steps; nil where the mechanism has none
	Epsilon     *big.Rat    // of mechanisms that are given by their loss, else nil
	Delta       *big.Rat    // likewise
	Rho         *big.Rat    // likewise
	Count       int         // how many independent uses, at least 1; of AboveThreshold, how many answers of one
}

// A Charge is what one release costs and why: the loss that was asked for, the
// mechanisms that it pays for, and the request that it answers. Asking again
// under the same key is not paying again.
type Charge struct {
	Dataset string // what the rows are of
	Unit    string // who is protected, such as "customer"
	Purpose string // why it is asked
	Key     string // of the request
	Plan    string // fingerprint of question and noise, for the record

	// Question is a fingerprint of what was asked, without the noise that answers
	// it. Under one key, charges with the same question, purpose, analyst, periods
	// and loss are one request, whatever noise a version of the library chooses.
	// Where it is empty, only the same charge is the same request.
	Question string

	Analyst string   // who asks; may be empty
	Periods []string // periods of the data that are read; may be empty
	Loss    Loss     // what the whole charge guarantees
	Events  []Event  // what it consists of

	// States says what of the rows is read. An account with a policy refuses a charge
	// that does not say so; without one it may be nil.
	States *Statement
}

// ErrOtherNoise is wrapped by the error of a budget whose key was paid for the same
// question with other noise, and nothing was kept: what was paid does not cover what
// would be drawn now.
var ErrOtherNoise = errors.New("dp: the question was paid for with other noise")

// ErrOtherQuestion is wrapped by the error of a budget whose key was paid for another
// question.
var ErrOtherQuestion = errors.New("dp: the key was paid for with another question")

// Check returns every mistake of the event, joined.
func (e Event) Check() error {
	errs := make([]error, 0, 8)
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf("dp: event "+format, args...)) }
	if e.Count < 1 {
		fail("count is %d, must be at least 1", e.Count)
	}
	needs, known := parameters[e.Mechanism]
	if !known {
		fail("mechanism is %q, which is not known", e.Mechanism)
	}
	for _, p := range []struct {
		name string
		x    *big.Rat
		need need
	}{
		{"scale", e.Scale, needs.scale},
		{"epsilon", e.Epsilon, needs.epsilon},
		{"delta", e.Delta, needs.delta},
		{"rho", e.Rho, needs.rho},
	} {
		if known {
			errs = append(errs, p.need.check(string(e.Mechanism), p.name, p.x))
		}
	}
	if e.Delta != nil && e.Delta.Cmp(big.NewRat(1, 1)) >= 0 {
		fail("delta is %s, must be below 1", e.Delta.RatString())
	}
	if needs.scale == must {
		errs = append(errs, e.Sensitivity.check())
	}
	if e.Mechanism == AboveThreshold && errors.Join(errs...) == nil && e.Epsilon.Cmp(e.ofNumbers()) <= 0 {
		fail("epsilon is %s, must be more than %s, what the noise of the numbers has of it", e.Epsilon.RatString(), e.ofNumbers().RatString())
	}
	return errors.Join(errs...)
}

// ofNumbers returns L0·LInf/Scale.
func (e Event) ofNumbers() *big.Rat {
	moves := new(big.Int).Mul(big.NewInt(e.Sensitivity.L0), big.NewInt(e.Sensitivity.LInf))
	return new(big.Rat).Quo(new(big.Rat).SetInt(moves), e.Scale)
}

// Clone returns an event that shares no number with e, so that whoever changes
// one does not change the other.
func (e Event) Clone() Event {
	for _, x := range []**big.Rat{&e.Scale, &e.Epsilon, &e.Delta, &e.Rho} {
		if *x != nil {
			*x = new(big.Rat).Set(*x)
		}
	}
	return e
}

type need int

const (
	never need = iota
	may
	must
)

func (n need) check(mechanism, name string, x *big.Rat) error {
	switch {
	case n == never && x != nil:
		return fmt.Errorf("dp: event of mechanism %q has a %s, which it does not take", mechanism, name)
	case n == must && x == nil:
		return fmt.Errorf("dp: event of mechanism %q has no %s", mechanism, name)
	case x != nil && x.Sign() <= 0:
		return fmt.Errorf("dp: event %s is %s, must be positive", name, x.RatString())
	}
	return nil
}

var parameters = map[Mechanism]struct{ scale, epsilon, delta, rho need }{
	DiscreteLaplace:       {scale: must},
	DiscreteLaplaceVector: {scale: must},
	CubeNorm:              {scale: must},
	DiscreteGaussian:      {scale: must},
	Laplace:               {scale: must},
	Gaussian:              {scale: must},
	Threshold:             {delta: must},
	TruncatedGeometric:    {epsilon: must, delta: must},
	BoundedRange:          {epsilon: must},
	PermuteAndFlip:        {epsilon: must},
	AboveThreshold:        {scale: must, epsilon: must},
	Declared:              {epsilon: may, delta: may, rho: may},
}

// Check returns every mistake of the charge, joined.
func (c Charge) Check() error {
	errs := []error{CheckLoss(c.Loss)}
	for _, f := range []struct{ name, value string }{
		{"Dataset", c.Dataset}, {"Purpose", c.Purpose}, {"Key", c.Key},
	} {
		if f.value == "" {
			errs = append(errs, fmt.Errorf("dp: Charge.%s is empty", f.name))
		}
	}
	if len(c.Events) == 0 {
		errs = append(errs, errors.New("dp: Charge.Events is empty; a release that costs nothing is a mistake"))
	}
	for _, e := range c.Events {
		errs = append(errs, e.Check())
	}
	return errors.Join(errs...)
}

// An eventJSON is what an event is read from; appendJSON writes it.
type eventJSON struct {
	Mechanism   Mechanism    `json:"mechanism"`
	For         string       `json:"for,omitempty"`
	Sensitivity *Sensitivity `json:"sensitivity,omitempty"`
	Scale       *quotient    `json:"scale,omitempty"`
	Epsilon     *quotient    `json:"epsilon,omitempty"`
	Delta       *quotient    `json:"delta,omitempty"`
	Rho         *quotient    `json:"rho,omitempty"`
	Count       int          `json:"count"`
}

// A quotient is a rational that is written as a quotient of decimal integers.
// Exponents are refused: a short text could be a number that fills the memory.
type quotient big.Rat

func (q *quotient) UnmarshalText(text []byte) error {
	if len(text) > 8192 || strings.Trim(string(text), "-/0123456789") != "" {
		return fmt.Errorf("%.40q is not a quotient of decimal integers of at most 8192 digits", text)
	}
	return (*big.Rat)(q).UnmarshalText(text)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (e *Event) UnmarshalJSON(b []byte) error {
	var j eventJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return fmt.Errorf("dp: event: %w", err)
	}
	*e = Event{
		Mechanism: j.Mechanism, For: j.For, Count: j.Count,
		Scale: (*big.Rat)(j.Scale), Epsilon: (*big.Rat)(j.Epsilon), Delta: (*big.Rat)(j.Delta), Rho: (*big.Rat)(j.Rho),
	}
	if j.Sensitivity != nil {
		e.Sensitivity = *j.Sensitivity
	}
	return nil
}

// A chargeJSON is what a charge is read from; MarshalJSON writes it.
type chargeJSON struct {
	Dataset  string   `json:"dataset"`
	Unit     string   `json:"unit,omitempty"`
	Purpose  string   `json:"purpose"`
	Key      string   `json:"key"`
	Plan     string   `json:"plan,omitempty"`
	Question string   `json:"question,omitempty"`
	Analyst  string   `json:"analyst,omitempty"`
	Periods  []string `json:"periods,omitempty"`
	Loss     lossJSON `json:"loss"`
	Events   []Event  `json:"events"`

	States *Statement `json:"states,omitempty"`
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (c *Charge) UnmarshalJSON(b []byte) error {
	var j chargeJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return fmt.Errorf("dp: charge: %w", err)
	}
	*c = Charge{
		Dataset: j.Dataset, Unit: j.Unit, Purpose: j.Purpose, Key: j.Key, Plan: j.Plan, Question: j.Question,
		Analyst: j.Analyst, Periods: j.Periods, Loss: j.Loss.Loss, Events: j.Events, States: j.States,
	}
	return nil
}
