// Package data holds the public purchase history that the examples report on.
// README.md in its folder says where it is from.
package data

import _ "embed"

// Purchases is a CSV file, compressed by gzip, of 69,659 purchases: customer,
// date, cds, dollars.
//
//go:embed cdnow.csv.gz
var Purchases []byte
