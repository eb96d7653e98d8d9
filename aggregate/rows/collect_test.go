package rows_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/aggregate/rows"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/dp/dptest"
)

// A unit whose rows are in several files, in which its name is written in several ways, is one
// unit: it counts once, and its caps are those of one.
func TestAUnitIsOneInAllFiles(t *testing.T) {
	dptest.NoNoise(t)
	dir := t.TempDir()
	var paths []string
	for i, content := range []string{"é", "e\u0301", " é ", "bob"} {
		path := filepath.Join(dir, fmt.Sprint(i, ".csv"))
		text := "customer,date,amount,country\n" + strings.Repeat(content+",2026-01-31,1,de\n", 5)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	sales, err := rows.Files[Sale](t.Context(), rows.Options{Secret: rows.NewSecret()}, paths...)
	if err != nil {
		t.Fatal(err)
	}
	q := &aggregate.Query[Sale, rows.ID, string]{
		Dataset: "sales", UnitName: "customer", Unit: func(s Sale) rows.ID { return s.Customer },
		Group: func(s Sale) string { return s.Country }, Groups: []string{"de"}, MaxGroups: 1, MaxRowsPerGroup: 3,
	}
	units, count := q.Units(), q.Count()
	plan, err1 := q.Plan(dp.Pure{Epsilon: 1}, units, count)
	account, err2 := budget.Create(t.Context(), budget.Memory(), budget.Terms{Dataset: "sales", Unit: "customer", Limit: dp.Pure{Epsilon: 1}})
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	part, err := plan.Collect(t.Context(), sales...)
	if err != nil {
		t.Fatal(err)
	}
	release, err := plan.Release(t.Context(), account, aggregate.Request{Key: "k", Purpose: "test"}, part)
	if err != nil {
		t.Fatal(err)
	}
	for _, cell := range release.All() {
		if u, n := units.Of(cell).Value, count.Of(cell).Value; u != 2 || n != 6 {
			t.Errorf("%d customers with %d rows, want 2 with 6", u, n)
		}
	}
}
