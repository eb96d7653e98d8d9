package main

import (
	"flag"
	"fmt"
	"strings"
)

// help is what ledger -help prints.
func help() string {
	var b strings.Builder
	b.WriteString(`Ledger shows, checks and explains a ledger of privacy loss.

    ledger COMMAND -ledger PATH-OR-DSN [flags]

Commands:

`)
	for _, c := range commands() {
		fmt.Fprintf(&b, "    %-11s %s\n", c.name, c.short)
	}
	b.WriteString(`
A ledger is a SQLite file or a PostgreSQL database (postgres://…); $` + envLedger + `
is used if -ledger is not given. Only init creates one. "ledger COMMAND -help"
lists the flags of a command; every command but completion has -json.

A loss is written epsilon=1, epsilon=1,delta=1e-6 or rho=0.5. Amounts are exact
decimals: what is spent is rounded up and what is left is rounded down.

Exit status:
    0  done
    1  an error, such as a ledger that is not there
    2  a mistake on the command line
    3  refused: the charge does not fit, or the account is frozen
    4  verification failed: the ledger is damaged, changed or rolled back
`)
	return b.String()
}

// help lists the flags of a command.
func (c *command) help() string {
	var b strings.Builder
	line := "ledger " + c.name + " [flags]"
	if c.args != "" {
		line += " " + c.args
	}
	fmt.Fprintf(&b, "%s\n\n%s\n", line, c.short)
	if c.long != "" {
		fmt.Fprintf(&b, "\n%s\n", strings.TrimSpace(c.long))
	}
	f := c.set(new(options))
	f.VisitAll(func(g *flag.Flag) {
		name, text := flag.UnquoteUsage(g)
		fmt.Fprintf(&b, "\n%s\n        %s", strings.TrimRight("  -"+g.Name+" "+name, " "), strings.ReplaceAll(text, "\n", "\n        "))
		if g.DefValue != "" && g.DefValue != "0" && g.DefValue != "false" {
			fmt.Fprintf(&b, " (default %s)", g.DefValue)
		}
	})
	b.WriteString("\n")
	return b.String()
}
