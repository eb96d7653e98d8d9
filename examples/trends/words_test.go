package main

import (
	"math"
	"slices"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

func TestDigitsAreGrouped(t *testing.T) {
	for _, c := range []struct {
		x        float64
		decimals int
		want     string
	}{
		{0, 0, "0"}, {999, 0, "999"}, {1000, 0, "1,000"}, {-1234567.891, 2, "−1,234,567.89"},
		{-0.2, 0, "0"}, {0.5, 2, "0.50"}, {math.Inf(-1), 0, "−∞"},
	} {
		if got := grouped(c.x, c.decimals); got != c.want {
			t.Errorf("grouped(%v, %d) = %q, want %q", c.x, c.decimals, got, c.want)
		}
	}
}

// What is left is rounded down.
func TestWhatIsLeftIsRoundedDown(t *testing.T) {
	for want, l := range map[string]dp.Loss{"ε=1.23 δ=1.59e-06": dp.Approx{Epsilon: 1.23987, Delta: 1.599e-6}, "nothing": nil, "ε=3": dp.Pure{Epsilon: 3}} {
		if got := loss(l); got != want {
			t.Errorf("loss(%v) = %q, want %q", l, got, want)
		}
	}
}

func TestWordsHaveTheirPlural(t *testing.T) {
	for word, want := range map[string]string{
		"customer": "customers", "search": "searches", "box": "boxes", "child": "children", "person": "people", "woman": "women", "city": "cities", "day": "days",
		"bus": "buses", "class": "classes", "sales": "sales", "series": "series", "aircraft": "aircraft", "wife": "wives", "shelf": "shelves", "analysis": "analyses", "quiz": "quizzes",
		"sales person": "sales people", "human": "humans", "ox/oxen": "oxen", "visit/": "visits",
	} {
		if _, got := bothNumbers(word); got != want {
			t.Errorf("the plural of %s is %s, want %s", word, got, want)
		}
	}
}

// Factors and chances are rounded to the side that promises less, and are numbers.
func TestOddsAreNumbers(t *testing.T) {
	for epsilon, want := range map[float64]string{1e-9: "1.01", 0.5: "1.65", 1: "2.72", 5: "149", 20: "485,165,196", 27: "532,048,240,602", 28: aTrillion, 5000: aTrillion, math.MaxFloat64: aTrillion} {
		if got := odds(epsilon); got != want {
			t.Errorf("odds(%v) = %s, want %s", epsilon, got, want)
		}
	}
	for delta, want := range map[float64]string{1e-6: "one in 1,000,000", 1.5e-6: "one in 666,666", 0.01: "one in 100", 0.1: "one in 10", 0.5: "50 %", 0.999: "100 %"} {
		if got := oneIn(delta); got != want {
			t.Errorf("oneIn(%v) = %s, want %s", delta, got, want)
		}
	}
}

// A larger loss never sounds better than a smaller one.
func TestWordsOfLossesFollowTheLosses(t *testing.T) {
	epsilons, deltas := []float64{0.01, 0.5, 1, 1.01, 3, 3.1, 10, 11, 20, 5000, 1e9}, []float64{0, 1e-9, 1e-6, 1e-4, 1e-3, 0.01, 0.5, 0.99}
	for i, e := range epsilons {
		for j, d := range deltas {
			s := strengthOf(e, d)
			if i > 0 && s < strengthOf(epsilons[i-1], d) || j > 0 && s < strengthOf(e, deltas[j-1]) {
				t.Errorf("ε=%v δ=%v sounds better than a smaller loss", e, d)
			}
			if o := (&options{Epsilon: e, Delta: d, UnitName: "person"}); (e > 10 || d >= 0.01) != (o.Hidden() == "this protects nobody") || o.Protects() && len(o.warnings()) > 0 {
				t.Errorf("ε=%v δ=%v: %s, %v", e, d, o.Hidden(), o.warnings())
			}
		}
	}
}

func TestLinesAreWrapped(t *testing.T) {
	if got := wrapped("some words  for a ± narrow column", 10); !slices.Equal(got, []string{"some words", "for a ±", "narrow", "column"}) {
		t.Errorf("%q", got)
	}
}

// No spreadsheet takes a name for a formula, and every name can be had back.
func TestNamesAreInertInCSV(t *testing.T) {
	for text, want := range map[string]string{"": "", "Köln": "Köln", "a=b": "a=b", "=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@a": "'@a", "\t=1": "'\t=1", "'x": "''x", "|x": "'|x", "＝1": "'＝1"} {
		if got := inert(text); got != want {
			t.Errorf("inert(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestAStepIsRoundAndAbout250OfThemFit(t *testing.T) {
	for width, want := range map[float64]float64{250: 0.5, 255: 0.5, 256: 0.5, 500: 0.5, 7000: 10, 0.2: 0.0002, 1e6: 1000} {
		if got := stepFor(width); got != want {
			t.Errorf("stepFor(%v) = %v, want %v", width, got, want)
		}
	}
}

func TestNiceStepsAreRound(t *testing.T) {
	for span, want := range map[float64]float64{10: 2, 9642: 2000, 0: 1, 1: 0.2, 390000: 100000} {
		if got := niceStep(span); math.Abs(got-want) > 1e-9 {
			t.Errorf("niceStep(%v) = %v, want %v", span, got, want)
		}
	}
}
