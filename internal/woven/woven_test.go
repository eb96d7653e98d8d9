package woven_test

import (
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"github.com/equipoise-dp/equipoise/internal/woven"
)

// versionsOf makes a version of each function of a source that has the word in its body, with another
// in its place.
func versionsOf(source, word, other string) (versions []woven.Version) {
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, "small.go", source, parser.SkipObjectResolution)
	if err != nil {
		panic(err)
	}
	for _, d := range tree.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		body := woven.BodyOf(fset, []byte(source), f)
		if at := strings.Index(source[body.Start:body.End], word); at >= 0 {
			at += body.Start
			versions = append(versions, woven.Version{Number: len(versions) + 1, Body: body, Edits: []woven.Edit{{Start: at, End: at + len(word), Text: other}}})
		}
	}
	return versions
}

func ExampleFile() {
	const source = `package small

func sign(x int) int {
	if x < 0 {
		return -1
	}
	return 1
}
`
	text, err := format.Source(woven.File([]byte(source), versionsOf(source, "<", "<=")))
	if err != nil {
		fmt.Println(err)
	}
	fmt.Printf("%s", text)
	// Output:
	// package small
	//
	// func sign(x int) int {
	// 	if versionOfAll == 1 {
	//
	// 		if x <= 0 {
	// 			return -1
	// 		}
	// 		return 1
	//
	// 	}
	//
	// 	if x < 0 {
	// 		return -1
	// 	}
	// 	return 1
	// }
}

// Whatever a function returns, and also where it has labels, which may be there once.
func TestAVersionReturnsWhatItsFunctionDoes(t *testing.T) {
	const source = `package small

func nothing() { println(1) }

func named() (x int, err error) { x = 1; return }

func labelled(n int) (x int) {
again:
	x++
	for x < n {
		goto again
	}
	return 1
}

func labels(n int) {
again:
	for 1 < n {
		continue again
	}
}
`
	text := string(woven.File([]byte(source), versionsOf(source, "1", "2")))
	if _, err := format.Source([]byte(text)); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, want := range []string{
		"func nothing() {\nif versionOfAll == 1 {\n println(2) \nreturn\n}\n println(1) }",
		"{\nif versionOfAll == 2 {\n x = 2; return \n}\n x = 1; return }",
		"{\nif versionOfAll == 3 {\nreturn func() (x int) {\nagain:",
		"{\nif versionOfAll == 4 {\nfunc() {\nagain:",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

// Edits are made whatever their order.
func TestEditsAreMadeWhereTheyAre(t *testing.T) {
	got := string(woven.Edited([]byte("one two three"), []woven.Edit{{Start: 8, End: 13, Text: "3"}, {Start: 0, End: 3, Text: "1"}}))
	if got != "1 two 3" {
		t.Errorf("%q", got)
	}
}
