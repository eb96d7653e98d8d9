package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// A checker says which mutants compile, without compiling them.
type checker struct {
	module   *module
	fset     *token.FileSet
	importer types.Importer
	files    map[string]map[string]*ast.File // by package and file
}

func newChecker(ctx context.Context, m *module, targets []*pkg) (*checker, error) {
	args := []string{"list", "-export", "-deps", "-json=ImportPath,Export"}
	for _, t := range targets {
		args = append(args, t.ImportPath)
	}
	list, err := goCommand(ctx, m.dir, args...)
	if err != nil {
		return nil, err
	}
	exports := make(map[string]string)
	for d := json.NewDecoder(strings.NewReader(list)); ; {
		var p struct{ ImportPath, Export string }
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		exports[p.ImportPath] = p.Export
	}
	c := &checker{module: m, fset: token.NewFileSet(), files: make(map[string]map[string]*ast.File)}
	c.importer = importer.ForCompiler(c.fset, "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("the go command has no export data of %s", path)
		}
		return os.Open(exports[path])
	})
	return c, nil
}

// compiling returns the first n mutants that compile.
func (c *checker) compiling(ctx context.Context, sites []site, n int) ([]site, error) {
	var found []site
	for _, s := range sites {
		if len(found) == n || ctx.Err() != nil {
			break
		}
		ok, err := c.compiles(s)
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, s)
		}
	}
	return found, ctx.Err()
}

func (c *checker) compiles(s site) (bool, error) {
	p := c.module.packages[s.pkg]
	if err := c.parse(p); err != nil {
		return false, err
	}
	source, err := os.ReadFile(c.module.path(s.file))
	if err != nil {
		return false, err
	}
	mutant, err := parser.ParseFile(c.fset, s.file, s.mutated(source), parser.SkipObjectResolution)
	if err != nil {
		return false, nil
	}
	files := []*ast.File{mutant}
	for name, tree := range c.files[s.pkg] {
		if name != filepath.Base(s.file) {
			files = append(files, tree)
		}
	}
	_, err = (&types.Config{Importer: c.importer}).Check(s.pkg, c.fset, files, nil)
	return err == nil, nil
}

// parse reads the files of a package once.
func (c *checker) parse(p *pkg) error {
	if c.files[p.ImportPath] != nil {
		return nil
	}
	c.files[p.ImportPath] = make(map[string]*ast.File)
	for _, name := range p.GoFiles {
		tree, err := parser.ParseFile(c.fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		c.files[p.ImportPath][name] = tree
	}
	return nil
}
