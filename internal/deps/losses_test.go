package deps

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// A loss knows its parts, its text and its JSON (dp.PartsOf, dp.FormatLoss,
// dp.ParseLoss), so that few places ask of which kind it is. Who does it anew will
// forget the kind that is added next.
func TestFewPlacesAskOfWhichKindALossIs(t *testing.T) {
	const most = 10
	root := filepath.Join("..", "..")
	var places []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			places = append(places, kindQuestions(t, path)...)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(places) == 0 || len(places) > most {
		t.Errorf("%d places switch on the kind of a loss, must be 1 to %d:\n%s", len(places), most, strings.Join(places, "\n"))
	}
}

// kindQuestions returns where a file has a type switch or an assertion on a kind
// of loss.
func kindQuestions(t *testing.T, path string) []string {
	t.Helper()
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var places []string
	ask := func(n ast.Node, types ...ast.Expr) {
		for _, e := range types {
			if isKind(f.Name.Name, e) {
				places = append(places, files.Position(n.Pos()).String())
				return
			}
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.TypeSwitchStmt:
			var types []ast.Expr
			for _, c := range n.Body.List {
				types = append(types, c.(*ast.CaseClause).List...)
			}
			ask(n, types...)
		case *ast.TypeAssertExpr:
			ask(n, n.Type)
		}
		return true
	})
	return places
}

func isKind(pkg string, e ast.Expr) bool {
	name := ""
	switch e := e.(type) {
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); ok && x.Name == "dp" {
			name = e.Sel.Name
		}
	case *ast.Ident:
		if pkg == "dp" {
			name = e.Name
		}
	}
	return name == "Pure" || name == "Approx" || name == "Concentrated"
}
