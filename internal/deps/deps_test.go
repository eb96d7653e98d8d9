// Package deps says which package must never import which.
package deps

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const m = "github.com/equipoise-dp/equipoise/"

// never lists imports that would turn an arrow of the design around. Imports of
// imports count, except where direct is set: the standard library itself uses
// math/rand.
var never = []struct {
	pkg, dep, why string
	direct        bool
}{
	{"dp", m + "aggregate", "noise does not know about rows", false},
	{"dp", m + "budget", "noise does not know who pays", false},
	{"dp", "database/sql", "dp is arithmetic", false},
	{"dp", "testing", "test hooks are in dptest", false},
	{"dp", "log/slog", "the library does not log by itself", true},
	{"aggregate", m + "budget", "aggregate takes a Budget; main joins the two", false},
	{"aggregate", "database/sql", "engines are elsewhere", false},
	{"aggregate", m + "internal/purse", "what is not paid for is no release", false},
	{"aggregate/sqlagg", m + "internal/purse", "what is not paid for is no release", false},
	{"budget", m + "internal/purse", "an account is paid from", false},
	{"aggregate", "net/http", "sources of consent are in aggregate/consent", false},
	{"aggregate", "testing", "test hooks are in dptest", false},
	{"aggregate", m + "aggregate/groups", "a question takes any list of groups", false},
	{"aggregate/groups", m + "aggregate", "lists of groups know no question", false},
	{"aggregate", m + "aggregate/rows", "questions do not know where rows come from", false},
	{"aggregate", m + "aggregate/sqlagg", "engines are elsewhere", false},
	{"aggregate/sqlagg", "modernc.org/sqlite", "a driver is the caller's choice", false},
	{"aggregate/sqlagg", "github.com/jackc/pgx/v5", "a driver is the caller's choice", false},
	{"aggregate/sqlagg", m + "internal/sample", "engines draw no noise", true},
	{"aggregate/sqlagg", m + "budget", "engines do not pay", false},
	{"aggregate/rows", m + "aggregate", "readers do not know what is asked", false},
	{"aggregate/rows", m + "dp", "readers know no noise", false},
	{"dp/dptest", m + "aggregate", "audits of plans are in aggregate/aggregatetest", false},
	{"budget", m + "aggregate", "a ledger does not know what was asked", false},
	{"budget", "database/sql", "stores are in budget/sqlite and budget/postgres", false},
	{"budget", "go.yaml.in/yaml/v3", "policies are read from YAML in budget/policy/policyyaml", false},
	{"budget/policy", m + "budget", "a policy does not know who keeps accounts", false},
	{"budget/policy", m + "aggregate", "a policy does not know how questions are asked", false},
	{"budget", "testing", "test hooks are in budgettest", false},
	{"budget", "modernc.org/sqlite", "a driver is the caller's choice", false},
	{"budget", "github.com/jackc/pgx/v5", "a driver is the caller's choice", false},
	{"internal/filter", m + "aggregate", "a filter does not know what was asked", false},
	{"internal/filter", m + "budget", "a filter does not know who pays, or where it is written down", false},
	{"internal/filter", "context", "a filter is arithmetic", true},
	{"internal/normal", m + "internal/exact", "the normal law needs nothing of the module", false},
	{"internal/search", m + "internal/exact", "a search needs nothing of the module", false},
	{"internal/pld", m + "dp", "accounting arithmetic knows numbers only", false},
	{"internal/sample", m + "dp", "samplers know numbers only", false},
	{"internal/core", m + "dp", "the core knows numbers only", false},
}

func TestArrowsPointOneWay(t *testing.T) {
	for _, n := range never {
		args := []string{"list", "-deps", m + n.pkg}
		if n.direct {
			args = []string{"list", "-f", `{{join .Imports "\n"}}`, m + n.pkg}
		}
		if slices.Contains(list(t, args...), n.dep) {
			t.Errorf("%s imports %s: %s", n.pkg, n.dep, n.why)
		}
	}
}

// F3, F4: nothing but tests, and packages that need a *testing.T, draws from
// anything but crypto/rand.
func TestNoPackageImportsMathRand(t *testing.T) {
	for _, line := range list(t, "list", "-f", `{{.ImportPath}}:{{join .Imports ","}}`, m+"...") {
		pkg, imports, _ := strings.Cut(line, ":")
		if strings.Contains(imports, "testing") || pkg == m+"examples/accuracy" || pkg == m+"internal/sales" { // make data up
			continue
		}
		for _, i := range strings.Split(imports, ",") {
			if i == "math/rand" || i == "math/rand/v2" {
				t.Errorf("%s imports %s: noise and choices come from crypto/rand", pkg, i)
			}
		}
	}
}

// Draws that somebody chooses are no noise.
func TestOnlyTestsScriptNoise(t *testing.T) {
	found := 0
	err := filepath.WalkDir(filepath.Join("..", ".."), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), "Scripted"+"(") {
			found++
			if !strings.HasSuffix(path, "_test.go") && !strings.HasSuffix(path, filepath.Join("internal", "core", "law.go")) {
				t.Errorf("%s scripts noise, which is for tests", path)
			}
		}
		return err
	})
	if err != nil || found < 2 {
		t.Errorf("%d files with scripts were found: %v", found, err)
	}
}

// The bridge registers global flags, so only the bridge may import the peer, and
// the program that measures both.
func TestOnlyTheBridgeImportsThePeer(t *testing.T) {
	for _, line := range list(t, "list", "-f", `{{.ImportPath}}:{{join .Imports ","}}`, m+"...") {
		pkg, imports, _ := strings.Cut(line, ":")
		if strings.Contains(imports, "google/differential-privacy") && pkg != m+"budget/googledp" && pkg != m+"examples/accuracy" && pkg != m+"examples/bench" {
			t.Errorf("%s imports the library that budget/googledp bridges to", pkg)
		}
	}
}

func list(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		t.Fatalf("go %v: %v", args, err)
	}
	lines := strings.Fields(string(out))
	if len(lines) == 0 {
		t.Fatalf("go %v listed nothing", args)
	}
	return lines
}

// The inverse of the error function loses the tail where it starts from 1-x, and a
// second copy of the normal law loses it unseen.
func TestOneNormalLaw(t *testing.T) {
	err := filepath.WalkDir(filepath.Join("..", ".."), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte("math."+"Erf")) && !strings.Contains(filepath.ToSlash(path), "/internal/normal/") {
			t.Errorf("%s uses the error function; the normal law is in internal/normal", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
