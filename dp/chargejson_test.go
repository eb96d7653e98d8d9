package dp

import (
	"encoding/json"
	"math/big"
	"math/rand/v2"
	"reflect"
	"strconv"
	"testing"
)

// The same charge, as package encoding/json writes it.
type (
	referenceEvent struct {
		Mechanism   Mechanism    `json:"mechanism"`
		For         string       `json:"for,omitempty"`
		Sensitivity *Sensitivity `json:"sensitivity,omitempty"`
		Scale       *big.Rat     `json:"scale,omitempty"`
		Epsilon     *big.Rat     `json:"epsilon,omitempty"`
		Delta       *big.Rat     `json:"delta,omitempty"`
		Rho         *big.Rat     `json:"rho,omitempty"`
		Count       int          `json:"count"`
	}
	referenceCharge struct {
		Dataset  string            `json:"dataset"`
		Unit     string            `json:"unit,omitempty"`
		Purpose  string            `json:"purpose"`
		Key      string            `json:"key"`
		Plan     string            `json:"plan,omitempty"`
		Question string            `json:"question,omitempty"`
		Analyst  string            `json:"analyst,omitempty"`
		Periods  []string          `json:"periods,omitempty"`
		Loss     map[string]string `json:"loss"`
		Events   []referenceEvent  `json:"events"`
		States   *Statement        `json:"states,omitempty"`
	}
)

func referenceOf(c Charge) referenceCharge {
	r := referenceCharge{c.Dataset, c.Unit, c.Purpose, c.Key, c.Plan, c.Question, c.Analyst, c.Periods, nil, nil, c.States}
	number := func(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) } // none is so small or large that it has an exponent
	switch l := c.Loss.(type) {
	case Pure:
		r.Loss = map[string]string{"epsilon": number(l.Epsilon)}
	case Approx:
		r.Loss = map[string]string{"epsilon": number(l.Epsilon), "delta": number(l.Delta)}
	case Concentrated:
		r.Loss = map[string]string{"rho": number(l.Rho)}
	}
	if c.Events != nil {
		r.Events = []referenceEvent{}
	}
	for _, e := range c.Events {
		re := referenceEvent{e.Mechanism, e.For, &e.Sensitivity, e.Scale, e.Epsilon, e.Delta, e.Rho, e.Count}
		if e.Sensitivity == (Sensitivity{}) {
			re.Sensitivity = nil
		}
		r.Events = append(r.Events, re)
	}
	return r
}

// randomText has every byte, also such as are no UTF-8, and those that JSON escapes.
func randomText(r *rand.Rand) string {
	odd := []string{"", "visits", "a b", `"`, `\`, "<", ">", "&", "\x00", "\x1f", "\x7f", "\n", "é", "\u2028", "\u2029", "\xff", "日本", "\U0001F600", "~", " ", "'"}
	text := ""
	for range r.IntN(4) {
		text += odd[r.IntN(len(odd))]
	}
	return text
}

func randomCharge(r *rand.Rand) Charge {
	text := func() string { return randomText(r) }
	rational := func() *big.Rat {
		if r.IntN(2) == 0 {
			return nil
		}
		return big.NewRat(r.Int64N(1000)-200, 1+r.Int64N(1000))
	}
	c := Charge{Dataset: text(), Unit: text(), Purpose: text(), Key: text(), Plan: text(), Question: text(), Analyst: text()}
	for range r.IntN(3) {
		c.Periods = append(c.Periods, text())
	}
	c.Loss = []Loss{Pure{1 + r.Float64()}, Approx{float64(r.IntN(9)) + 0.5, 0.01 + r.Float64()}, Concentrated{Rho: 1 / (1 + r.Float64())}}[r.IntN(3)]
	for range r.IntN(4) {
		c.Events = append(c.Events, Event{
			Mechanism: Mechanism(text()), For: text(), Count: r.IntN(5) - 1, Scale: rational(), Epsilon: rational(), Delta: rational(), Rho: rational(),
			Sensitivity: Sensitivity{L0: r.Int64N(3), LInf: r.Int64() * r.Int64N(2)},
		})
	}
	switch r.IntN(4) {
	case 0:
		c.States = &Statement{Event: r.IntN(2) == 0, Groups: text(), Columns: []StatedColumn{{Name: text(), Lower: "0", Upper: "1/3"}}}
	case 1:
		c.Events = append([]Event{}, c.Events...)
	}
	return c
}

// A field that is added to charges has to be written, too.
func TestNoFieldOfAChargeIsForgotten(t *testing.T) {
	for _, same := range [][]any{{Event{}, eventJSON{}, referenceEvent{}}, {Charge{}, chargeJSON{}, referenceCharge{}}} {
		for _, v := range same[1:] {
			if n, want := reflect.TypeOf(v).NumField(), reflect.TypeOf(same[0]).NumField(); n != want {
				t.Errorf("%T has %d fields and %T %d: the new one must be written, read, and compared here", v, n, same[0], want)
			}
		}
	}
}

// Charges are appended field by field, and their bytes are those of package encoding/json,
// under which ledgers have hashes.
func TestChargesAreWrittenAsTheEncoderWritesThem(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 1))
	for range 20_000 {
		c := randomCharge(r)
		want, err := json.Marshal(referenceOf(c))
		if err != nil {
			t.Fatal(err)
		}
		direct, err := c.MarshalJSON()
		if err != nil || string(direct) != string(want) {
			t.Fatalf("%#v\nis written as %s (%v)\nmust be        %s", c, direct, err, want)
		}
		if marshalled, err := json.Marshal(c); err != nil || string(marshalled) != string(want) {
			t.Fatalf("json.Marshal changes %s to %s (%v)", want, marshalled, err)
		}
	}
}

// A charge without a loss has no bytes.
func TestChargesWithoutALossAreNotWritten(t *testing.T) {
	if b, err := (Charge{}).MarshalJSON(); err == nil {
		t.Errorf("a charge without a loss is written as %s", b)
	}
}
