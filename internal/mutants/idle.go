package main

import (
	"go/ast"
	"go/token"
	"strconv"
)

// sizes marks what a call is given for speed alone, so that no test can tell it from
// another number: the capacity of a slice, and how large a map is expected to be.
func (f *finder) sizes(c *ast.CallExpr) {
	if name, ok := c.Fun.(*ast.Ident); !ok || name.Name != "make" {
		return
	}
	switch _, isMap := c.Args[0].(*ast.MapType); {
	case len(c.Args) == 3:
		f.idle[c.Args[2]] = true
	case isMap && len(c.Args) == 2:
		f.idle[c.Args[1]] = true
	}
}

// signs marks the sign of an infinity: of math.Inf every number from 0 on is the same,
// and of math.IsInf every number above 0 is, so that only its 0 is a change.
func (f *finder) signs(c *ast.CallExpr) {
	function := f.text(c.Fun)
	if function != "math.Inf" && function != "math.IsInf" {
		return
	}
	sign, ok := c.Args[len(c.Args)-1].(*ast.BasicLit)
	if !ok || sign.Value != "1" || sign.Kind != token.INT {
		return
	}
	f.idle[sign] = true
	if function == "math.IsInf" {
		f.add(sign.Pos(), sign.End(), "(1-1)", "the constant is one less")
	}
}

// isHuge reports whether a float is so large that one more or less is the same float.
func isHuge(l *ast.BasicLit) bool {
	x, err := strconv.ParseFloat(l.Value, 64)
	return l.Kind == token.FLOAT && err == nil && x+1 == x && x-1 == x
}
