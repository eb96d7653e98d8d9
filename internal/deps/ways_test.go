package deps

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var wayLine = regexp.MustCompile(`^    ([a-z]+(?:/[a-z]+)*/[a-z0-9_]+\.go)  `)

// ways returns the lists of files in DESIGN.md: lines of code in a row that begin with the
// name of one.
func ways(t *testing.T) [][]string {
	text, err := os.ReadFile("../../DESIGN.md")
	if err != nil {
		t.Fatal(err)
	}
	var all [][]string
	inside := false
	for line := range strings.Lines(string(text)) {
		m := wayLine.FindStringSubmatch(line)
		switch {
		case m == nil:
			inside = false
			continue
		case !inside:
			all = append(all, nil)
		}
		inside = true
		all[len(all)-1] = append(all[len(all)-1], m[1])
	}
	return all
}

// Files that DESIGN.md lists one below the other exist, and none calls a function of one
// that is above it in the list. What is seen of a call is its name: names that are declared more
// than once in a package are left out, and so are exported methods.
func TestWaysThroughTheFilesGoOneWay(t *testing.T) {
	all := ways(t)
	if len(all) == 0 || len(all[0]) < 10 {
		t.Fatalf("DESIGN.md has %d lists of files", len(all))
	}
	for _, way := range all {
		declared, seen := declarations(t, way), 0
		for i, file := range way {
			for _, called := range calls(t, file) {
				at, ok := declared[called]
				if !ok {
					continue
				}
				if seen++; slices.Index(way, at) < i && filepath.Dir(at) == filepath.Dir(file) {
					t.Errorf("%s calls %s of %s, which is before it", file, called, at)
				}
			}
		}
		if seen < len(way) {
			t.Errorf("of the calls in %v only %d were seen", way, seen)
		}
	}
}

// declarations returns the file of every function whose name is declared once in the
// packages of a way.
func declarations(t *testing.T, way []string) map[string]string {
	count, declared := map[string]int{}, map[string]string{}
	dirs := map[string]bool{}
	for _, file := range way {
		dirs[filepath.Dir(file)] = true
	}
	for dir := range dirs {
		files, err := filepath.Glob(filepath.Join("../..", dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			for _, d := range parse(t, path).Decls {
				f, ok := d.(*ast.FuncDecl)
				if !ok || f.Recv != nil && f.Name.IsExported() {
					continue
				}
				count[f.Name.Name]++
				declared[f.Name.Name] = filepath.ToSlash(filepath.Join(dir, filepath.Base(path)))
			}
		}
	}
	for name, n := range count {
		if n > 1 || !slices.Contains(way, declared[name]) {
			delete(declared, name)
		}
	}
	return declared
}

// calls returns the names of the functions that a file calls.
func calls(t *testing.T, file string) []string {
	var names []string
	ast.Inspect(parse(t, filepath.Join("../..", file)), func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		fun := call.Fun
		if index, ok := fun.(*ast.IndexExpr); ok {
			fun = index.X
		}
		switch fun := fun.(type) {
		case *ast.Ident:
			if fun.Name != "append" { // of the language: a method may have that name too
				names = append(names, fun.Name)
			}
		case *ast.SelectorExpr:
			if !fun.Sel.IsExported() {
				names = append(names, fun.Sel.Name)
			}
		}
		return true
	})
	return names
}

func parse(t *testing.T, path string) *ast.File {
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
