package deps

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var proofLink = regexp.MustCompile(`docs/proofs/\s*(?://\s*)?([a-z0-9-]+\.md)`)

// A proof that is named in the code exists, and a proof that exists is named in
// the code.
func TestProofsAreLinked(t *testing.T) {
	root := filepath.Join("..", "..")
	linked := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range proofLink.FindAllStringSubmatch(string(text), -1) {
			linked[m[1]] = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(root, "docs", "proofs", "*.md"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no proofs found: %v", err)
	}
	there := map[string]bool{}
	for _, f := range files {
		there[filepath.Base(f)] = true
		if linked[filepath.Base(f)] == "" {
			t.Errorf("docs/proofs/%s is named in no code", filepath.Base(f))
		}
	}
	for name, path := range linked {
		if !there[name] {
			t.Errorf("%s names docs/proofs/%s, which does not exist", path, name)
		}
	}
}

// guarantees lists what sees private data: functions that take rows, exact sums or
// numbers without noise. The documentation of each must say what it guarantees,
// or that what it returns is private.
var guarantees = map[string]map[string]string{
	"dp": {
		"Noise.Add":    "It is private up to [Noise.Loss]",
		"Noise.AddAll": "together they cost [Noise.Loss]",
		"Choice.Among": "It is private up to the loss of the choice",
	},
	"aggregate/beamagg": {
		"Collect": "What is collected is exact and private, and only sealed parts leave the workers",
		"Open":    "What it returns is private",
	},
	"aggregate/sqlagg": {
		"Collect": "The sums are exact and private. Nothing about the rows can make it fail",
		"Run":     "pays, adds noise",
	},
	"aggregate": {
		"Query.Plan":    "-private as loss says",
		"Query.PlanTop": "-private as loss says",
		"Plan.Run":      "pays, adds noise",
		"Plan.RunFrom":  "pays, adds noise, keeps and releases",
		"Plan.Release":  "is private in the sense of the plan's loss",
		"Plan.Collect":  "Nothing else about the rows can make it fail",
		"Partial":       "It is private",

		"FindBounds":          "It is as private as loss says",
		"BoundsPlan.Run":      "returns is private in the sense of the loss",
		"FoundBounds.Release": "what was released",

		"Partial.Seal":      "nobody else learns more",
		"Plan.Open":         "is an error that tells nothing private",
		"Plan.OpenParts":    "Each counts once",
		"placing.Collect":   "It bounds whatever it is given",
		"Plan.Collector":    "Rows of units of other shards are left out",
		"Collector.Add":     "and for nothing else",
		"Plan.CollectShard": "Nothing else about the rows can make it fail",
	},
}

func TestWhatSeesDataSaysWhatItGuarantees(t *testing.T) {
	for pkg, wants := range guarantees {
		docs := docsOf(t, filepath.Join("..", "..", pkg))
		for name, sentence := range wants {
			if doc := strings.Join(strings.Fields(docs[name]), " "); !strings.Contains(doc, sentence) {
				t.Errorf("%s.%s must say %q; its documentation is %q", pkg, name, sentence, doc)
			}
		}
		for name := range docs {
			if _, known := wants[name]; seesData(name) && !known {
				t.Errorf("%s.%s seems to see private data and is not in the list of guarantees", pkg, name)
			}
		}
	}
}

// seesData finds new methods by their names: whatever adds noise, collects,
// releases or runs.
func seesData(name string) bool {
	_, method, ok := strings.Cut(name, ".")
	for _, prefix := range []string{"Add", "Collect", "Release", "Run", "Seal", "Open"} {
		if ok && strings.HasPrefix(method, prefix) {
			return true
		}
	}
	return false
}

// docsOf returns the documentation of the exported functions, methods and types.
func docsOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s: %v", dir, err)
	}
	docs := map[string]string{}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range f.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() {
					docs[receiver(d)+d.Name.Name] = d.Doc.Text()
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if s, ok := spec.(*ast.TypeSpec); ok {
						docs[s.Name.Name] = d.Doc.Text() + s.Doc.Text()
					}
				}
			}
		}
	}
	return docs
}

func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	x := d.Recv.List[0].Type
	for {
		switch e := x.(type) {
		case *ast.StarExpr:
			x = e.X
		case *ast.IndexExpr:
			x = e.X
		case *ast.IndexListExpr:
			x = e.X
		case *ast.Ident:
			return e.Name + "."
		default:
			return ""
		}
	}
}
