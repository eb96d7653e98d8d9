package deps

import (
	"go/ast"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// sources returns the files of the repository, by their path from its root.
func sources(t *testing.T) map[string]*ast.File {
	root, all := filepath.Join("..", ".."), map[string]*ast.File{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") {
			all[filepath.ToSlash(strings.TrimPrefix(path, root+string(filepath.Separator)))] = parse(t, path)
		}
		return err
	})
	if err != nil || len(all) < 100 {
		t.Fatalf("%d files: %v", len(all), err)
	}
	return all
}

// Mathematics stands once: whoever halves an interval asks internal/search, and whoever
// inverts the normal law internal/normal. A mean of two ends in a loop is what a
// bisection looks like.
//
// Two loops halve something else: internal/pld/lattice.go follows a secant of a curve, and
// halves only where that is slow; internal/ranktree/leaves.go looks in a sorted list.
func TestBisectionAndTheInverseNormalStandOnce(t *testing.T) {
	homes := map[string]map[string]bool{}
	others := map[string]bool{"internal/pld/lattice.go": true, "internal/ranktree/leaves.go": true}
	for path, f := range sources(t) {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			what := ""
			switch n := n.(type) {
			case *ast.ForStmt:
				if halves(n.Body) && !others[path] {
					what = "bisection"
				}
			case *ast.SelectorExpr:
				what = map[string]string{"Erfinv": "inverse normal", "Erfcinv": "inverse normal"}[n.Sel.Name]
			}
			if what != "" {
				if homes[what] == nil {
					homes[what] = map[string]bool{}
				}
				homes[what][path] = true
			}
			return true
		})
	}
	for what, home := range map[string]string{"bisection": "internal/search/search.go", "inverse normal": "internal/normal/inverse.go"} {
		if !homes[what][home] || len(homes[what]) != 1 {
			t.Errorf("%s: in %v, must be in %s only", what, homes[what], home)
		}
	}
}

var middle = regexp.MustCompile(`^(?i:mid|middle|half|m)$`)

// halves reports whether a loop sets something called the middle.
func halves(body *ast.BlockStmt) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		if a, ok := n.(*ast.AssignStmt); ok && len(a.Lhs) == 1 && len(a.Rhs) == 1 {
			name, isName := a.Lhs[0].(*ast.Ident)
			found = found || isName && middle.MatchString(name.Name) && takesHalf(a.Rhs[0])
		}
		return !found
	})
	return found
}

func takesHalf(e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		b, ok := n.(*ast.BinaryExpr)
		if !ok {
			return !found
		}
		by, _ := b.Y.(*ast.BasicLit)
		found = found || by != nil && (b.Op == token.QUO && by.Value == "2" || b.Op == token.SHR && by.Value == "1")
		return !found
	})
	return found
}

// Plans and dp.Calibrate ask internal/calibrate for their scales: nobody else finds a
// noise for an (ε, δ). Filters ask what an (ε, δ) is in their own currency.
func TestOnlyOnePackageCalibrates(t *testing.T) {
	solvers := regexp.MustCompile(`^(?:GaussianMu|RhoMax|FineLatticeBudget|DiscreteGaussianDelta|DiscreteLaplaceDelta)$`)
	seen := 0
	for path, f := range sources(t) {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok || !solvers.MatchString(s.Sel.Name) {
				return true
			}
			if seen++; !strings.HasPrefix(path, "internal/calibrate/") && !strings.HasPrefix(path, "internal/filter/") {
				t.Errorf("%s asks for %s", path, s.Sel.Name)
			}
			return true
		})
	}
	if seen == 0 {
		t.Error("nothing calibrates")
	}
}

// The names of tests say what holds; the codes of docs/attacks.md are in their comments.
func TestNamesOfTestsHaveNoCodes(t *testing.T) {
	code := regexp.MustCompile(`^(?:Test|Fuzz|Benchmark)[A-G]\d`)
	for path, f := range sources(t) {
		for _, d := range f.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && code.MatchString(f.Name.Name) {
				t.Errorf("%s: %s has a code in its name", path, f.Name.Name)
			}
		}
	}
}
