package main

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

func verifyCommand() *command {
	return &command{
		name: "verify", short: "read everything again: numbers, hashes, decisions, sums",
		long: `
It prints an anchor: the number and the hash of the last entry. Keep it somewhere
else. Verified with --anchor later, a ledger that was changed, or replaced by an
older copy that is sound in itself, is found.`,
		flags: func(o *options, f *pflag.FlagSet) {
			f.Var(&o.anchors, "anchor", "an `anchor` that verify printed earlier; once for each")
			o.signed(f)
		},
		run: runVerify,
	}
}

// A verified is the outcome for one account.
type verified struct {
	Account   string       `json:"account"`
	OK        bool         `json:"ok"`
	Error     string       `json:"error,omitempty"`
	Entries   uint64       `json:"entries,omitempty"`
	Charges   int          `json:"charges"`
	Releases  int          `json:"releases"`
	Uncovered []uint64     `json:"releases_without_digest,omitempty"`
	Hash      string       `json:"hash,omitempty"`
	Anchor    string       `json:"anchor,omitempty"`
	Differ    []uint64     `json:"decided_otherwise_now,omitempty"`
	Clock     []uint64     `json:"dated_before_the_entry_before,omitempty"`
	Against   []uint64     `json:"against_the_policy,omitempty"`
	Scopes    []shownScope `json:"scopes,omitempty"`
}

func runVerify(ctx context.Context, e *env) error {
	all, err := e.verify(ctx)
	if err != nil {
		return err
	}
	if e.json {
		err = e.printJSON(all)
	} else {
		for _, v := range all {
			v.print(e)
		}
	}
	for _, v := range all {
		if !v.OK && err == nil {
			err = errSaid(exitUnverified)
		}
	}
	return err
}

func (e *env) verify(ctx context.Context) (all []verified, err error) {
	if e.signedFile != "" {
		x, err := e.openSigned()
		if err != nil {
			return nil, err
		}
		e.anchors = append(e.anchors, x)
	}
	err = e.withStore(ctx, func(s *store) error {
		if whole, ok := s.stored.(interface{ Check(context.Context) error }); ok {
			if err := whole.Check(ctx); err != nil {
				return damage(err)
			}
		}
		names, err := e.accounts(ctx, s)
		if err != nil {
			return damage(err)
		}
		if err := e.anchored(names); err != nil {
			return err
		}
		for _, name := range names {
			v, err := e.verifyAccount(ctx, s, name)
			if err != nil {
				return err
			}
			all = append(all, v)
		}
		return nil
	})
	return all, err
}

// anchored refuses anchors that no account would be compared with.
func (e *env) anchored(names []string) error {
	for _, x := range e.anchors {
		if e.account != "" && x.Account != e.account {
			return usagef("verify: --anchor is of account %q, and --account is %q", x.Account, e.account)
		}
		found := false
		for _, name := range names {
			found = found || name == x.Account
		}
		if !found {
			return unverified{fmt.Errorf("there is no account %q any more, which an anchor says there was", x.Account)}
		}
	}
	return nil
}

func (e *env) verifyAccount(ctx context.Context, s *store, name string) (verified, error) {
	var anchors []budget.Anchor
	for _, x := range e.anchors {
		if x.Account == name {
			anchors = append(anchors, x)
		}
	}
	r, err := verifyOne(ctx, s, name, anchors)
	switch {
	case ctx.Err() != nil || missing(err):
		return verified{}, err
	case err != nil:
		return verified{Account: name, Error: err.Error()}, nil
	}
	return verified{
		Account: name, OK: true, Entries: r.Status.Entries, Charges: r.Charges, Releases: r.Releases, Uncovered: r.Uncovered, Hash: hex.EncodeToString(r.Anchor.Hash[:]), Anchor: r.Anchor.String(),
		Differ: r.NotRepeated, Clock: r.Backdated, Against: r.AgainstPolicy, Scopes: shownScopes(r.Status),
	}, nil
}

func verifyOne(ctx context.Context, s *store, name string, anchors []budget.Anchor) (*budget.Report, error) {
	a, err := budget.Open(ctx, s, name, anchors...)
	if err != nil {
		return nil, err
	}
	return a.Verify(ctx, anchors...)
}

func (v verified) print(e *env) {
	if !v.OK {
		e.printf("account %q: FAILED\n%s\n", v.Account, plain(v.Error))
		return
	}
	spent := v.Scopes[0].status
	e.printf("account %q: sound; %d entries, %s, %s spent of %v\n", v.Account, v.Entries,
		count(v.Charges, "charge", "charges"), dp.FormatLoss(spent.Spent), limitText(spent.Limit))
	if v.Releases > 0 {
		e.printf("%s as it was kept\n", count(v.Releases, "release, each", "releases, each"))
	}
	if v.Uncovered != nil {
		e.printf("releases that an earlier version kept without a digest, of entries %v; nothing is known about their bytes\n", v.Uncovered)
	}
	if v.Differ != nil {
		e.printf("decided by another version of the library, and now refused or priced otherwise: %v\n", v.Differ)
	}
	if v.Against != nil {
		e.printf("the policy that was in force does not allow the charges of entries %v\n", v.Against)
	}
	if v.Clock != nil {
		e.printf("dated before the entry before it; nothing depends on it: %v\n", v.Clock)
	}
	e.printf("anchor: %s\n", v.Anchor)
}
