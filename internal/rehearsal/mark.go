// Package rehearsal has the mark of what was released of made-up rows, which whoever makes it
// and whoever writes it down have in common. It is internal, so that the mark means one thing.
package rehearsal

// Mark is the account of a rehearsal. Its text is public and never changes.
const Mark = "REHEARSAL on made-up rows, no release"
