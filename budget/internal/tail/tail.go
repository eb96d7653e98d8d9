// Package tail says how long the end of a ledger may be that is read when it is opened.
package tail

// Longest is how many records may follow a checkpoint before the next is written. Tests
// make it shorter, before they open an account.
var Longest uint64 = 1000
