package budget

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/big"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/filter"
)

// ExportDPAccounting writes the events of the account, without reservations'
// draws, which are paid already, as a DpEvent of Google's Python library
// dp_accounting: the named tuples of DpEvent.to_named_tuple, as JSON. Python
// reads it with
//
//	t = json.load(f, object_hook=lambda d: collections.namedtuple("E", d)(**d))
//	event = dp_accounting.DpEvent.from_named_tuple(t)
//
// Parameters are rounded so that losses are not smaller than they are.
func (a *Account) ExportDPAccounting(ctx context.Context, w io.Writer) error {
	events := []any{}
	for e, err := range a.Entries(ctx) {
		if err != nil {
			return err
		}
		if e.Kind != KindSpend && e.Kind != KindReserve {
			continue
		}
		for _, ev := range e.Charge.Events {
			events = append(events, dpEvents(ev)...)
		}
	}
	b, err := json.Marshal(composedDpEvent(events))
	if err != nil {
		return fmt.Errorf("budget: export account %q: %w", a.name, err)
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

// dpEventJSON is one named tuple. Fields that are nil are left out.
type dpEventJSON struct {
	Module          string   `json:"module_name"`
	Class           string   `json:"class_name"`
	NoiseMultiplier *float64 `json:"noise_multiplier,omitempty"`
	NoiseParameter  *float64 `json:"noise_parameter,omitempty"`
	Sigma           *float64 `json:"sigma,omitempty"`
	Sensitivity     any      `json:"sensitivity,omitempty"`
	Dimension       *int64   `json:"dimension,omitempty"`
	Epsilon         *float64 `json:"epsilon,omitempty"`
	Delta           *float64 `json:"delta,omitempty"`
	Rho             *float64 `json:"rho,omitempty"`
	Event           any      `json:"event,omitempty"`
	Count           int      `json:"count,omitempty"`
	Events          []any    `json:"events,omitempty"`
}

func dpEvent(class string) dpEventJSON {
	return dpEventJSON{Module: "dp_accounting.dp_event", Class: class}
}

func composedDpEvent(events []any) any {
	if len(events) == 0 {
		return dpEvent("NoOpDpEvent")
	}
	e := dpEvent("ComposedDpEvent")
	e.Events = events
	return e
}

func selfComposed(e dpEventJSON, n int) any {
	switch {
	case n == 1:
		return e
	case n < 1: // more than can be counted
		return dpEvent("NonPrivateDpEvent")
	}
	s := dpEvent("SelfComposedDpEvent")
	s.Event, s.Count = e, n
	return s
}

// dpEvents returns an event in terms of their classes. What has none becomes
// the loss that it has.
func dpEvents(e dp.Event) []any {
	switch e.Mechanism {
	case dp.DiscreteLaplace:
		j := dpEvent("DiscreteLaplaceDpEvent")
		a := exact.FloatUp(new(big.Rat).Inv(e.Scale))
		j.NoiseParameter, j.Sensitivity = &a, e.Sensitivity.LInf
		return []any{selfComposed(j, filter.Draws(e))}
	case dp.Laplace:
		j := dpEvent("LaplaceDpEvent")
		m := math.Nextafter(1/exact.FloatUp(filter.Ratio(e)), 0)
		j.NoiseMultiplier = &m
		return []any{selfComposed(j, filter.Draws(e))}
	case dp.Gaussian:
		_, _, mu2 := filter.OneUse(e)
		return []any{selfComposed(gaussianDpEvent(mu2), e.Count)}
	case dp.DiscreteGaussian:
		j := dpEvent("DiscreteGaussianDpEvent")
		sigma := exact.FloatDown(e.Scale)
		l2 := filter.Up(math.Sqrt(float64(e.Sensitivity.L0)) * float64(e.Sensitivity.LInf))
		j.Sigma, j.Sensitivity, j.Dimension = &sigma, l2, &e.Sensitivity.L0
		return []any{selfComposed(j, e.Count)}
	case dp.BoundedRange:
		j := dpEvent("ExponentialMechanismDpEvent")
		eps := exact.FloatUp(e.Epsilon)
		j.Epsilon = &eps
		return []any{selfComposed(j, e.Count)}
	}
	return declaredDpEvents(e)
}

func gaussianDpEvent(mu2 float64) dpEventJSON {
	j := dpEvent("GaussianDpEvent")
	m := 1 / filter.Up(math.Sqrt(mu2))
	j.NoiseMultiplier = &m
	return j
}

func declaredDpEvents(e dp.Event) []any {
	pure, rho, _ := filter.OneUse(e)
	var delta float64
	if e.Delta != nil {
		delta = exact.FloatUp(e.Delta)
	}
	if pure != nil {
		j := dpEvent("EpsilonDeltaDpEvent")
		epsilon := exact.FloatUp(pure)
		j.Epsilon, j.Delta = &epsilon, &delta
		return []any{selfComposed(j, filter.Uses(e))}
	}
	j := dpEvent("ZCDpEvent")
	r := exact.FloatUp(rho)
	j.Rho = &r
	out := []any{selfComposed(j, filter.Uses(e))}
	if delta > 0 {
		d, none := dpEvent("EpsilonDeltaDpEvent"), 0.0
		d.Epsilon, d.Delta = &none, &delta
		out = append(out, selfComposed(d, filter.Uses(e)))
	}
	return out
}
