package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const sample = `package small

import "errors"

// Sign is 0 for small numbers.
func Sign(x int) int {
	if x < 0 && x != -7 {
		x = abs(x)
		return -1
	}
	return min(x, 1)
}

func abs(x int) int { return -x }

func check(x int) error {
	if x > 3 {
		return errors.New("too large")
	}
	return nil
}
`

func TestEveryKindOfChangeIsMade(t *testing.T) {
	sites, err := sitesOfFile("p", "small.go", []byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range sites {
		if mutated := string(s.mutated([]byte(sample))); strings.Count(mutated, "\n") != strings.Count(sample, "\n") || mutated == sample {
			t.Errorf("%v changes more than a line, or nothing", s)
		}
		got = append(got, s.function+": "+s.after)
	}
	for _, want := range []string{
		"Sign: if x <= 0 && x != -7 {", "Sign: if x < 0 || x != -7 {", "Sign: if x < 0 && x == -7 {", "Sign: if !(x < 0 && x != -7) {",
		"Sign: if (x < 0 && x != -7) && false {", "Sign: if x < (0+1) && x != -7 {", "Sign: if x < 0 && x != -(7-1) {", "Sign: if x < 0 && x != 7 {",
		"Sign: ", "Sign: x = abs(0)", "Sign: return max(x, 1)", "abs: func abs(x int) int { return x }", "check: return nil",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no mutant is %q; there are\n%s", want, strings.Join(got, "\n"))
		}
	}
}

// What is given for speed alone is not changed, nor the size of the sign of an infinity.
func TestWhatChangesNothingIsNoMutant(t *testing.T) {
	for line, want := range map[string][]string{
		"x := make([]int, n, 2*n+1)":   {"x := make([]int, 0, 2*n+1)", "x := make(0, n, 2*n+1)"},
		"x := make(map[int]int, n-1)":  {"x := make(0, n-1)"},
		"x := make([]int, n-1)":        {"x := make([]int, n+1)", "x := make([]int, n-(1+1))", "x := make([]int, n-(1-1))", "x := make([]int, 0)", "x := make(0, n-1)"},
		"x := math.Inf(1)":             nil,
		"x := 1e300":                   {"x := (1e300*2)"},
		"x := 1e15":                    {"x := (1e15+1)", "x := (1e15-1)", "x := (1e15*2)"},
		"x := math.IsInf(y, 1)":        {"x := math.IsInf(y, (1-1))", "x := math.IsInf(0, 1)"},
		"x := math.IsInf(y, 0)":        {"x := math.IsInf(y, (0+1))", "x := math.IsInf(0, 0)"},
		"x := math.IsInf(y*2, 1) || z": {"x := math.IsInf(y*2, 1) && z", "x := math.IsInf(y*2, (1-1)) || z", "x := math.IsInf(y/2, 1) || z", "x := math.IsInf(y*(2+1), 1) || z", "x := math.IsInf(y*(2-1), 1) || z", "x := math.IsInf(0, 1) || z"},
	} {
		sites, err := sitesOfFile("p", "small.go", []byte("package small\n\nfunc f() {\n\t"+line+"\n}\n"))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range sites {
			got = append(got, s.after)
		}
		if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
			t.Errorf("%s has the mutants\n%s\nmust have\n%s", line, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// The same seed chooses the same mutants, and another line in the file changes
// the choice of no other.
func TestSeedsChooseTheSameMutants(t *testing.T) {
	sites, err := sitesOfFile("p", "small.go", []byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	more, err := sitesOfFile("p", "small.go", []byte(strings.Replace(sample, "func abs", "func other(x int) int { return x + 1 }\n\nfunc abs", 1)))
	if err != nil {
		t.Fatal(err)
	}
	names := func(sites []site) (all []string) {
		for _, s := range shuffled(sites, 5, "") {
			if s.function != "other" {
				all = append(all, s.function+s.before+s.after)
			}
		}
		return all
	}
	if a, b := names(sites), names(more); !slices.Equal(a, b) {
		t.Errorf("one file has the mutants\n%q, with a function more\n%q", a, b)
	}
	if slices.Equal(shuffled(sites, 1, ""), shuffled(sites, 2, "")) {
		t.Error("two seeds choose the same")
	}
}

// A small module of its own: mutants that a test can tell die, others live, and
// the list of equivalents is obeyed.
func TestMutantsDieByTestsThatReachThem(t *testing.T) {
	h, all := huntIn(t, map[string]string{
		"go.mod":              "module m\n\ngo 1.26\n",
		"small/small.go":      sample,
		"small/small_test.go": "package small\n\nimport \"testing\"\n\nfunc TestAbs(t *testing.T) {\n\tif abs(-2) != 2 {\n\t\tt.Error(abs(-2))\n\t}\n}\n",
		"user/user_test.go":   "package user\n\nimport (\n\t\"m/small\"\n\t\"testing\"\n)\n\nfunc TestSign(t *testing.T) {\n\tif small.Sign(5) != 1 || small.Sign(-5) != -1 {\n\t\tt.Fail()\n\t}\n}\n",
	}, "./small")
	var out strings.Builder
	var few []site
	for _, s := range all {
		if s.function == "abs" || s.after == "if !(x < 0 && x != -7) {" || s.after == "if x <= 0 && x != -7 {" || s.function == "check" && s.change == "the condition is negated" {
			few = append(few, s)
		}
	}
	results, err := h.tryAll(t.Context(), few, 2)
	if err != nil {
		t.Fatal(err)
	}
	fates := map[string]fate{}
	for _, r := range results {
		fates[r.function+": "+r.after] = r.fate
	}
	for after, want := range map[string]fate{
		"abs: func abs(x int) int { return x }": killed,
		"Sign: if !(x < 0 && x != -7) {":        killed, // by the package that uses it
		"Sign: if x <= 0 && x != -7 {":          survived,
		"check: if !(x > 3) {":                  unreached,
	} {
		if fates[after] != want {
			t.Errorf("%s: %v, must be %v\n%s", after, fates[after], want, &out)
		}
	}
	known := []equivalent{{file: "small/small.go", function: "Sign", before: "if x < 0 && x != -7 {", after: "if x <= 0 && x != -7 {", reason: "0 is not asked"}}
	live, none := report(&out, results, nil)
	left, excused := report(&out, results, known)
	if live != 2 || none != 0 || left != 1 || excused != 1 {
		t.Errorf("%d live and %d are excused, and with one known as equivalent %d and %d; must be 2, 0, 1 and 1\n%s", live, none, left, excused, &out)
	}
}

// A function of every shape, with all of its mutants in one program: each is
// told from the others and from what was written.
func TestAllMutantsAreInOneProgram(t *testing.T) {
	const source = `package shapes

func Labelled(n int) (sum int) {
outer:
	for i := range n {
		for j := range n {
			if j > i {
				continue outer
			}
			sum++
		}
	}
	return sum
}

func Count(into *int) {
	*into += 2
}

func Generic[T int | float64](x T) (T, error) { return x + 1, nil }

var declared = 5

func Declared() int { return declared }
`
	const test = `package shapes

import "testing"

func TestAll(t *testing.T) {
	n := 1
	Count(&n)
	x, err := Generic(2.5)
	if Labelled(3) != 6 || n != 3 || x != 3.5 || err != nil || Declared() != 5 {
		t.Fail()
	}
}
`
	h, all := huntIn(t, map[string]string{"go.mod": "module m\n\ngo 1.26\n", "shapes/shapes.go": source, "shapes/shapes_test.go": test}, "./shapes")
	results, err := h.tryAll(t.Context(), all, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.fate != killed {
			t.Errorf("%v %v", r.fate, r.site)
		}
	}
	if !slices.ContainsFunc(results, func(r result) bool { return r.declared() }) || len(results) < 12 {
		t.Errorf("%d mutants compile, and of declarations none", len(results))
	}
	first, second := h.tests, remember(filepath.Join(h.dir, "nowhere"))
	if len(first) != 1 || len(second) != 0 {
		t.Errorf("%d tests are known, and %d of a program that is not there", len(first), len(second))
	}
	if f := (program{h.builds[first[0].pkg], 0}).fateOf(t.Context(), first); f != survived {
		t.Errorf("without a mutant the program is %v", f)
	}
}

// A test that fails as things are kills nobody.
func TestATestThatAlwaysFailsKillsNobody(t *testing.T) {
	h, all := huntIn(t, map[string]string{"go.mod": "module m\n\ngo 1.26\n", "p/p.go": "package p\n\nfunc Two() int {\n\treturn 2\n}\n",
		"p/p_test.go": "package p\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n\nfunc TestTwo(t *testing.T) {\n\tif Two(); os.Getenv(\"BAD\") != \"\" {\n\t\tt.Fail()\n\t}\n}\n"}, "./p")
	t.Setenv("BAD", "1")
	results, err := h.tryAll(t.Context(), all, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.fate != survived {
			t.Errorf("%v %v", r.fate, r.site)
		}
	}
	if len(results) == 0 {
		t.Error("there are no mutants")
	}
}

// huntIn writes a module and surveys it; the mutants are those that compile.
func huntIn(t *testing.T, files map[string]string, target string) (*hunt, []site) {
	t.Helper()
	dir := t.TempDir()
	built, err := goCommand(t.Context(), ".", "env", "GOCACHE")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOCACHE", strings.TrimSpace(built)) // what Go has built stays in its place: only what the hunt remembers is moved
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	m, err := loadModule(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	targets, err := m.match(t.Context(), []string{target})
	if err != nil {
		t.Fatal(err)
	}
	all, err := sitesOf(m, targets)
	if err != nil {
		t.Fatal(err)
	}
	c, err := newChecker(t.Context(), m, targets)
	if err != nil {
		t.Fatal(err)
	}
	all, err = c.compiling(t.Context(), all, len(all))
	if err != nil {
		t.Fatal(err)
	}
	h := &hunt{module: m, dir: t.TempDir(), slowest: time.Minute, out: t.Output()}
	if err := h.survey(t.Context(), targets, 2); err != nil {
		t.Fatal(err)
	}
	return h, all
}

// Every entry of the list is a mutant of today's code: one that is not excuses
// nothing, and hides that what it excused has changed.
func TestEquivalentsAreMutants(t *testing.T) {
	m, err := loadModule(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var packages []*pkg
	for _, p := range m.packages {
		packages = append(packages, p)
	}
	all, err := sitesOf(m, packages)
	if err != nil {
		t.Fatal(err)
	}
	known, err := readEquivalent(equivalentText)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range known {
		if e.reason == "" || !slices.ContainsFunc(all, e.is) {
			t.Errorf("%s %s is no mutant of the code, or has no reason:\n- %s\n+ %s", e.file, e.function, e.before, e.after)
		}
	}
}

func TestListsWithoutReasonsAreRefused(t *testing.T) {
	for _, text := range []string{"a.go F\n- x\n+ y", "a.go F\n- x\n+ y\n= r\n= s", "a.go\n- x\n+ y\n= r", "a.go F\n+ x\n- y\n= r"} {
		if _, err := readEquivalent(text); err == nil {
			t.Errorf("accepted:\n%s", text)
		}
	}
}
