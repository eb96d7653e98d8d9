package main

import (
	"sync"
	"time"
)

// A state is what operators are told of how the program runs.
type state struct {
	mu           sync.Mutex
	failed       int    // releases that were tried and not finished, one after the other
	why          string // the last of them
	looked       string // what kept the last look at the ledger from working
	verified     time.Time
	unsound      string // what the last night found
	seriesFailed string
	identity     string // why tokens could not be read
}

// A condition is a state that does not change.
type condition struct {
	failed                               int
	why, looked, unsound, series, tokens string
	verified                             time.Time
}

func (s *state) now() condition {
	s.mu.Lock()
	defer s.mu.Unlock()
	return condition{s.failed, s.why, s.looked, s.unsound, s.seriesFailed, s.identity, s.verified}
}

func (s *state) finished(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.failed, s.why = 0, ""
		return
	}
	s.failed++
	s.why = kindOf(err)
}

// says sets a field to what went wrong, or to nothing.
func (s *state) says(field *string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if *field = ""; err != nil {
		*field = kindOf(err)
	}
}

func (s *state) soundAt(t time.Time, err error) {
	s.says(&s.unsound, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.verified = t
}
