package aggregate

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// A vector that was paid for is read whatever noise a plan of today would choose, with the
// accuracy that it had; and what a receipt says of one that cannot be is an error.
func TestAVectorThatWasPaidForIsReadByItsReceipt(t *testing.T) {
	rows := []reading{{1, 0, []float64{0.5, 1, 0}}, {1, 0, []float64{0.25, 0, 0}}, {2, 0, []float64{1, 1, 1}}, {3, 2, []float64{0.75, 0, 1}}}
	for _, loss := range []dp.Loss{dp.Pure{Epsilon: 1}, dp.Concentrated{Rho: 0.5}} {
		for _, perUnit := range []bool{true, false} {
			q, columns := many(3, perUnit, 0, 1)
			today, err := q.Plan(loss, columns...)
			if err != nil {
				t.Fatal(err)
			}
			if len(today.measures) != 1 || today.measures[0].joint == nil {
				t.Fatalf("%v, per unit %v: there is no vector", loss, perUnit)
			}
			other := WithTwiceTheNoise(today)
			text := written(other, other.Charge(Request{Key: "k", Purpose: "p"}), other.collectedFor(t, rows))
			readAlike(t, other.compiled, today.compiled, text)
			for name, c := range mistakesOfVectors {
				var s stored
				if err := json.Unmarshal(text, &s); err != nil {
					t.Fatal(err)
				}
				c.change(&s.Receipt.Measures[0])
				bad, err := json.Marshal(s)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := decode[int](today.compiled, bad); err == nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%v, per unit %v, %s: the error is %v, must say %q", loss, perUnit, name, err, c.says)
				}
			}
		}
	}
}

// readAlike reads a release by the plan that made it and by another.
func readAlike(t *testing.T, maker, reader *compiled, text []byte) {
	t.Helper()
	a, err := decode[int](maker, text)
	if err != nil {
		t.Fatal(err)
	}
	b, err := decode[int](reader, text)
	if err != nil {
		t.Fatal(err)
	}
	for key, cell := range a.All() {
		other, ok := b.Cell(key)
		if !ok {
			t.Fatalf("group %v is missing", key)
		}
		for i := range maker.answers {
			x, y := typed[float64](cell.estimate(maker.answers[i])), typed[float64](other.estimate(other.plan().answers[i]))
			if x.Value != y.Value || x.StdDev != y.StdDev || fmt.Sprint(x.Interval(0.9)) != fmt.Sprint(y.Interval(0.9)) {
				t.Errorf("%v of group %v is %v ± %v, was %v ± %v", maker.answers[i], key, y.Value, y.StdDev, x.Value, x.StdDev)
			}
		}
	}
}

var mistakesOfVectors = map[string]struct {
	change func(r *ReceiptMeasure)
	says   string
}{
	"no numbers":          {func(r *ReceiptMeasure) { r.Numbers = r.Numbers[:0:0] }, "it is not asked for"},
	"a count alone":       {func(r *ReceiptMeasure) { r.Numbers = r.Numbers[:1] }, "it has no numbers"},
	"another name":        {func(r *ReceiptMeasure) { r.Numbers[2].Name = "x" }, `its number "x" is not asked for, or times`},
	"times 0":             {func(r *ReceiptMeasure) { r.Numbers[0].Times = 0 }, "is not asked for, or times 0"},
	"times too much":      {func(r *ReceiptMeasure) { r.Numbers[1].Times = 1<<52 + 1 }, "is not asked for, or times 4503599627370497"},
	"a number twice":      {func(r *ReceiptMeasure) { r.Numbers[2] = r.Numbers[1] }, "it is there twice"},
	"a sum for a count":   {func(r *ReceiptMeasure) { r.Numbers[0] = r.Numbers[1] }, "it is there twice"},
	"a count for a sum":   {func(r *ReceiptMeasure) { r.Numbers[1] = r.Numbers[0] }, "it is there twice"},
	"a number less":       {func(r *ReceiptMeasure) { r.Numbers = r.Numbers[:3] }, "it has other measures"},
	"no scale":            {func(r *ReceiptMeasure) { r.Scale = "" }, `its scale is ""`},
	"a scale below 0":     {func(r *ReceiptMeasure) { r.Scale = "-1" }, "scale"},
	"another noise":       {func(r *ReceiptMeasure) { r.Mechanism = "x" }, `its noise is "x"`},
	"noise of one number": {func(r *ReceiptMeasure) { r.Mechanism = dp.DiscreteLaplace }, `its noise is "discrete laplace"`},
}

// The largest multiple that a number may have is read.
func TestNumbersMayBeMultipliedAsOftenAsTheyFit(t *testing.T) {
	q, columns := many(3, true, 0, 1)
	p, err := q.Plan(dp.Pure{Epsilon: 1}, columns...)
	if err != nil {
		t.Fatal(err)
	}
	receipt := p.receipt(p.Charge(Request{Key: "k", Purpose: "p"}), dp.Payment{})
	for _, times := range []int64{1, finestJoint} {
		for i := range receipt.Measures[0].Numbers {
			receipt.Measures[0].Numbers[i].Times = times
		}
		m, err := p.jointOf(receipt.Measures[0], receipt.Values)
		if err != nil || m.joint.times[0] != times || len(m.joint.answers) != 4 {
			t.Errorf("times %d: %v", times, err)
		}
	}
}

// The threshold of a release that was paid for is the one that its receipt tells, on the
// grid of the noise that it was compared with.
func TestAThresholdThatWasPaidForIsReadByItsReceipt(t *testing.T) {
	fine := false
	for _, loss := range []dp.Loss{dp.Approx{Epsilon: 1, Delta: 1e-6}, dp.Approx{Epsilon: 0.1, Delta: 1e-4}} {
		for _, l0 := range []int{1, 40} {
			q, _ := many(1, true, 0, 1)
			q.Groups, q.MaxGroups = nil, l0
			today, err := q.Plan(loss, q.Units(), q.Count())
			if err != nil {
				t.Fatal(err)
			}
			other := WithTwiceTheNoise(today)
			s := stored{storedHead{Plan: other.fingerprint, Question: other.question}, other.receipt(other.Charge(Request{Key: "k", Purpose: "p"}), dp.Payment{}), nil}
			was, units := s.Receipt.Threshold, other.units()
			s.Receipt.Threshold = was + 3
			read, err := today.answeredBy(&s)
			if err != nil {
				t.Fatal(err)
			}
			if got := read.threshold; got.units() != was+3 || got.shift != units.shift || got.law.Scale.Cmp(units.law.Scale) != 0 || got.delta != today.threshold.delta {
				t.Errorf("%v, %d groups: the threshold is %v units, in 2^-%d of one, with noise of %v; the receipt says %v, 2^-%d and %v", loss, l0, got.units(), got.shift, got.law.Scale, was+3, units.shift, units.law.Scale)
			}
			fine = fine || units.shift > 0
			s.Receipt.Threshold = 0
			if _, err := today.answeredBy(&s); err == nil || !strings.Contains(err.Error(), "it has other measures") {
				t.Errorf("%v, %d groups: a receipt without a threshold is read: %v", loss, l0, err)
			}
		}
	}
	if !fine {
		t.Error("no noise is finer than the count")
	}
}
