package sqlagg

import (
	"fmt"
	"slices"
	"strings"
)

// PostgreSQL is version 12 and later.
//
// The hash is SHA-256. hashtextextended takes a third less time, and is for some secrets far
// from uniform; random() of a connection of a pool is whatever somebody set its seed to.
var PostgreSQL = &Dialect{
	name: "PostgreSQL", quote: quoteBy(`"`),
	param:  func(n int) string { return fmt.Sprintf("CAST($%d AS text)", n) },
	column: postgresColumn,
	types:  map[kind]string{whole: "bigint", double: "double precision", text: "text"},
	hash:   func(parts []string) string { return "sha256(convert_to(" + postgresTexts(parts) + ", 'UTF8'))" },
	isNaN:  func(x string) string { return x + " = 'NaN'" },
	floor:  func(x string) string { return "CAST(floor(" + x + ") AS bigint)" },
	number: func(x float64) string { return "CAST('" + digits(x)[1:len(digits(x))-1] + "' AS double precision)" },
	least:  "least", most: "greatest",
	divide: func(x, y string) string { return x + " / " + y },
	high:   func(x string) string { return x + " >> 31" },
	low:    func(x string) string { return x + " & 2147483647" },
	whole: func(x string) string {
		// sum of bigint is numeric, and does not overflow
		return "CAST(least(greatest(sum(" + x + "), -2305843009213693953), 2305843009213693953) AS bigint)"
	},
	given:        postgresGiven,
	materialized: "MATERIALIZED ",
	server:       "the driver asks the server to cancel it, as pgx does",
}

var (
	postgresIntegers = []string{"INT2", "INT4", "INT8"}
	postgresFloats   = []string{"FLOAT4", "FLOAT8"}
	postgresTextual  = []string{"TEXT", "VARCHAR", "BPCHAR", "NAME", "UUID"}
)

func postgresColumn(k kind, typeName, x string) string {
	switch {
	case k == whole && slices.Contains(postgresIntegers, typeName):
		return "CAST(" + x + " AS bigint)"
	case k == double && slices.Contains(slices.Concat(postgresIntegers, postgresFloats), typeName):
		return "CAST(" + x + " AS double precision)"
	case k == double && typeName == "NUMERIC":
		// A cast fails for what is beyond a double, and prints it; NaN is above all numbers.
		return "CASE WHEN " + x + " = 'NaN' THEN 'NaN' WHEN " + x + " > 1e308 THEN 'Infinity' WHEN " + x + " < -1e308 THEN '-Infinity'" +
			" WHEN abs(" + x + ") < 1e-300 THEN 0 ELSE CAST(" + x + " AS double precision) END"
	case k == text && slices.Contains(postgresTextual, typeName):
		return "CAST(" + x + ` AS text) COLLATE "C"` // other collations can say that Ann is ann
	}
	return ""
}

// postgresTexts joins texts so that no two lists of texts are joined to the same.
func postgresTexts(parts []string) string {
	var all []string
	for _, p := range parts {
		all = append(all, "coalesce(length(CAST("+p+" AS text)) || ':' || "+p+", '-')")
	}
	return strings.Join(all, " || ")
}

func postgresGiven(param string, kinds []kind) string {
	var columns []string
	for i, k := range kinds {
		types := map[kind]string{whole: "bigint", text: "text"}
		column := fmt.Sprintf("CAST(value ->> %d AS %s)", i, types[k])
		if k == text {
			column += ` COLLATE "C"`
		}
		columns = append(columns, fmt.Sprintf("%s AS c%d", column, i))
	}
	return "SELECT " + strings.Join(columns, ", ") + " FROM json_array_elements(CAST(" + param + " AS json)) AS j(value)"
}
