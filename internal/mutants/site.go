package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/equipoise-dp/equipoise/internal/woven"
)

// A site is one mutant: a place in a file and what stands there instead.
type site struct {
	pkg        string // import path
	name       string // of the package
	file       string // from the root of the module
	function   string
	line       int
	reached    int // the line that tests must run: that of the switch, for what a case asks
	start, end int // bytes of the file
	text       string
	change     string // in a word
	body       woven.Body

	before, after string // the line
}

// declared reports whether the mutant is of a constant or a variable of the
// package, which the coverage of lines does not see.
func (s site) declared() bool { return s.function == "const" || s.function == "var" }

// String returns the mutant as it is reported.
func (s site) String() string {
	return fmt.Sprintf("%s:%d %s: %s\n\t- %s\n\t+ %s", s.file, s.line, s.function, s.change, s.before, s.after)
}

// sitesOf returns all mutants of the packages.
func sitesOf(m *module, packages []*pkg) ([]site, error) {
	var all []site
	for _, p := range packages {
		for _, name := range p.GoFiles {
			path := filepath.Join(p.Dir, name)
			source, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			file, err := filepath.Rel(m.dir, path)
			if err != nil {
				return nil, err
			}
			sites, err := sitesOfFile(p.ImportPath, filepath.ToSlash(file), source)
			if err != nil {
				return nil, err
			}
			all = append(all, sites...)
		}
	}
	return all, nil
}

// shuffled returns the mutants in an order that the seed decides. The place of a
// mutant among the others depends on its own text only, so that a change of one
// line leaves the choice of all others as it is.
func shuffled(sites []site, seed int64, only string) []site {
	rank := func(s site) uint64 {
		h := sha256.Sum256(fmt.Appendf(nil, "%d\n%s\n%s\n%s\n%s", seed, s.file, s.function, s.before, s.after))
		return binary.BigEndian.Uint64(h[:])
	}
	sites = slices.DeleteFunc(slices.Clone(sites), func(s site) bool { return !strings.Contains(s.file, only) })
	slices.SortStableFunc(sites, func(a, b site) int { return cmp.Compare(rank(a), rank(b)) })
	return sites
}

// A finder walks a file.
type finder struct {
	pkg, file string
	source    []byte
	fset      *token.FileSet
	name      string
	function  string
	body      woven.Body
	fails     bool // the function returns an error
	idle      map[ast.Node]bool
	cases     []question
	sites     []site
}

// A question is what a case asks, which is run where its switch is, and whatever the
// answer.
type question struct {
	start, end token.Pos
	line       int // of the switch
}

// questionsOf notes what the cases of a function ask.
func (f *finder) questionsOf(d *ast.FuncDecl) {
	f.cases = nil
	ast.Inspect(d.Body, func(n ast.Node) bool {
		s, ok := n.(*ast.SwitchStmt)
		if !ok {
			return true
		}
		for _, c := range s.Body.List {
			for _, x := range c.(*ast.CaseClause).List {
				f.cases = append(f.cases, question{x.Pos(), x.End(), f.fset.Position(s.Switch).Line})
			}
		}
		return true
	})
}

// reached returns the line that runs what stands at a place.
func (f *finder) reached(start, end token.Pos) int {
	line := f.fset.Position(start).Line
	for _, c := range f.cases {
		if c.start <= start && end <= c.end {
			line = c.line // the innermost comes last
		}
	}
	return line
}

func sitesOfFile(pkg, file string, source []byte) ([]site, error) {
	f := &finder{pkg: pkg, file: file, source: source, fset: token.NewFileSet(), idle: make(map[ast.Node]bool)}
	tree, err := parser.ParseFile(f.fset, file, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	f.name = tree.Name.Name
	for _, d := range tree.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Body == nil {
				continue
			}
			f.function, f.fails, f.body = nameOf(d), returnsError(d.Type.Results), woven.BodyOf(f.fset, source, d)
			f.questionsOf(d)
			ast.Inspect(d.Body, f.visit)
		case *ast.GenDecl:
			if d.Tok == token.CONST || d.Tok == token.VAR {
				f.function, f.fails, f.body, f.cases = d.Tok.String(), false, woven.Body{}, nil
				ast.Inspect(d, f.visit)
			}
		}
	}
	return f.sites, nil
}

func returnsError(results *ast.FieldList) bool {
	if results == nil || len(results.List) == 0 {
		return false
	}
	last, ok := results.List[len(results.List)-1].Type.(*ast.Ident)
	return ok && last.Name == "error"
}

func nameOf(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return d.Name.Name
	}
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name + "." + d.Name.Name
		default:
			return d.Name.Name
		}
	}
}

// add notes a mutant, if it changes one line only.
func (f *finder) add(start, end token.Pos, text, change string) {
	from, to := f.fset.Position(start), f.fset.Position(end)
	if from.Line != to.Line || string(f.source[from.Offset:to.Offset]) == text {
		return
	}
	lineStart := strings.LastIndexByte(string(f.source[:from.Offset]), '\n') + 1
	lineEnd := len(f.source)
	if n := strings.IndexByte(string(f.source[to.Offset:]), '\n'); n >= 0 {
		lineEnd = to.Offset + n
	}
	f.sites = append(f.sites, site{
		pkg: f.pkg, name: f.name, body: f.body, file: f.file, function: f.function, line: from.Line, reached: f.reached(start, end), start: from.Offset, end: to.Offset, text: text, change: change,
		before: strings.TrimSpace(string(f.source[lineStart:lineEnd])),
		after:  strings.TrimSpace(string(f.source[lineStart:from.Offset]) + text + string(f.source[to.Offset:lineEnd])),
	})
}

func (s site) edit() woven.Edit { return woven.Edit{Start: s.start, End: s.end, Text: s.text} }

// mutated returns the source with the change in it.
func (s site) mutated(source []byte) []byte { return woven.Edited(source, []woven.Edit{s.edit()}) }
