package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
)

// A pkg is what the go command says of a package.
type pkg struct {
	Dir, ImportPath           string
	GoFiles                   []string
	Deps                      []string
	TestImports, XTestImports []string
	TestGoFiles, XTestGoFiles []string
}

// A module is the packages of the module around the working directory.
type module struct {
	dir      string
	packages map[string]*pkg
}

func loadModule(ctx context.Context) (*module, error) {
	dir, err := goCommand(ctx, "", "list", "-m", "-f", "{{.Dir}}")
	if err != nil {
		return nil, err
	}
	m := &module{dir: strings.TrimSpace(dir), packages: make(map[string]*pkg)}
	list, err := goCommand(ctx, m.dir, "list", "-json=Dir,ImportPath,GoFiles,Deps,TestImports,XTestImports,TestGoFiles,XTestGoFiles", "./...")
	if err != nil {
		return nil, err
	}
	for d := json.NewDecoder(strings.NewReader(list)); ; {
		p := new(pkg)
		if err := d.Decode(p); errors.Is(err, io.EOF) {
			return m, nil
		} else if err != nil {
			return nil, err
		}
		m.packages[p.ImportPath] = p
	}
}

// match returns the packages that the patterns name.
func (m *module) match(ctx context.Context, patterns []string) ([]*pkg, error) {
	list, err := goCommand(ctx, m.dir, append([]string{"list"}, patterns...)...)
	if err != nil {
		return nil, err
	}
	var found []*pkg
	for _, path := range strings.Fields(list) {
		if p := m.packages[path]; p != nil && len(p.GoFiles) > 0 {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%v names no package with Go files", patterns)
	}
	return found, nil
}

// testers returns the packages whose tests depend on one of the targets.
func (m *module) testers(targets []*pkg) []*pkg {
	var found []*pkg
	for _, p := range m.packages {
		if len(p.TestGoFiles)+len(p.XTestGoFiles) > 0 && slices.ContainsFunc(targets, func(t *pkg) bool { return m.uses(p, t) }) {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b *pkg) int { return strings.Compare(a.ImportPath, b.ImportPath) })
	return found
}

// uses reports whether the tests of p depend on t.
func (m *module) uses(p, t *pkg) bool {
	if p == t || slices.Contains(p.Deps, t.ImportPath) {
		return true
	}
	for _, path := range slices.Concat(p.TestImports, p.XTestImports) {
		if imported := m.packages[path]; imported != nil && (imported == t || slices.Contains(imported.Deps, t.ImportPath)) {
			return true
		}
	}
	return false
}

func goCommand(ctx context.Context, dir string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, "go", args...)
	c.Dir = dir
	out, err := c.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return "", fmt.Errorf("go %s: %w\n%s", args[0], err, exit.Stderr)
	}
	return string(out), err
}
