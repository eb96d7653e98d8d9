package budget

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/filter"
	"github.com/equipoise-dp/equipoise/internal/jsontext"
	"github.com/equipoise-dp/equipoise/internal/module"
)

const (
	formatVersion = 4 // of records; 1 has no KindKeep and no KindRefuse, and releases stand beside what paid; 2 has no policies and no checkpoints; 3 has no terms with parts or without a limit
	engineVersion = 1 // of prices, orders and weights
)

// Kinds of records. Their text is stored and never changes.
const (
	KindCreate  = "create"
	KindSpend   = "spend"
	KindReserve = "reserve"
	KindDraw    = "draw"
	KindKeep    = "keep"
	KindRaise   = "raise"
	KindFreeze  = "freeze"
	KindThaw    = "thaw"
	KindRefuse  = "refuse"

	KindPolicy   = "policy"   // a policy came into force
	KindWithdraw = "withdraw" // a purpose of the policy ended
	KindOutside  = "outside"  // a release was made elsewhere

	KindCheckpoint = "checkpoint" // what the account has come to, so that it opens from there
)

// format returns the least format that has such a record, so that an earlier version
// reads and uses a ledger which has nothing that it does not know.
func (r *record) format() int {
	switch r.Kind {
	case KindCreate:
		if r.Terms != nil && (r.Terms.Odometer || r.Terms.Parts != nil) {
			return 4
		}
	case KindPolicy, KindWithdraw, KindOutside, KindCheckpoint:
		return 3
	}
	return 2
}

// A record is what a [Record] holds: one line of JSON.
type record struct {
	Version int                `json:"v"`
	Seq     uint64             `json:"seq"`
	Prev    string             `json:"prev,omitempty"` // hash of the record before
	Kind    string             `json:"kind"`
	At      string             `json:"at"`
	ID      string             `json:"id,omitempty"`      // random: tells records apart that are alike otherwise
	Module  string             `json:"module,omitempty"`  // version of the program's copy of this module
	Engine  int                `json:"engine,omitempty"`  // create
	Terms   *Terms             `json:"terms,omitempty"`   // create
	Orders  map[string]float64 `json:"orders,omitempty"`  // create: the order with most weight, per limit
	Charge  json.RawMessage    `json:"charge,omitempty"`  // spend, reserve, draw
	Took    []filter.Way       `json:"took,omitempty"`    // spend, reserve, draw: the decision, per scope
	From    uint64             `json:"from,omitempty"`    // draw: the record that reserved; keep: the record that paid
	Digest  string             `json:"digest,omitempty"`  // keep: of the release; checkpoint: of the state beside it
	Early   bool               `json:"early,omitempty"`   // keep: the release stands beside the record that paid, as format 1 has it
	Limit   json.RawMessage    `json:"limit,omitempty"`   // raise
	Reason  string             `json:"reason,omitempty"`  // raise, freeze, thaw
	By      string             `json:"by,omitempty"`      // raise, freeze, thaw
	Refused *Refusal           `json:"refused,omitempty"` // refuse
	Policy  json.RawMessage    `json:"policy,omitempty"`  // policy
	Purpose string             `json:"purpose,omitempty"` // withdraw
	Outside *Outside           `json:"outside,omitempty"` // outside

	Checkpoint uint64 `json:"checkpoint,omitempty"` // of any kind: the last checkpoint before, from which it can be opened
}

// encode returns the record's bytes, sealed, and their hash.
func (r *record) encode() ([]byte, digest, error) {
	r.Version, r.Module = r.format(), module.Version()
	if r.ID == "" {
		r.ID = rand.Text()
	}
	data, err := r.open()
	if err != nil {
		return nil, digest{}, fmt.Errorf("budget: record %d: %w", r.Seq, err)
	}
	data = seal(data)
	return data, hashOf(data), nil
}

// open returns the record's bytes without the hash that they end with.
func (r *record) open() ([]byte, error) {
	if r.Charge != nil && jsontext.Plain(r.Kind+r.At+r.ID+r.Module) {
		return r.openCharge(), nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	own := *r // so that a record of a charge need not be on the heap
	if err := e.Encode(&own); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// openCharge is open for a record that has a charge, and so no field but these. There are
// many of those. The charge is JSON as charges are written and takes its place as it is.
func (r *record) openCharge() []byte {
	b := make([]byte, 0, 384+len(r.Charge))
	b = strconv.AppendInt(append(b, `{"v":`...), int64(r.Version), 10)
	b = strconv.AppendUint(append(b, `,"seq":`...), r.Seq, 10)
	b = jsontext.Field(b, `,"prev":`, r.Prev)
	b = jsontext.Append(append(b, `,"kind":`...), r.Kind)
	b = jsontext.Append(append(b, `,"at":`...), r.At)
	b = jsontext.Field(b, `,"id":`, r.ID)
	b = jsontext.Field(b, `,"module":`, r.Module)
	b = append(append(b, `,"charge":`...), r.Charge...)
	for i, w := range r.Took {
		b = jsontext.Append(append(b, list(i, `,"took":[`)...), string(w))
	}
	if len(r.Took) > 0 {
		b = append(b, ']')
	}
	b = appendNumber(b, `,"from":`, r.From)
	b = appendNumber(b, `,"checkpoint":`, r.Checkpoint)
	return append(b, '}')
}

// list is what stands before an element of a list.
func list(i int, first string) string {
	if i == 0 {
		return first
	}
	return ","
}

func appendNumber(b []byte, name string, n uint64) []byte {
	if n == 0 {
		return b
	}
	return strconv.AppendUint(append(b, name...), n, 10)
}

// The last record of an account has no record after it that holds its hash, so
// every record ends with a hash of itself: damage to any byte is found, in the
// last record too. Somebody who computes the hash anew is found by an anchor.
const (
	sealOpens  = `,"sum":"`
	sealCloses = `"}`
	sealLength = len(sealOpens) + 2*len(digest{}) + len(sealCloses)
)

// seal ends a record with the hash of what comes before.
func seal(open []byte) []byte {
	sum := hashOf(open)
	sealed := append(make([]byte, 0, len(open)+sealLength), open[:len(open)-1]...)
	return append(hex.AppendEncode(append(sealed, sealOpens...), sum[:]), sealCloses...)
}

// unseal returns what was sealed, or an error if it was changed.
func unseal(data []byte) ([]byte, error) {
	if len(data) > sealLength {
		open := append(data[:len(data)-sealLength:len(data)-sealLength], '}')
		if bytes.Equal(seal(open), data) {
			return open, nil
		}
	}
	return nil, errors.New("a record does not have the hash that it ends with")
}

// decodeRecord reads a record. What a newer format adds is an error about the
// version, and not about the field.
func decodeRecord(data []byte) (*record, error) {
	var r record
	open, err := unseal(data)
	d := json.NewDecoder(bytes.NewReader(open))
	d.DisallowUnknownFields()
	if err == nil {
		err = d.Decode(&r)
	}
	if err == nil {
		if _, end := d.Token(); !errors.Is(end, io.EOF) {
			err = errors.New("a record has more than one value")
		}
	}
	if newer := checkVersion(data, &r, err != nil); newer != nil {
		return nil, newer
	}
	if err == nil {
		err = r.checkFields()
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	return &r, nil
}

// fields says which fields a record of a kind must have, and which it may have.
// Those that all have are not listed.
var fields = map[string]struct{ must, may []string }{
	KindCreate:  {[]string{"id", "engine", "terms"}, []string{"module", "orders"}},
	KindSpend:   {[]string{"charge", "took"}, []string{"id", "module"}},
	KindReserve: {[]string{"charge", "took"}, []string{"id", "module"}},
	KindDraw:    {[]string{"charge", "took", "from"}, []string{"id", "module"}},
	KindKeep:    {[]string{"from", "digest"}, []string{"id", "module", "early"}},
	KindRaise:   {[]string{"limit", "reason", "by"}, []string{"id", "module"}},
	KindFreeze:  {[]string{"reason", "by"}, []string{"id", "module"}},
	KindThaw:    {[]string{"reason", "by"}, []string{"id", "module"}},
	KindRefuse:  {[]string{"refused"}, []string{"id", "module"}},

	KindPolicy:   {[]string{"policy", "reason", "by"}, []string{"id", "module"}},
	KindWithdraw: {[]string{"purpose", "reason", "by"}, []string{"id", "module"}},
	KindOutside:  {[]string{"outside", "reason", "by"}, []string{"id", "module"}},

	KindCheckpoint: {[]string{"digest"}, []string{"id", "module"}},
}

// checkFields returns an error if a record lacks a field of its kind, or has one
// that its kind does not have: what nobody reads could say anything.
func (r *record) checkFields() error {
	want, ok := fields[r.Kind]
	if !ok {
		return fmt.Errorf("record %d is of kind %q, which is not known", r.Seq, r.Kind)
	}
	for _, f := range []struct {
		name  string
		there bool
	}{
		{"id", r.ID != ""}, {"module", r.Module != ""}, {"engine", r.Engine != 0}, {"terms", r.Terms != nil},
		{"orders", r.Orders != nil}, {"charge", r.Charge != nil}, {"took", r.Took != nil}, {"from", r.From != 0},
		{"digest", r.Digest != ""}, {"early", r.Early}, {"limit", r.Limit != nil}, {"reason", r.Reason != ""}, {"by", r.By != ""},
		{"refused", r.Refused != nil}, {"policy", r.Policy != nil}, {"purpose", r.Purpose != ""}, {"outside", r.Outside != nil},
	} {
		switch must := slices.Contains(want.must, f.name); {
		case must && !f.there:
			return fmt.Errorf("record %d of kind %q has no %s", r.Seq, r.Kind, f.name)
		case !must && f.there && !slices.Contains(want.may, f.name):
			return fmt.Errorf("record %d of kind %q has a %s", r.Seq, r.Kind, f.name)
		}
	}
	if r.Engine < 0 {
		return fmt.Errorf("record %d has engine %d, must be at least 1", r.Seq, r.Engine)
	}
	if r.Version < 2 && (r.Kind == KindKeep || r.Kind == KindRefuse || r.Module != "" || r.ID != "" && r.Kind != KindCreate) {
		return fmt.Errorf("record %d of format %d has what came with format 2", r.Seq, r.Version)
	}
	if need := r.format(); need > 2 && r.Version < need {
		return fmt.Errorf("record %d of format %d is of kind %q and has what came with format %d", r.Seq, r.Version, r.Kind, need)
	}
	return nil
}

// checkVersion looks at the version of a record, which may be unreadable
// otherwise.
func checkVersion(data []byte, r *record, unreadable bool) error {
	version, engine := r.Version, r.Engine
	if unreadable {
		var v struct {
			Version int `json:"v"`
			Engine  int `json:"engine"`
		}
		if err := json.Unmarshal(data, &v); err != nil {
			return fmt.Errorf("%w: a record is not JSON: %w", ErrTampered, err)
		}
		version, engine = v.Version, v.Engine
	}
	if version > formatVersion || engine > engineVersion {
		return fmt.Errorf("%w: record format %d, engine %d; this program reads up to %d and %d; use a newer one",
			ErrVersion, version, engine, formatVersion, engineVersion)
	}
	if version < 1 {
		return fmt.Errorf("%w: record format is %d, must be at least 1", ErrTampered, version)
	}
	return nil
}

// charge returns the charge of a record that has one.
func (r *record) charge() (*dp.Charge, error) {
	c := new(dp.Charge)
	if err := json.Unmarshal(r.Charge, c); err != nil {
		return nil, fmt.Errorf("%w: record %d: %w", ErrTampered, r.Seq, err)
	}
	if err := c.Check(); err != nil {
		return nil, fmt.Errorf("%w: record %d: %w", ErrTampered, r.Seq, err)
	}
	return c, nil
}

func (r *record) time() (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, r.At)
	if err != nil {
		return t, fmt.Errorf("%w: record %d: time: %w", ErrTampered, r.Seq, err)
	}
	return t, nil
}

// coarse returns a time as it is recorded: in whole hours. A charge is paid after rows
// were read, and by the second its time would say how long that took, and so how many
// there are; so would that of an act beside it, such as a raise that answers a refusal.
func coarse(t time.Time) time.Time { return t.UTC().Truncate(time.Hour) }

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func hexOf(d digest) string { return hex.EncodeToString(d[:]) }
