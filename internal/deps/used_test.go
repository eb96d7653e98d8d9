package deps

import (
	"go/ast"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// implicit are methods that are called through interfaces of the standard library,
// where their names are not written.
var implicit = []string{
	"Error", "Format", "GoString", "LogValue", "MarshalJSON", "MarshalText", "String", "Unwrap", "UnmarshalJSON",
}

// What a public package exports is used by an example, a test or another package. What is
// seen of a use is its name, also where something else has the same name.
func TestExportedNamesAreUsed(t *testing.T) {
	used := map[string]map[string]bool{} // by name: the folders of uses; "" is a test
	forEachFile(t, func(path string) {
		dir := filepath.ToSlash(filepath.Dir(path))
		if strings.HasSuffix(path, "_test.go") {
			dir = ""
		}
		for name := range mentioned(parse(t, path)) {
			if used[name] == nil {
				used[name] = map[string]bool{}
			}
			used[name][dir] = true
		}
	})
	seen := 0
	for _, pkg := range publicPackages {
		for _, name := range exported(t, pkg) {
			seen++
			short := name[strings.LastIndex(name, ".")+1:]
			elsewhere := len(used[short]) > 1 || len(used[short]) == 1 && !used[short]["../../"+pkg]
			if !elsewhere && !slices.Contains(implicit, short) {
				t.Errorf("%s: %s is used by no example, no test and no other package", pkg, name)
			}
		}
	}
	if seen < 400 {
		t.Errorf("only %d exported names were seen", seen)
	}
}

// forEachFile calls f with every Go file of this module and of the modules nested in it.
func forEachFile(t *testing.T, f func(path string)) {
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".go") {
			f(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// mentioned returns the names in a file that are not those of its own declarations.
func mentioned(f *ast.File) map[string]bool {
	names, own := map[string]bool{}, map[token.Pos]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			own[n.Name.Pos()] = true
		case *ast.TypeSpec:
			own[n.Name.Pos()] = true
		case *ast.ValueSpec:
			for _, name := range n.Names {
				own[name.Pos()] = true
			}
		case *ast.Field:
			for _, name := range n.Names {
				own[name.Pos()] = true
			}
		case *ast.Ident:
			if n.IsExported() && !own[n.Pos()] {
				names[n.Name] = true
			}
		}
		return true
	})
	return names
}

// exported returns the functions, constants and variables that a package exports, and the
// fields and methods T.F of its types. A type is of use if what has it is.
func exported(t *testing.T, pkg string) (names []string) {
	files, err := filepath.Glob(filepath.Join("../..", pkg, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s has %d files, %v", pkg, len(files), err)
	}
	add := func(of string, idents ...*ast.Ident) {
		for _, id := range idents {
			if id.IsExported() {
				names = append(names, of+id.Name)
			}
		}
	}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		for _, d := range parse(t, path).Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if of := typeOf(d); of == "" || ast.IsExported(of) {
					add(of, d.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch spec := spec.(type) {
					case *ast.ValueSpec:
						add("", spec.Names...)
					case *ast.TypeSpec:
						for _, field := range fields(spec) {
							add(spec.Name.Name+".", field.Names...)
						}
					}
				}
			}
		}
	}
	return names
}

// typeOf returns the name of a method's type with a dot, or nothing.
func typeOf(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	x := d.Recv.List[0].Type
	for {
		switch y := x.(type) {
		case *ast.StarExpr:
			x = y.X
		case *ast.IndexExpr:
			x = y.X
		case *ast.IndexListExpr:
			x = y.X
		case *ast.Ident:
			return y.Name + "."
		default:
			return ""
		}
	}
}

// fields returns the fields of a struct or the methods of an interface that is exported.
func fields(spec *ast.TypeSpec) []*ast.Field {
	if !spec.Name.IsExported() {
		return nil
	}
	switch x := spec.Type.(type) {
	case *ast.StructType:
		return x.Fields.List
	case *ast.InterfaceType:
		return x.Methods.List
	}
	return nil
}
