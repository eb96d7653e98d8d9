package main

import (
	"flag"
	"fmt"
	"strings"
)

// help lists the flags and the exit statuses.
func help() string {
	var b strings.Builder
	b.WriteString(`Trends writes a private trend report: a table in the terminal and one HTML file.

    go run ./examples/trends
    go run ./examples/trends -input sales.csv.gz -unit user -time day -value paid -upper 500 \
        -from 2025-01-01 -to 2025-12-31

Every mistake is found before anything is spent. The same question asked again
shows the same numbers and costs nothing; when the data has changed and shall be
asked anew, give a new -key.

`)
	f := new(options).flags()
	f.VisitAll(func(g *flag.Flag) {
		name, text := flag.UnquoteUsage(g)
		fmt.Fprintf(&b, "  -%s %s\n        %s", g.Name, name, strings.ReplaceAll(text, "\n", "\n        "))
		if !strings.Contains(text, "(default") && g.DefValue != "" && g.DefValue != "0" && g.DefValue != "false" {
			fmt.Fprintf(&b, " (default %s)", g.DefValue)
		}
		b.WriteString("\n")
	})
	b.WriteString(`
Exit status: 0 done; 1 an error, nothing was released; 2 a mistake on the command
line; 3 the ledger refused, because the limit would be exceeded.
`)
	return b.String()
}
