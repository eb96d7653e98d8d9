package budget

import (
	"bytes"
	"encoding/json"
	"math"
	"math/big"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// Each mechanism is written as the tuple of theirs that has its parameters, so often as it
// is used and on so many numbers as it has.
func TestEveryMechanismIsWrittenAsOneOfTheirs(t *testing.T) {
	noise := func(m dp.Mechanism, scale, l0, linf int64, count int) dp.Event {
		return dp.Event{Mechanism: m, Count: count, Scale: big.NewRat(scale, 1), Sensitivity: dp.Sensitivity{L0: l0, LInf: linf}}
	}
	declares := func(count int, epsilon, delta, rho *big.Rat) dp.Event {
		return dp.Event{Mechanism: dp.Declared, Count: count, Epsilon: epsilon, Delta: delta, Rho: rho}
	}
	const module = `"module_name":"dp_accounting.dp_event","class_name":`
	rat := big.NewRat
	for name, test := range map[string]struct {
		event dp.Event
		want  string
	}{
		"discrete Laplace":               {noise(dp.DiscreteLaplace, 4, 1, 3, 1), `[{` + module + `"DiscreteLaplaceDpEvent","noise_parameter":0.25,"sensitivity":3}]`},
		"discrete Laplace, often":        {noise(dp.DiscreteLaplace, 4, 2, 3, 5), `[{` + module + `"SelfComposedDpEvent","event":{` + module + `"DiscreteLaplaceDpEvent","noise_parameter":0.25,"sensitivity":3},"count":10}]`},
		"Laplace":                        {noise(dp.Laplace, 8, 1, 2, 1), `[{` + module + `"LaplaceDpEvent","noise_multiplier":3.9999999999999996}]`},
		"Laplace, often":                 {noise(dp.Laplace, 8, 3, 2, 2), `[{` + module + `"SelfComposedDpEvent","event":{` + module + `"LaplaceDpEvent","noise_multiplier":3.9999999999999996},"count":6}]`},
		"Laplace, beyond count":          {noise(dp.Laplace, 8, 4, 2, math.MaxInt), `[{` + module + `"NonPrivateDpEvent"}]`},
		"Gaussian":                       {noise(dp.Gaussian, 8, 4, 1, 1), `[{` + module + `"GaussianDpEvent","noise_multiplier":3.9999999999959996}]`},
		"Gaussian, often":                {noise(dp.Gaussian, 8, 4, 1, 7), `[{` + module + `"SelfComposedDpEvent","event":{` + module + `"GaussianDpEvent","noise_multiplier":3.9999999999959996},"count":7}]`},
		"Laplace, narrow":                {noise(dp.Laplace, 1, 1, 4, 1), `[{` + module + `"LaplaceDpEvent","noise_multiplier":0.24999999999999997}]`},
		"discrete Gaussian":              {noise(dp.DiscreteGaussian, 8, 4, 3, 1), `[{` + module + `"DiscreteGaussianDpEvent","sigma":8,"sensitivity":6.0000000000060005,"dimension":4}]`},
		"discrete Gaussian, often":       {noise(dp.DiscreteGaussian, 8, 4, 3, 9), `[{` + module + `"SelfComposedDpEvent","event":{` + module + `"DiscreteGaussianDpEvent","sigma":8,"sensitivity":6.0000000000060005,"dimension":4},"count":9}]`},
		"bounded range":                  {dp.Event{Mechanism: dp.BoundedRange, Count: 2, Epsilon: rat(1, 2)}, `[{` + module + `"SelfComposedDpEvent","event":{` + module + `"ExponentialMechanismDpEvent","epsilon":0.5},"count":2}]`},
		"a threshold":                    {dp.Event{Mechanism: dp.Threshold, Count: 1, Delta: rat(1, 1024)}, `[{` + module + `"EpsilonDeltaDpEvent","epsilon":0,"delta":0.0009765625}]`},
		"a truncated geometric":          {dp.Event{Mechanism: dp.TruncatedGeometric, Count: 1, Epsilon: rat(1, 4), Delta: rat(1, 1024)}, `[{` + module + `"EpsilonDeltaDpEvent","epsilon":0.25,"delta":0.0009765625}]`},
		"ε":                              {declares(3, rat(1, 4), nil, nil), `[{` + module + `"SelfComposedDpEvent","event":{` + module + `"EpsilonDeltaDpEvent","epsilon":0.25,"delta":0},"count":3}]`},
		"ρ":                              {declares(3, nil, nil, rat(1, 4)), `[{` + module + `"SelfComposedDpEvent","event":{` + module + `"ZCDpEvent","rho":0.25},"count":3}]`},
		"ρ with a δ":                     {declares(3, nil, rat(1, 1024), rat(1, 4)), `[{` + module + `"SelfComposedDpEvent","event":{` + module + `"ZCDpEvent","rho":0.25},"count":3},{` + module + `"SelfComposedDpEvent","event":{` + module + `"EpsilonDeltaDpEvent","epsilon":0,"delta":0.0009765625},"count":3}]`},
		"what is no float is rounded up": {declares(1, rat(1, 3), rat(1, 1000), nil), `[{` + module + `"EpsilonDeltaDpEvent","epsilon":0.33333333333333337,"delta":0.001}]`},
	} {
		if err := test.event.Check(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := json.Marshal(dpEvents(test.event))
		if err != nil || string(got) != test.want {
			t.Errorf("%s is\n%s, %v, want\n%s", name, got, err, test.want)
		}
	}
	var out bytes.Buffer
	if err := newAccount(t, testTerms(dp.Pure{Epsilon: 1})).ExportDPAccounting(t.Context(), &out); err != nil || out.String() != "{"+module+"\"NoOpDpEvent\"}\n" {
		t.Errorf("an account that spent nothing is written as %s, %v", out.String(), err)
	}
}

// Draws were paid by their reservation, and are not written beside it.
func TestDrawsAreNotWrittenBesideWhatWasReserved(t *testing.T) {
	_, v := reserved(t, "")
	if _, err := v.Spend(t.Context(), drawn("draw", "")); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := v.account.ExportDPAccounting(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Events []struct {
			Class string `json:"class_name"`
			Count int
		}
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || len(got.Events) != 1 || got.Events[0].Count != 3 {
		t.Errorf("%s, %v, want one event, three times", out.String(), err)
	}
}
