package dp_test

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// parameterNames are the numbers of an event, in the words of its mistakes.
var parameterNames = []string{"scale", "epsilon", "delta", "rho", "sensitivity L0", "sensitivity LInf", "count"}

// needed says of every mechanism which parameters it must have and may have.
// Sensitivity is needed with a scale; a count always is.
var needed = map[dp.Mechanism]struct{ must, may string }{
	dp.DiscreteLaplace:       {must: "scale"},
	dp.DiscreteLaplaceVector: {must: "scale"},
	dp.DiscreteGaussian:      {must: "scale"},
	dp.Laplace:               {must: "scale"},
	dp.Gaussian:              {must: "scale"},
	dp.Threshold:             {must: "delta"},
	dp.TruncatedGeometric:    {must: "epsilon delta"},
	dp.BoundedRange:          {must: "epsilon"},
	dp.PermuteAndFlip:        {must: "epsilon"},
	dp.AboveThreshold:        {must: "scale epsilon"},
	dp.Declared:              {may: "epsilon delta rho"},
}

func rational(e *dp.Event, name string) **big.Rat {
	return map[string]**big.Rat{"scale": &e.Scale, "epsilon": &e.Epsilon, "delta": &e.Delta, "rho": &e.Rho}[name]
}

// goodEvent has every parameter that its mechanism must or may have.
func goodEvent(m dp.Mechanism) dp.Event {
	e := dp.Event{Mechanism: m, Count: 2}
	for _, name := range strings.Fields(needed[m].must + " " + needed[m].may) {
		*rational(&e, name) = big.NewRat(1, 3)
	}
	if e.Scale != nil {
		e.Sensitivity = dp.Sensitivity{L0: 1, LInf: 1}
	}
	if m == dp.AboveThreshold { // the noise of the numbers has 3 of it
		e.Epsilon = big.NewRat(4, 1)
	}
	return e
}

func TestEveryParameterOfEveryMechanismIsChecked(t *testing.T) {
	wrong := func(m dp.Mechanism, what string, e dp.Event, words ...string) {
		t.Helper()
		err := e.Check()
		if err == nil {
			t.Errorf("%s: %s is accepted", m, what)
			return
		}
		for _, w := range words {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %s: %q does not say %q", m, what, err, w)
			}
		}
		if c := charge(dp.Pure{Epsilon: 1}, e); c.Check() == nil {
			t.Errorf("%s: a charge with %s is accepted", m, what)
		}
	}
	for m, needs := range needed {
		if err := goodEvent(m).Check(); err != nil {
			t.Errorf("%s: %v", m, err)
		}
		for _, count := range []int{0, -1} {
			e := goodEvent(m)
			e.Count = count
			wrong(m, fmt.Sprint("count ", count), e, "count", fmt.Sprint(count))
		}
		for _, name := range parameterNames[:4] {
			must, may := strings.Contains(needs.must, name), strings.Contains(needs.may, name)
			e := goodEvent(m)
			if !must && !may {
				*rational(&e, name) = big.NewRat(1, 3)
				wrong(m, "a "+name, e, name, "does not take")
				continue
			}
			for _, x := range []*big.Rat{new(big.Rat), big.NewRat(-1, 1000), big.NewRat(-5, 1)} {
				*rational(&e, name) = x
				wrong(m, name+" "+x.RatString(), e, name, x.RatString(), "positive")
			}
			*rational(&e, name) = nil
			if must {
				wrong(m, "no "+name, e, "has no "+name)
			} else if err := e.Check(); err != nil {
				t.Errorf("%s without %s: %v", m, name, err)
			}
		}
		if e := goodEvent(m); e.Delta != nil {
			for _, x := range []*big.Rat{big.NewRat(1, 1), big.NewRat(3, 2)} {
				e.Delta = x
				wrong(m, "delta "+x.RatString(), e, "delta", "below 1")
			}
			e.Delta = big.NewRat(999_999, 1_000_000)
			if err := e.Check(); err != nil {
				t.Errorf("%s: delta just below 1: %v", m, err)
			}
		}
		if e := goodEvent(m); e.Scale != nil {
			for _, x := range []int64{0, -1, -5} {
				e.Sensitivity = dp.Sensitivity{L0: x, LInf: 1}
				wrong(m, fmt.Sprint("L0 ", x), e, "L0", fmt.Sprint(x))
				e.Sensitivity = dp.Sensitivity{L0: 1, LInf: x}
				wrong(m, fmt.Sprint("LInf ", x), e, "LInf", fmt.Sprint(x))
			}
		}
	}
	for _, epsilon := range []int64{1, 3} {
		e := goodEvent(dp.AboveThreshold)
		e.Epsilon = big.NewRat(epsilon, 1)
		wrong(e.Mechanism, "no loss for the threshold", e, "epsilon", "must be more than 3")
	}
	wrong("", "no mechanism", dp.Event{Count: 1}, `mechanism is ""`)
	wrong("magic", "an unknown mechanism", dp.Event{Mechanism: "magic", Count: 1}, `"magic"`)
}

func charge(l dp.Loss, events ...dp.Event) dp.Charge {
	return dp.Charge{Dataset: "d", Purpose: "p", Key: "k", Loss: l, Events: events}
}

func TestEveryFieldOfAChargeIsChecked(t *testing.T) {
	good := charge(dp.Approx{Epsilon: 1, Delta: 1e-6}, goodEvent(dp.Gaussian))
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*dp.Charge){
		"Dataset": func(c *dp.Charge) { c.Dataset = "" },
		"Purpose": func(c *dp.Charge) { c.Purpose = "" },
		"Key":     func(c *dp.Charge) { c.Key = "" },
		"Events":  func(c *dp.Charge) { c.Events = nil },
		"loss":    func(c *dp.Charge) { c.Loss = nil },
		"epsilon": func(c *dp.Charge) { c.Loss = dp.Approx{Epsilon: -1, Delta: 1e-6} },
		"count": func(c *dp.Charge) {
			c.Events = append([]dp.Event{goodEvent(dp.Laplace)}, dp.Event{Mechanism: dp.Declared})
		},
	} {
		c := good
		spoil(&c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without a good %s: %v", name, err)
		}
	}
	err := dp.Charge{Events: []dp.Event{{}, {}}}.Check()
	for _, part := range []string{"Dataset", "Purpose", "Key", "no loss", "count is 0", `mechanism is ""`} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("every mistake comes back at once, and %q is not in %v", part, err)
		}
	}
}
