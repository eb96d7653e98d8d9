package main

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/equipoise-dp/equipoise/budget"
)

// A problem is an answer that is no: RFC 9457, with what would fit. Its detail holds
// what whoever asks wrote, or facts of the ledger, and nothing of rows or of other callers.
type problem struct {
	Type   string `json:"type"` // a path of this service, whose page says what to do
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`

	Refusal *budget.RefusedError `json:"refusal,omitempty"`
	Fits    []more               `json:"fits,omitempty"` // how many more of each question

	wait time.Duration // after which it is worth to ask again; 0 if that does not help
}

// A more is how many questions of a kind fit still.
type more struct {
	Question string `json:"question"`
	More     int    `json:"more"`
}

func (p problem) Error() string { return p.Title }

// kinds are all problems, with what to do about each.
var kinds = map[string]struct {
	status      int
	title, what string
}{
	"malformed":    {http.StatusBadRequest, "The request cannot be read", "Write it as /openapi.json says."},
	"nobody":       {http.StatusUnauthorized, "Nobody who is known asks", "Send a token that counts: Authorization: Bearer TOKEN. A browser may send it as the password of any user name."},
	"forbidden":    {http.StatusForbidden, "That is not yours to do", "Ask whoever gives out tokens for one with the purpose or the role that is needed."},
	"policy":       {http.StatusForbidden, "The policy does not allow it", "The detail names the rule. Asking again later does not help; the privacy officer can change the policy."},
	"budget":       {http.StatusForbidden, "The budget does not allow it", "The detail says what is left and what would fit. No clock gives budget back; /budget says how many more of each question fit."},
	"frozen":       {http.StatusForbidden, "The account is frozen", "Nothing is accepted until it is thawed. What was finished before can be read."},
	"missing":      {http.StatusNotFound, "It is not there", "Look at the address; releases are at /releases/KEY, each for the caller who asked."},
	"method":       {http.StatusMethodNotAllowed, "That cannot be done to it", "The header Allow says what can."},
	"key-reused":   {http.StatusConflict, "The key was used for another question", "Take a new Idempotency-Key for a new question; the same question under the same key costs nothing more."},
	"signal":       {http.StatusConflict, "Your browser says no", "It sends Global Privacy Control, which counts as a no to everything. Switch it off for this site to say yes."},
	"gone":         {http.StatusGone, "The question is no longer asked", "Its numbers are in the ledger; the program that asked them shows them."},
	"too-large":    {http.StatusRequestEntityTooLarge, "The request is too large", "A request has at most 64 KiB."},
	"media":        {http.StatusUnsupportedMediaType, "The body is of another type", "Send application/json."},
	"too-many":     {http.StatusTooManyRequests, "That is too much at once", "Wait as long as Retry-After says, and go on."},
	"broken":       {http.StatusInternalServerError, "Something is wrong here", "Ask again under the same key, which pays nothing twice, and tell the operators."},
	"unavailable":  {http.StatusServiceUnavailable, "It cannot be done at present", "Ask again under the same key, which pays nothing twice, after as long as Retry-After says."},
	"cross-origin": {http.StatusForbidden, "Another site sent this", "Open the page of this service and send it from there."},
}

// no makes a problem.
func no(kind, detail string) problem {
	k := kinds[kind]
	return problem{Type: "/problems/" + kind, Title: k.title, Status: k.status, Detail: detail}
}

// after is the problem with a time after which asking again is worth it.
func (p problem) after(d time.Duration) problem {
	p.wait = d
	return p
}

// refused says why the account did not take a charge.
func (s *service) refused(r *http.Request, who caller, err error) problem {
	e, ok := errors.AsType[*budget.RefusedError](err)
	switch {
	case errors.Is(err, budget.ErrKeyReused):
		return no("key-reused", "")
	case !ok && (errors.Is(err, budget.ErrUnknown) || errors.Is(err, budget.ErrNotAppended)):
		return no("unavailable", "the ledger could not be written").after(s.board.every)
	case !ok:
		return no("broken", "")
	}
	kind := "budget"
	switch {
	case e.Frozen:
		kind = "frozen"
	case e.Scope == "policy" || e.Scope == "who asks":
		kind = "policy"
	}
	p := no(kind, e.Error())
	p.Refusal = e
	p.Fits, _ = s.more(r, who) // it helps, and is not the answer
	return p
}

// What says what to do about a problem.
func (p problem) What() string { return kinds[strings.TrimPrefix(p.Type, "/problems/")].what }

// answer writes a problem: to a browser as a page.
func (p problem) answer(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if p.wait > 0 {
		h.Set("Retry-After", seconds(p.wait))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="service"`)
		h.Add("WWW-Authenticate", `Basic realm="service", charset="UTF-8"`)
	}
	if wantsPage(r) && page(w, p.Status, "problem", p) == nil {
		return
	}
	h.Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p) //nolint:errcheck // whoever reads it is gone
}

// seconds writes a time for Retry-After.
func seconds(d time.Duration) string { return strconv.Itoa(int(math.Ceil(d.Seconds()))) }
