package dp

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// bell is a spread of Gaussian noise, for tests that need to know the law.
type bell struct{ value, stdDev float64 }

func (b bell) Interval(confidence float64) (lo, hi float64) {
	if !(confidence < 1) {
		return math.Inf(-1), math.Inf(1)
	}
	half := b.stdDev * math.Sqrt2 * math.Erfinv(confidence)
	return b.value - half, b.value + half
}

func noisy(value, stdDev float64) Estimate[float64] {
	return NewEstimate(value, stdDev, Spread[float64](bell{value, stdDev}))
}

func TestEstimatesStayInTheirRangeAndKeepTheirRawNumber(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		value, lo, hi           float64 // the range
		wantValue, wantL, wantH float64 // at 95 %, of a standard deviation of 1
	}{
		{5, 0, inf, 5, 3.04, 6.96},
		{1, 0, inf, 1, 0, 2.96},
		{-1, 0, inf, 0, 0, 0.96},
		{-7, 0, inf, 0, 0, inf},
		{-7, 0, 10, 0, 0, 10},
		{12, 0, 10, 10, 10.04 - 1e9, 10},
	} {
		e := noisy(c.value, 1).Within(c.lo, c.hi)
		l, h := e.Interval(0.95)
		if c.wantL < -1e6 { // nothing is left of the interval
			c.wantL = 0
		}
		if e.Value != c.wantValue || math.Abs(l-c.wantL) > 0.01 || h != c.wantH && !(math.Abs(h-c.wantH) < 0.01) {
			t.Errorf("%v within [%v, %v] is %v (%v to %v), want %v (%v to %v)", c.value, c.lo, c.hi, e.Value, l, h, c.wantValue, c.wantL, c.wantH)
		}
		if raw := e.Raw(); raw.Value != c.value {
			t.Errorf("%v is %v as the noise left it", c.value, raw.Value)
		}
		if l, h := e.Interval(math.NaN()); l != c.lo || h != c.hi {
			t.Errorf("the range of %v is (%v to %v)", c.value, l, h)
		}
	}
}

func TestSumsAndDifferencesAreOfTheRawNumbers(t *testing.T) {
	count := func(x float64) Estimate[float64] { return noisy(x, 1).Within(0, math.Inf(1)) }
	if d := count(-4).Minus(count(3)); d.Value != -7 || d.Raw().Value != -7 {
		t.Errorf("-4 - 3 is %v", d.Value)
	}
	if s := count(-4).Plus(count(1)); s.Value != 0 || s.Raw().Value != -3 {
		t.Errorf("-4 + 1 is %v, as the noise left it %v, want 0 and -3", s.Value, s.Raw().Value)
	}
	total := count(0)
	for range 100 {
		total = total.Plus(count(-2).Plus(count(2)))
	}
	if total.Value != 0 || total.StdDev < 14 || total.StdDev > 14.3 {
		t.Errorf("a hundred times -2 + 2 is %v ± %v", total.Value, total.StdDev)
	}
	mean := func(x float64) Estimate[float64] { return noisy(x, 1).Within(0, 10) }
	if l, h := mean(9).Minus(mean(3)).Interval(1); l != -10 || h != 10 {
		t.Errorf("a difference of means in [0, 10] is in [%v, %v]", l, h)
	}
}

// The interval of a difference holds it as often as it says, also where one of the two
// numbers is at an end of its range, and its interval is cut off there. Of 20,000
// runs at 90 %, fewer than 17,600 hold it with a probability below 1e-18.
func TestIntervalsOfDifferencesCoverAtTheEndsOfRanges(t *testing.T) {
	const runs = 20_000
	rng := rand.New(rand.NewPCG(8, 1))
	// A number that has no raw form, such as a mean: clamped, and with hard ends.
	clamped := func(truth, stdDev float64) Estimate[float64] {
		e := noisy(truth+stdDev*rng.NormFloat64(), stdDev).Within(0, 100)
		return NewEstimate(e.Value, e.StdDev, Spread[float64](asFloat[float64]{e}))
	}
	for _, truth := range [][2]float64{{0, 0}, {0, 50}, {0, 100}, {1, 50}, {50, 1.5}, {100, 99}} {
		for _, stdDev := range []float64{0.3, 1, 3} {
			held := 0
			for range runs {
				lo, hi := clamped(truth[0], 1).Minus(clamped(truth[1], stdDev)).Interval(0.9)
				if lo <= truth[0]-truth[1] && truth[0]-truth[1] <= hi {
					held++
				}
			}
			if held < 17_600 {
				t.Errorf("%v - %v with noise of 1 and %v: %d of %d intervals hold the difference", truth[0], truth[1], stdDev, held, runs)
			}
		}
	}
}

func TestWhatIsUnknownSaysSo(t *testing.T) {
	u := NewUnknown(2.0, 8.0)
	for _, e := range []Estimate[float64]{u, u.Raw(), u.Within(0, 10), u.Plus(noisy(0, 1).Within(0, 0)), noisy(0, 1).Within(0, 0).Plus(u)} {
		if lo, hi := e.Interval(0.1); !e.Unknown || !math.IsNaN(e.Value) || lo != 2 || hi != 8 || e.StdDev != 3 {
			t.Errorf("an unknown number in [2, 8] became %+v", e)
		}
	}
	if d := u.Minus(noisy(1, 1)); !d.Unknown || fmt.Sprint(d) != "unknown (any number)" {
		t.Errorf("unknown - 1 is %v", d)
	}
	if i := NewUnknown[int64](math.MinInt64, math.MaxInt64); !i.Unknown || i.Value < -1 || i.Value > 0 {
		t.Errorf("of an unknown integer it is said %d", i.Value)
	}
}

func TestEstimatesPrintAndEncode(t *testing.T) {
	for _, c := range []struct {
		of         any
		text, json string
	}{
		{noisy(3, 1e-9).Within(0, math.Inf(1)), "", `{"value":3,"low":2.999999998040036,"high":3.000000001959964,"stddev":1e-9}`},
		{noisy(-7, 1).Within(0, math.Inf(1)), "0 (0 or more)", `{"value":0,"low":0,"high":null,"stddev":1,"raw":-7}`},
		{noisy(7, 1).Within(math.Inf(-1), 0), "0 (0 or less)", `{"value":0,"low":null,"high":0,"stddev":1,"raw":7}`},
		{NewUnknown(0.0, 500.0), "unknown (0 to 500)", `{"value":null,"low":0,"high":500,"stddev":250,"unknown":true}`},
		{NewUnknown[int64](0, 500), "unknown (0 to 500)", `{"value":null,"low":0,"high":500,"stddev":250,"unknown":true}`},
		{NewUnknown[int64](0, math.MaxInt64), "unknown (0 or more)", ""},
		{NewUnknown(math.Inf(-1), math.Inf(1)), "unknown (any number)", `{"value":null,"low":null,"high":null,"stddev":null,"unknown":true}`},
		{Estimate[uint8]{Value: 255}, "255 (255 to 255)", `{"value":255,"low":255,"high":255,"stddev":0}`},
	} {
		text, err := json.Marshal(c.of)
		if err != nil {
			t.Errorf("%v: %v", c.of, err)
		}
		if c.text != "" && fmt.Sprint(c.of) != c.text || c.json != "" && string(text) != c.json {
			t.Errorf("prints as %v and encodes as %s, want %s and %s", c.of, text, c.text, c.json)
		}
	}
	if err := json.Unmarshal([]byte(`{"value":3}`), new(Estimate[int64])); err == nil {
		t.Error("an estimate without its intervals is read back as certain")
	}
}
