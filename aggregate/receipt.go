package aggregate

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/rehearsal"
)

// A Receipt is the public record of a release: what was released, of what, for
// what, under which guarantee, by which mechanisms, and where it stands in the
// ledger. It holds nothing that depends on rows, and can be published.
type Receipt struct {
	Dataset   string
	Unit      string // who is protected
	Purpose   string
	Key       string // of the request
	Analyst   string
	Periods   []string
	Loss      dp.Loss
	Noise     string // the family of noise
	Columns   []string
	Groups    string // what the groups are, if the query says so
	MaxGroups int
	MaxRows   int // of one unit in one group
	Values    []ReceiptValue
	Measures  []ReceiptMeasure

	// Threshold is the noisy number of units from which on a group is released,
	// and 0 if the groups were given. See [Plan.Threshold] for what it is where
	// nothing but groups was asked.
	Threshold float64

	// Wiped says that the exact sums were not left in memory: whoever released set them to zero
	// afterwards, as [Plan.Run] does, but for what the garbage collector copied.
	Wiped bool

	// States is what was decided by: exact bounds, whether groups were given, whether units
	// were asked and rows forgotten, and by which version of the library. Nil in releases
	// of earlier ones.
	States *dp.Statement

	Plan    string // fingerprint
	Account string
	Entry   uint64 // of the ledger
	Hash    string // of the ledger entry, in hexadecimal
	At      time.Time
}

// mark is that of a rehearsal; it is empty for a release.
func (r Receipt) mark() string {
	if r.Account == rehearsal.Mark {
		return r.Account
	}
	return ""
}

// A ReceiptValue says how a value was bounded.
type ReceiptValue struct {
	Name  string `json:"name"`
	Per   string `json:"per"` // "row" or "unit"
	Lower string `json:"lower"`
	Upper string `json:"upper"`
	Step  string `json:"step"`
}

// A ReceiptMeasure says which noise a measure got.
type ReceiptMeasure struct {
	Name        string         `json:"name"`
	Mechanism   dp.Mechanism   `json:"mechanism"`
	Scale       string         `json:"scale"` // in steps, exactly
	Sensitivity dp.Sensitivity `json:"sensitivity"`
	StdDev      float64        `json:"stddev"` // of the noise, in records of full size

	// Epsilon is the bounded range of each of so many draws, where quantiles are
	// drawn. Scale and Sensitivity are empty there.
	Epsilon string `json:"epsilon,omitempty"`
	Draws   int    `json:"draws,omitempty"`

	// Numbers are those of one vector, where several are released together. A value
	// counts from the middle of its bounds, in half steps.
	Numbers []ReceiptNumber `json:"numbers,omitempty"`
}

// A ReceiptNumber says what a number of a vector was multiplied with before noise was
// added to it.
type ReceiptNumber struct {
	Name  string `json:"name"`
	Times int64  `json:"times"`
}

// newReceipt says what was charged and paid, and what was asked for it.
func newReceipt(c dp.Charge, paid dp.Payment, answers []answer, inputs []input) Receipt {
	r := Receipt{
		Dataset: c.Dataset, Unit: c.Unit, Purpose: c.Purpose, Key: c.Key, Analyst: c.Analyst, Periods: c.Periods,
		Loss: c.Loss, States: c.States, Plan: c.Plan,
		Account: paid.Account, Entry: paid.Entry, Hash: hex.EncodeToString(paid.Hash[:]), At: paid.At.UTC(),
	}
	for _, a := range answers {
		r.Columns = append(r.Columns, a.String())
	}
	for _, in := range inputs {
		r.Values = append(r.Values, in.receipt())
	}
	return r
}

func (p *Plan[Row, Unit, Group]) receipt(c dp.Charge, paid dp.Payment) Receipt {
	r := newReceipt(c, paid, p.answers, p.inputs)
	r.Noise, r.Groups, r.MaxGroups, r.MaxRows = p.noise(), p.query.GroupName, p.maxGroups, p.maxRows
	for _, m := range p.measures {
		r.Measures = append(r.Measures, m.receipts()...)
	}
	if p.top != nil {
		r.Columns, r.Measures = []string{p.top.String()}, append(r.Measures, p.top.receipts()...)
	}
	if p.threshold != nil {
		r.Threshold = p.threshold.units()
	}
	if p.finder != nil {
		r.Measures = p.finder.receipts()
		r.Threshold, _ = p.finder.threshold()
	}
	return r
}

func (in input) receipt() ReceiptValue {
	return ReceiptValue{Name: in.name, Per: in.per(), Lower: decimal(in.lower), Upper: decimal(in.upper), Step: decimal(in.grid.Step)}
}

// receipts returns the lines of a measure: for what is drawn, and for noise.
func (m *measure) receipts() []ReceiptMeasure {
	var lines []ReceiptMeasure
	for _, e := range m.events() {
		if e.Mechanism == dp.BoundedRange {
			lines = append(lines, ReceiptMeasure{Name: e.For, Mechanism: e.Mechanism, Epsilon: e.Epsilon.RatString(), Draws: e.Count})
		} else {
			line := ReceiptMeasure{Name: e.For, Mechanism: e.Mechanism, Scale: m.law.Scale.RatString(), Sensitivity: e.Sensitivity, StdDev: m.perRecord()}
			if m.joint != nil {
				line.Numbers = m.joint.numbers()
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// perRecord returns the standard deviation of the noise on one part, in records
// of full size.
func (m *measure) perRecord() float64 {
	size, _ := m.recordSize().Float64()
	if m.joint != nil {
		size = float64(m.joint.times[0])
	}
	if m.form == formTotal {
		size = math.Ldexp(float64(m.grid.Largest()), int(m.shift))
	}
	return m.law.StdDev() / size
}

type receiptJSON struct {
	Dataset   string           `json:"dataset"`
	Unit      string           `json:"unit"`
	Purpose   string           `json:"purpose"`
	Key       string           `json:"key"`
	Analyst   string           `json:"analyst,omitempty"`
	Periods   []string         `json:"periods,omitempty"`
	Loss      json.RawMessage  `json:"loss"`
	Noise     string           `json:"noise"`
	Columns   []string         `json:"columns"`
	Groups    string           `json:"groups,omitempty"`
	MaxGroups int              `json:"max_keys"`
	MaxRows   int              `json:"max_rows_per_key"`
	Values    []ReceiptValue   `json:"values,omitempty"`
	Measures  []ReceiptMeasure `json:"measures"`
	Threshold float64          `json:"threshold,omitempty"`
	Wiped     bool             `json:"wiped,omitempty"`
	States    *dp.Statement    `json:"states,omitempty"`
	Protects  string           `json:"protects,omitempty"` // for readers; it follows from the loss
	Plan      string           `json:"plan"`
	Account   string           `json:"account"`
	Entry     uint64           `json:"entry"`
	Hash      string           `json:"hash"`
	At        time.Time        `json:"at"`
}

// MarshalJSON implements json.Marshaler.
func (r Receipt) MarshalJSON() ([]byte, error) {
	loss, err := json.Marshal(r.Loss)
	if err := errors.Join(dp.CheckLoss(r.Loss), err); err != nil {
		return nil, fmt.Errorf("aggregate: receipt: %w", err)
	}
	return json.Marshal(receiptJSON{
		Dataset: r.Dataset, Unit: r.Unit, Purpose: r.Purpose, Key: r.Key, Analyst: r.Analyst, Periods: r.Periods,
		Loss: loss, Noise: r.Noise, Columns: r.Columns, Groups: r.Groups, MaxGroups: r.MaxGroups, MaxRows: r.MaxRows,
		Values: r.Values, Measures: r.Measures, Threshold: r.Threshold, Plan: r.Plan, Account: r.Account, Entry: r.Entry,
		Hash: r.Hash, At: r.At, Wiped: r.Wiped, States: r.States, Protects: r.protects(),
	})
}

// protects says in words what the loss does for the unit.
func (r Receipt) protects() string {
	if r.States != nil && r.States.Event {
		return dp.ProtectionOf(r.Loss).OfEvent(r.Unit)
	}
	return dp.ProtectionOf(r.Loss).Of(r.Unit)
}

// reread returns the receipt as whoever reads what is stored has it.
func (r Receipt) reread() (as Receipt) {
	text, err := json.Marshal(r)
	if err == nil {
		err = json.Unmarshal(text, &as)
	}
	if err != nil {
		panic("aggregate: internal error: a receipt that was stored is not read: " + err.Error())
	}
	return as
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (r *Receipt) UnmarshalJSON(text []byte) error {
	var j receiptJSON
	if err := json.Unmarshal(text, &j); err != nil {
		return fmt.Errorf("aggregate: receipt: %w", err)
	}
	loss, err := dp.UnmarshalLoss(j.Loss)
	if err != nil {
		return fmt.Errorf("aggregate: receipt: %w", err)
	}
	*r = Receipt{
		Dataset: j.Dataset, Unit: j.Unit, Purpose: j.Purpose, Key: j.Key, Analyst: j.Analyst, Periods: j.Periods,
		Loss: loss, Noise: j.Noise, Columns: j.Columns, Groups: j.Groups, MaxGroups: j.MaxGroups, MaxRows: j.MaxRows,
		Values: j.Values, Measures: j.Measures, Threshold: j.Threshold, Plan: j.Plan, Account: j.Account, Entry: j.Entry,
		Hash: j.Hash, At: j.At, Wiped: j.Wiped, States: j.States,
	}
	return nil
}
