package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A service is everything that runs.
type service struct {
	log       *slog.Logger
	identity  identity
	tokens    *tokens // of the identity, if it is tokens
	ledger    *ledger
	choices   *choices
	catalogue catalogue
	series    *series
	source    source
	board     *board
	limits    *limits
	metrics   *metrics
	state     state

	nightly time.Duration
	anchors string

	begin            chan struct{} // a tick has passed, and there may be work
	trend, nextTrend atomic.Pointer[[]month]
	public           atomic.Pointer[told] // the statement
	demo             [3]string            // tokens for a try: of whoever asks, of an operator, of a customer
}

// open opens everything that is to be closed again, and starts nothing.
func open(ctx context.Context, o *options, log *slog.Logger) (*service, error) {
	l, err := openLedger(ctx, o)
	if err != nil {
		return nil, err
	}
	said, err := openChoices(ctx, o.ledger)
	if err != nil {
		return nil, errors.Join(err, l.close())
	}
	s, err := assemble(o, log, l, said)
	if err != nil {
		return nil, errors.Join(err, said.Close(), l.close())
	}
	return s, nil
}

func assemble(o *options, log *slog.Logger, l *ledger, said *choices) (*service, error) {
	months, err1 := o.months()
	if err1 != nil {
		return nil, err1
	}
	c, err2 := newCatalogue(months, said.source())
	trend, err3 := newSeries(months, said.source())
	t := &tokens{path: o.tokens}
	log = log.With(slog.String("service.name", "service"))
	s := &service{
		log: log, identity: t, tokens: t, ledger: l, choices: said, catalogue: c, series: trend, source: purchases(o.data),
		board: newBoard(l, o.tick), limits: newLimits(), nightly: o.nightly, anchors: o.anchors, begin: make(chan struct{}, 1),
	}
	s.metrics = newMetrics(s)
	l.Observe(s.metrics)
	if o.tokens == "" {
		s.demo = t.forATry()
	}
	return s, errors.Join(err2, err3, t.read())
}

func (s *service) close() error { return errors.Join(s.choices.Close(), s.ledger.close()) }

// start runs what goes on beside requests, and returns what waits for its end.
func (s *service) start(ctx context.Context) (end func()) {
	s.tick(ctx)
	var running sync.WaitGroup
	running.Go(func() { s.board.ticks(ctx, func() { s.tick(ctx) }) })
	running.Go(func() { s.work(ctx) })
	running.Go(func() { s.nights(ctx) })
	return running.Wait
}

// tick shows what is new, and begins what was accepted before it.
func (s *service) tick(ctx context.Context) {
	err := s.board.look(ctx)
	s.state.says(&s.state.identity, s.tokens.read())
	s.trend.Store(s.nextTrend.Load())
	if err == nil {
		var t *told
		if t, err = s.told(ctx); err == nil {
			s.public.Store(t)
		}
	}
	s.state.says(&s.state.looked, err)
	if err != nil {
		s.log.Warn("the ledger could not be looked at", slog.String("error.type", kindOf(err)))
		return
	}
	select {
	case s.begin <- struct{}{}:
	default: // it is still at the last one, and will look at the board again
	}
}

// How long a client may take.
const (
	mostHeader   = 5 * time.Second
	mostRequest  = 20 * time.Second
	mostIdle     = time.Minute
	mostShutdown = 30 * time.Second
)

// serve listens until ctx is done, then ends what has begun.
func (s *service) serve(ctx context.Context, address string, stdout io.Writer) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: s.handler(), ReadHeaderTimeout: mostHeader, ReadTimeout: mostRequest, WriteTimeout: 2 * mostRequest, IdleTimeout: mostIdle,
		MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(quiet{s.log.Handler()}, slog.LevelWarn),
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	end := s.start(ctx)
	stopped := make(chan error, 1)
	context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), mostShutdown)
		defer cancel()
		stopped <- server.Shutdown(grace)
	})
	s.greet(stdout, l.Addr().String())
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		cancel()
		end()
		return err
	}
	err = <-stopped
	end()
	s.log.Info("the service has ended")
	return err
}

// greet prints where the service is and, for a try, how to ask it.
func (s *service) greet(w io.Writer, address string) {
	fmt.Fprintf(w, "http://%s/\n", address)
	for i, who := range []string{"whoever asks", "operators", "customer 00042"} {
		if s.demo[i] != "" {
			fmt.Fprintf(w, "token of %s: %s\n", who, s.demo[i])
		}
	}
}

// isLocal says whether no other computer reaches an address.
func isLocal(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && (strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback())
}

// quiet is a log that leaves out what net/http says: it may hold what somebody sent.
type quiet struct{ slog.Handler }

func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	return q.Handler.Handle(ctx, slog.NewRecord(r.Time, r.Level, "a connection failed", r.PC))
}
