package dp

// A Statement says what a question reads of the rows, in facts that are the same
// whatever the rows are. Whoever decides by a policy whether it may be asked decides by it,
// before a row is read; it stands in the ledger and in the receipt.
//
// It does not tell two requests apart: [Charge.Question] does.
type Statement struct {
	Event      bool           `json:"event,omitempty"`       // a unit is one event, and not whoever made it
	Columns    []StatedColumn `json:"columns,omitempty"`     // values of rows
	Groups     string         `json:"groups,omitempty"`      // what rows are grouped by; empty if there is one group, or nobody said
	Grouped    bool           `json:"grouped,omitempty"`     // there are groups
	KeysGiven  bool           `json:"keys_given,omitempty"`  // the groups were listed without looking at rows
	Step       string         `json:"step,omitempty"`        // there are numbers or answers of every such period of the rows' own time, such as "week"; periods are given
	Units      bool           `json:"units,omitempty"`       // how many units there are is among the numbers
	LeftOut    bool           `json:"left_out,omitempty"`    // units are those that a consent leaves out, and no others
	LeastGroup int            `json:"least_group,omitempty"` // groups with a smaller noisy number of units are not shown
	Consent    string         `json:"consent,omitempty"`     // "opt-in" or "opt-out": units are asked at each run; empty if not
	RetainDays int            `json:"retain_days,omitempty"` // rows that are older, by their own time, do not count; 0 if all do
	HashedIDs  bool           `json:"hashed_ids,omitempty"`  // units are keyed hashes of their names (rows.ID), under a key of the run
	Module     string         `json:"module,omitempty"`      // version of the library

	// Authenticated says that the service vouched for Charge.Analyst. The account says so
	// (budget.Authenticator), whatever stands here before.
	Authenticated bool `json:"authenticated,omitempty"`
}

// A StatedColumn is a value that a question reads, with the bounds that it is cut to, as
// exact decimals or quotients.
type StatedColumn struct {
	Name  string `json:"name"`
	Per   string `json:"per,omitempty"` // "row" or "unit"
	Lower string `json:"lower"`
	Upper string `json:"upper"`

	Duration bool `json:"duration,omitempty"` // a time, and the bounds are nanoseconds
}
