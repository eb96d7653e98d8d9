package aggregate_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/dp"
)

var update = flag.Bool("update", false, "write testdata/fingerprints.txt anew")

// fingerprints returns those of many plans, one a line.
func fingerprints(t *testing.T) string {
	var b strings.Builder
	for _, selects := range []bool{false, true} {
		for _, loss := range append(losses, dp.Approx{Epsilon: 0.1, Delta: 1e-7}, dp.Approx{Epsilon: 3, Delta: 1e-5}) {
			if _, approx := loss.(dp.Approx); selects && !approx {
				continue
			}
			for _, maxGroups := range []int{1, 3, 30} {
				q := orders()
				q.MaxGroups, q.GroupName = maxGroups, "day of the week"
				if selects {
					q.Groups = nil
				}
				euros := aggregate.PerRow(q, "euros", func(o order) float64 { return o.euros }, aggregate.Bounds[float64]{Lower: -2.5, Upper: 99.95})
				cents := aggregate.PerUnit(q, "cents", func(o order) int64 { return o.cents }, aggregate.Bounds[int64]{Lower: 0, Upper: 12_345, Step: 4})
				took := aggregate.PerRow(q, "took", func(o order) time.Duration { return o.took }, aggregate.Bounds[time.Duration]{Lower: time.Second, Upper: time.Hour})
				for _, columns := range [][]aggregate.AnyColumn{
					{q.Count()}, {q.Units(), q.Count()}, {euros.Sum(), q.Count()}, {euros.Mean(), q.Count(), q.Units()}, {euros.Variance(), euros.StdDev(), euros.Sum()},
					{cents.Sum(), cents.Quantile(0.5), cents.Quantile(0.9)}, {took.Quantile(0.25), aggregate.Weighted{AnyColumn: took.Mean(), Weight: 2.5}, cents.Mean(), q.Units()},
				} {
					plan, err := q.Plan(loss, columns...)
					if err != nil {
						fmt.Fprintf(&b, "%v %d %v: refused\n", loss, maxGroups, columns)
						continue
					}
					first := aggregate.EarlierFingerprint(plan)
					if first == "" {
						first = plan.Fingerprint()
					}
					fmt.Fprintf(&b, "%v %d %v: %s\n", loss, maxGroups, columns, first)
				}
			}
		}
	}
	return b.String()
}

// A plan knows the fingerprint that it had in the first version, which wrote the file:
// by it, a release that was paid for then is found again.
func TestFingerprintsStayWhatTheyWere(t *testing.T) {
	const file = "testdata/fingerprints.txt"
	got := fingerprints(t)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	was, is := strings.Split(string(text), "\n"), strings.Split(got, "\n")
	if len(was) != len(is) || len(was) < 100 {
		t.Fatalf("%d plans, and were %d", len(is), len(was))
	}
	for i := range was {
		if was[i] != is[i] {
			t.Errorf("was %s\nis  %s", was[i], is[i])
		}
	}
}
