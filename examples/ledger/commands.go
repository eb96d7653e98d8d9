package main

import (
	"context"
	"flag"
)

// A command is one thing that the program does.
type command struct {
	name, args string // args is what follows the flags, if anything
	short      string // one line
	long       string
	local      bool // it needs no ledger
	flags      func(*options, *flag.FlagSet)
	run        func(context.Context, *env) error
}

// commands returns all commands, in the order of the help.
func commands() []*command {
	return []*command{
		initCommand(), showCommand(), logCommand(), explainCommand(), verifyCommand(), whatifCommand(), freezeCommand(),
		thawCommand(), raiseCommand(), exportCommand(), importCommand(), statementCommand(), completionCommand(),
	}
}

func find(name string) *command {
	for _, c := range commands() {
		if c.name == name {
			return c
		}
	}
	return nil
}
