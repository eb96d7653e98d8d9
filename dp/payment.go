package dp

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// A Payment is the answer to a charge that was accepted: where it stands in the
// ledger and, if the request was answered before, the answer that was kept.
//
// It has one JSON form, with everything in it: the hash in hexadecimal digits, the
// release in base64 or null, and the time in UTC. It is read back as it was.
type Payment struct {
	Account string
	Entry   uint64 // number of the ledger entry
	At      time.Time
	Hash    [32]byte // of the ledger entry, chained to all before it
	Kept    []byte   // the stored release, or nil

	// Repeated says that this call paid nothing, since the key was paid before.
	// If Kept is nil then, whoever paid died before it kept a release, or is
	// about to: numbers drawn now may be a second answer to one payment. Publish
	// nothing but what Keep returns.
	Repeated bool
}

type paymentJSON struct {
	Account  string    `json:"account"`
	Entry    uint64    `json:"entry"`
	At       time.Time `json:"at"`
	Hash     string    `json:"hash"`
	Kept     []byte    `json:"kept"`
	Repeated bool      `json:"repeated"`
}

// MarshalJSON implements [json.Marshaler].
func (p Payment) MarshalJSON() ([]byte, error) {
	return json.Marshal(paymentJSON{
		Account: p.Account, Entry: p.Entry, At: p.At.UTC(), Hash: hex.EncodeToString(p.Hash[:]), Kept: p.Kept, Repeated: p.Repeated,
	})
}

// UnmarshalJSON reads what MarshalJSON wrote, and nothing else.
func (p *Payment) UnmarshalJSON(b []byte) error {
	var j paymentJSON
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	err := d.Decode(&j)
	if _, end := d.Token(); err == nil && !errors.Is(end, io.EOF) {
		err = errors.New("more than one value")
	}
	if err != nil {
		return fmt.Errorf("dp: payment: %w", err)
	}
	hash, err := hex.DecodeString(j.Hash)
	if err != nil || len(hash) != len(p.Hash) || hex.EncodeToString(hash) != j.Hash {
		return fmt.Errorf("dp: payment: hash is %q, must be %d lower-case hexadecimal digits", j.Hash, 2*len(p.Hash))
	}
	*p = Payment{
		Account: j.Account, Entry: j.Entry, At: j.At, Hash: [32]byte(hash), Kept: j.Kept, Repeated: j.Repeated,
	}
	return nil
}
