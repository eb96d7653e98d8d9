// Package woven makes one build of a program serve as many versions of it: each
// function that differs begins with a copy of its body for every version of it, taken
// where that version is the one that [Switch] names. What tests planted mistakes
// builds one program in place of hundreds.
package woven

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"slices"
)

// Switch is the variable of the environment that says which version a woven
// program is. Without it the program is the one that was written.
const Switch = "EQUIPOISE_MUTANT"

// A Body is the block of a function: where it begins, after its brace, and ends,
// before the other one, in bytes of the file.
type Body struct {
	Start, End int
	results    string // as written
	labels     bool   // it has some, which a function may have once
}

// BodyOf returns the body of a function that has one.
func BodyOf(fset *token.FileSet, source []byte, d *ast.FuncDecl) Body {
	at := func(p token.Pos) int { return fset.Position(p).Offset }
	b := Body{Start: at(d.Body.Lbrace) + 1, End: at(d.Body.Rbrace)}
	if r := d.Type.Results; r != nil {
		b.results = string(source[at(r.Pos()):at(r.End())])
	}
	ast.Inspect(d.Body, func(n ast.Node) bool {
		_, label := n.(*ast.LabeledStmt)
		b.labels = b.labels || label
		return true
	})
	return b
}

// An Edit is what stands in place of some bytes of a file.
type Edit struct {
	Start, End int
	Text       string
}

// A Version is the edits of one version within one body; a version of several
// bodies has one for each.
type Version struct {
	Number int // from 1 on
	Body   Body
	Edits  []Edit
}

// File returns a file with all versions in it.
func File(source []byte, versions []Version) []byte {
	versions = slices.Clone(versions)
	slices.SortStableFunc(versions, func(a, b Version) int {
		return cmp.Or(cmp.Compare(a.Body.Start, b.Body.Start), cmp.Compare(a.Number, b.Number))
	})
	var out []byte
	done := 0
	for _, v := range versions {
		out, done = append(out, source[done:v.Body.Start]...), v.Body.Start
		out = append(out, v.branch(source)...)
	}
	return append(out, source[done:]...)
}

// branch returns the statement that stands for a version at the start of its
// function. A body with labels becomes a function of its own; others do not, since
// what a function captures moves to the heap.
func (v Version) branch(source []byte) string {
	text := string(Edited(source[:v.Body.End], v.Edits)[v.Body.Start:])
	switch {
	case v.Body.labels && v.Body.results != "":
		text = fmt.Sprintf("return func() %s {%s}()", v.Body.results, text)
	case v.Body.labels:
		text = fmt.Sprintf("func() {%s}()\nreturn", text)
	case v.Body.results == "":
		text += "\nreturn"
	}
	return fmt.Sprintf("\nif versionOfAll == %d {\n%s\n}\n", v.Number, text)
}

// Edited returns a source with edits in it that do not overlap.
func Edited(source []byte, edits []Edit) []byte {
	edits = slices.Clone(edits)
	slices.SortFunc(edits, func(a, b Edit) int { return cmp.Compare(a.Start, b.Start) })
	var out bytes.Buffer
	done := 0
	for _, e := range edits {
		out.Write(source[done:e.Start])
		out.WriteString(e.Text)
		done = e.End
	}
	out.Write(source[done:])
	return out.Bytes()
}

// Chooser returns a file that every package with versions needs one of.
func Chooser(pkg string) []byte {
	return fmt.Appendf(nil, "package %s\n\nimport (\n\"os\"\n\"strconv\"\n)\n\nvar versionOfAll, _ = strconv.Atoi(os.Getenv(%q))\n", pkg, Switch)
}

// WriteOverlay writes what the go command reads as -overlay: which files take the
// place of which.
func WriteOverlay(to string, replace map[string]string) error {
	text, err := json.Marshal(map[string]map[string]string{"Replace": replace})
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o600)
}
