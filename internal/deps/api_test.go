package deps

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files of the exported API")

var publicPackages = []string{
	"dp", "dp/dptest", "aggregate", "aggregate/aggregatetest", "aggregate/consent", "aggregate/groups", "aggregate/rows", "aggregate/sqlagg", "aggregate/sqlagg/sqlaggtest",
	"budget", "budget/policy", "budget/policy/policyyaml", "budget/sqlite", "budget/postgres", "budget/budgettest", "budget/googledp", "budget/forecast",
}

// The exported API of each public package, as go doc prints it, is reviewed and
// frozen in testdata. After an intended change: go test ./internal/deps -update.
func TestAPI(t *testing.T) {
	for _, pkg := range publicPackages {
		t.Run(pkg, func(t *testing.T) {
			cmd := exec.Command("go", "doc", "-all", "./"+pkg)
			cmd.Dir = filepath.Join("..", "..")
			got, err := cmd.Output()
			if err != nil || len(got) == 0 {
				t.Fatalf("go doc %s: %v", pkg, err)
			}
			golden := filepath.Join("testdata", "api", strings.ReplaceAll(pkg, "/", "_")+".txt")
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("the exported API changed; if it was meant, run go test ./internal/deps -update\n%s", diff)
			}
		})
	}
}
