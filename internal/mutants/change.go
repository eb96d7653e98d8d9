package main

import (
	"go/ast"
	"go/token"
	"strings"
)

// others says which operator takes the place of another.
var others = map[token.Token]token.Token{
	token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR, token.EQL: token.NEQ, token.NEQ: token.EQL,
	token.ADD: token.SUB, token.SUB: token.ADD, token.MUL: token.QUO, token.QUO: token.MUL, token.REM: token.QUO,
	token.AND: token.OR, token.OR: token.AND, token.XOR: token.AND, token.SHL: token.SHR, token.SHR: token.SHL,
	token.LAND: token.LOR, token.LOR: token.LAND,
	token.ADD_ASSIGN: token.SUB_ASSIGN, token.SUB_ASSIGN: token.ADD_ASSIGN, token.MUL_ASSIGN: token.QUO_ASSIGN, token.QUO_ASSIGN: token.MUL_ASSIGN,
	token.OR_ASSIGN: token.AND_ASSIGN, token.AND_ASSIGN: token.OR_ASSIGN, token.SHL_ASSIGN: token.SHR_ASSIGN, token.SHR_ASSIGN: token.SHL_ASSIGN,
	token.XOR_ASSIGN: token.AND_ASSIGN,
	token.INC:        token.DEC, token.DEC: token.INC,
	token.BREAK: token.CONTINUE, token.CONTINUE: token.BREAK,
}

// names that take the place of others.
var otherNames = map[string]string{"min": "max", "max": "min", "true": "false", "false": "true"}

// visit finds the mutants of one node.
func (f *finder) visit(n ast.Node) bool {
	if f.idle[n] {
		return false
	}
	switch n := n.(type) {
	case *ast.BinaryExpr:
		f.swap(n.OpPos, n.Op)
	case *ast.IfStmt:
		f.condition(n.Cond)
	case *ast.ForStmt:
		if n.Cond != nil {
			f.add(n.Cond.Pos(), n.Cond.End(), "("+f.text(n.Cond)+") && false", "the loop never runs")
		}
	case *ast.IncDecStmt:
		f.swap(n.TokPos, n.Tok)
		f.drop(n)
	case *ast.AssignStmt:
		f.swap(n.TokPos, n.Tok)
		if n.Tok != token.DEFINE {
			f.drop(n)
		}
	case *ast.ExprStmt:
		f.drop(n)
	case *ast.DeferStmt:
		f.drop(n)
	case *ast.BranchStmt:
		if n.Label == nil {
			f.swap(n.TokPos, n.Tok)
		}
	case *ast.ReturnStmt:
		f.results(n)
	case *ast.BasicLit:
		f.constant(n)
	case *ast.Ident:
		if other := otherNames[n.Name]; other != "" {
			f.add(n.Pos(), n.End(), other, other+" for "+n.Name)
		}
	case *ast.CallExpr:
		f.sizes(n)
		f.signs(n)
		f.arguments(n)
	case *ast.UnaryExpr:
		if n.Op == token.NOT || n.Op == token.SUB {
			f.add(n.OpPos, n.X.Pos(), "", "without "+n.Op.String())
		}
	case *ast.ImportSpec, *ast.Field: // tags and paths
		return false
	}
	return true
}

func (f *finder) text(n ast.Node) string {
	return string(f.source[f.fset.Position(n.Pos()).Offset:f.fset.Position(n.End()).Offset])
}

func (f *finder) swap(at token.Pos, op token.Token) {
	if other, ok := others[op]; ok {
		f.add(at, at+token.Pos(len(op.String())), other.String(), other.String()+" for "+op.String())
	}
}

func (f *finder) condition(c ast.Expr) {
	f.add(c.Pos(), c.End(), "!("+f.text(c)+")", "the condition is negated")
	f.add(c.Pos(), c.End(), "("+f.text(c)+") && false", "the branch is never taken")
}

func (f *finder) drop(s ast.Stmt) { f.add(s.Pos(), s.End(), "", "the statement is dropped") }

// results lets errors go unsaid.
func (f *finder) results(r *ast.ReturnStmt) {
	if len(r.Results) == 0 || !f.fails {
		return
	}
	if last := r.Results[len(r.Results)-1]; f.text(last) != "nil" {
		f.add(last.Pos(), last.End(), "nil", "nil is returned")
	}
}

// constant changes a number.
func (f *finder) constant(l *ast.BasicLit) {
	if l.Kind == token.INT || l.Kind == token.FLOAT {
		one := !isHuge(l)
		if one {
			f.add(l.Pos(), l.End(), "("+l.Value+"+1)", "the constant is one more")
		}
		if one && strings.Trim(l.Value, "0") != "" {
			f.add(l.Pos(), l.End(), "("+l.Value+"-1)", "the constant is one less")
		}
		if l.Kind == token.FLOAT && strings.Trim(l.Value, "0.") != "" {
			f.add(l.Pos(), l.End(), "("+l.Value+"*2)", "the constant is twice as large")
		}
	}
}

// arguments passes 0 instead of what is passed.
func (f *finder) arguments(c *ast.CallExpr) {
	for _, a := range c.Args {
		if _, literal := a.(*ast.BasicLit); literal || f.idle[a] {
			continue
		}
		f.add(a.Pos(), a.End(), "0", "an argument is 0")
	}
}
