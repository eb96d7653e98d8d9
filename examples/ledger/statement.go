package main

import (
	"context"
	_ "embed"
	"html/template"
	"io"

	"github.com/spf13/pflag"

	"github.com/equipoise-dp/equipoise/budget"
)

func statementCommand() *command {
	return &command{
		name: "statement", short: "write the transparency statement: one HTML page, in plain words, for the people in the data",
		long: `
It says what was published and why, who asked, since when, and how well each person
is hidden: the odds before and after. Everything in it comes from the ledger, but
for the words of --title, --controller and --contact. It has no script and loads
nothing. With --json, what it says is printed instead.`,
		flags: func(o *options, f *pflag.FlagSet) {
			o.output(f)
			f.StringVar(&o.title, "title", "", "a `title` (default: from the dataset)")
			f.StringVar(&o.controller, "controller", "", "`who` is responsible for the data")
			f.StringVar(&o.contact, "contact", "", "`where` questions are answered, such as an address")
		},
		run: runStatement,
	}
}

//go:embed statement.html
var pageText string

//go:embed statement.css
var pageStyle string

var pageTemplate = template.Must(template.New("statement").Parse(pageText))

func runStatement(ctx context.Context, e *env) error {
	return e.withAccount(ctx, func(a *budget.Account) error {
		s, err := e.statement(ctx, a)
		if err != nil {
			return err
		}
		if e.json && e.out == "" {
			return e.printJSON(s)
		}
		return e.deliver(func(w io.Writer) error {
			return pageTemplate.Execute(w, struct {
				*statement
				Style template.CSS
			}{s, template.CSS(pageStyle)}) //nolint:gosec // a file of this program
		})
	})
}
