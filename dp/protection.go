package dp

import (
	"slices"
	"strings"
)

// A Protection says how far a loss hides one unit. The words follow ε and δ, and the
// worse of the two decides.
//
// At ε = 1 who bets at even odds becomes at most 73 % sure, at 3 95 %, at 10 all but
// certain. A δ is the chance that anything is shown: of 10,000 units with δ = 1e-4 one
// could be bared.
type Protection int

const (
	Hidden Protection = 1 + iota // ε up to 1
	Partly                       // ε up to 3
	Hardly                       // ε up to 10, or δ from 1e-4 on
	Nobody                       // ε above 10, or δ from 0.01 on
)

// ProtectionOf judges a loss. A ρ is judged as the (ε, δ) that it implies at a δ that is
// larger by 1e-6 than its own. A nil loss, which is nothing, hides.
func ProtectionOf(l Loss) Protection {
	p := PartsOf(l)
	if p.Rho > 0 {
		p.Epsilon = Concentrated{Rho: p.Rho}.Approx(1e-6).Epsilon
		p.Delta += 1e-6
	}
	return max(protectionOfEpsilon(p.Epsilon), protectionOfDelta(p.Delta))
}

func protectionOfEpsilon(epsilon float64) Protection {
	switch {
	case epsilon <= 1:
		return Hidden
	case epsilon <= 3:
		return Partly
	case epsilon <= 10:
		return Hardly
	}
	return Nobody // NaN too
}

func protectionOfDelta(delta float64) Protection {
	switch {
	case delta < 1e-4:
		return Hidden
	case delta < 0.01:
		return Hardly
	}
	return Nobody
}

// Of says it of a unit, such as "customer", and of one that is an event by its name that
// it is no more than that.
func (p Protection) Of(unit string) string {
	if NamesEvent(unit) {
		return p.OfEvent(unit)
	}
	return p.of(unit)
}

// OfEvent says it of a unit that is one event, such as a purchase: whoever made many of
// them is not protected by it.
func (p Protection) OfEvent(unit string) string {
	if p == Nobody {
		return p.of(unit)
	}
	return p.of(unit) + "; that is one " + unit + ", and not whoever made many of them"
}

// NamesEvent reports whether a word for a unit is one for an event or a row, such as
// "visit", and not for somebody.
func NamesEvent(unit string) bool { return slices.Contains(eventWords, strings.ToLower(unit)) }

var eventWords = []string{
	"visit", "purchase", "order", "transaction", "trip", "ride", "click", "view", "event", "row", "record", "session", "call", "payment",
	"sale", "booking", "stay", "request", "message", "measurement",
}

func (p Protection) of(unit string) string {
	switch p {
	case Hidden:
		return "each " + unit + " is hidden in noise"
	case Partly:
		return "each " + unit + " is partly hidden in noise"
	case Hardly:
		return "no " + unit + " is protected well"
	}
	return "this protects nobody"
}
