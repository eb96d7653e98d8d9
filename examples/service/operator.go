package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/equipoise-dp/equipoise/dp"
)

// A check is one thing that can be wrong, and what to do if it is.
type check struct {
	Name  string `json:"name"`
	Right bool   `json:"right"`
	Says  string `json:"says"`
	Do    string `json:"do,omitempty"` // if it is wrong
}

// A watch is the page of operators.
type watch struct {
	Right   bool    `json:"right"` // all checks
	Wrong   int     `json:"wrong"`
	Written string  `json:"written"`
	Open    int     `json:"releases_open"`
	Done    int     `json:"releases_finished"`
	Checks  []check `json:"checks"`
}

func wrong(all []check) (n int) {
	for _, c := range all {
		if !c.Right {
			n++
		}
	}
	return n
}

// checks looks at everything that an operator can do something about.
func (s *service) checks(ctx context.Context) []check {
	c := s.state.now()
	return []check{
		s.writable(ctx), s.sound(c), s.frozen(ctx), s.onTime(c), s.finishing(c), s.answerable(), s.advancing(c), s.consentable(ctx), s.reading(c), s.lasting(ctx), s.inForce(ctx),
	}
}

func checked(name string, right bool, says, do string) check {
	if right {
		do = ""
	}
	return check{name, right, says, do}
}

func either(right bool, yes, no string) string {
	if right {
		return yes
	}
	return no
}

func (s *service) writable(ctx context.Context) check {
	ok := s.ledger.store.Writable(ctx) == nil
	return checked("Ledger", ok, either(ok, "It can be written.", "It cannot be written; every new question is refused."),
		"Look at the disk, the rights of the file, or the database. Nothing is lost: what was paid is there.")
}

func (s *service) sound(c condition) check {
	ok := c.unsound == "" && !c.verified.IsZero() && time.Since(c.verified) < 2*day
	says := "It was verified whole on " + date(c.verified) + "."
	switch {
	case c.verified.IsZero():
		says = "It is being verified for the first time since the start."
		ok = true // the start verified it too
	case c.unsound != "":
		says = "The last night's verification said: " + c.unsound + "."
	case !ok:
		says = "It was not verified since " + date(c.verified) + "."
	}
	return checked("Soundness", ok, says, "Freeze the account (ledger freeze), then run ledger verify with the anchors. If it is not intact, treat it as a breach: ledger incident.")
}

func (s *service) frozen(ctx context.Context) check {
	st, err := s.ledger.Status(ctx)
	ok := err == nil && !st.Frozen
	says := "It accepts questions."
	switch {
	case err != nil:
		says = "Its status cannot be read."
	case st.Frozen:
		says = "It is frozen: " + st.Reason + "."
	}
	return checked("Account", ok, says, "Thaw it (ledger thaw) when the reason is gone.")
}

func (s *service) onTime(c condition) check {
	at := s.board.lookedAt()
	ok := c.looked == "" && time.Since(at) < 3*s.board.every
	return checked("Ticks", ok, either(ok, "The board is as of "+date(at)+".", "The board was last renewed on "+date(at)+"."),
		"Look at the log for “the ledger could not be looked at”, and at the load of the machine.")
}

// lateAfter is after how many ticks an accepted release is late.
const lateAfter = 3

func (s *service) finishing(c condition) check {
	late := 0
	for _, p := range unfinished(s.board.all()) {
		if _, ok := s.catalogue.asked(p.charge); ok && time.Since(p.seen) > lateAfter*s.board.every {
			late++
		}
	}
	ok := late == 0 && c.failed == 0
	says := "Nothing that was accepted is late."
	switch {
	case c.failed > 0:
		says = fmt.Sprintf("%d tries in a row have failed, the last because %s.", c.failed, c.why)
	case late > 0:
		says = fmt.Sprintf("%d accepted releases are late by more than %d ticks.", late, lateAfter)
	}
	return checked("Releases", ok, says, "Look whether the data can be read. If reading takes longer than half a tick, give a longer -tick: else it shows when results appear.")
}

func (s *service) answerable() check {
	n := 0
	for _, p := range unfinished(s.board.all()) {
		if _, ok := s.catalogue.asked(p.charge); !ok {
			n++
		}
	}
	return checked("Questions", n == 0, either(n == 0, "All that was paid for is in the catalogue.", fmt.Sprintf("%d paid requests are of questions that this program does not have.", n)),
		"Start the version of the program that accepted them beside this one, until they are finished.")
}

func (s *service) advancing(c condition) check {
	ok := c.series == ""
	return checked("Nightly series", ok, either(ok, "It advanced in the last night.", "It did not advance: "+c.series+"."),
		"Look at the data and at what the purpose “trend” has left (/budget). It goes on in the next night.")
}

func (s *service) consentable(ctx context.Context) check {
	ok := s.choices.PingContext(ctx) == nil
	return checked("Choices of people", ok, either(ok, "They can be read.", "They cannot be read; nothing is finished until they can."),
		"Look at the database of choices. Nothing is counted without them.")
}

func (s *service) reading(c condition) check {
	ok := c.tokens == ""
	return checked("Tokens", ok, either(ok, "They were read at the last tick.", "They cannot be read; those of before count on."),
		"Look at the file of -tokens; write it with “service token”.")
}

// soon is for how many days a budget or a policy must last at least.
const soon = 14

func (s *service) lasting(ctx context.Context) check {
	st, err := s.ledger.Status(ctx)
	p := &purse{}
	if err == nil {
		err = s.pace(ctx, p, st)
	}
	ends, never := time.Parse(time.DateOnly, p.Lasts)
	ok := err == nil && (never != nil || time.Until(ends) > soon*day)
	says := "Nothing was spent in the last 30 days."
	switch {
	case err != nil:
		says = "It cannot be read."
	case short(dp.PartsOf(st.Whole.Left).Epsilon) == 0:
		ok, says = false, "Nothing is left."
	case p.Lasts != "":
		says = fmt.Sprintf("%s is left; at the pace of the last 30 days it lasts until %s.", dp.FormatLoss(st.Whole.Left), p.Lasts)
	}
	return checked("Budget", ok, says, "Ask less, or less often (/budget says what fits), before the privacy officer decides on more.")
}

func (s *service) inForce(ctx context.Context) check {
	now, err := s.ledger.Policy(ctx)
	ok, says := err == nil && now != nil, "There is none."
	if ok {
		says = fmt.Sprintf("Version %d is in force.", now.Policy.Version)
		for name, u := range now.Policy.Purposes {
			if time.Until(u.Until) < soon*day {
				ok, says = false, fmt.Sprintf("The purpose %q ends on %s.", name, u.Until.Format(time.DateOnly))
			}
		}
	}
	return checked("Policy", ok, says, "Tell the privacy officer, who decides whether it goes on (ledger policy --set).")
}

func date(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

func (s *service) getOperator(w http.ResponseWriter, r *http.Request, _ caller) error {
	all := s.board.all()
	open := len(unfinished(all))
	c := s.checks(r.Context())
	v := &watch{Right: wrong(c) == 0, Wrong: wrong(c), Written: date(time.Now()), Open: open, Done: len(all) - open, Checks: c}
	if wantsPage(r) {
		return page(w, http.StatusOK, "operator", v)
	}
	return send(w, http.StatusOK, v)
}
