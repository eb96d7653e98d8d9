// Package core is the one place where noise is drawn.
//
// A [Law] is a distribution on the integers; a [Session] is the randomness of
// one release. Everything else in the library asks these two.
package core

import (
	"fmt"
	"math/big"
	"sync"
	"sync/atomic"

	"github.com/equipoise-dp/equipoise/internal/exact"
	"github.com/equipoise-dp/equipoise/internal/sample"
)

// A Family is a kind of noise. The zero Family is none.
type Family int

// The families.
const (
	Laplace  Family = 1 + iota // P(x) ∝ exp(-|x|/scale)
	Gaussian                   // P(x) ∝ exp(-x²/(2·scale²))
	Cube                       // P(z) ∝ exp(-max|zᵢ|/scale), of vectors
	OneSided                   // P(x) ∝ exp(-x/scale), from 0 on
)

// String returns the name that ledgers and receipts use.
func (f Family) String() string {
	switch f {
	case Laplace:
		return "discrete laplace"
	case Gaussian:
		return "discrete gaussian"
	case Cube:
		return "cube norm"
	case OneSided:
		return "one-sided geometric"
	}
	return "no noise"
}

// A Law is a family at an exact scale. It is immutable and safe for concurrent
// use.
type Law struct {
	Family  Family
	Scale   *big.Rat // in grid steps
	sampler func() sampler
	approx  float64 // Scale, rounded up
	stdDev  float64
	numbers int // of a cube
}

// A sampler overwrites numbers with draws.
type sampler interface{ Fill(*sample.Source, []int64) }

// NewLaw returns the law, or an error if the scale is out of the samplers'
// range.
func NewLaw(f Family, scale *big.Rat) (*Law, error) {
	l := &Law{Family: f, Scale: scale, approx: exact.FloatUp(scale)}
	l.stdDev = StdDev(f, l.approx)
	switch f {
	case Laplace:
		l.sampler = onceDrawn(scale, sample.NewLaplace)
	case Gaussian:
		l.sampler = onceDrawn(scale, sample.NewGaussian)
	case OneSided:
		l.sampler = onceDrawn(scale, sample.NewGeometric)
	default:
		return nil, fmt.Errorf("core: internal error: no family %d", f)
	}
	if err := sample.CheckScale(scale); err != nil {
		return nil, err
	}
	return l, nil
}

// onceDrawn makes a sampler when it is drawn from for the first time: many laws only say how
// wide their noise would be, and tables take longer than that. Its scale must have been
// checked, and nothing else can be wrong with it.
func onceDrawn[S sampler](scale *big.Rat, make func(*big.Rat) (S, error)) func() sampler {
	return sync.OnceValue(func() sampler {
		s, err := make(scale)
		if err != nil {
			panic("core: internal error: " + err.Error())
		}
		return s
	})
}

// noiseless is set for the duration of a test that asked for it, by
// dptest.NoNoise only.
var noiseless atomic.Bool

// SetNoiseless turns noise off or on in the whole process. Only package dptest
// calls it, and it needs a test to do so.
func SetNoiseless(off bool) { noiseless.Store(off) }

// Noiseless reports whether a test has turned noise off.
func Noiseless() bool { return noiseless.Load() }

// A Session is the randomness of one release: keyed afresh, never shared, and
// wiped by [Session.End].
type Session struct {
	source *sample.Source
	lent   []int64
	script func(*Law, []int64) // in place of the source, in tests
}

// InSession lets do draw from a session, and ends it then.
func InSession(do func(*Session)) {
	session := Begin()
	defer session.End()
	do(session)
}

// Begin starts a session, which the caller must end.
func Begin() *Session { return &Session{source: sample.NewSource()} }

// Scripted returns a session whose draws are written by a script, and not random. It
// is for tests that add up the law of a release over all draws; a test of
// internal/deps sees that nothing else calls it.
func Scripted(script func(l *Law, dst []int64)) *Session { return &Session{script: script} }

// End wipes the randomness of the session, and the last noise that it lent.
func (s *Session) End() {
	clear(s.lent)
	if s.script == nil {
		s.source.Wipe()
	}
}

// Noise returns n independent draws, or one vector of a cube of n, until the session is asked for noise again or
// ends: then they are wiped. So nobody who adds them need think of it.
func (s *Session) Noise(l *Law, n int) []int64 {
	clear(s.lent)
	if cap(s.lent) < n {
		s.lent = make([]int64, n)
	}
	s.lent = s.lent[:n]
	s.Draw(l, s.lent)
	return s.lent
}

// Draw fills dst with independent draws: of a cube, with whole vectors.
func (s *Session) Draw(l *Law, dst []int64) {
	if Noiseless() {
		clear(dst)
		return
	}
	if s.script != nil {
		s.script(l, dst)
		return
	}
	l.sampler().Fill(s.source, dst)
}

// Choose draws one candidate by the exponential mechanism, exactly
// ([sample.Decay.Choose]). Lengths must sum to 1..2^62.
func (s *Session) Choose(d *sample.Decay, segments []sample.Segment) (segment int, offset uint64) {
	segment, offset, err := d.Choose(s.source, segments)
	if err != nil {
		panic("core: internal error: " + err.Error())
	}
	return segment, offset
}

// Happens returns true with probability exp(-n·rate), exactly.
func (s *Session) Happens(d *sample.Decay, n uint64) bool { return d.Bernoulli(s.source, n) }

// Keep decides whether a group of n units may be released ([sample.TruncatedGeometric]).
func (s *Session) Keep(t *sample.TruncatedGeometric, n int64) bool {
	if Noiseless() {
		return n > 0
	}
	return t.Keep(s.source, n)
}
