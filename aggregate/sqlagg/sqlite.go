package sqlagg

import (
	"fmt"
	"strings"
)

// SQLite is version 3.35 and later.
//
// A column may hold values of several types whatever it is declared as; each is looked at. It
// has no hash; random() is drawn from the system's randomness, once for each row of a table that is
// computed once, and a statement is one run in one process.
var SQLite = &Dialect{
	name: "SQLite", quote: quoteBy(`"`),
	param:  func(int) string { return "?" },
	column: sqliteColumn,
	types:  map[kind]string{whole: "INTEGER", double: "REAL", text: "TEXT"},
	random: "random()",
	floor:  func(x string) string { return fmt.Sprintf("CAST(%s AS INTEGER) - (CAST(%s AS INTEGER) > %s)", x, x, x) },
	number: digits,
	least:  "min", most: "max",
	divide: func(x, y string) string { return x + " / " + y },
	high:   func(x string) string { return x + " >> 31" },
	low:    func(x string) string { return x + " & 2147483647" },
	whole:  sqliteWhole,
	given: func(param string, kinds []kind) string {
		var columns []string
		for i := range kinds {
			columns = append(columns, fmt.Sprintf("json_extract(value, '$[%d]') AS c%d", i, i))
		}
		return "SELECT " + strings.Join(columns, ", ") + " FROM json_each(" + param + ")"
	},
	materialized: "MATERIALIZED ",
	server:       "the driver interrupts it",
}

func sqliteColumn(k kind, _, x string) string {
	switch k {
	case whole:
		return "CASE WHEN typeof(" + x + ") = 'integer' THEN " + x + " END"
	case double:
		return "CASE WHEN typeof(" + x + ") IN ('integer', 'real') THEN CAST(" + x + " AS REAL) END"
	}
	return "CASE WHEN typeof(" + x + ") = 'text' THEN " + x + " END" // a CASE has no collation, so bytes compare
}

// sqliteWhole adds up halves, since sum fails where an integer overflows.
func sqliteWhole(x string) string {
	high, low := "sum("+x+" >> 31)", "sum("+x+" & 2147483647)"
	carried := fmt.Sprintf("(%s + (%s >> 31))", high, low)
	return fmt.Sprintf("CASE WHEN %s >= 1073741824 THEN 2305843009213693953 WHEN %s < -1073741824 THEN -2305843009213693953 ELSE %s * 2147483648 + (%s & 2147483647) END",
		carried, carried, carried, low)
}
