package main

import (
	"cmp"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// complete says what the shell may offer as the value of each flag: a file, a
// word, an account of the ledger, or nothing.
func (e *env) complete(c *command, cmd *cobra.Command) {
	files := map[string]bool{"ledger": true, "out": true}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		offer := cobra.NoFileCompletions
		switch words, ok := c.words[f.Name]; {
		case files[f.Name]:
			return
		case ok:
			offer = cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
		case f.Name == "account":
			offer = e.offerAccounts
		}
		if err := cmd.RegisterFlagCompletionFunc(f.Name, offer); err != nil {
			panic("ledger: internal error: " + err.Error())
		}
	})
}

// offerAccounts lists the accounts of the ledger that is named before.
func (e *env) offerAccounts(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var names []string
	s, err := open(cmd.Context(), cmp.Or(e.ledger, e.getenv(envLedger)))
	if err == nil {
		err = s.use(func(s *store) (err error) {
			names, err = s.Accounts(cmd.Context())
			return err
		})
	}
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
