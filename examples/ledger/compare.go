package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
)

// changes says what is new since an earlier statement, as --json wrote it.
func (s *statement) changes(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var old statement
	if err := json.Unmarshal(text, &old); err != nil {
		return fmt.Errorf("%s is no statement that --json wrote: %w", path, err)
	}
	if old.Dataset != s.Dataset {
		return fmt.Errorf("%s is a statement about %q, and this is one about %q", path, old.Dataset, s.Dataset)
	}
	s.Before, s.Changes = old.Written, s.since(&old)
	return nil
}

func (s *statement) since(old *statement) []string {
	var all []string
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if n := s.Published - old.Published; n > 0 {
		say("%s published.", count(n, "more set of results was", "more sets of results were"))
	}
	if s.Spent != old.Spent {
		say("All results together can multiply the odds by at most %s; it was %s.", s.FactorNow, old.FactorNow)
	}
	if s.Limit != old.Limit {
		say("The limit for everything together was changed. It lets results multiply the odds %s; before, it let them do so %s.", s.mostTold(), old.mostTold())
	}
	for _, p := range s.Purposes {
		if !slices.ContainsFunc(old.Purposes, func(q purposeFact) bool { return q.Name == p.Name }) {
			say("The data was used for a purpose that it was not used for before: %s.", p.Name)
		}
	}
	if version(s.Promise) != version(old.Promise) {
		say("Other rules are in force: version %d of the policy; before, it was %s.", version(s.Promise), versionWords(old.Promise))
	}
	if n := len(s.Acts) - len(old.Acts); n > 0 {
		say("%s, at the end of this page.", count(n, "more decision is on record", "more decisions are on record"))
	}
	if n := len(s.Outside) - len(old.Outside); n > 0 {
		say("%s made elsewhere became known.", count(n, "publication that was", "publications that were"))
	}
	return all
}

// mostTold says what the limit allows.
func (s *statement) mostTold() string {
	if s.FactorMost == "" {
		return "without a limit"
	}
	return fmt.Sprintf("by at most %s (%s)", s.FactorMost, s.Limit)
}

func versionWords(p *promise) string {
	if p == nil {
		return "none"
	}
	return fmt.Sprintf("version %d", p.Version)
}

func version(p *promise) int {
	if p == nil {
		return 0
	}
	return p.Version
}
