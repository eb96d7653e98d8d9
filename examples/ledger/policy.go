package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/policy"
	"github.com/equipoise-dp/equipoise/budget/policy/policyyaml"
)

func policyCommand() *command {
	return &command{
		name: "policy", short: "show the policy in force, put one in force, or withdraw a purpose; both are recorded",
		long: `
A policy is one document, in YAML or JSON: what the rows are, who is protected, for
which purposes and by whom they may be asked about, with which columns and bounds,
after which consent, for how long, and how much one release may tell. --check reads
one and changes nothing. --set puts it in force, and --withdraw ends one purpose of
it for good; both need --reason and --by. budget/policy/testdata/visits.yaml is one.`,
		flags: func(o *options, f *pflag.FlagSet) {
			f.StringVar(&o.check, "check", "", "read a policy from a `file` and say what is wrong with it; nothing is changed")
			f.StringVar(&o.set, "set", "", "put the policy of a `file` in force")
			f.StringVar(&o.withdraw, "withdraw", "", "end a `purpose` of the policy, for good")
			o.act(f)
		},
		run: runPolicy,
	}
}

func runPolicy(ctx context.Context, e *env) error {
	given := 0
	for _, f := range []string{e.check, e.set, e.withdraw} {
		if f != "" {
			given++
		}
	}
	switch {
	case given > 1:
		return usagef("policy: --check, --set and --withdraw exclude each other")
	case e.check != "":
		p, err := readPolicy(e.check)
		if err == nil {
			e.printf("%s is a policy of %q, version %d, with the digest %x\n", e.check, p.Dataset, p.Version, p.Digest())
		}
		return err
	case e.set != "":
		return e.setPolicy(ctx)
	case e.withdraw != "":
		return e.decide(ctx, "policy", func(a *budget.Account, ctx context.Context, reason, by string) error {
			return a.WithdrawPurpose(ctx, e.withdraw, reason, by)
		}, "withdrew a purpose of account %q")
	}
	return e.withAccount(ctx, func(a *budget.Account) error { return e.showPolicy(ctx, a) })
}

func (e *env) setPolicy(ctx context.Context) error {
	p, err := readPolicy(e.set)
	if err != nil {
		return err
	}
	return e.decide(ctx, "policy", func(a *budget.Account, ctx context.Context, reason, by string) error {
		return a.SetPolicy(ctx, p, reason, by)
	}, "put a policy of account %q in force")
}

func readPolicy(path string) (*policy.Policy, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return policyyaml.Parse(text)
}

func (e *env) showPolicy(ctx context.Context, a *budget.Account) error {
	in, err := a.Policy(ctx)
	if err != nil {
		return err
	}
	if in == nil {
		return fmt.Errorf("account %q has no policy; ledger policy --set FILE puts one in force", a.Terms().Dataset)
	}
	if e.json {
		return e.printJSON(map[string]any{"policy": in.Policy, "digest": fmt.Sprintf("%x", in.Digest), "entry": in.Entry, "since": in.Since, "withdrawn": in.Withdrawn})
	}
	p := in.Policy
	e.printf("policy %d of %q, in force since %s by entry %d, digest %x\n", p.Version, plain(p.Dataset), date(in.Since), in.Entry, in.Digest)
	t := &table{}
	for _, line := range policyWords(p) {
		t.row(line.name, line.text)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Purposes)) {
		t.row("", "")
		t.row("purpose", name)
		if slices.Contains(in.Withdrawn, name) {
			t.row("withdrawn", "nothing is answered for it any more")
		}
		for _, line := range purposeWords(p.Purposes[name]) {
			t.row(line.name, line.text)
		}
	}
	return t.write(e.stdout)
}

// A line is one fact in words.
type line struct{ name, text string }

func policyWords(p *policy.Policy) []line {
	lines := []line{
		{"rows", p.About}, {"held by", p.Holder}, {"protects", protects(p)},
		{"people", peopleWords(p.People)}, {"one release", "at most " + p.Largest.String()}, {"why", p.Why},
		{"decided by", p.By + ", " + date(p.On)},
		{"small groups", orAny(p.LeastGroup, "shown from a noisy number of %d on", "shown")},
		{"old rows", orAny(p.RetainDays, "do not count after %d days", "count for ever")},
	}
	if p.Authenticated {
		lines = append(lines, line{"who asks", "is authenticated by the service"})
	}
	if p.Modules != nil {
		lines = append(lines, line{"library", strings.Join(p.Modules, ", ")})
	}
	return lines
}

// protects says who is, and names an event as one.
func protects(p *policy.Policy) string {
	if p.Event {
		return fmt.Sprintf("one %s, and not whoever made it: %s", p.Unit, p.Means)
	}
	return fmt.Sprintf("one %s: %s", p.Unit, p.Means)
}

func peopleWords(n policy.People) string {
	return fmt.Sprintf("%d to %d, %s", n.AtLeast, n.AtMost, cmp.Or(prefixed("stated by ", n.Known), prefixed("paid for under request key ", n.Paid)))
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

func orAny(n int, format, none string) string {
	if n == 0 {
		return none
	}
	return fmt.Sprintf(format, n)
}

func purposeWords(u policy.Purpose) []line {
	lines := []line{
		{"reason", u.Reason}, {"legal basis", u.Basis}, {"until", u.Until.Format(time.DateOnly)}, {"may ask", strings.Join(u.Askers, ", ")},
		{"consent", consentWords(u.Consent)}, {"values", columnsWords(u)}, {"groups", groupsWords(u)},
	}
	if u.Limit != nil {
		lines = append(lines, line{"in all", "at most " + u.Limit.String() + ", as losses are declared"})
	}
	return lines
}

func consentWords(mode string) string {
	switch mode {
	case policy.OptIn:
		return "only who said yes counts"
	case policy.OptOut:
		return "whoever said no does not count"
	case policy.ConsentNone:
		return "nobody is asked"
	}
	return mode
}

func columnsWords(u policy.Purpose) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(u.Columns)) {
		b := u.Columns[name]
		all = append(all, fmt.Sprintf("%s from %s to %s", name, amountWords(b.Lower, b.Duration), amountWords(b.Upper, b.Duration)))
	}
	return cmp.Or(strings.Join(all, ", "), "none; rows are counted")
}

func groupsWords(u policy.Purpose) string {
	groups := strings.Join(u.Groups, ", ")
	if groups == "" {
		return "none"
	}
	switch u.Keys {
	case policy.KeysGiven:
		return groups + ", listed without looking at rows"
	case policy.KeysSelected:
		return groups + ", found privately"
	case policy.KeysAny:
		return groups + ", listed or found privately"
	}
	return groups
}
