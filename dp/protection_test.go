package dp

import (
	"math"
	"testing"
)

func TestWordsFollowEpsilonAndDelta(t *testing.T) {
	for _, c := range []struct {
		loss Loss
		want Protection
	}{
		{nil, Hidden}, {Pure{1}, Hidden}, {Pure{1.01}, Partly}, {Pure{3}, Partly}, {Pure{3.01}, Hardly}, {Pure{10}, Hardly}, {Pure{10.1}, Nobody},
		{Approx{1, 9e-5}, Hidden}, {Approx{1, 1e-4}, Hardly}, {Approx{1, 0.01}, Nobody}, {Approx{20, 1e-9}, Nobody}, {Pure{math.NaN()}, Nobody}, {Approx{1, math.NaN()}, Nobody},
		{Concentrated{Rho: 1e-3}, Hidden}, {Concentrated{Rho: 0.1}, Partly}, {Concentrated{Rho: 1}, Hardly}, {Concentrated{Rho: 10}, Nobody},
	} {
		if got := ProtectionOf(c.loss); got != c.want {
			t.Errorf("%v: %q, want %q", FormatLoss(c.loss), got.Of("customer"), c.want.Of("customer"))
		}
	}
	words := map[string]bool{}
	for p := Hidden; p <= Nobody; p++ {
		words[p.Of("customer")] = true
	}
	if got := Hidden.Of("Purchase"); got != "each Purchase is hidden in noise; that is one Purchase, and not whoever made many of them" || got != Hidden.OfEvent("Purchase") {
		t.Errorf("of an event: %q", got)
	}
	if NamesEvent("customer") || Nobody.OfEvent("visit") != Nobody.Of("customer") {
		t.Error("a customer is an event, or more is said where nobody is protected")
	}
	if len(words) != 4 || !words["this protects nobody"] || !words["each customer is hidden in noise"] {
		t.Errorf("%v", words)
	}
}
