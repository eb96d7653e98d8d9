package budget

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
)

const (
	formatVersion = 1 // of records
	engineVersion = 1 // of prices, orders and weights
)

// Kinds of records. Their text is stored and never changes.
const (
	KindCreate  = "create"
	KindSpend   = "spend"
	KindReserve = "reserve"
	KindDraw    = "draw"
	KindRaise   = "raise"
	KindFreeze  = "freeze"
	KindThaw    = "thaw"
)

// A record is what a [Record] holds: one line of JSON.
type record struct {
	Version int                `json:"v"`
	Seq     uint64             `json:"seq"`
	Prev    string             `json:"prev,omitempty"` // hash of the record before
	Kind    string             `json:"kind"`
	At      string             `json:"at"`
	ID      string             `json:"id,omitempty"`     // create: tells accounts of one name apart
	Engine  int                `json:"engine,omitempty"` // create
	Terms   *Terms             `json:"terms,omitempty"`  // create
	Orders  map[string]float64 `json:"orders,omitempty"` // create: the order with most weight, per limit
	Charge  json.RawMessage    `json:"charge,omitempty"` // spend, reserve, draw
	Took    []way              `json:"took,omitempty"`   // spend, reserve, draw: the decision, per scope
	From    uint64             `json:"from,omitempty"`   // draw: the record that reserved
	Limit   json.RawMessage    `json:"limit,omitempty"`  // raise
	Reason  string             `json:"reason,omitempty"` // raise, freeze, thaw
	By      string             `json:"by,omitempty"`     // raise, freeze, thaw
}

// encode returns the record's bytes and hash.
func (r *record) encode() ([]byte, digest, error) {
	r.Version = formatVersion
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(r); err != nil {
		return nil, digest{}, fmt.Errorf("budget: record %d: %w", r.Seq, err)
	}
	data := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	return data, hashOf(data), nil
}

// decodeRecord reads a record. A newer format is refused before anything in it
// is looked at.
func decodeRecord(data []byte) (*record, error) {
	var version struct {
		Version int `json:"v"`
		Engine  int `json:"engine"`
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return nil, fmt.Errorf("%w: a record is not JSON: %w", ErrTampered, err)
	}
	if version.Version > formatVersion || version.Engine > engineVersion {
		return nil, fmt.Errorf("%w: record format %d, engine %d; this program reads up to %d and %d; use a newer one",
			ErrVersion, version.Version, version.Engine, formatVersion, engineVersion)
	}
	if version.Version < 1 {
		return nil, fmt.Errorf("%w: record format is %d, must be at least 1", ErrTampered, version.Version)
	}
	var r record
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: a record has more than one value", ErrTampered)
	}
	return &r, nil
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

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func hexOf(d digest) string { return hex.EncodeToString(d[:]) }
