package sqlagg

import (
	"fmt"
	"strings"
)

// A statement is what a plan asks of a database: one statement, so that all of it sees the same rows.
// Why what it returns is what Collect would, and caps hold whatever the hash: docs/proofs/sql.md.
type statement struct {
	d       *Dialect
	source  string // a SELECT
	columns map[place]string
	*binding
	gauges             []gauge
	maxGroups, maxRows int
	cutsRows           bool // which rows are kept matters, and may be chosen
	cutsGroups         bool
	people             bool
	given              string // JSON, or "" if all groups are read

	tables []string
	args   []any
}

// A secretArg stands for the secret among parameters, until the statement is run.
type secretArg struct{}

// param adds a parameter. They must be added in the order in which they stand in the text.
func (s *statement) param(arg any) string {
	s.args = append(s.args, arg)
	return s.d.param(len(s.args))
}

// table adds a table to the WITH of the statement.
func (s *statement) table(name, text string) { s.tables = append(s.tables, name+" AS ("+text+")") }

// once adds a table that is computed once: what is chosen in it must not be chosen anew.
func (s *statement) once(name, text string) {
	s.tables = append(s.tables, name+" AS "+s.d.materialized+"("+text+")")
}

// names returns column names of a list: u0, u1 and so on.
func names(letter string, n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("%s%d", letter, i))
	}
	return all
}

func (s *statement) units() []string   { return names("u", len(s.unit)) }
func (s *statement) groups() []string  { return names("g", len(s.group)) }
func (s *statement) numbers() []string { return names("x", len(s.values)) }

// each returns one text for each value.
func (s *statement) each(wanted func(*gauge) bool, f func(*gauge) string) (all []string) {
	for i := range s.gauges {
		if g := &s.gauges[i]; wanted(g) {
			all = append(all, f(g))
		}
	}
	return all
}

func rowFloats(g *gauge) bool  { return !g.PerUnit && !g.Integer }
func unitFloats(g *gauge) bool { return g.PerUnit && !g.Integer }
func perRow(g *gauge) bool     { return !g.PerUnit }
func perUnit(g *gauge) bool    { return g.PerUnit }
func doubtful(g *gauge) bool   { return !g.Integer && (g.PerUnit || !g.exact) }

// doubts reports whether there may be units that the database cannot decide.
func (s *statement) doubts() bool {
	return len(s.each(doubtful, func(*gauge) string { return "" })) > 0
}

func list(parts ...[]string) string {
	var all []string
	for _, p := range parts {
		all = append(all, p...)
	}
	return strings.Join(all, ", ")
}

func as(expression, name string) string { return expression + " AS " + name }

func one(s string) []string { return []string{s} }

// write writes the statement.
func (s *statement) write() string {
	s.table("source", s.source)
	s.typed()
	s.chooseRows()
	s.placeRows()
	s.addUp()
	s.chooseGroups()
	s.placeUnits()
	return "WITH " + strings.Join(s.tables, ",\n") + "\n" + strings.Join(s.results(), "\nUNION ALL\n")
}

// typed names columns and leaves out rows without a unit or a group, or of a group that is not given.
func (s *statement) typed() {
	var columns, there []string
	add := func(letter string, places []place) {
		for i, name := range names(letter, len(places)) {
			columns = append(columns, as(s.columns[places[i]], name))
			if letter != "x" {
				there = append(there, name+" IS NOT NULL")
			}
		}
	}
	add("u", s.unit)
	add("g", s.group)
	add("x", s.values)
	s.table("typed", "SELECT "+list(columns)+" FROM source AS t")
	from := "typed"
	if s.given != "" {
		var kinds []kind
		var same []string
		for i, p := range s.group {
			kinds = append(kinds, p.kind)
			same = append(same, fmt.Sprintf("g%d = c%d", i, i))
		}
		s.table("given", s.d.given(s.param(s.given), kinds)) // joined, since there may be millions
		from += " JOIN given ON " + strings.Join(same, " AND ")
	}
	s.table("there", "SELECT "+list(s.units(), s.groups(), s.numbers())+" FROM "+from+" WHERE "+strings.Join(there, " AND "))
}

// choice is an order that is as good as random.
func (s *statement) choice(what string, by ...[]string) string {
	if s.d.hash == nil {
		return s.d.random
	}
	parts := []string{s.param(secretArg{}), "'" + what + "'"}
	for _, names := range by {
		parts = append(parts, names...)
	}
	return s.d.hash(parts)
}

// chooseRows keeps so many rows of a unit in a group. Equal rows are numbered first: a choice by content alone keeps all
// of them or none. Where the hash collides, what breaks the tie is in the row too.
func (s *statement) chooseRows() {
	if !s.cutsRows {
		s.once("kept", "SELECT * FROM there")
		return
	}
	own := list(s.units(), s.groups())
	from, tie := "there", ""
	if s.d.hash != nil {
		s.table("twins", "SELECT r.*, row_number() OVER (PARTITION BY "+list(one(own), s.numbers())+" ORDER BY "+s.units()[0]+") AS twin FROM there AS r")
		from, tie = "twins", ", twin"
	}
	var by [][]string
	if tie != "" {
		by = [][]string{s.units(), s.groups(), s.numbers(), {"twin"}}
	}
	s.once("ranked", "SELECT r.*, row_number() OVER (PARTITION BY "+own+" ORDER BY "+s.choice("row", by...)+tie+") AS place FROM "+from+" AS r")
	s.once("kept", "SELECT "+list(s.units(), s.groups(), s.numbers())+" FROM ranked WHERE place <= "+fmt.Sprint(s.maxRows))
}

// placeRows puts rows on the grids of values per row, and says which terms of sums per unit are.
func (s *statement) placeRows() {
	s.table("scaled", "SELECT r.*"+prefixed(s.each(rowFloats, func(g *gauge) string { return as(g.steps(), g.col("y")) }))+" FROM kept AS r")
	s.table("floored", "SELECT r.*"+prefixed(s.each(rowFloats, func(g *gauge) string { return as(s.d.floor(g.col("y")), g.col("f")) }))+" FROM scaled AS r")
	points := s.each(perRow, func(g *gauge) string { return as(g.rowPoint(), g.col("p")) })
	terms := s.each(unitFloats, func(g *gauge) string { return as(g.term(), g.col("c")) })
	unsure := s.each(doubtful, func(g *gauge) string {
		if g.PerUnit {
			return g.termUnsure()
		}
		return g.rowUnsure()
	})
	s.table("placed", "SELECT r.*"+prefixed(points, terms, one(as(either(unsure), "doubt")))+" FROM floored AS r")
}

// prefixed returns a list that goes on.
func prefixed(parts ...[]string) string {
	if l := list(parts...); l != "" {
		return ", " + l
	}
	return ""
}

// either is 1 where one of the conditions holds, and else 0.
func either(conditions []string) string {
	if len(conditions) == 0 {
		return "0"
	}
	return "CASE WHEN (" + strings.Join(conditions, ") OR (") + ") THEN 1 ELSE 0 END"
}

// addUp adds up what a unit has in a group.
func (s *statement) addUp() {
	n := "count(*)"
	if !s.cutsRows {
		n = fmt.Sprintf("CASE WHEN count(*) > %d THEN %d ELSE count(*) END", s.maxRows, s.maxRows)
	}
	var sums []string
	for i := range s.gauges {
		g := &s.gauges[i]
		switch {
		case g.PerUnit && g.Integer:
			sums = append(sums, as(s.d.whole("coalesce("+g.col("x")+", 0)"), g.col("t")))
		case g.PerUnit:
			sums = append(sums, as("sum("+g.col("c")+")", g.col("t")), as("sum(abs("+g.col("c")+"))", g.col("a")))
		default:
			sums = append(sums, s.sums(g)...)
		}
	}
	own := list(s.units(), s.groups())
	s.table("summed", "SELECT "+own+", "+list(one(as(n, "n")), sums, one(as("max(doubt)", "doubt")))+" FROM placed GROUP BY "+own)
}

// sums are those of the points of a unit's rows that are needed. They fit in 61 bits.
func (s *statement) sums(g *gauge) (all []string) {
	if g.Sums {
		all = append(all, as(s.d.cast(whole, "sum("+g.col("p")+")"), g.col("s")))
	}
	if g.Squares {
		all = append(all, as(s.d.cast(whole, "sum("+g.col("p")+" * "+g.col("p")+")"), g.col("q")))
	}
	return all
}

// chooseGroups keeps so many groups of a unit, by a hash of the group or, if it collides, the group.
func (s *statement) chooseGroups() {
	if !s.cutsGroups {
		s.once("chosen", "SELECT * FROM summed")
		return
	}
	var by [][]string
	tie := ""
	if s.d.hash != nil {
		by, tie = [][]string{s.units(), s.groups()}, ", "+list(s.groups())
	}
	s.once("turns", "SELECT r.*, row_number() OVER (PARTITION BY "+list(s.units())+" ORDER BY "+s.choice("group", by...)+tie+") AS turn FROM summed AS r")
	s.once("chosen", "SELECT * FROM turns WHERE turn <= "+fmt.Sprint(s.maxGroups))
}

// placeUnits puts the sums of units on the grids of values per unit.
func (s *statement) placeUnits() {
	s.table("judged", "SELECT r.*"+prefixed(s.each(unitFloats, func(g *gauge) string { return as(g.sumError(), g.col("e")) }))+" FROM chosen AS r")
	s.table("unitsteps", "SELECT r.*"+prefixed(s.each(unitFloats, func(g *gauge) string { return as(g.sumSteps(), g.col("y")) }))+" FROM judged AS r")
	s.table("unitfloors", "SELECT r.*"+prefixed(s.each(unitFloats, func(g *gauge) string { return as(s.d.floor(g.col("y")), g.col("f")) }))+" FROM unitsteps AS r")
	points := s.each(perUnit, func(g *gauge) string { return as(g.unitPoint(), g.col("p")) })
	unsure := append(s.each(unitFloats, func(g *gauge) string { return g.unitUnsure() + " = 1" }), "doubt = 1")
	s.once("units", "SELECT r.*"+prefixed(points, one(as(either(unsure), "unsure")))+" FROM unitfloors AS r")
}

// What the rows are that come back.
const (
	tagGroup  = iota // what a group adds up to
	tagUnsure        // a row of a unit in a group that is not decided
	tagPoint         // how often a point is in a group
	tagPeople        // how many units there are
)

// results are the parts of the statement that return something. Their columns are: the
// tag, parts of the unit and the group, the number of a value, a point, a number of rows and one of units,
// the halves of sums, and the values of a row.
func (s *statement) results() (all []string) {
	all = append(all, s.groupResult())
	if s.doubts() {
		all = append(all, s.unsureResult())
	}
	for i := range s.gauges {
		if g := &s.gauges[i]; g.Points {
			all = append(all, s.pointResult(g))
		}
	}
	if s.people {
		all = append(all, s.result(tagPeople, map[string]string{"people": "count(*)"})+" FROM (SELECT DISTINCT "+list(s.units())+" FROM units) AS p")
	}
	return all
}

// outputs are the columns of the results and their kinds.
func (s *statement) outputs() (columns []string, kinds []kind) {
	add := func(k kind, names ...string) {
		for _, n := range names {
			columns, kinds = append(columns, n), append(kinds, k)
		}
	}
	add(whole, "tag")
	if s.doubts() {
		for i, name := range s.units() {
			add(s.unit[i].kind, name)
		}
	}
	for i, name := range s.groups() {
		add(s.group[i].kind, name)
	}
	add(whole, "value", "point", "n", "people")
	for i := range s.gauges {
		g := &s.gauges[i]
		if g.Sums {
			add(whole, g.col("sh"), g.col("sl"))
		}
		if g.Squares {
			add(whole, g.col("qh"), g.col("ql"))
		}
	}
	if s.doubts() {
		for i, name := range s.numbers() {
			add(s.values[i].kind, name)
		}
	}
	return columns, kinds
}

// result selects a row of the results; what is not in it is NULL.
func (s *statement) result(tag int, has map[string]string) string {
	has["tag"] = fmt.Sprint(tag)
	columns, kinds := s.outputs()
	var all []string
	for i, c := range columns {
		x, ok := has[c]
		if !ok {
			x = "NULL"
		}
		all = append(all, as(s.d.cast(kinds[i], x), c))
	}
	return "SELECT " + list(all)
}

// groupResult adds up units. Each half of a sum is far from 64 bits.
func (s *statement) groupResult() string {
	has := map[string]string{"n": "sum(n)", "people": "count(*)"}
	for _, g := range s.groups() {
		has[g] = g
	}
	halves := func(to, x string) {
		has[to[:1]+"h"+to[1:]] = "sum(" + s.d.high(x) + ")"
		has[to[:1]+"l"+to[1:]] = "sum(" + s.d.low(x) + ")"
	}
	for i := range s.gauges {
		g := &s.gauges[i]
		sum, square := g.col("s"), g.col("q")
		if g.PerUnit {
			sum, square = g.col("p"), "("+g.col("p")+" * "+g.col("p")+")"
		}
		if g.Sums {
			halves(g.col("s"), sum)
		}
		if g.Squares {
			halves(g.col("q"), square)
		}
	}
	return s.result(tagGroup, has) + " FROM units WHERE unsure = 0" + s.by("HAVING count(*) > 0")
}

// by groups by the groups, and by more; without any of both it says what else.
func (s *statement) by(otherwise string, more ...string) string {
	if l := list(s.groups(), more); l != "" {
		return " GROUP BY " + l
	}
	return " " + otherwise
}

// joined joins rows with what their unit has in their group.
func (s *statement) joined(table string) string {
	var same []string
	for _, c := range append(s.units(), s.groups()...) {
		same = append(same, fmt.Sprintf("r.%s = v.%s", c, c))
	}
	return " FROM " + table + " AS r JOIN units AS v ON " + strings.Join(same, " AND ")
}

// unsureResult returns the rows of units that are not decided, as they are.
func (s *statement) unsureResult() string {
	has := make(map[string]string)
	for _, c := range append(append(s.units(), s.groups()...), s.numbers()...) {
		has[c] = "r." + c
	}
	return s.result(tagUnsure, has) + s.joined("kept") + " WHERE v.unsure = 1"
}

// pointResult counts the points of a value.
func (s *statement) pointResult(g *gauge) string {
	has := map[string]string{"value": fmt.Sprint(g.i), "point": g.col("p"), "n": "count(*)"}
	for _, c := range s.groups() {
		has[c] = c
	}
	if g.PerUnit {
		return s.result(tagPoint, has) + " FROM units WHERE unsure = 0" + s.by("", g.col("p"))
	}
	for c := range has {
		if c[0] == 'g' {
			has[c] = "r." + c
		}
	}
	has["point"] = "r." + g.col("p")
	var of []string
	for _, c := range append(s.groups(), g.col("p")) {
		of = append(of, "r."+c)
	}
	return s.result(tagPoint, has) + s.joined("placed") + " WHERE v.unsure = 0 GROUP BY " + list(of)
}
