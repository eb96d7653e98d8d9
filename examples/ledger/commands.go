package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A command is one thing that the program does with a ledger.
type command struct {
	name, args  string // args is what follows the flags, if anything
	short, long string
	flags       func(*options, *pflag.FlagSet)
	words       map[string][]string // what a flag can be, for completion
	bare        bool                // whether it needs no ledger
	run         func(context.Context, *env) error
}

// commands returns all commands, in the order of the help.
func commands() []*command {
	return []*command{
		initCommand(), showCommand(), logCommand(), explainCommand(), verifyCommand(), whatifCommand(), planCommand(), refundCommand(), freezeCommand(),
		thawCommand(), raiseCommand(), policyCommand(), outsideCommand(), signCommand(), checkCommand(), incidentCommand(), registryCommand(), exportCommand(), importCommand(), statementCommand(),
	}
}

const about = `Ledger shows, checks and explains a ledger of privacy loss.

A ledger is a SQLite file or a PostgreSQL database (postgres://…); $` + envLedger + `
is used if --ledger is not given. Only init and import create one.

A loss is written epsilon=1, epsilon=1,delta=1e-6, rho=0.5 or rho=0.5,delta=1e-6.
Amounts are exact decimals: what is spent is rounded up and what is left is rounded down.

Exit status:
    0  done
    1  an error, such as a ledger that is not there
    2  a mistake on the command line
    3  refused: the charge does not fit, or the account is frozen
    4  verification failed: the ledger is damaged, changed or rolled back`

// root returns the program, with its help and completion.
func (e *env) root() *cobra.Command {
	root := &cobra.Command{
		Use: "ledger", Short: "show, check and explain a ledger of privacy loss", Long: about,
		SilenceErrors: true, SilenceUsage: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("%q is not a command; ledger --help lists them", args[0])
			}
			return nil
		},
		RunE: func(*cobra.Command, []string) error {
			return usagef("a command is missing; ledger --help lists them")
		},
	}
	root.SetIn(e.stdin)
	root.SetOut(e.stdout)
	root.SetErr(e.stderr)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usagef("%s: %w; %s --help lists its flags, which have two hyphens", c.Name(), err, c.CommandPath())
	})
	for _, c := range commands() {
		root.AddCommand(e.cobra(c))
	}
	return root
}

// cobra makes a command of the library.
func (e *env) cobra(c *command) *cobra.Command {
	cmd := &cobra.Command{
		Use: strings.TrimSpace(c.name + " " + c.args), Short: c.short, Long: c.short + strings.TrimRight("\n\n"+strings.TrimSpace(c.long), "\n"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := e.ready(c, args); err != nil {
				return err
			}
			e.ran = true
			return c.run(cmd.Context(), e)
		},
	}
	e.common(cmd.Flags())
	if c.flags != nil {
		c.flags(&e.options, cmd.Flags())
	}
	if c.args == "" {
		cmd.ValidArgsFunction = cobra.NoFileCompletions
	}
	e.complete(c, cmd)
	return cmd
}

// ready checks what all commands need.
func (e *env) ready(c *command, args []string) error {
	e.args = args
	if c.args == "" && len(args) > 0 {
		return usagef("%s: argument %q is not a flag; ledger %s --help lists its flags", c.name, args[0], c.name)
	}
	if e.ledger == "" {
		e.ledger = e.getenv(envLedger)
	}
	if e.ledger == "" && !c.bare {
		return usagef("%s: --ledger is missing; give the path of a ledger or a postgres:// DSN", c.name)
	}
	return nil
}
