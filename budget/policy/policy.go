package policy

import (
	"crypto/sha256"
	"math/big"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
)

// A Policy is one document. Its fields are those of the JSON; [Parse] checks them.
type Policy struct {
	Version int    // counts up with every change
	Dataset string // the account's
	About   string // what the rows are, in a sentence
	Holder  string // who holds the rows, and whom the people in them trust with that

	Unit  string // who is protected, in a word, such as "customer"
	Means string // what of them is protected, in a sentence
	Event bool   // a unit is one event, such as a purchase, and not whoever made it

	People  People
	Largest dp.Loss // of one release
	Why     string  // why so much and no more
	By      string  // who decided
	On      time.Time

	LeastGroup int      // groups of fewer units, by their noisy number, are not shown; 0 for any
	RetainDays int      // rows that are older, by their own time, do not count; 0 for ever
	Modules    []string // versions of the library that may ask; empty for all

	// Authenticated says that a service must vouch for who asks (budget.Authenticator).
	Authenticated bool

	Purposes map[string]Purpose // all that there are
}

// People says how many units there are, as far as anybody may know. Whoever writes the document
// says so, of what somebody states or of the number that was paid for. An account sees to it that this was
// paid, and does not compare it with AtLeast: no refusal depends on rows.
type People struct {
	AtLeast, AtMost int

	// Known says who states it, or Paid is the request key of the release that told it.
	Known, Paid string
}

// A Purpose is what the rows may be used for.
type Purpose struct {
	Reason  string    // why, in a sentence
	Basis   string    // the legal ground
	Until   time.Time // the last day
	Askers  []string  // who may ask
	Columns map[string]Bounds
	Groups  []string // what rows may be grouped by
	Keys    string   // KeysGiven, KeysSelected or KeysAny
	Consent string   // ConsentNone, OptIn or OptOut
	Limit   dp.Loss  // of all its releases together, as their losses add up; nil for that of the account
}

// Bounds are what a value may at most be cut to.
type Bounds struct {
	Lower, Upper *big.Rat
	Duration     bool // nanoseconds, of which one at least is written as a duration such as "4h"
}

// What a purpose says of groups and of consent.
const (
	KeysAny      = "any"
	KeysGiven    = "given"    // listed without looking at rows
	KeysSelected = "selected" // privately
	ConsentNone  = "none"     // nobody is asked
	OptIn        = "opt-in"   // who said yes counts
	OptOut       = "opt-out"  // who did not say no counts
)

// Digest is the hash of the document's JSON, which is the same for documents that mean
// the same.
func (p *Policy) Digest() [32]byte { return sha256.Sum256(p.JSON()) }
