package budget

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"time"

	"github.com/equipoise-dp/equipoise/budget/internal/tail"
	"github.com/equipoise-dp/equipoise/budget/policy"
	"github.com/equipoise-dp/equipoise/dp"
	"github.com/equipoise-dp/equipoise/internal/filter"
)

// A checkpoint is a record of the chain with the digest of what the account has come to,
// which is stored beside it as a release is. Whoever appends and finds that many records
// came after the last one writes the next. It holds what changed since the one before, and
// the digest of that one, so that all of them together are written once.
//
// An account that is opened starts from the last one and reads what came after. What was
// paid before is found by its key, and its record is read when it is asked for: the
// checkpoint has the hash of it.
//
// Every account that reads a checkpoint and was open before compares it with what it has
// come to itself, and so does Verify. Amounts are exact, or floats that two machines may
// round differently in their last digits.

// changes are what a checkpoint will have.
type changes struct {
	keys   []indexed
	kept   []indexedKept
	scopes map[scope]bool
	plans  map[uint64]bool
	bought map[purchase]int64
}

// An indexed is a key that was paid.
type indexed struct {
	key  digest
	seq  uint64
	hash digest // of the record that paid
}

// An indexedKept is what was kept for a payment.
type indexedKept struct {
	paid uint64
	kept kept
}

func (c *changes) touch(sc scope) { c.scopes = with(c.scopes, sc) }
func (c *changes) draw(p uint64)  { c.plans = with(c.plans, p) }

func with[K comparable](m map[K]bool, k K) map[K]bool {
	if m == nil {
		m = map[K]bool{}
	}
	m[k] = true
	return m
}

func (c *changes) buy(p purchase) {
	if c.bought == nil {
		c.bought = map[purchase]int64{}
	}
	c.bought[p]++
}

// A checkpointHead is all of a checkpoint but for keys and what was kept, which follow in
// binary form. Its form is stored and never changes.
type checkpointHead struct {
	Before  uint64            `json:"before,omitempty"`     // number of the checkpoint before
	Sum     string            `json:"before_sum,omitempty"` // digest of that one
	Limit   json.RawMessage   `json:"limit"`
	Frozen  string            `json:"frozen,omitempty"`
	Refused int               `json:"refused,omitempty"` // refusals that stand last
	Filters []checkpointSpent `json:"filters,omitempty"`
	Plans   []checkpointPlan  `json:"plans,omitempty"`
	Bought  []checkpointBuy   `json:"bought,omitempty"`
	Policy  *checkpointPolicy `json:"policy,omitempty"`
	Keys    int               `json:"keys"` // how many follow
	Kept    int               `json:"kept"` // how many follow those
}

type checkpointSpent struct {
	Kind  string       `json:"kind"`
	Name  string       `json:"name,omitempty"`
	State filter.State `json:"state"`
}

type checkpointPlan struct {
	Seq    uint64         `json:"seq"`
	Charge *dp.Charge     `json:"charge"`
	Left   map[string]int `json:"left"`
}

type checkpointBuy struct {
	Purpose string          `json:"purpose"`
	Loss    json.RawMessage `json:"loss"`
	Times   int64           `json:"times"`
}

type checkpointPolicy struct {
	Policy    json.RawMessage `json:"policy"`
	Entry     uint64          `json:"entry"`
	Since     time.Time       `json:"since"`
	Withdrawn []string        `json:"withdrawn,omitempty"`
}

// A settled is what an account has come to at a checkpoint.
type settled struct {
	seq  uint64
	sum  digest // that the record has
	head checkpointHead
	body digest
}

// come returns what the account has come to, as a checkpoint has it.
func (s *state) come() (head checkpointHead, body []byte, err error) {
	limit, err := json.Marshal(s.limits[scope{kind: scopeAccount}])
	if err != nil {
		return head, nil, err
	}
	c := &s.since
	head = checkpointHead{Before: s.checkpoint, Limit: limit, Frozen: s.frozen, Refused: s.refused, Keys: len(c.keys), Kept: len(c.kept)}
	if s.checkpoint > 0 {
		head.Sum = hexOf(s.checkpointSum)
	}
	for _, sc := range slices.SortedFunc(maps.Keys(c.scopes), func(a, b scope) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.name, b.name)) }) {
		if sc.kind != scopePolicy { // which is made of what was bought
			head.Filters = append(head.Filters, checkpointSpent{sc.kind, sc.name, filter.StateOf(s.filters[sc])})
		}
	}
	for _, seq := range slices.Sorted(maps.Keys(c.plans)) {
		p := s.plans[seq]
		head.Plans = append(head.Plans, checkpointPlan{seq, p.charge, p.left})
	}
	for b, n := range c.bought {
		loss, err := json.Marshal(b.loss)
		if err != nil {
			return head, nil, err
		}
		head.Bought = append(head.Bought, checkpointBuy{b.purpose, loss, n})
	}
	slices.SortFunc(head.Bought, func(a, b checkpointBuy) int {
		return cmp.Or(cmp.Compare(a.Purpose, b.Purpose), bytes.Compare(a.Loss, b.Loss))
	})
	if in := s.policy; in != nil {
		head.Policy = &checkpointPolicy{in.Policy.JSON(), in.Entry, in.Since, in.Withdrawn}
	}
	return head, c.body(), nil
}

const (
	indexedSize     = len(digest{}) + 8 + len(digest{})
	indexedKeptSize = 8 + 8 + len(digest{}) + 1
)

// body is what is found by its key, in the order of the records that brought it: those of
// one append have come in any.
func (c *changes) body() []byte {
	slices.SortFunc(c.keys, func(a, b indexed) int { return cmp.Compare(a.seq, b.seq) })
	slices.SortFunc(c.kept, func(a, b indexedKept) int { return cmp.Compare(a.kept.seq, b.kept.seq) })
	b := make([]byte, 0, len(c.keys)*indexedSize+len(c.kept)*indexedKeptSize)
	for _, k := range c.keys {
		b = binary.BigEndian.AppendUint64(append(b, k.key[:]...), k.seq)
		b = append(b, k.hash[:]...)
	}
	for _, k := range c.kept {
		early := byte(0)
		if k.kept.early {
			early = 1
		}
		b = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, k.paid), k.kept.seq)
		b = append(append(b, k.kept.digest[:]...), early)
	}
	return b
}

func (s *state) applyCheckpoint(r *record) error {
	sum, err := r.digest()
	if err == nil {
		s.settle(r.Seq, sum)
	}
	return err
}

// settled returns what the account has come to at the record of a checkpoint.
func (s *state) settled(r *record) (c settled, err error) {
	c.seq = r.Seq
	if c.sum, err = r.digest(); err != nil {
		return c, err
	}
	head, body, err := s.come()
	c.head, c.body = head, hashOf(body)
	return c, err
}

// settle starts anew after a checkpoint.
func (s *state) settle(seq uint64, sum digest) {
	s.checkpoint, s.checkpointSum, s.since = seq, sum, changes{}
}

// sumOfCheckpoint binds what is stored to its account and place.
func sumOfCheckpoint(account string, seq uint64, stored []byte) digest {
	return digestInPlace("equipoise checkpoint 1\n", account, seq, stored)
}

// keepUp writes a checkpoint if many records came after the last. Whatever fails here
// fails nobody's request, and is tried again after the next. The caller holds the turn.
func (a *Account) keepUp(ctx context.Context) {
	s := a.state
	if a.doubt || s.next-s.checkpoint < tail.Longest {
		return
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), resolveFor)
	defer stop()
	d := s.draft()
	if d.writeCheckpoint(a.now()) != nil {
		return
	}
	if out, _ := a.append(ctx, d); out == appended {
		a.mu.Lock()
		d.commit()
		a.mu.Unlock()
	}
}

// mostCheckpoint bounds a checkpoint, for the sake of stores: 7 million keys, which only the
// first one of a ledger of earlier versions can have. Such a ledger is read whole.
const mostCheckpoint = 512 << 20

func (d *draft) writeCheckpoint(at time.Time) error {
	head, body, err := d.come()
	if err != nil {
		return err
	}
	text, err := json.Marshal(head)
	if err != nil {
		return err
	}
	if len(body) > mostCheckpoint {
		return fmt.Errorf("budget: a checkpoint would have %d bytes, must have at most %d", len(body), mostCheckpoint)
	}
	stored := slices.Concat(text, []byte("\n"), body)
	sum := sumOfCheckpoint(d.terms.Dataset, d.next, stored)
	d.settles = &sum
	return d.write(&record{Kind: KindCheckpoint, At: stamp(coarse(at)), Digest: hexOf(sum)}, stored)
}

// readCheckpoint returns what is stored beside the record of a checkpoint, or nil for
// nothing, if it is what the record has the digest of.
func readCheckpoint(account string, seq uint64, sum digest, stored []byte) (head checkpointHead, body []byte, err error) {
	fail := func(format string, args ...any) (checkpointHead, []byte, error) {
		return checkpointHead{}, nil, fmt.Errorf("%w: checkpoint %d "+format, append([]any{ErrTampered, seq}, args...)...)
	}
	if stored == nil {
		return fail("is missing")
	}
	if sumOfCheckpoint(account, seq, stored) != sum {
		return fail("is not the one that was written")
	}
	text, body, _ := bytes.Cut(stored, []byte("\n"))
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&head); err != nil {
		return fail("cannot be read: %w", err)
	}
	few := 0 <= head.Keys && head.Keys <= len(body)/indexedSize && 0 <= head.Kept && head.Kept <= len(body)/indexedKeptSize // so that no product wraps
	if !few || len(body) > mostCheckpoint || head.Keys*indexedSize+head.Kept*indexedKeptSize != len(body) {
		return fail("does not have the keys that it says")
	}
	return head, body, nil
}

// compare returns nil if what is stored beside a checkpoint is what the account had come
// to there.
func (c *settled) compare(account string, stored []byte) error {
	head, body, err := readCheckpoint(account, c.seq, c.sum, stored)
	if err != nil {
		return err
	}
	alike := slices.EqualFunc(head.Filters, c.head.Filters, func(a, b checkpointSpent) bool {
		return a.Kind == b.Kind && a.Name == b.Name && a.State.Alike(b.State)
	})
	mine := c.head
	head.Filters, mine.Filters = nil, nil
	if !alike || !bytes.Equal(mustMarshal(head), mustMarshal(mine)) || hashOf(body) != c.body {
		return fmt.Errorf("%w: checkpoint %d is not what the records before it come to", ErrTampered, c.seq)
	}
	return nil
}

// compareCheckpoint looks at what somebody else wrote.
func (a *Account) compareCheckpoint(ctx context.Context, c settled) error {
	stored, err := a.store.Kept(ctx, a.name, c.seq)
	if err != nil {
		return err
	}
	return c.compare(a.name, stored)
}

// An index finds what was paid before the checkpoint from which an account was opened.
type index struct {
	bodies [][]byte // of checkpoints
	keys   map[digest]place
	kept   map[uint64]place
}

// A place is where something begins: a body and a byte of it.
type place struct{ body, at uint32 }

func newIndex(heads []checkpointHead, bodies [][]byte) *index {
	keys, keeps := 0, 0
	for _, h := range heads {
		keys, keeps = keys+h.Keys, keeps+h.Kept
	}
	x := &index{bodies, make(map[digest]place, keys), make(map[uint64]place, keeps)}
	for i, h := range heads {
		at := 0
		for range h.Keys {
			x.keys[digest(bodies[i][at:])] = place{uint32(i), uint32(at)}
			at += indexedSize
		}
		for range h.Kept {
			x.kept[binary.BigEndian.Uint64(bodies[i][at:])] = place{uint32(i), uint32(at)}
			at += indexedKeptSize
		}
	}
	return x
}

func (x *index) read(p place) []byte { return x.bodies[p.body][p.at:] }

// find returns the number of the record that paid for a key.
func (x *index) find(key string) (uint64, bool) {
	seq, _, ok := x.paid(key)
	return seq, ok
}

func (x *index) paid(key string) (seq uint64, hash digest, ok bool) {
	if x == nil {
		return 0, digest{}, false
	}
	p, ok := x.keys[hashOf([]byte(key))]
	if !ok {
		return 0, digest{}, false
	}
	b := x.read(p)[len(digest{}):]
	return binary.BigEndian.Uint64(b), digest(b[8:]), true
}

func (x *index) keptFor(seq uint64) kept {
	p, ok := x.kept[seq]
	if !ok {
		return kept{}
	}
	b := x.read(p)[8:]
	return kept{binary.BigEndian.Uint64(b), digest(b[8:]), b[8+len(digest{})] == 1}
}

// restore starts a loader from the last checkpoint, if there is one. With anchors it is
// the last one that the newest of them covers: what stands after it, nobody vouches for
// but whoever wrote it.
func (a *Account) restore(ctx context.Context, l *loader, anchors []Anchor) error {
	if there, err := a.record(ctx, tail.Longest); there == nil || err != nil {
		return err
	}
	last, err := a.lastRecord(ctx)
	if err != nil {
		return err
	}
	newest := last.Seq
	if len(anchors) > 0 {
		newest = slices.MaxFunc(anchors, func(x, y Anchor) int { return cmp.Compare(x.Seq, y.Seq) }).Seq
	}
	r, err := decodeRecord(last.Data)
	for rec := &last; err == nil; {
		if r.Kind == KindCheckpoint && rec.Seq <= newest {
			return a.restoreFrom(ctx, l, rec, r)
		}
		seq := r.Checkpoint
		if seq == 0 {
			return nil
		}
		if rec, err = a.record(ctx, seq); err == nil {
			r, err = checkpointAt(seq, rec)
		}
	}
	return err
}

// checkpointAt returns the record of a checkpoint that a later record names.
func checkpointAt(seq uint64, rec *Record) (*record, error) {
	if rec == nil {
		return nil, fmt.Errorf("%w: record %d is missing", ErrTampered, seq)
	}
	r, err := decodeRecord(rec.Data)
	if err == nil && (r.Kind != KindCheckpoint || r.Seq != seq || r.Checkpoint >= seq) {
		err = fmt.Errorf("%w: record %d is not the checkpoint that a later record names", ErrTampered, seq)
	}
	return r, err
}

// record returns a record, or nil if there is none.
func (a *Account) record(ctx context.Context, seq uint64) (*Record, error) {
	for rec, err := range a.store.Read(ctx, a.name, seq) {
		if err != nil {
			return nil, err
		}
		if rec.Seq != seq {
			return nil, fmt.Errorf("%w: the store gives record %d where record %d belongs", ErrTampered, rec.Seq, seq)
		}
		return &rec, nil
	}
	return nil, nil
}

// lastRecord looks for the last of records of which there are more than tail.Longest. It
// asks for one record about twice as often as their number has binary digits.
func (a *Account) lastRecord(ctx context.Context) (last Record, err error) {
	there := func(seq uint64) bool {
		rec, e := a.record(ctx, seq)
		if e != nil {
			err = e
		}
		if rec != nil && rec.Seq >= last.Seq {
			last = *rec
		}
		return rec != nil && err == nil
	}
	known := tail.Longest
	for ; there(2 * known); known *= 2 {
	}
	n := sort.Search(int(known), func(i int) bool { return !there(known + uint64(i)) })
	if n == 0 && err == nil {
		err = fmt.Errorf("%w: record %d is missing, which was there", ErrTampered, known)
	}
	return last, err
}

// restoreFrom starts a loader from a checkpoint and all before it.
func (a *Account) restoreFrom(ctx context.Context, l *loader, rec *Record, r *record) error {
	sum, err := r.digest()
	if err != nil {
		return err
	}
	heads, bodies, err := a.readCheckpoints(ctx, r.Seq, sum)
	if err != nil {
		return err
	}
	first, err := a.record(ctx, 0)
	if err != nil {
		return err
	}
	if first == nil {
		return fmt.Errorf("%w: the store has no record 0", ErrTampered)
	}
	if err := l.next(*first); err != nil {
		return err
	}
	s := l.state
	if err := s.restore(heads); err != nil {
		return fmt.Errorf("%w: checkpoint %d: %w", ErrTampered, r.Seq, err)
	}
	s.old = newIndex(heads, bodies)
	s.next, s.last = r.Seq+1, hashOf(rec.Data)
	s.settle(r.Seq, sum)
	return nil
}

// readCheckpoints returns a checkpoint and all before it, the first one first.
func (a *Account) readCheckpoints(ctx context.Context, seq uint64, sum digest) (heads []checkpointHead, bodies [][]byte, err error) {
	for seq > 0 {
		stored, err := a.store.Kept(ctx, a.name, seq)
		if err != nil {
			return nil, nil, err
		}
		head, body, err := readCheckpoint(a.name, seq, sum, stored)
		if err != nil {
			return nil, nil, err
		}
		heads, bodies = append(heads, head), append(bodies, body)
		if head.Before >= seq {
			return nil, nil, fmt.Errorf("%w: checkpoint %d names one that is not before it", ErrTampered, seq)
		}
		if seq = head.Before; seq > 0 {
			b, err := hex.DecodeString(head.Sum)
			if err != nil || len(b) != len(sum) {
				return nil, nil, fmt.Errorf("%w: a checkpoint does not have the digest of the one before it", ErrTampered)
			}
			sum = digest(b)
		}
	}
	slices.Reverse(heads)
	slices.Reverse(bodies)
	return heads, bodies, nil
}

// restore adds what checkpoints have, the first one first, to an account that was just created.
func (s *state) restore(heads []checkpointHead) error {
	last := heads[len(heads)-1]
	if err := s.restoreLimit(last.Limit); err != nil {
		return err
	}
	s.frozen, s.refused = last.Frozen, last.Refused
	states := map[scope]filter.State{}
	for _, h := range heads {
		for _, f := range h.Filters {
			states[scope{f.Kind, f.Name}] = f.State
		}
		for _, p := range h.Plans {
			if err := s.restorePlan(p); err != nil {
				return err
			}
		}
		if err := s.restoreBought(h.Bought); err != nil {
			return err
		}
	}
	if err := s.restoreFilters(states); err != nil {
		return err
	}
	return s.restorePolicy(last.Policy)
}

func (s *state) restoreLimit(text json.RawMessage) error {
	if s.terms.Odometer && string(text) == "null" {
		return nil
	}
	limit, err := dp.UnmarshalLoss(text)
	if err == nil {
		err = dp.CheckLoss(limit)
	}
	if err != nil {
		return err
	}
	whole := scope{kind: scopeAccount}
	if limit != s.limits[whole] {
		if err := mayRaise(s.limits[whole], limit); err != nil {
			return err
		}
	}
	s.limits[whole] = limit
	return nil
}

func (s *state) restoreFilters(states map[scope]filter.State) error {
	for sc, st := range states {
		t := sc.template()
		if _, there := s.limits[t]; !there {
			return fmt.Errorf("it has a limit of %v, and the terms have none", sc)
		}
		f, err := s.setup.Restore(s.limits[t], s.stars[t.String()], st)
		if err != nil {
			return err
		}
		s.filters[sc] = f
	}
	return nil
}

func (s *state) restorePlan(j checkpointPlan) error {
	if j.Charge == nil {
		return errors.New("a reservation has no charge")
	}
	if err := j.Charge.Check(); err != nil {
		return err
	}
	p := newPlan(j.Seq, j.Charge)
	for member, left := range j.Left {
		if all, ok := p.left[member]; !ok || left < 0 || left > all {
			return fmt.Errorf("%d of a member of reservation %d are left, which has %d", left, j.Seq, all)
		}
	}
	if len(j.Left) != len(p.left) {
		return fmt.Errorf("reservation %d has %d members, must have %d", j.Seq, len(j.Left), len(p.left))
	}
	p.left = j.Left
	s.plans[j.Seq] = p
	return nil
}

func (s *state) restoreBought(all []checkpointBuy) error {
	for _, b := range all {
		l, err := dp.UnmarshalLoss(b.Loss)
		if err == nil {
			err = dp.CheckLoss(l)
		}
		if err != nil {
			return err
		}
		if b.Times < 1 {
			return fmt.Errorf("a loss was bought %d times", b.Times)
		}
		if s.bought == nil {
			s.bought = map[purchase]int64{}
		}
		s.bought[purchase{b.Purpose, l}] += b.Times
	}
	return nil
}

func (s *state) restorePolicy(j *checkpointPolicy) error {
	if j == nil {
		return nil
	}
	p, err := policy.ParseRecorded(j.Policy)
	if err == nil {
		err = s.maySet(p)
	}
	if err != nil {
		return err
	}
	s.policy = &InForce{Policy: p, Digest: p.Digest(), Entry: j.Entry, Since: j.Since, Withdrawn: j.Withdrawn}
	s.limitPurposes()
	return nil
}
