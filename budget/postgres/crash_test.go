package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/budget/postgres"
	"github.com/equipoise-dp/equipoise/internal/pgtest"
)

// private starts a server of the test's own.
func private(t *testing.T, settings ...string) *pgtest.Server {
	t.Helper()
	s, err := pgtest.New(settings...)
	pgtest.Needed(t, err)
	return s
}

func TestRefusesServerWithoutFsync(t *testing.T) {
	t.Parallel()
	for _, setting := range []string{"fsync", "full_page_writes"} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			s := private(t, setting+" = off")
			_, err := postgres.Create(t.Context(), newPool(t, s.DSN))
			wantError(t, "Create", err, "the server has "+setting+"=off, must be on")
			if err := s.Stop("immediate"); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestACrashOfTheServerLosesNothingAcknowledged crashes the server again and again while callers append. They
// go on by themselves, and what was acknowledged is there.
func TestACrashOfTheServerLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	server := private(t)
	pool := newPool(t, server.DSN)
	store, err := postgres.Create(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	var acknowledged [4]atomic.Uint64
	crash := make(chan struct{}, 1)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for i := range acknowledged {
		wg.Go(func() { appendForever(ctx, store, fmt.Sprint(i), &acknowledged[i], crash) })
	}
	for range 3 {
		<-crash // some were acknowledged since
		for _, do := range []error{server.Stop("immediate"), server.Start()} {
			if do != nil {
				t.Error(do)
			}
		}
	}
	<-crash
	cancel()
	wg.Wait()
	for i := range acknowledged {
		if have := uint64(len(records(t, store, fmt.Sprint(i)))); have < acknowledged[i].Load() {
			t.Errorf("account %d has %d records, %d were acknowledged", i, have, acknowledged[i].Load())
		}
	}
	if err := server.Stop("fast"); err != nil {
		t.Error(err)
	}
}

// appendForever appends, over all errors, and reads on where it stands.
func appendForever(ctx context.Context, s budget.Store, account string, acknowledged *atomic.Uint64, progress chan<- struct{}) {
	for next := uint64(0); ctx.Err() == nil; {
		err := s.Append(ctx, account, budget.Record{Seq: next, Data: []byte("data")})
		if err != nil {
			for r, err := range s.Read(ctx, account, next) {
				if err == nil {
					next = r.Seq + 1
				}
			}
			continue
		}
		next++
		acknowledged.Store(next)
		if next%20 == 0 {
			select {
			case progress <- struct{}{}:
			default:
			}
		}
	}
}

func records(t *testing.T, s budget.Store, account string) (all []budget.Record) {
	t.Helper()
	for r, err := range s.Read(t.Context(), account, 0) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// TestALostConnectionIsNoRefund cuts the connection in the middle of a commit: before the
// server gets the statement, and before its answer gets back. Both are errors
// and no conflict; the second took effect.
func TestALostConnectionIsNoRefund(t *testing.T) {
	dsn, err := pgtest.Shared()
	pgtest.Needed(t, err)
	pool, proxy := proxied(t, pgtest.NewDatabase(t, dsn))
	store, err := postgres.Create(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, store, 0, 2)

	proxy.cut.Store(cutRequest)
	err = store.Append(t.Context(), "a", budget.Record{Seq: 2, Data: []byte("lost")})
	wantError(t, "Append, cut off before the server", err, "")
	if n := len(records(t, store, "a")); errors.Is(err, budget.ErrConflict) || n != 2 {
		t.Errorf("Append, cut off before the server: %v, and %d records, want another error and 2", err, n)
	}

	fill(t, store, 2, 1) // so that the new connection knows the statement
	proxy.cut.Store(cutAnswer)
	err = store.Append(t.Context(), "a", budget.Record{Seq: 3, Data: []byte("there")})
	wantError(t, "Append, cut off after the server", err, "")
	if n := len(records(t, store, "a")); errors.Is(err, budget.ErrConflict) || n != 4 {
		t.Errorf("Append, cut off after the server: %v, and %d records, want another error and 4", err, n)
	}

	fill(t, store, 4, 1)
	proxy.cut.Store(cutAnswer)
	release := func(text string) budget.Record {
		return budget.Record{Seq: 5, Data: []byte("data"), Release: []byte(text)}
	}
	err = store.Append(t.Context(), "a", release("first"))
	wantError(t, "Append of a release, cut off after the server", err, "")
	if err := store.Append(t.Context(), "a", release("second")); !errors.Is(err, budget.ErrConflict) {
		t.Errorf("Append of another release after it was cut off: %v, want budget.ErrConflict", err)
	}
	if kept, err := store.Kept(t.Context(), "a", 5); string(kept) != "first" || err != nil {
		t.Errorf("Kept after it was cut off = %q, %v, want what was kept first", kept, err)
	}
	fill(t, store, 6, 2)
}

const (
	cutNothing int32 = iota
	cutRequest       // the next thing that the client says is not passed on
	cutAnswer        // the next thing that the server says is not passed on
)

// A proxy passes bytes between a client and a server until it is told to cut.
type proxy struct {
	cut    atomic.Int32
	server func() (net.Conn, error)
}

// proxied returns a pool of one connection that goes through a proxy.
func proxied(t *testing.T, dsn string) (*pgxpool.Pool, *proxy) {
	t.Helper()
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	c := config.ConnConfig
	network, address := "tcp", net.JoinHostPort(c.Host, fmt.Sprint(c.Port))
	if filepath.IsAbs(c.Host) {
		network, address = "unix", filepath.Join(c.Host, fmt.Sprintf(".s.PGSQL.%d", c.Port))
	}
	p := &proxy{server: func() (net.Conn, error) { return net.Dial(network, address) }}
	c.DialFunc = func(context.Context, string, string) (net.Conn, error) { return p.dial() }
	c.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	config.MaxConns = 1
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool, p
}

func (p *proxy) dial() (net.Conn, error) {
	server, err := p.server()
	if err != nil {
		return nil, err
	}
	client, inner := net.Pipe()
	go p.pass(server, inner, cutRequest)
	go p.pass(inner, server, cutAnswer)
	return client, nil
}

// pass copies until either side ends, or until it is to be cut, then ends both.
func (p *proxy) pass(to, from net.Conn, cut int32) {
	defer to.Close()
	defer from.Close()
	b := make([]byte, 1<<16)
	for {
		n, err := from.Read(b)
		if err != nil || p.cut.CompareAndSwap(cut, cutNothing) {
			return
		}
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}
