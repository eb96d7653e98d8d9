package budget

import (
	"errors"
	"fmt"

	"github.com/equipoise-dp/equipoise/dp"
)

var (
	// ErrExists is returned by [Create] and [Import] if the account is there.
	ErrExists = errors.New("budget: account exists")

	// ErrNotFound is returned by [Open] if there is no such account. Opening
	// never creates, so that a lost file is not a fresh budget.
	ErrNotFound = errors.New("budget: account not found")

	// ErrKeyReused is wrapped by the error about a request key that was paid for with
	// another charge, beside [dp.ErrOtherQuestion] or [dp.ErrOtherNoise].
	ErrKeyReused = errors.New("budget: request key was used for another charge")

	// ErrNoRefund is wrapped by the error of every [Account.Refund].
	ErrNoRefund = errors.New("budget: what is paid is never given back")

	// ErrUnknown is wrapped by every [UnknownError].
	ErrUnknown = errors.New("budget: outcome is unknown and counts as spent")

	// ErrNotPaid is returned by [Account.Keep] and [Account.Payment] if nothing
	// was paid under the key.
	ErrNotPaid = errors.New("budget: nothing was paid under this key")

	// ErrTampered is wrapped by errors about records that do not fit together:
	// changed, missing, or of an older copy.
	ErrTampered = errors.New("budget: the ledger is not intact")

	// ErrVersion is wrapped by errors about records of a newer format.
	ErrVersion = errors.New("budget: the ledger is of a newer format")
)

// A keyReused says that a request key was paid for with another charge.
type keyReused struct {
	account string
	key     string
	entry   uint64 // what paid for the key
	noise   bool   // the question is the same, the noise is another, and nothing was kept
}

func (e *keyReused) Error() string {
	if e.noise {
		return fmt.Sprintf("budget: account %q: request key %q was paid in entry %d for the same question with other noise, and no release was kept; run the version of the library that paid, which the entry names, or use a new key",
			e.account, e.key, e.entry)
	}
	return fmt.Sprintf("budget: account %q: request key %q was used for another charge in entry %d; use a new key for a new question",
		e.account, e.key, e.entry)
}

// Unwrap returns [ErrKeyReused], and [dp.ErrOtherQuestion], or [dp.ErrOtherNoise] if only
// the noise is another.
func (e *keyReused) Unwrap() []error {
	if e.noise {
		return []error{ErrKeyReused, dp.ErrOtherNoise}
	}
	return []error{ErrKeyReused, dp.ErrOtherQuestion}
}

// An UnknownError says that the store failed in such a way that the charge may
// be durable. It counts as spent. Spending again under the same key finds out
// and never pays twice.
type UnknownError struct {
	Account string
	Key     string
	Err     error // of the store
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("budget: account %q: outcome of request key %q is unknown and counts as spent; spend again under the same key: %v",
		e.Account, e.Key, e.Err)
}

// Unwrap returns [ErrUnknown] and the error of the store.
func (e *UnknownError) Unwrap() []error { return []error{ErrUnknown, e.Err} }
