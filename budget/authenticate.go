package budget

import (
	"context"
	"errors"
	"fmt"

	"github.com/equipoise-dp/equipoise/dp"
)

// An Authenticator says who asks. A service makes one of whatever it authenticates by: a
// session, the certificate of a client, a token whose signature it has checked. It must
// take the name from that and from nothing that is written in a question.
type Authenticator interface {
	// Asker returns the name of whoever a context belongs to, as charges and policies
	// write it, or an error if that is not known.
	Asker(ctx context.Context) (string, error)
}

// Authenticate makes an account ask by, at every charge, whether it is asked by whom it
// names (dp.Charge.Analyst). If somebody else asks, or nobody knows who, the charge is
// refused with a [*RefusedError], and what was kept under its key is not given out. A charge
// that passes says so in the ledger (dp.Statement.Authenticated), and that cannot be
// claimed by who asks: of every other charge it says the contrary. A policy can demand it
// (policy.Policy.Authenticated). Nil ends it.
//
// It is of this Account value, and not of the ledger. What the ledger records is that the
// service vouched for a name. Whether the service was right the library cannot know, nor
// who writes to the store without it: rights of the store and [Account.Verify] are there for that.
func (a *Account) Authenticate(by Authenticator) {
	if by == nil {
		a.authenticator.Store(nil)
		return
	}
	a.authenticator.Store(&by)
}

const scopeAsker = "who asks"

// vouch says in the charge whether who asks is whom it names. It returns a refusal if
// somebody can tell and says no. What a charge says of that already counts for nothing.
func (a *Account) vouch(ctx context.Context, c *dp.Charge) error {
	by := a.authenticator.Load()
	var err error
	if by != nil {
		err = a.compareAsker(ctx, *by, c)
	}
	if c.States != nil {
		s := *c.States // the caller's own stays as it is
		s.Authenticated = by != nil && err == nil
		c.States = &s
	}
	return err
}

func (a *Account) compareAsker(ctx context.Context, by Authenticator, c *dp.Charge) error {
	name, err := by.Asker(ctx)
	switch {
	case err != nil:
		return errors.Join(a.state.terms.refuse(scope{kind: scopeAsker}, c, "it could not be authenticated"), err)
	case name == "":
		return a.state.terms.refuse(scope{kind: scopeAsker}, c, "it could not be authenticated: the authenticator gives no name")
	case name != c.Analyst:
		return a.state.terms.refuse(scope{kind: scopeAsker}, c, fmt.Sprintf("%q asks, and the charge names %q", name, c.Analyst))
	}
	return nil
}
