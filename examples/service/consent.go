package main

import (
	"errors"
	"mime"
	"net/http"
	"slices"

	"github.com/equipoise-dp/equipoise/aggregate/consent"
)

// purposes are those about which people say yes or no.
var purposes = []string{consent.Every, research, trend}

// A choice is what a person says.
type choice struct {
	Purpose string `json:"purpose"` // or "*" for all
	Choice  string `json:"choice"`  // "yes" or "no"
}

// A said is what a person has said, as they see it.
type said struct {
	Person  string   `json:"person"`
	Signal  bool     `json:"global_privacy_control"` // this request carries it
	Choices []choice `json:"choices"`                // what is not there was not said, and counts as yes
}

// getConsent shows what a person said. The signal of this request counts already.
func (s *service) getConsent(w http.ResponseWriter, r *http.Request, who caller) error {
	all, err := s.choices.of(r.Context(), who.Person)
	if err != nil {
		return err
	}
	now := said{who.Person, consent.OptedOut(r.Header), []choice{}}
	for _, p := range purposes {
		if c, ok := all[p]; ok {
			now.Choices = append(now.Choices, choice{p, c})
		}
	}
	if wantsPage(r) {
		return page(w, http.StatusOK, "consent", now)
	}
	return send(w, http.StatusOK, now)
}

func (s *service) putConsent(w http.ResponseWriter, r *http.Request, who caller) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return no("media", "")
	}
	var c choice
	if err := decode(r.Body, &c); err != nil {
		return err
	}
	if err := s.choose(r, who, c); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// postConsent is the form of the page.
func (s *service) postConsent(w http.ResponseWriter, r *http.Request, who caller) error {
	if err := r.ParseForm(); err != nil {
		if errors.As(err, new(*http.MaxBytesError)) {
			return no("too-large", "")
		}
		return no("malformed", "")
	}
	if err := s.choose(r, who, choice{r.PostForm.Get("purpose"), r.PostForm.Get("choice")}); err != nil {
		return err
	}
	w.Header().Set("Location", "/consent")
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// choose records a choice. It counts from the next run on that begins, whoever asked.
func (s *service) choose(r *http.Request, who caller, c choice) error {
	switch {
	case !slices.Contains(purposes, c.Purpose):
		return no("malformed", "purpose must be research, trend or *")
	case c.Choice != "yes" && c.Choice != "no":
		return no("malformed", "choice must be yes or no")
	case c.Choice == "yes" && consent.OptedOut(r.Header):
		return no("signal", "")
	}
	return s.choices.say(r.Context(), who.Person, c.Purpose, c.Choice)
}
