// Package consent has sources of consent for package aggregate: a file, a table of any
// database/sql database, and what a browser says by Global Privacy Control.
//
// What is not understood is an error, and never a yes: a run that asks then fails, and
// counts nothing.
package consent

import (
	"fmt"

	"github.com/equipoise-dp/equipoise/aggregate"
)

// Every is the purpose of a choice that is about all purposes. A choice about one purpose
// goes before it.
const Every = "*"

// choiceOf reads a choice as people write it.
func choiceOf(text string) (aggregate.Choice, error) {
	switch text {
	case "yes":
		return aggregate.Yes, nil
	case "no":
		return aggregate.No, nil
	}
	return 0, fmt.Errorf("a choice is %.40q, must be yes or no", text)
}

// said is what units said, by their text and the purpose.
type said map[[2]string]aggregate.Choice

// add adds a choice; of two about one purpose, no goes before yes.
func (s said) add(unit, purpose, choice string) error {
	c, err := choiceOf(choice)
	if err != nil {
		return err
	}
	if at := [2]string{unit, purpose}; s[at] != aggregate.No {
		s[at] = c
	}
	return nil
}

func (s said) of(unit, purpose string) aggregate.Choice {
	for _, p := range []string{purpose, Every} {
		if c, ok := s[[2]string{unit, p}]; ok {
			return c
		}
	}
	return aggregate.Silent
}

// answers returns what units said.
func answers[Unit comparable](s said, text func(Unit) string, purpose string, units []Unit) []aggregate.Choice {
	all := make([]aggregate.Choice, len(units))
	for i, u := range units {
		all[i] = s.of(text(u), purpose)
	}
	return all
}
