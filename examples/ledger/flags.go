package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

// Options are what the flags of all commands say.
type options struct {
	ledger, account string
	json            bool

	unit                                    string
	limit, period, analyst                  lossFlag
	odometer                                bool
	parts                                   purposesFlag
	purposes                                purposesFlag
	rule                                    string
	share                                   float64
	refusals                                int
	anchors                                 anchorsFlag
	by, reason                              string
	loss                                    lossFlag
	purpose, who, part                      string
	periods                                 listFlag
	times                                   int
	uses                                    usesFlag
	delta                                   float64
	key                                     string
	group                                   string
	out, format, title, controller, contact string
	signKey, newKey, keys, signedFile       string
	freeze                                  bool
	noticed                                 string
	compare, address                        string
	check, set, withdraw                    string // files, and a purpose
	what, publisher, on                     string // of a release made elsewhere
}

// envLedger is where a ledger is looked for if --ledger is not given: a DSN with
// a password should not be in the list of processes.
const envLedger = "EQUIPOISE_LEDGER"

func (o *options) common(f *pflag.FlagSet) {
	f.StringVar(&o.ledger, "ledger", "", "the `path` of a SQLite ledger, or the postgres:// DSN of a database\n(default: $"+envLedger+")")
	f.StringVar(&o.account, "account", "", "the `name` of the account, which is its dataset; needed if there are several")
	f.BoolVar(&o.json, "json", false, "print JSON")
}

func (o *options) act(f *pflag.FlagSet) {
	f.StringVar(&o.reason, "reason", "", "`why`; it is recorded")
	f.StringVar(&o.by, "by", "", "`who` decides; it is recorded")
}

// need returns an error unless all of the flags have a value.
func need(command string, flags map[string]string) error {
	var errs []error
	for _, name := range []string{"account", "unit", "limit", "loss", "purpose", "reason", "by"} {
		if value, asked := flags[name]; asked && value == "" {
			errs = append(errs, usagef("%s: --%s is missing", command, name))
		}
	}
	return errors.Join(errs...)
}

// A lossFlag is a loss, or nil.
type lossFlag struct{ dp.Loss }

func (l *lossFlag) String() string {
	if l.Loss == nil {
		return ""
	}
	return l.Loss.String()
}

func (l *lossFlag) Set(s string) (err error) {
	l.Loss, err = dp.ParseLoss(s)
	return err
}

// A purposesFlag is given once for each purpose, or each part.
type purposesFlag map[string]dp.Loss

func (p *purposesFlag) String() string { return "" }

// Type and its like name what the help calls a value.
func (p *purposesFlag) Type() string { return "name:loss" }

func (l *lossFlag) Type() string { return "loss" }

func (a *anchorsFlag) Type() string { return "anchor" }

func (l *listFlag) Type() string { return "name" }

func (p *purposesFlag) Set(s string) error {
	name, text, ok := strings.Cut(s, ":")
	if !ok || name == "" {
		return errors.New("must be a name, a colon and a loss, such as ads:epsilon=0.5")
	}
	l, err := dp.ParseLoss(text)
	if err != nil {
		return err
	}
	if *p == nil {
		*p = purposesFlag{}
	}
	if (*p)[name] != nil {
		return fmt.Errorf("%q is given twice", name)
	}
	(*p)[name] = l
	return nil
}

// An anchorsFlag is given once for each anchor.
type anchorsFlag []budget.Anchor

func (a *anchorsFlag) String() string { return "" }

func (a *anchorsFlag) Set(s string) error {
	x, err := budget.ParseAnchor(s)
	*a = append(*a, x)
	return err
}

// A listFlag is given once for each of its values.
type listFlag []string

func (l *listFlag) String() string { return strings.Join(*l, ",") }

func (l *listFlag) Set(s string) error {
	*l = append(*l, s)
	return nil
}
