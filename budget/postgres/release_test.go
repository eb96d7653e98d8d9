package postgres_test

import (
	"errors"
	"testing"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/postgres"
	"github.com/equipoise-dp/equipoise/dp"
)

// TestReleasesAreInTheChain: what a superuser does to the rows of releases, with
// the triggers disabled and put back, is found by Verify.
func TestReleasesAreInTheChain(t *testing.T) {
	const first = "(SELECT min(seq) FROM equipoise.releases)"
	for name, statement := range map[string]string{
		"lost":    "DELETE FROM equipoise.releases WHERE seq = " + first,
		"changed": "UPDATE equipoise.releases SET data = set_byte(data, 0, 255 - get_byte(data, 0)) WHERE seq = " + first,
		"cut":     "UPDATE equipoise.releases SET data = substring(data for length(data) - 1) WHERE seq = " + first,
		"swapped": "UPDATE equipoise.releases r SET data = o.data FROM equipoise.releases o WHERE o.seq <> r.seq",
		"moved":   "UPDATE equipoise.releases SET seq = 0 WHERE seq = " + first,
		"added":   "INSERT INTO equipoise.releases VALUES ('visits', 1, 'a release that nobody kept', 3)",
	} {
		t.Run(name, func(t *testing.T) {
			pool := newPool(t, newLedger(t))
			s, err := postgres.Open(t.Context(), pool)
			if err != nil {
				t.Fatal(err)
			}
			a, err := budget.Create(t.Context(), s, budget.Terms{Dataset: "visits", Unit: "patient", Limit: dp.Pure{Epsilon: 1}})
			if err != nil {
				t.Fatal(err)
			}
			for _, key := range []string{"one", "two"} {
				if _, err := a.Spend(t.Context(), visitsCharge(key)); err != nil {
					t.Fatal(err)
				}
				if _, err := a.Keep(t.Context(), visitsCharge(key), []byte("the release of "+key)); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := a.Verify(t.Context()); err != nil {
				t.Fatal(err)
			}
			run(t, pool, "ALTER TABLE equipoise.releases DISABLE TRIGGER ALL; "+statement+"; ALTER TABLE equipoise.releases ENABLE TRIGGER ALL")
			if a, err = budget.Open(t.Context(), s, "visits"); err == nil {
				_, err = a.Verify(t.Context())
			}
			if !errors.Is(err, budget.ErrTampered) {
				t.Errorf("Verify with a release that was %s: %v, want budget.ErrTampered", name, err)
			}
		})
	}
}
