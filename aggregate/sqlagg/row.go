package sqlagg

import (
	"fmt"
	"math"
)

// A Row is a row of a [Source]. What is in it is read by the functions that [Int], [Float] and
// [Text] return. A query's own functions may give what these return other types and put it into
// structs, and do nothing else: computing belongs into the statement of the source.
type Row struct{ *cells }

// Int returns a function that reads a column of integers. A NULL is 0 as a value; a unit or
// a group that is NULL drops the row.
func Int(column string) func(Row) int64 {
	return func(r Row) int64 { return r.int(place{column, whole}) }
}

// Float returns a function that reads a column of numbers. A NULL is NaN.
func Float(column string) func(Row) float64 {
	return func(r Row) float64 { return r.float(place{column, double}) }
}

// Text returns a function that reads a column of texts. Texts are the same if their bytes are,
// whatever the collation of the column.
func Text(column string) func(Row) string {
	return func(r Row) string { return r.text(place{column, text}) }
}

// A place is a column, and how it is read.
type place struct {
	column string
	kind   kind
}

func (p place) String() string { return fmt.Sprintf("%s(%q)", kindNames[p.kind], p.column) }

// cells are a row that was read, or one that was made up to see what a function reads.
type cells struct {
	at     map[place]int
	ints   []int64
	floats []float64
	texts  []string

	probe   *probe
	strange bool // a column was asked for that no probe asked for
}

func (c *cells) find(p place) (int, bool) {
	i, ok := c.at[p]
	c.strange = c.strange || !ok
	return i, ok
}

func (c *cells) int(p place) int64 {
	if c.probe != nil {
		return c.probe.int(p)
	}
	if i, ok := c.find(p); ok {
		return c.ints[i]
	}
	return 0
}

func (c *cells) float(p place) float64 {
	if c.probe != nil {
		return c.probe.float(p)
	}
	if i, ok := c.find(p); ok {
		return c.floats[i]
	}
	return math.NaN()
}

func (c *cells) text(p place) string {
	if c.probe != nil {
		return c.probe.text(p)
	}
	if i, ok := c.find(p); ok {
		return c.texts[i]
	}
	return ""
}

// A probe makes up what is in a row, and remembers what was asked for.
type probe struct {
	seed   int
	amount bool    // the column is of a value, so that all numbers are
	value  float64 // this one
	asked  []place
}

// index returns which of the columns it is, in the order of asking.
func (b *probe) index(p place) int {
	for i, a := range b.asked {
		if a == p {
			return i
		}
	}
	b.asked = append(b.asked, p)
	return len(b.asked) - 1
}

// Numbers that no function returns by chance: they need 64 bits, and have either sign.
var oddNumbers = []int64{0x3a5c_91e7_24b8_6d0f, -0x5b13_c0de_77a1_9e45, 0, 1, -1, math.MaxInt64, math.MinInt64}

// Texts that a function would change which trims, folds or parses.
var oddTexts = []string{" Übung\tAB ", "ß", "", "0017", "ǅ'\"`;--", "ab\u0301 ", "\u00c5 \u212b"}

// rounds is how many rows are made up.
const rounds = 7

func (b *probe) int(p place) int64 {
	i := b.index(p)
	if b.amount {
		return int64(min(max(b.value, -1<<62), 1<<62))
	}
	return oddNumbers[b.seed] ^ int64(i+1)<<40 // another one for each column
}

func (b *probe) text(p place) string { return fmt.Sprint(oddTexts[b.seed], b.index(p), " ") }

func (b *probe) float(p place) float64 {
	b.index(p)
	return b.value
}
