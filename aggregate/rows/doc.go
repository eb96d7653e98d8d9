// Package rows reads typed rows for package aggregate: from CSV files and lines of
// JSON, plain or compressed, and from database/sql. Package arrowrows, a module of its own
// below it, reads Parquet files and Arrow record batches.
//
//	type Sale struct {
//		Customer rows.ID   `rows:"customer"`
//		Day      rows.Date `rows:"date"`
//		Euros    float64   `rows:"amount"`
//		Country  string    `rows:"country,asis"`
//	}
//
//	sales, err := rows.Files[Sale](ctx, rows.Options{Secret: rows.NewSecret()}, "may.csv", "june.csv.gz")
//	part, err := plan.Collect(ctx, sales...)
//
// The fields of a row say what is read: a tag names the column, and a field without one is
// called as its column is. They are strings, booleans, numbers or types made of these, [time.Time],
// [Date] and [ID]. With the option asis a field takes what stands there, also
// nothing and marks of nothing. A field with the tag "-" is left alone.
//
// Every mistake in a type, in options and in a header comes back at once, before a row is
// read; every mistake in a row ends the reading. What cannot be read for certain is refused
// by name, with how it could be told ([Format]).
//
// # Privacy
//
// Columns that no field asks for are not decoded and not kept. Errors name the source, the
// line, the column, the field, the rule and the fix, and never what stands in a row. What
// becomes of a row depends on what is written in it, and on no other row.
package rows
