package questioner

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/internal/woven"
)

// A garden is one program for each package of tests, in which all mistakes are planted
// that are within functions, and one more for each of the others.
type garden struct {
	root, dir string
	woven     map[int]bool // mistakes that the one program has
}

func newGarden(t *testing.T) *garden {
	t.Helper()
	g := &garden{moduleRoot(t), t.TempDir(), map[int]bool{}}
	versions := map[string][]woven.Version{}
	for n, p := range mistakes {
		if found, ok := p.versions(t, n+1); ok {
			g.woven[n] = true
			for file, v := range found {
				versions[file] = append(versions[file], v...)
			}
		}
	}
	replace := map[string]string{}
	for file, v := range versions {
		replace[file] = g.put(t, len(replace), woven.File([]byte(read(t, file)), v))
		replace[filepath.Join(filepath.Dir(file), "version_of_all.go")] = g.put(t, len(replace), woven.Chooser(packageOf(t, file)))
	}
	for _, pkg := range []string{"internal/questioner", "examples/trends"} {
		g.build(t, pkg, g.overlay(t, "all", replace), g.program(pkg, 0))
	}
	return g
}

// command returns what runs the test that must find a mistake, with the mistake in it.
func (g *garden) command(t *testing.T, n int) *exec.Cmd {
	t.Helper()
	p := mistakes[n]
	program := g.program(p.tester(), 0)
	if !g.woven[n] {
		program = g.program(p.tester(), n+1)
		g.build(t, p.tester(), g.alone(t, n), program)
	}
	c := g.run(p, program, n+1)
	if p.tests == lengths {
		c.Args = append(c.Args, "-long") // a rate takes many trials
	}
	return c
}

// run returns what runs the test of a mistake, by a program that is one version of several.
func (g *garden) run(p planted, program string, version int) *exec.Cmd {
	c := exec.Command(program, "-test.timeout", "20m", "-test.run", "^"+p.tests+"$")
	c.Dir = filepath.Join(g.root, filepath.FromSlash(p.tester()))
	c.Env = append(os.Environ(), fmt.Sprintf("%s=%d", woven.Switch, version))
	return c
}

// alone plants one mistake.
func (g *garden) alone(t *testing.T, n int) (overlay string) {
	t.Helper()
	replace := map[string]string{}
	for file, edits := range mistakes[n].edited(t) {
		replace[file] = g.put(t, 1000*(n+1)+len(replace), woven.Edited([]byte(read(t, file)), edits))
	}
	return g.overlay(t, fmt.Sprint("alone", n), replace)
}

func (g *garden) program(pkg string, n int) string {
	return filepath.Join(g.dir, fmt.Sprintf("%s%d.test", path.Base(pkg), n))
}

func (g *garden) build(t *testing.T, pkg, overlay, to string) {
	t.Helper()
	c := exec.Command("go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", to, "./"+pkg)
	c.Dir = g.root
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("a mistake does not compile: %v\n%s", err, out)
	}
}

func (g *garden) put(t *testing.T, n int, text []byte) string {
	t.Helper()
	file := filepath.Join(g.dir, fmt.Sprintf("planted%d.go", n))
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func (g *garden) overlay(t *testing.T, name string, replace map[string]string) string {
	t.Helper()
	file := filepath.Join(g.dir, name+".json")
	if err := woven.WriteOverlay(file, replace); err != nil {
		t.Fatal(err)
	}
	return file
}

// edited returns what planting changes, by file. What stands there must be in one file of
// the folder, once: otherwise the code has changed, and the mistake must be planted anew.
func (p planted) edited(t *testing.T) map[string][]woven.Edit {
	t.Helper()
	changed := map[string][]woven.Edit{}
	for i := 0; i < len(p.edits); i += 2 {
		file := p.find(t, p.edits[i])
		start := strings.Index(read(t, file), p.edits[i])
		changed[file] = append(changed[file], woven.Edit{Start: start, End: start + len(p.edits[i]), Text: p.edits[i+1]})
	}
	return changed
}

// versions returns a mistake as versions of functions, unless some of it is outside of them.
func (p planted) versions(t *testing.T, number int) (map[string][]woven.Version, bool) {
	t.Helper()
	all := map[string][]woven.Version{}
	for file, edits := range p.edited(t) {
		byBody := map[woven.Body][]woven.Edit{}
		for _, e := range edits {
			body, ok := bodyAround(t, file, e)
			if !ok {
				return nil, false
			}
			byBody[body] = append(byBody[body], e)
		}
		for body, edits := range byBody {
			all[file] = append(all[file], woven.Version{Number: number, Body: body, Edits: edits})
		}
	}
	return all, true
}

func bodyAround(t *testing.T, file string, e woven.Edit) (woven.Body, bool) {
	t.Helper()
	source := []byte(read(t, file))
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, file, source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range tree.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
			if body := woven.BodyOf(fset, source, f); body.Start <= e.Start && e.End <= body.End {
				return body, true
			}
		}
	}
	return woven.Body{}, false
}

func packageOf(t *testing.T, file string) string {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.PackageClauseOnly)
	if err != nil {
		t.Fatal(err)
	}
	return tree.Name.Name
}
