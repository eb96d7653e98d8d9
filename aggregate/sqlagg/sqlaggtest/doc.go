// Package sqlaggtest tries a dialect of package sqlagg on a real database.
//
//	func TestDuckDB(t *testing.T) {
//		sqlaggtest.Test(t, sqlaggtest.Database{DB: db, Dialect: sqlagg.DuckDB, Whole: "BIGINT", Double: "DOUBLE", Text: "VARCHAR"}, 100)
//	}
//
// What it tries: random plans on random rows that are odd in every way (NULL, NaN, infinities, the largest
// and the smallest floats, halves of steps and their neighbours, the ends of int64, texts that collations
// merge) give what Plan.Collect gives of the same rows, number for number, where caps cut nothing. Where they cut,
// the caps hold, and rows and groups are chosen uniformly, by a test that a right dialect fails with a probability of 1e-6.
// A whole Run through the database is audited. Errors say nothing of what is in a row.
package sqlaggtest
