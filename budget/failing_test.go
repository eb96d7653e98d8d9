package budget

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"testing"

	"github.com/equipoise-dp/equipoise/dp"
)

// failing is a store of which one look fails, and no other: the one after so many. A look
// is a call, or a record or a release that it yields.
type failing struct {
	Store
	left int
}

func (s *failing) look() error {
	if s.left--; s.left == -1 {
		return errDisk
	}
	return nil
}

func (s *failing) all(of iter.Seq2[Record, error]) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		if err := s.look(); err != nil {
			yield(Record{}, err)
			return
		}
		for r, err := range of {
			if failed := s.look(); failed != nil {
				yield(Record{}, failed)
				return
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

func (s *failing) Read(ctx context.Context, account string, from uint64) iter.Seq2[Record, error] {
	return s.all(s.Store.Read(ctx, account, from))
}

func (s *failing) Releases(ctx context.Context, account string) iter.Seq2[Record, error] {
	return s.all(s.Store.Releases(ctx, account))
}

func (s *failing) Kept(ctx context.Context, account string, seq uint64) ([]byte, error) {
	if err := s.look(); err != nil {
		return nil, err
	}
	return s.Store.Kept(ctx, account, seq)
}

func (s *failing) Append(ctx context.Context, account string, records ...Record) error {
	if err := s.look(); err != nil {
		return err
	}
	return s.Store.Append(ctx, account, records...)
}

// longLived has checkpoints, and of each of them something that is only found before it.
func longLived(t *testing.T) *Account {
	t.Helper()
	tails(t, 3)
	a := newAccount(t, testTerms(dp.Approx{Epsilon: 10, Delta: 1e-5}))
	whole := laplaceCharge("whole", dp.Pure{Epsilon: 0.5}, 4)
	whole.Events[0].Count = 2
	v, err := a.Reserve(t.Context(), whole)
	if err != nil {
		t.Fatal(err)
	}
	draw := func(c dp.Charge) error { return second(v.Spend(t.Context(), c)) }
	keep := func(c dp.Charge) error { return second(a.Keep(t.Context(), c, []byte("about "+c.Key))) }
	spend := func(c dp.Charge) error { return second(a.Spend(t.Context(), c)) }
	kept, unkept, drawn := testCharge("kept", dp.Pure{Epsilon: 0.25}), testCharge("unkept", dp.Pure{Epsilon: 0.25}), laplaceCharge("drawn", dp.Pure{Epsilon: 0.25}, 4)
	err = errors.Join(draw(drawn), spend(kept), keep(kept), spend(unkept),
		a.Raise(t.Context(), dp.Approx{Epsilon: 11, Delta: 1e-5}, "a survey", "officer"), spend(testCharge("last", dp.Pure{Epsilon: 0.25})), keep(drawn))
	if err != nil {
		t.Fatal(err)
	}
	if p := a.state.keys["drawn"]; p.seq > a.state.checkpoint || p.kept.seq < a.state.checkpoint {
		t.Fatal("what was paid before the last checkpoint is not kept after it; the test tests nothing")
	}
	return a
}

// Whichever look at the store fails, whoever asks gets its error, or what everybody gets:
// never an answer that lacks what could not be read.
func TestWhateverCannotBeReadIsMissedByNobody(t *testing.T) {
	records := longLived(t).store.(*memory).accounts["visits"].records
	kept, unkept, fresh := testCharge("kept", dp.Pure{Epsilon: 0.25}), testCharge("unkept", dp.Pure{Epsilon: 0.25}), testCharge("fresh", dp.Pure{Epsilon: 0.25})
	does := map[string]func(*Account) (any, error){
		"Open": func(a *Account) (any, error) {
			b, err := Open(t.Context(), a.store, a.name)
			if err != nil {
				return nil, err
			}
			return b.state.next, nil
		},
		"Open with anchors": func(a *Account) (any, error) {
			_, err := Open(t.Context(), a.store, a.name, Anchor{"visits", 2, hashOf(records[2].Data)}, Anchor{"visits", a.state.next - 2, hashOf(records[a.state.next-2].Data)})
			return nil, err
		},
		"Verify": func(a *Account) (any, error) {
			r, err := a.Verify(t.Context())
			if err != nil {
				return nil, err
			}
			return fmt.Sprint(r.Charges, r.Releases, r.Status), nil
		},
		"Spend again": func(a *Account) (any, error) { p, err := a.Spend(t.Context(), kept); return string(p.Kept), err },
		"Spend":       func(a *Account) (any, error) { p, err := a.Spend(t.Context(), fresh); return p.Entry, err },
		"Keep again":  func(a *Account) (any, error) { r, err := a.Keep(t.Context(), kept, []byte("x")); return string(r), err },
		"Keep late": func(a *Account) (any, error) {
			r, err := a.Keep(t.Context(), unkept, []byte("x"))
			return string(r), err
		},
		"Kept": func(a *Account) (any, error) { r, err := a.Kept(t.Context(), kept); return string(r), err },
		"Kept elsewhere": func(a *Account) (any, error) {
			b, err := Open(t.Context(), a.store.(*failing).Store, a.name)
			if err == nil {
				_, err = b.Keep(t.Context(), unkept, []byte("elsewhere"))
			}
			if err != nil {
				return nil, err
			}
			r, err := a.Kept(t.Context(), unkept)
			return string(r), err
		},
		"Kept of none": func(a *Account) (any, error) { r, err := a.Kept(t.Context(), unkept); return r == nil, err },
		"Payment":      func(a *Account) (any, error) { p, err := a.Payment(t.Context(), "kept"); return string(p.Kept), err },
		"Afford":       func(a *Account) (any, error) { return nil, a.Afford(t.Context(), kept) },
		"WhatIf": func(a *Account) (any, error) {
			s, errs, err := a.WhatIf(t.Context(), kept, fresh)
			return fmt.Sprint(s, errs), err
		},
		"Refund": func(a *Account) (any, error) { return nil, a.Refund(t.Context(), "kept") },
		"Cover": func(a *Account) (any, error) {
			n, err := a.Cover(t.Context())
			if n != 0 {
				t.Errorf("Cover covered %d, and there is nothing to cover", n)
			}
			return n, err
		},
		"Status":        func(a *Account) (any, error) { s, err := a.Status(t.Context()); return fmt.Sprint(s), err },
		"Freeze":        func(a *Account) (any, error) { return nil, a.Freeze(t.Context(), "why", "who") },
		"Reserve again": func(a *Account) (any, error) { return drawAgain(t.Context(), a) },
		"Reprice":       func(a *Account) (any, error) { r, err := a.Reprice(t.Context(), Basic); return fmt.Sprint(r), err },
		"Export": func(a *Account) (any, error) {
			var b bytes.Buffer
			err := a.Export(t.Context(), &b)
			return b.Len(), err
		},
		"dp_accounting": func(a *Account) (any, error) {
			var b bytes.Buffer
			err := a.ExportDPAccounting(t.Context(), &b)
			return b.String(), err
		},
		"Entries": func(a *Account) (any, error) { return entriesOf(t.Context(), a) },
		"Create": func(a *Account) (any, error) {
			_, err := Create(t.Context(), a.store, testTerms(dp.Pure{Epsilon: 1}))
			return nil, err
		},
		"Open or create": func(a *Account) (any, error) {
			_, err := OpenOrCreate(t.Context(), a.store, testTerms(dp.Approx{Epsilon: 10, Delta: 1e-5}))
			return nil, err
		},
	}
	for _, name := range slices.Sorted(maps.Keys(does)) {
		var want any
		var wantErr error
		for left := -1; ; left++ { // nothing fails first
			a, s := restored(t, records)
			s.left = left
			if left < 0 {
				s.left = 1 << 30
			}
			got, err := does[name](a)
			if left < 0 {
				want, wantErr = got, err
				continue
			}
			if s.left >= 0 { // as many looks are not taken
				if left == 0 {
					t.Errorf("%s does not look at the store; the test tests nothing", name)
				}
				break
			}
			if errors.Is(err, errDisk) {
				continue
			}
			if fmt.Sprint(got, err) != fmt.Sprint(want, wantErr) {
				t.Errorf("%s, where look %d fails: %v, %v; want the error of the store, or %v, %v", name, left, got, err, want, wantErr)
			}
		}
	}
}

// restored opens an account with these records from its last checkpoint.
func restored(t *testing.T, records []Record) (*Account, *failing) {
	t.Helper()
	s := &failing{Memory(), 1 << 30}
	if err := s.Append(t.Context(), "visits", records...); err != nil {
		t.Fatal(err)
	}
	a, err := Open(t.Context(), s, "visits")
	if err != nil {
		t.Fatal(err)
	}
	if a.state.old == nil {
		t.Fatal("it was not opened from a checkpoint; the test tests nothing")
	}
	return a, s
}

func drawAgain(ctx context.Context, a *Account) (any, error) {
	whole := laplaceCharge("whole", dp.Pure{Epsilon: 0.5}, 4)
	whole.Events[0].Count = 2
	v, err := a.Reserve(ctx, whole)
	if err != nil {
		return nil, err
	}
	c := laplaceCharge("drawn", dp.Pure{Epsilon: 0.25}, 4)
	p, err := v.Spend(ctx, c)
	return p.Entry, errors.Join(err, v.Afford(ctx, c))
}

func entriesOf(ctx context.Context, a *Account) (n int, err error) {
	for _, err := range a.Entries(ctx) {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// Whatever an account asks for when it is opened from a checkpoint, and cannot be read, is an
// error: it is not taken for the end of the ledger.
func TestWhatCannotBeReadIsNotTheEndOfALedger(t *testing.T) {
	a := longLived(t)
	asked := map[uint64]bool{}
	s := &unreadable{Store: a.store, from: func(seq uint64) bool { asked[seq] = true; return false }}
	if _, err := Open(t.Context(), s, a.name); err != nil {
		t.Fatal(err)
	}
	if len(asked) < 5 || a.state.checkpoint == 0 {
		t.Fatalf("it asks for %v; the test tests nothing", asked)
	}
	for seq := range asked {
		s.from = func(from uint64) bool { return from == seq }
		if _, err := Open(t.Context(), s, a.name); !errors.Is(err, errDisk) || errors.Is(err, ErrTampered) {
			t.Errorf("Open where what begins with record %d cannot be read: %v, want that error", seq, err)
		}
	}
}
