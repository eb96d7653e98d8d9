package main

import (
	"context"
	_ "embed"
	"html/template"
	"io"
	"time"

	"github.com/spf13/pflag"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

func incidentCommand() *command {
	return &command{
		name: "incident", short: "after a breach: stop everything, and write one page for the regulator",
		long: `
The page says what was published by whom, when, from which periods and at what loss, what
somebody who has all of it could tell about one person, what was made elsewhere, whether
the ledger is sound, and by when the authority is to be told: 72 hours after --noticed
(GDPR Art. 33). With --freeze the account is frozen first, which needs --reason and --by.
What happened to the raw data no ledger knows; say it with --what.`,
		flags: func(o *options, f *pflag.FlagSet) {
			f.BoolVar(&o.freeze, "freeze", false, "freeze the account first")
			f.StringVar(&o.noticed, "noticed", "", "`when` it was noticed, such as 2026-05-31T14:00:00Z")
			f.StringVar(&o.what, "what", "", "`what` happened, in a sentence")
			f.StringVar(&o.controller, "controller", "", "`who` is responsible for the data")
			f.StringVar(&o.contact, "contact", "", "`where` questions are answered")
			o.signed(f)
			o.act(f)
			o.output(f)
		},
		run: runIncident,
	}
}

// An incident is what the page says.
type incident struct {
	Account    string        `json:"account"`
	Unit       string        `json:"unit"`
	What       string        `json:"what,omitempty"`
	Controller string        `json:"controller,omitempty"`
	Contact    string        `json:"contact,omitempty"`
	Written    string        `json:"written"`
	Noticed    string        `json:"noticed"`
	Until      string        `json:"tell_the_authority_until"`
	Late       bool          `json:"late,omitempty"`
	Frozen     string        `json:"frozen,omitempty"` // why
	People     string        `json:"people,omitempty"`
	Holder     string        `json:"raw_data_held_by,omitempty"`
	Protects   string        `json:"protects,omitempty"`
	Published  int           `json:"publications"`
	List       []publication `json:"published"` // the latest, newest first
	Refused    []string      `json:"refused,omitempty"`
	Outside    []elsewhere   `json:"made_elsewhere,omitempty"`
	Spent      string        `json:"spent"`
	Factor     string        `json:"odds_factor"`
	Event      bool          `json:"unit_is_event,omitempty"`
	Risk       string        `json:"risk,omitempty"`
	Rows       []row         `json:"odds"`
	Delta      string        `json:"delta,omitempty"`
	Sound      string        `json:"ledger"`
	Anchor     string        `json:"anchor"`
}

//go:embed incident.html
var incidentText string

var incidentTemplate = page("incident", incidentText)

// authorityWaits is within how long an authority is to be told (GDPR Art. 33(1)).
const authorityWaits = 72 * time.Hour

func runIncident(ctx context.Context, e *env) error {
	noticed, err := time.Parse(time.RFC3339, e.noticed)
	if err != nil {
		return usagef("incident: --noticed is %q, must be a time such as 2026-05-31T14:00:00Z", e.noticed)
	}
	if e.freeze {
		if err := need("incident", map[string]string{"reason": e.reason, "by": e.by}); err != nil {
			return err
		}
	}
	return e.withAccount(ctx, func(a *budget.Account) error {
		if e.freeze {
			if err := a.Freeze(ctx, e.reason, e.by); err != nil {
				return err
			}
		}
		d, err := e.dossier(ctx, a)
		if err != nil {
			return err
		}
		page := e.incident(d, noticed, e.audit(ctx, a))
		if e.json && e.out == "" {
			return e.printJSON(page)
		}
		return e.deliver(page.write)
	})
}

func (e *env) incident(d *dossier, noticed time.Time, v audited) *incident {
	until := noticed.Add(authorityWaits)
	epsilon, delta := pairOf(d.status.Whole.Spent)
	in := &incident{
		Account: d.terms.Dataset, Unit: d.unit(), What: e.what, Controller: e.controller, Contact: e.contact,
		Written: hour(d.now), Noticed: hour(noticed), Until: hour(until), Late: d.now.After(until),
		Spent: dp.FormatLoss(d.status.Whole.Spent), Factor: times(epsilon), Rows: rowsOf(epsilon, epsilon), Anchor: d.anchor.String(), Sound: soundness(v),
		Risk: risk(d.status.Whole.Spent, d.unit()), Event: d.event(),
	}
	if d.status.Frozen {
		in.Frozen = d.status.Reason
	}
	if delta > 0 {
		in.Delta = oneIn(delta)
	}
	if d.policy != nil {
		p := d.policy.Policy
		in.People, in.Holder, in.Protects = peopleWords(p.People), p.Holder, protects(p)
	}
	s := &statement{Unit: d.unit()}
	s.publications(d.entries)
	in.Published, in.List = s.Published, s.List
	for _, x := range d.entries {
		if x.Kind == budget.KindRefuse {
			in.Refused = append(in.Refused, date(x.At)+": "+refusalWords(*x.Refused))
		}
	}
	for _, o := range d.outside() {
		in.Outside = append(in.Outside, elsewhere{o.What, o.By, o.On, guarantee(o)})
	}
	return in
}

func soundness(v audited) string {
	switch {
	case v.err != nil:
		return "NOT SOUND: " + v.err.Error()
	case v.anchor != "":
		return "sound, and it has the record of the anchor that was signed and kept elsewhere"
	}
	return "sound in itself; it was compared with no anchor that was kept elsewhere"
}

func hour(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

func (in *incident) write(w io.Writer) error {
	return incidentTemplate.Execute(w, struct {
		*incident
		Style template.CSS
	}{in, template.CSS(pageStyle)}) //nolint:gosec // a file of this program
}
