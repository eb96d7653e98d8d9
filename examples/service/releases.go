package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate"
	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

// keys are the request keys of callers.
var keys = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// A request key in the ledger is that of one caller: no name has a slash.
func keyOf(who caller, key string) string { return who.Name + "/" + key }

// An asking is the body of POST /releases.
type asking struct {
	Question string `json:"question"`
}

// A status is one release as whoever asked for it sees it.
type status struct {
	Key      string         `json:"key"`
	Question string         `json:"question,omitempty"`  // if this instance knows it already
	Status   string         `json:"status"`              // "accepted" or "finished"
	Next     *time.Time     `json:"next_look,omitempty"` // if it is accepted: not before then
	Release  json.Marshaler `json:"release,omitempty"`
}

// postRelease pays for a question. The payment is the acceptance: it is durable before the
// answer is sent, and whichever instance is there finishes what was paid.
func (s *service) postRelease(w http.ResponseWriter, r *http.Request, who caller) error {
	key, q, err := s.read(r)
	if err != nil {
		return err
	}
	if !who.may(q.Purpose) {
		return no("forbidden", "the question is for the purpose "+q.Purpose+", which the token does not have")
	}
	c := q.charge(aggregate.Request{Key: keyOf(who, key), Purpose: q.Purpose, Analyst: who.Name})
	if err := s.accept(r, who, c); err != nil {
		return err
	}
	w.Header().Set("Location", "/releases/"+key)
	return s.accepted(w, key, q.Name)
}

// accept pays, unless it was paid.
func (s *service) accept(r *http.Request, who caller, c dp.Charge) error {
	if p, ok := s.board.of(c.Key); ok && p.charge.Question == c.Question && p.charge.Purpose == c.Purpose {
		return nil
	}
	if s.board.open(keyOf(who, "")) >= mostOpen {
		return no("too-many", "64 releases of one caller are waited for at most").after(time.Until(s.board.next()))
	}
	if _, err := s.ledger.Spend(r.Context(), c); err != nil {
		return s.refused(r, who, err)
	}
	s.board.accept(c)
	return nil
}

func (s *service) accepted(w http.ResponseWriter, key, question string) error {
	next := s.board.next()
	w.Header().Set("Retry-After", seconds(time.Until(next)))
	next = next.UTC()
	return send(w, http.StatusAccepted, status{Key: key, Question: question, Status: "accepted", Next: &next})
}

// read reads what is asked, and under which key.
func (s *service) read(r *http.Request) (key string, q question, err error) {
	key = strings.Trim(r.Header.Get("Idempotency-Key"), `"`)
	if !keys.MatchString(key) {
		return "", q, no("malformed", "the header Idempotency-Key must be 1 to 64 letters, digits, dots, dashes and underscores")
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return "", q, no("media", "")
	}
	var a asking
	if err := decode(r.Body, &a); err != nil {
		return "", q, err
	}
	q, ok := s.catalogue.named(a.Question)
	if !ok {
		return "", q, no("malformed", "question must be one of those at /questions")
	}
	return key, q, nil
}

// decode reads one JSON value and nothing after it, with no field that is not known.
func decode(body io.Reader, v any) error {
	d := json.NewDecoder(body)
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.Join(more, errors.New("something follows"))
		}
	}
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
		return no("too-large", "")
	case err != nil:
		return no("malformed", "the body must be one JSON object with the fields that /openapi.json names")
	}
	return nil
}

// getRelease shows a release to who asked for it, from the tick on after it was finished.
func (s *service) getRelease(w http.ResponseWriter, r *http.Request, who caller) error {
	key := r.PathValue("key")
	p, ok := s.board.of(keyOf(who, key))
	if !ok {
		return s.justAccepted(w, r, who, key)
	}
	q, ok := s.catalogue.asked(p.charge)
	switch {
	case !ok:
		return no("gone", "")
	case !p.kept:
		return s.accepted(w, key, q.Name)
	}
	release, err := q.run(r.Context(), s.ledger, requestOf(p.charge), unread)
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, status{Key: key, Question: q.Name, Status: "finished", Release: release})
}

// justAccepted looks in the ledger for what another instance has accepted since the last tick. No
// instance has begun it yet, so how long that takes tells nothing.
func (s *service) justAccepted(w http.ResponseWriter, r *http.Request, who caller, key string) error {
	if !keys.MatchString(key) {
		return no("missing", "")
	}
	_, err := s.ledger.Payment(r.Context(), keyOf(who, key))
	if errors.Is(err, budget.ErrNotPaid) {
		return no("missing", "")
	}
	if err != nil {
		return err
	}
	return s.accepted(w, key, "")
}

// unread are rows that nobody reads, since what was kept is shown without them.
var unread = collecting{rows: func(yield func(purchase, error) bool) {
	yield(purchase{}, errors.New("what was kept is not there"))
}}

func (s *service) listReleases(w http.ResponseWriter, _ *http.Request, who caller) error {
	list := []status{}
	for key, p := range s.board.all() {
		own, ok := strings.CutPrefix(key, keyOf(who, ""))
		q, known := s.catalogue.asked(p.charge)
		if !ok || !known {
			continue
		}
		list = append(list, status{Key: own, Question: q.Name, Status: map[bool]string{false: "accepted", true: "finished"}[p.kept]})
	}
	slices.SortFunc(list, func(a, b status) int { return cmp.Compare(a.Key, b.Key) })
	return send(w, http.StatusOK, map[string]any{"releases": list})
}

func (s *service) getTrend(w http.ResponseWriter, _ *http.Request, who caller) error {
	if !who.may(trend) {
		return no("forbidden", "the token does not have the purpose "+trend)
	}
	months := s.trend.Load()
	if months == nil {
		return no("unavailable", "the first night's work is not done").after(time.Until(s.board.next()))
	}
	return send(w, http.StatusOK, map[string]any{"months": *months})
}
