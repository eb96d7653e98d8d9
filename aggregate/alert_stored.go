package aggregate

import (
	"crypto/hpke"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/keys"
	"github.com/equipoise-dp/equipoise/internal/sealed"
)

// Alerts are what was answered about the periods that were asked about. They are public.
type Alerts[Group comparable] struct {
	// Given are the alerts, in the order of the periods, and of groups within one.
	Given []GivenAlert[Group] `json:"given"`

	// Periods are the names of those that were asked about, such as "2026-W05".
	Periods []string `json:"periods"`

	// Ended says that there were as many alerts as there may be: later periods are not
	// asked about, nor are groups after the last alert in its period.
	Ended bool `json:"ended"`

	// Receipts are the public records of the answers, in the order of the periods.
	Receipts []Receipt `json:"receipts"`
}

// A GivenAlert says in which group and period, which is numbered from 0, a number was on the wrong side of
// the threshold, but for noise.
type GivenAlert[Group comparable] struct {
	Group  Group  `json:"group"`
	Period string `json:"period"`
	Number int    `json:"number"`
}

// storedAnswer is the form in which the answer about a period is kept.
type storedAnswer struct {
	Format  string   `json:"format"`
	Plan    string   `json:"plan"`
	Period  string   `json:"period"`
	Receipt Receipt  `json:"receipt"`
	Groups  []string `json:"groups"`           // for which an alert was given
	Sealed  []byte   `json:"sealed,omitempty"` // the noise of the threshold, with the first answer
}

const alertFormat = "equipoise alert 1"

// A watcher goes from one period to the next.
type watcher[Row any, Unit, Group comparable] struct {
	plan    *AlertPlan[Row, Unit, Group]
	draws   Budget
	request Request
	key     hpke.PrivateKey
	alerts  *Alerts[Group]
	sealed  []byte // the noise of the threshold, once there is an answer
}

// next is the period that is asked about next, counted from 0.
func (w *watcher[Row, Unit, Group]) next() int { return len(w.alerts.Periods) }

func (w *watcher[Row, Unit, Group]) left() int { return w.plan.alert.Most - len(w.alerts.Given) }

func (w *watcher[Row, Unit, Group]) done(through int) bool {
	return w.alerts.Ended || w.next() == through
}

// encode writes an answer, the first one with the noise of the threshold, sealed.
func (w *watcher[Row, Unit, Group]) encode(receipt Receipt, noise int64, groups []Group) ([]byte, error) {
	p := w.plan
	s := storedAnswer{Format: alertFormat, Plan: p.mark, Period: p.labels[w.next()], Receipt: receipt, Groups: []string{}}
	for _, g := range groups {
		s.Groups = append(s.Groups, keys.Encode(g))
	}
	if w.next() == 0 {
		bytes, err := sealed.Seal(w.key.PublicKey(), nil, p.form(w.request), binary.BigEndian.AppendUint64(nil, uint64(noise)))
		if err != nil {
			return nil, fmt.Errorf("aggregate: sealing the noise of the threshold: %w", err)
		}
		s.Sealed = bytes
	}
	text, err := json.Marshal(s)
	if err != nil {
		panic("aggregate: internal error: an answer cannot be written as JSON: " + err.Error())
	}
	return text, nil
}

// form binds the noise of the threshold to the plan and the request.
func (p *AlertPlan[Row, Unit, Group]) form(r Request) sealed.Form {
	return sealed.Form{Kind: "threshold", Plan: p.mark + " " + digest([]byte(r.Key))}
}

var errNoKey = errors.New("aggregate: no key given; the noise of the threshold stays secret until the last alert: make a key with hpke.MLKEM768X25519().GenerateKey(), and keep it")

// open returns the noise of the threshold.
func (p *AlertPlan[Row, Unit, Group]) open(key hpke.PrivateKey, r Request, bytes []byte) (int64, error) {
	if key == nil {
		return 0, errNoKey
	}
	payload, err := sealed.Open(key, nil, p.form(r), bytes)
	if err == nil && len(payload) != 8 {
		err = errors.New("it has another length")
	}
	if err != nil {
		return 0, fmt.Errorf("aggregate: opening the noise of the threshold, which needs the key of the first call; without it declare a new alert: %w", err)
	}
	defer clear(payload)
	return int64(binary.BigEndian.Uint64(payload)), nil
}

// read adds a stored answer to the alerts.
func (w *watcher[Row, Unit, Group]) read(text []byte) error {
	var s storedAnswer
	groups, err := w.decode(text, &s)
	if err != nil {
		return fmt.Errorf("aggregate: the stored answer cannot be read: %w", err)
	}
	a, t := w.alerts, w.next()
	if t == 0 {
		w.sealed = s.Sealed
	}
	for _, g := range groups {
		a.Given = append(a.Given, GivenAlert[Group]{Group: g, Period: s.Period, Number: t})
	}
	a.Periods, a.Receipts = append(a.Periods, s.Period), append(a.Receipts, s.Receipt)
	a.Ended = w.left() == 0
	return nil
}

func (w *watcher[Row, Unit, Group]) decode(text []byte, s *storedAnswer) (groups []Group, err error) {
	if err := json.Unmarshal(text, s); err != nil {
		return nil, err
	}
	p, period := w.plan, w.plan.labels[w.next()]
	switch {
	case s.Format != alertFormat:
		return nil, fmt.Errorf("it has format %q, must be %q", s.Format, alertFormat)
	case s.Plan != p.mark:
		return nil, errors.New("it is of another alert")
	case s.Period != period:
		return nil, fmt.Errorf("it is of period %q, must be of %q", s.Period, period)
	case w.next() == 0 && s.Sealed == nil:
		return nil, errors.New("it lacks the noise of the threshold")
	case len(s.Groups) > w.left():
		return nil, fmt.Errorf("it has %d alerts, must have at most %d", len(s.Groups), w.left())
	}
	at := 0
	for _, text := range s.Groups {
		for ; at < len(p.given) && keys.Encode(p.given[at]) != text; at++ {
		}
		if at == len(p.given) {
			return nil, fmt.Errorf("group %s is not asked about, or not in this order", text)
		}
		groups = append(groups, p.given[at])
		at++
	}
	return groups, nil
}

// receipt is the public record of an answer.
func (p *AlertPlan[Row, Unit, Group]) receipt(c dp.Charge, paid dp.Payment) Receipt {
	r := newReceipt(c, paid, []answer{p.column}, p.inner.inputs)
	r.Noise, r.Groups, r.MaxGroups, r.MaxRows = p.numbers.Family.String(), p.alert.Query.GroupName, len(p.given), p.inner.maxRows
	r.Wiped = true // by Watch
	r.Measures = []ReceiptMeasure{{
		Name: p.event.For, Mechanism: p.event.Mechanism, Scale: p.numbers.Scale.RatString(), Sensitivity: p.event.Sensitivity,
		StdDev: p.numbers.StdDev() / p.recordSize(), Epsilon: p.event.Epsilon.RatString(),
	}}
	return r
}

// recordSize is what one record of full size is in steps.
func (p *AlertPlan[Row, Unit, Group]) recordSize() float64 {
	size, _ := p.column.measure.recordSize().Float64()
	if g := p.column.measure.grid; g != nil {
		size = float64(g.Largest())
	}
	return size
}
