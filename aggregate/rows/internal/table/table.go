// Package table is the seam between package rows and what rows come from: text, what
// database/sql reads, and the module that reads Arrow.
package table

import "time"

// Rows are rows of values, one after the other.
type Rows interface {
	// Next goes to the next row. The error after the last one is io.EOF.
	Next() error

	// Read gives the value of a column, by its place among those that are wanted, to exactly
	// one method of a sink.
	Read(column int, to Sink)

	// Place says where the row stands, such as line 3.
	Place() string

	// Bytes returns how many bytes were read, as they are stored, or 0 if that is not known.
	Bytes() int64

	// Close frees what is open.
	Close() error
}

// A Table is rows whose columns are known before they are read.
type Table interface {
	Rows

	// Columns returns the names of the columns.
	Columns() []string

	// Want says which columns will be read, by their numbers in ascending order.
	Want(columns []int) error
}

// A Sink takes one value. It keeps nothing of the bytes that it is given.
type Sink interface {
	Null()
	Text(b []byte)   // as people write it
	Number(b []byte) // digits, with a point and an exponent perhaps
	Int(i int64)
	Float(x float64)
	Bool(b bool)

	// Time takes an instant, or what a clock on the wall showed, as if it had been in UTC.
	Time(t time.Time, wall bool)

	// Refuse takes a value that no field can have, such as a list, and what is wrong.
	Refuse(fault string)
}
