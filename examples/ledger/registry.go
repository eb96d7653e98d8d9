package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

func registryCommand() *command {
	return &command{
		name: "registry", short: "write an entry for the public registry of deployments, as far as ledger and policy know it",
		long: `
The entry has the fields of the registry's schema, in YAML. What follows from ledger and
policy is filled in; what only a person knows is asked for, as "ASK: …", and the number
of such fields is said. --title and --controller fill two of them.`,
		flags: func(o *options, f *pflag.FlagSet) {
			o.output(f)
			f.StringVar(&o.title, "title", "", "the name of the `product`")
			f.StringVar(&o.controller, "controller", "", "`who` is responsible for the data")
		},
		run: runRegistry,
	}
}

// A filing is an entry, field by field, in the order of the schema.
type filing struct {
	fields []filed
}

// filed is one field: its group, its name, and what it says.
type filed struct {
	group, name string
	value       any
	asks        bool
}

// fill adds what ledger or policy says.
func (f *filing) fill(group, name string, value any) {
	f.fields = append(f.fields, filed{group, name, value, false})
}

// ask adds a question for a person.
func (f *filing) ask(group, name, question string) {
	f.fields = append(f.fields, filed{group, name, "ASK: " + question, true})
}

// either fills a field, or asks if there is nothing to fill it with.
func (f *filing) either(group, name, value, question string) {
	if value == "" {
		f.ask(group, name, question)
		return
	}
	f.fill(group, name, value)
}

func runRegistry(ctx context.Context, e *env) error {
	return e.withAccount(ctx, func(a *budget.Account) error {
		d, err := e.dossier(ctx, a)
		if err != nil {
			return err
		}
		f := e.filing(d)
		if e.json && e.out == "" {
			return e.printJSON(f.tree())
		}
		return e.deliver(func(w io.Writer) error { return f.write(w) })
	})
}

// filing goes through the schema: product, dp_flavor, privacy_loss, model, accounting,
// implementation, resources.
func (e *env) filing(d *dossier) *filing {
	f := &filing{}
	about, holder, why := "", "", ""
	if d.policy != nil {
		p := d.policy.Policy
		about, holder, why = p.About, p.Holder, p.Why
	}
	f.fill("product", "name", cmp.Or(e.title, d.terms.Dataset))
	f.either("product", "data_curators", e.controller, "who curates the data")
	f.fill("product", "intended_use", d.uses())
	f.fill("product", "data_product_type", "Summary statistics")
	f.ask("product", "data_product_region", "of which region is it")
	f.either("product", "description", about, "what is it, in a sentence or two")
	f.fill("product", "publication_date", d.firstDay())
	f.ask("product", "data_product_sector", "of which sector is it")
	bound, told, under := d.status.Whole.Limit, "This is the limit for all releases together; ", "under one limit for all of them"
	if bound == nil {
		bound, told, under = d.status.Whole.Spent, "There is no limit; ", "without a limit"
	}
	name, measure := variant(bound)
	f.fill("dp_flavor", "name", name)
	f.fill("dp_flavor", "input_metric", fmt.Sprintf("Number of %s whose rows are added or removed", plural(d.unit())))
	f.fill("dp_flavor", "bound_on_input_distance", 1)
	f.fill("dp_flavor", "output_measure", measure)
	f.fill("dp_flavor", "bound_on_output_distance", dp.FormatLoss(bound))
	f.either("dp_flavor", "data_domain", about, "which tables could the data be")
	f.ask("dp_flavor", "unprotected_quantities", "which parameters were chosen by looking at the data")
	f.fill("privacy_loss", "privacy_unit", d.unit())
	f.fill("privacy_loss", "privacy_unit_description", d.unitTold())
	f.fill("privacy_loss", "privacy_parameters", parameters(bound))
	f.fill("privacy_loss", "privacy_parameters_description", fmt.Sprintf("%s%s is spent.", told, dp.FormatLoss(d.status.Whole.Spent)))
	if d.planned() {
		f.fill("model", "model_name", "Central")
		f.fill("model", "model_name_description", "Raw rows stay with whoever runs the program; noise is added before anything leaves it.")
	} else {
		f.ask("model", "model_name", "is noise added centrally, or where rows come from")
		f.ask("model", "model_name_description", "who adds the noise, and where raw rows go")
	}
	f.either("model", "actors", holder, "who sees the raw data, and who must be trusted")
	f.fill("model", "release_type", d.releaseType())
	f.fill("model", "release_type_description", count(len(d.published()), "release", "releases")+" so far, "+under)
	f.ask("model", "data_source_type", "is the data static or dynamic")
	f.ask("model", "data_source_type_description", "how does it come about")
	f.fill("model", "access_type", "Non-interactive")
	f.fill("model", "access_type_description", d.access())
	f.fill("accounting", "post_processing", postProcessing)
	f.fill("accounting", "composition", d.composition())
	f.ask("implementation", "pre_processing_eda_hyperparameter_tuning", "what was done with the raw data before")
	f.fill("implementation", "mechanisms", d.mechanisms())
	f.either("implementation", "justification", why, "why these parameters")
	f.ask("resources", "sources", "where is more about it")
	f.ask("resources", "registry_authors", "who fills this in")
	return f
}

// planned says whether every release is known to be of a plan of package aggregate: it states
// what it read, and nothing was made elsewhere.
func (d *dossier) planned() bool {
	return len(d.outside()) == 0 && !slices.ContainsFunc(d.published(), func(e budget.Entry) bool { return e.Charge.States == nil })
}

// access says who asks.
func (d *dossier) access() string {
	if d.policy == nil {
		return "Questions are asked by whoever may use the account, since no policy names them; each answer is stored and shown the same to everybody."
	}
	return "Questions are asked by those whom the policy names; each answer is stored and shown the same to everybody."
}

const postProcessing = "Estimates and intervals are functions of the noisy integers that are stored; counts are cut off at 0, and estimates at what public bounds allow."

// uses lists purposes with their reasons.
func (d *dossier) uses() string {
	if d.policy == nil {
		return strings.Join(purposesOf(d.published()), "; ")
	}
	var all []string
	for _, u := range promiseOf(d.policy).Purposes {
		if !u.Ended {
			all = append(all, u.Name+": "+u.Reason)
		}
	}
	return strings.Join(all, "; ")
}

func purposesOf(entries []budget.Entry) (all []string) {
	for _, e := range entries {
		if !slices.Contains(all, e.Charge.Purpose) {
			all = append(all, e.Charge.Purpose)
		}
	}
	return all
}

func (d *dossier) firstDay() string {
	if p := d.published(); len(p) > 0 {
		return p[0].At.UTC().Format(time.DateOnly)
	}
	return "nothing was published yet"
}

// variant returns what the registry calls a kind of loss, and what the loss bounds.
func variant(l dp.Loss) (flavor, measure string) {
	switch p := dp.PartsOf(l); {
	case p.Rho > 0 && p.Delta > 0:
		return "Zero-concentrated DP", "Rényi divergence of every order, in proportion to it, but for an event of probability δ"
	case p.Rho > 0:
		return "Zero-concentrated DP", "Rényi divergence of every order, in proportion to it"
	case p.Delta > 0:
		return "Approximate DP", "Smoothed max divergence"
	}
	return "Pure DP", "Max divergence"
}

func parameters(l dp.Loss) map[string]float64 {
	p, m := dp.PartsOf(l), map[string]float64{}
	for name, x := range map[string]float64{"epsilon": p.Epsilon, "delta": p.Delta, "rho": p.Rho} {
		if x > 0 {
			m[name] = x
		}
	}
	return m
}

func (d *dossier) unitTold() string {
	neighbours := fmt.Sprintf("Adjacent datasets differ by all rows of one %s, added or removed.", d.unit())
	if d.policy == nil {
		return neighbours
	}
	return neighbours + " " + protects(d.policy.Policy)
}

func (d *dossier) releaseType() string {
	if len(d.published()) == 1 {
		return "One release"
	}
	return "Many releases"
}

func (d *dossier) composition() string {
	if d.terms.Odometer {
		return fmt.Sprintf("An odometer (rule %v) adds up all releases and refuses none for its amount; %s is read off.", d.terms.Rule, dp.FormatLoss(d.status.Whole.Spent))
	}
	return fmt.Sprintf("A privacy filter (rule %v) adds up all releases, however they are chosen after seeing those before, and refuses what would go beyond %v; %s is spent.",
		d.terms.Rule, d.status.Whole.Limit, dp.FormatLoss(d.status.Whole.Spent))
}

// mechanisms lists what was used, each once, with the versions of the library.
func (d *dossier) mechanisms() string {
	var used, versions []string
	for _, e := range d.published() {
		for _, v := range e.Charge.Events {
			if m := string(v.Mechanism); !slices.Contains(used, m) {
				used = append(used, m)
			}
		}
		if e.Module != "" && !slices.Contains(versions, e.Module) {
			versions = append(versions, e.Module)
		}
	}
	said := fmt.Sprintf("Equipoise %s: %s.", strings.Join(versions, ", "), cmp.Or(strings.Join(used, ", "), "nothing yet"))
	if n := len(d.outside()); n > 0 {
		said += fmt.Sprintf(" Beside them %s, by what the ledger was told of it.", count(n, "release was made elsewhere", "releases were made elsewhere"))
	}
	if d.planned() {
		said += " Noise is drawn as exact integers from the operating system's randomness; sums are exact, so no trace of floating-point numbers is left."
	}
	return said
}

// tree nests the fields under their groups.
func (f *filing) tree() map[string]any {
	groups := map[string]any{}
	for _, x := range f.fields {
		if groups[x.group] == nil {
			groups[x.group] = map[string]any{}
		}
		groups[x.group].(map[string]any)[x.name] = x.value
	}
	return map[string]any{"status": "Draft", "deployment": groups}
}

// asked returns how many fields a person has to fill.
func (f *filing) asked() (n int) {
	for _, x := range f.fields {
		if x.asks {
			n++
		}
	}
	return n
}

// write writes YAML, in the order of the schema.
func (f *filing) write(w io.Writer) error {
	groups := &yaml.Node{Kind: yaml.MappingNode}
	at := map[string]*yaml.Node{}
	for _, x := range f.fields {
		if at[x.group] == nil {
			at[x.group] = &yaml.Node{Kind: yaml.MappingNode}
			groups.Content = append(groups.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: x.group}, at[x.group])
		}
		value := &yaml.Node{}
		if err := value.Encode(x.value); err != nil {
			return err
		}
		at[x.group].Content = append(at[x.group].Content, &yaml.Node{Kind: yaml.ScalarNode, Value: x.name}, value)
	}
	if _, err := fmt.Fprintf(w, "# %d fields follow from the ledger and its policy; %d are asked for.\n", len(f.fields)-f.asked(), f.asked()); err != nil {
		return err
	}
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(map[string]any{"status": "Draft", "deployment": groups}); err != nil {
		return err
	}
	return enc.Close()
}
