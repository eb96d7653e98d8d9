package aggregate_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

func TestReleasesPrintAndEncode(t *testing.T) {
	dptest.NoNoise(t)
	q := orders()
	cents := aggregate.PerRow(q, "cents", func(o order) int64 { return o.cents }, aggregate.Bounds[int64]{Lower: 0, Upper: 1 << 20})
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, q.Count(), cents.Sum(), cents.Mean())
	if err != nil {
		t.Fatal(err)
	}
	release := run(t, plan, []order{{customer: 1, day: "mon", cents: 1<<20 - 1}, {customer: 2, day: "mon", cents: 2}})
	if got := fmt.Sprint(release); got != "orders: 3 groups of 3 columns, ε=1" {
		t.Errorf("prints as %q", got)
	}
	text, err := json.Marshal(release)
	if err != nil {
		t.Fatal(err)
	}
	var back struct {
		Receipt aggregate.Receipt
		Groups  []struct {
			Key       string
			Estimates map[string]struct{ Value, Low, High json.Number }
		}
	}
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	first := back.Groups[0]
	if back.Receipt.Dataset != "orders" || first.Key != "mon" || first.Estimates["count"].Value != "2" || first.Estimates["cents sum"].Value != "1048577" {
		t.Errorf("encodes as %s", text)
	}
}

// The interval that JSON has is that of 95 %, and no other.
func TestJSONHasIntervalsOf95Percent(t *testing.T) {
	q := orders()
	count := q.Count()
	plan, err := q.Plan(dp.Pure{Epsilon: 1}, count)
	if err != nil {
		t.Fatal(err)
	}
	var rows []order
	for i := range 1000 { // far from 0, which would end intervals
		rows = append(rows, order{customer: customerID(i), day: "mon"})
	}
	release := run(t, plan, rows)
	cell, _ := release.Cell("mon")
	lo, hi := count.Of(cell).Interval(0.95)
	text, err := json.Marshal(release)
	if want := fmt.Sprintf(`"low":%d,"high":%d,`, lo, hi); err != nil || !strings.Contains(string(text), want) {
		t.Errorf("encodes as %s (%v), want %s", text, err, want)
	}
}

// A higher rank never has a lower value, nor a lower interval, however much noise
// there is.
func TestQuantilesAreInOrder(t *testing.T) {
	q := orders()
	v := aggregate.PerRow(q, "v", func(o order) float64 { return o.euros }, aggregate.Bounds[float64]{Lower: 0, Upper: 100, Step: 1})
	p95, p5, p50 := v.Quantile(0.95), v.Quantile(0.05), v.Quantile(0.5)
	for _, loss := range losses[:4] {
		plan, err := q.Plan(loss, p95, p5, p50)
		if err != nil {
			t.Fatal(err)
		}
		var rows []order
		for i := range 30 {
			rows = append(rows, order{customer: customerID(i), day: "mon", euros: float64(3 * i)})
		}
		for range 50 {
			for _, cell := range run(t, plan, rows).All() {
				a, b, c := p5.Of(cell), p50.Of(cell), p95.Of(cell)
				la, ha := a.Interval(0.95)
				lb, hb := b.Interval(0.95)
				lc, hc := c.Interval(0.95)
				if a.Value > b.Value || b.Value > c.Value || la > lb || lb > lc || ha > hb || hb > hc {
					t.Fatalf("%v: %v, %v, %v", loss, a, b, c)
				}
			}
		}
	}
}

func TestAReleaseIsNotReadFromItsJSON(t *testing.T) {
	var r aggregate.Release[string]
	if err := json.Unmarshal([]byte(`{"receipt": {}, "groups": []}`), &r); err == nil || !strings.Contains(err.Error(), "run the plan with the same request") {
		t.Errorf("error is %v", err)
	}
}
