package main

import (
	"context"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/equipoise-dp/equipoise/budget"
)

func checkCommand() *command {
	return &command{
		name: "check", short: "go through the hazards of NIST SP 800-226 that apply: yes or no, each with its evidence",
		long: `
The numbers are those of the publication, "Guidelines for Evaluating Differential
Privacy Guarantees". Of 24 hazards, 20 apply to a ledger and its policy; the rest are of
techniques that this library does not have. Each answer says where in ledger or policy its
evidence is. Hazard 22 needs a signed anchor: give --signed and --keys, as for verify.
The exit status is 4 if one of the answers is no.`,
		flags: func(o *options, f *pflag.FlagSet) { o.signed(f) },
		run:   runCheck,
	}
}

// An answer is that to one hazard.
type answer struct {
	Number   int    `json:"hazard"`
	Hazard   string `json:"about"`
	Yes      bool   `json:"yes"`
	Evidence string `json:"evidence"`
}

func runCheck(ctx context.Context, e *env) error {
	var answers []answer
	err := e.withStore(ctx, func(s *store) error {
		a, err := e.only(ctx, s)
		if err != nil {
			return err
		}
		d, err := e.dossier(ctx, a)
		if err != nil {
			return err
		}
		answers = answersOf(d, e.audit(ctx, a))
		return nil
	})
	if err != nil {
		return err
	}
	if e.json {
		err = e.printJSON(answers)
	} else {
		err = e.printAnswers(answers)
	}
	for _, x := range answers {
		if !x.Yes && err == nil {
			err = errSaid(exitUnverified)
		}
	}
	return err
}

func (e *env) printAnswers(answers []answer) error {
	t, yes := &table{}, 0
	for _, x := range answers {
		word := "NO"
		if x.Yes {
			word, yes = "yes", yes+1
		}
		t.row(fmt.Sprint(x.Number), word, x.Hazard, x.Evidence)
	}
	if err := t.write(e.stdout); err != nil {
		return err
	}
	e.printf("%d of %d\n", yes, len(answers))
	return nil
}

// An audited is what the program looked at beside the ledger's words.
type audited struct {
	report *budget.Report
	anchor string // what was verified, or ""
	err    error
}

// audit verifies the account, with the anchor that --signed gives.
func (e *env) audit(ctx context.Context, a *budget.Account) audited {
	var anchors []budget.Anchor
	out := audited{}
	if e.signedFile != "" {
		x, err := e.openSigned()
		if err != nil {
			return audited{err: err}
		}
		anchors, out.anchor = append(anchors, x), x.String()
	}
	out.report, out.err = a.Verify(ctx, anchors...)
	return out
}

func answersOf(d *dossier, v audited) []answer {
	var all []answer
	for _, h := range hazards {
		yes, evidence := h.ask(d, v)
		all = append(all, answer{h.number, h.about, yes, evidence})
	}
	return all
}
