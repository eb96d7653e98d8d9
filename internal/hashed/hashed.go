// Package hashed says which type of units is a keyed hash, so that receipts can tell it.
package hashed

import "reflect"

// ID is the type of keyed hashes of names. Package aggregate/rows sets it; it is nil in
// programs without that package.
var ID reflect.Type

// Is reports whether units of a type are keyed hashes.
func Is(unit reflect.Type) bool { return ID != nil && unit == ID }
