package dp

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"
	"time"
)

// FuzzCalibrate: any parameters give an error, or noise that is enough, within a
// second (with room for a machine that is busy).
func FuzzCalibrate(f *testing.F) {
	f.Add(uint8(0), 1.0, 1e-6, int64(1), int64(1))
	f.Add(uint8(1), 1e-300, 0.999, int64(3), int64(math.MaxInt64))
	f.Add(uint8(1), 50.0, 1e-15, int64(7), int64(1<<40))
	f.Add(uint8(1), 700.0, 5e-324, int64(1<<31), int64(3))
	f.Add(uint8(2), 1e300, 0.0, int64(1), int64(1))
	f.Add(uint8(3), math.NaN(), math.Inf(-1), int64(-1), int64(0))
	f.Fuzz(func(t *testing.T, kind uint8, a, b float64, l0, linf int64) {
		loss := []Loss{Pure{a}, Approx{a, b}, Concentrated{Rho: a}, nil}[kind%4]
		start := time.Now()
		n, err := Calibrate(loss, Sensitivity{l0, linf})
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%v, L0 %d, LInf %d took %v", loss, l0, linf, took)
		}
		if err != nil {
			return
		}
		if err := soundness(n); err != nil {
			t.Errorf("%v, L0 %d, LInf %d: %v: %v", loss, l0, linf, n, err)
		}
		for _, x := range []int64{0, math.MaxInt64, math.MinInt64} {
			e := n.Add(x)
			if lo, hi := e.Interval(0.95); lo > e.Value || e.Value > hi {
				t.Errorf("%v is not in its interval %v, %v", e.Value, lo, hi)
			}
		}
	})
}

// FuzzLossJSON: what is written is read back, and what is read is a loss.
func FuzzLossJSON(f *testing.F) {
	for _, l := range []Loss{Pure{0.1}, Approx{1, 1e-300}, Concentrated{Rho: 5e-324}} {
		text, err := json.Marshal(l)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, text := range []string{`null`, `{}`, `{"epsilon":"NaN"}`, `{"epsilon":"1","delta":"1"}`, `{"epsilon":"1.0"}`, `{"epsilon":"1","epsilon":"2"}`, `{"epsilon":1}`, `{"rho":"+Inf"}`, `{"epsilon":"1","rho":"1"}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := UnmarshalLoss(text)
		if err != nil {
			return
		}
		if err := CheckLoss(l); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		again, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := UnmarshalLoss(again); err != nil || back != l {
			t.Errorf("%s is %v, then %v (%v)", text, l, back, err)
		}
	})
}

// FuzzChargeJSON: a charge that passes its Check is read back as it was written,
// with exact numbers.
func FuzzChargeJSON(f *testing.F) {
	for _, loss := range []Loss{Pure{0.1}, Approx{2, 1e-9}, Concentrated{Rho: 0.3}} {
		n, err := Calibrate(loss, Sensitivity{7, 3})
		if err != nil {
			f.Fatal(err)
		}
		text, err := json.Marshal(Charge{Dataset: "d", Unit: "u", Purpose: "p", Key: "k", Plan: "f", Periods: []string{"2026-05"}, Loss: loss, Events: []Event{n.Event()}})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"dataset":"d","purpose":"p","key":"k","loss":{"rho":"1"},"events":[{"mechanism":"declared","rho":"1e999999999","count":1}]}`))
	f.Add([]byte(`{"events":[{"mechanism":"declared","epsilon":"1/0","count":1}]}`))
	f.Add([]byte(`{"events":[null],"loss":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var c, back Charge
		if json.Unmarshal(text, &c) != nil || c.Check() != nil {
			return
		}
		again, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(again, &back); err != nil || !sameCharge(c, back) {
			t.Errorf("%s\nbecame %+v (%v)", text, back, err)
		}
	})
}

func sameCharge(a, b Charge) bool {
	if len(a.Periods)+len(b.Periods) == 0 {
		a.Periods, b.Periods = nil, nil
	}
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && string(x) == string(y) && a.Loss == b.Loss && reflect.DeepEqual(a.Periods, b.Periods) && len(a.Events) == len(b.Events)
}

func BenchmarkCalibrate(b *testing.B) {
	for name, test := range map[string]struct {
		loss Loss
		s    Sensitivity
	}{
		"pure":          {Pure{1}, Sensitivity{1, 1}},
		"approx":        {Approx{1, 1e-6}, Sensitivity{1, 1}},
		"approx-vector": {Approx{1, 1e-6}, Sensitivity{10, 3}},
		"approx-fine":   {Approx{1, 1e-6}, Sensitivity{10, 1 << 20}},
		"concentrated":  {Concentrated{Rho: 0.5}, Sensitivity{10, 3}},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := Calibrate(test.loss, test.s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
