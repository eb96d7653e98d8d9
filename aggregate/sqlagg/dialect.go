package sqlagg

import (
	"strconv"
	"strings"
)

// A Dialect knows how a database spells what the statement needs. What it must do, beside
// being spelled so, is in docs/proofs/sql.md, and package sqlaggtest tries it.
type Dialect struct {
	name  string
	quote func(name string) string

	// param is a parameter, of which there are n so far; of a type where the database asks for one.
	param func(n int) string

	// column is a column as the kind that is asked for, or "" if its type cannot be that
	// for certain. Whatever is in a row, it does not fail; what is not of the kind is NULL.
	// Texts compare by their bytes.
	column func(k kind, typeName, x string) string

	// types is the type of each kind, for CAST.
	types map[kind]string

	// hash is a hash of texts that nobody predicts who does not know the first of them. A
	// dialect has none, and random instead, where a statement is one run in one process.
	hash   func(parts []string) string
	random string

	isNaN  func(x string) string // "" where there is no NaN
	floor  func(x string) string // of a double, as an integer of 64 bits
	number func(x float64) string
	least  string // of two numbers that are not NULL
	most   string
	divide func(x, y string) string // of integers that are not negative, rounded down

	// high and low are the halves of an integer: x = high·2^31 + low, and low in [0, 2^31).
	high, low func(x string) string

	// whole is the sum of integers of a unit in a group as an integer of 64 bits. Beyond
	// ±2^61 it is anything beyond, of the same sign.
	whole func(x string) string

	// given is a table of texts and integers, c0 and so on, from a parameter: a JSON array of arrays.
	given func(param string, kinds []kind) string

	materialized string // what makes a table of a WITH be computed once
	server       string // what ends a statement when its context ends, for Explain
}

// String returns the name of the database.
func (d *Dialect) String() string { return d.name }

// A kind is how a column is read.
type kind int

const (
	whole kind = 1 + iota
	double
	text
)

var kindNames = map[kind]string{whole: "Int", double: "Float", text: "Text"}

// quoteBy returns a function that quotes names, which may have the mark in them.
func quoteBy(mark string) func(string) string {
	return func(name string) string { return mark + strings.ReplaceAll(name, mark, mark+mark) + mark }
}

// cast returns x as the type of a kind.
func (d *Dialect) cast(k kind, x string) string { return "CAST(" + x + " AS " + d.types[k] + ")" }

// two returns f(x, y).
func two(f, x, y string) string { return f + "(" + x + ", " + y + ")" }

// integer writes an integer: in brackets, so that no minus meets another.
func integer(x int64) string { return "(" + strconv.FormatInt(x, 10) + ")" }

// digits writes a float so that a database reads the same: with 17 digits, and an exponent,
// which keeps it from being an integer or a decimal.
func digits(x float64) string { return "(" + strconv.FormatFloat(x, 'e', 16, 64) + ")" }
