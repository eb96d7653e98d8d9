package dp

import (
	"encoding/json"
	"math/big"
	"reflect"
	"strings"
	"testing"
)

// A charge is read back as it was written, every field of it and of its events.
func TestChargesAreReadBackFieldByField(t *testing.T) {
	charge := Charge{
		Dataset: "d", Unit: "u", Purpose: "p", Key: "k", Plan: "f", Question: "q", Analyst: "a", Periods: []string{"2026-05", "2026-06"},
		Loss: Approx{Epsilon: 0.1, Delta: 1e-9}, States: &Statement{Groups: "ward", Grouped: true},
		Events: []Event{
			{Mechanism: DiscreteLaplaceVector, For: "count", Sensitivity: Sensitivity{L0: 7, LInf: 3}, Scale: big.NewRat(22, 7), Count: 2},
			{Mechanism: DiscreteGaussian, For: "sum", Sensitivity: Sensitivity{L0: 1, LInf: 5}, Scale: big.NewRat(1, 3), Count: 1},
			{Mechanism: Declared, Epsilon: big.NewRat(1, 10), Delta: big.NewRat(1, 1000), Count: 1},
			{Mechanism: Declared, Rho: big.NewRat(1, 8), Count: 3},
		},
	}
	text, err := json.Marshal(charge)
	if err != nil {
		t.Fatal(err)
	}
	var back Charge
	if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back, charge) {
		t.Errorf("%s\nis read as %+v (%v)\nmust be %+v", text, back, err, charge)
	}
	const want = `{"mechanism":"discrete laplace vector","for":"count","sensitivity":{"l0":7,"linf":3},"scale":"22/7","count":2}`
	if event, err := json.Marshal(charge.Events[0]); err != nil || string(event) != want {
		t.Errorf("an event is written as %s (%v), must be %s", event, err, want)
	}
	const bare = `{"mechanism":"declared","rho":"1/8","count":3}`
	if event, err := json.Marshal(charge.Events[3]); err != nil || string(event) != bare {
		t.Errorf("an event is written as %s (%v), must be %s", event, err, bare)
	}
}

// What is no event is an error that says so, and leaves the event as it was.
func TestWhatIsNoEventIsNotRead(t *testing.T) {
	for text, says := range map[string]string{
		`{"mechanism":5}`: "dp: event: ", `[]`: "dp: event: ", `"declared"`: "dp: event: ",
		`{"scale":"1e5"}`: `"1e5" is not a quotient of decimal integers of at most 8192 digits`,
		`{"scale":"` + strings.Repeat("1", 8193) + `"}`: "is not a quotient of decimal integers of at most 8192 digits",
		`{"scale":"1/0"}`: "dp: event: ", `{"sensitivity":{"l0":"x"}}`: "dp: event: ",
	} {
		e := Event{Mechanism: Declared, Count: 7}
		if err := json.Unmarshal([]byte(text), &e); err == nil || !strings.Contains(err.Error(), says) || e.Count != 7 {
			t.Errorf("%.60s is read as %+v: %v, must say %q", text, e, err, says)
		}
	}
	var long Event
	if err := json.Unmarshal([]byte(`{"scale":"`+strings.Repeat("1", 8192)+`"}`), &long); err != nil || long.Scale.Num().BitLen() < 27_000 {
		t.Errorf("a scale of 8192 digits: %v", err)
	}
}

// Nothing at all is no loss, and no reason to panic.
func TestNothingIsReadAsNoLoss(t *testing.T) {
	for _, text := range []string{"", "null", `""`, "{}", "5", "[]", `{"epsilon":""}`, `{"epsilon":null}`, `{"epsilon":"1","rho":"1"}`, `"epsilon=`} {
		var j lossJSON
		if err := j.UnmarshalJSON([]byte(text)); err == nil || j.Loss != nil {
			t.Errorf("%q is read as %v", text, j.Loss)
		}
		if l, err := UnmarshalLoss([]byte(text)); err == nil {
			t.Errorf("%q is read as the loss %v", text, l)
		}
	}
}
