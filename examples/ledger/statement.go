package main

import (
	"context"
	_ "embed"
	"html/template"
	"io"
	"strings"

	"github.com/spf13/pflag"
)

func statementCommand() *command {
	return &command{
		name: "statement", short: "write the transparency statement: one HTML page, in plain words, for the people in the data",
		long: `
It says what was published and why, who asked, since when, at what pace and until
when, which values were read with which bounds, why so much and who decided, what was
made elsewhere, and how well each person is hidden: the odds before and after. Everything in it comes from the ledger, but
for the words of --title, --controller and --contact. It has no script and loads
nothing. With --json, what it says is printed instead.`,
		flags: func(o *options, f *pflag.FlagSet) {
			o.output(f)
			f.StringVar(&o.title, "title", "", "a `title` (default: from the dataset)")
			f.StringVar(&o.controller, "controller", "", "`who` is responsible for the data")
			f.StringVar(&o.contact, "contact", "", "`where` questions are answered, such as an address")
			f.StringVar(&o.compare, "compare", "", "an earlier statement, a `file` that --json wrote; the page says what is new since")
			f.StringVar(&o.address, "serve", "", "serve the page at an `address` such as localhost:8080, written anew for each reader")
		},
		run: runStatement,
	}
}

//go:embed statement.html
var pageText string

//go:embed statement.css
var pageStyle string

//go:embed parts.html
var pageParts string

var pageTemplate = page("statement", pageText)

// page reads a template, with the parts that pages share.
func page(name, text string) *template.Template {
	return template.Must(template.Must(template.New(name).Funcs(template.FuncMap{"words": strings.Fields}).Parse(text)).Parse(pageParts))
}

func runStatement(ctx context.Context, e *env) error {
	return e.withStore(ctx, func(kept *store) error {
		a, err := e.only(ctx, kept)
		if err != nil {
			return err
		}
		s, err := e.statement(ctx, kept, a)
		switch {
		case err != nil:
			return err
		case e.address != "":
			return e.serve(ctx, kept, a)
		}
		if e.json && e.out == "" {
			return e.printJSON(s)
		}
		return e.deliver(s.page)
	})
}

// page writes the statement as HTML.
func (s *statement) page(w io.Writer) error {
	return pageTemplate.Execute(w, struct {
		*statement
		Style template.CSS
	}{s, template.CSS(pageStyle)}) //nolint:gosec // a file of this program
}
