// Package policy is what a dataset may be used for, as data and not as code: one versioned
// document that says what the rows are, who is protected and what that means, for which
// purposes and by whom they may be asked about, with which columns and bounds, after which
// choice of the people in them, for how long, and how much one release may tell at most.
//
// [Parse] reads it from JSON, package policyyaml from YAML. Both are strict: what is not
// known is a mistake, and all mistakes come back together. An account of package budget
// records it in its ledger, where it is in force until it is changed by a recorded act;
// [Policy.Refuses] decides. It decides by the charge, the day and the ledger, never by
// rows, so a refusal tells nobody anything about them.
//
// An account without a policy works as if there was none.
package policy
