package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/equipoise-dp/equipoise/budget"
)

// handler writes the statement anew at every request, and nothing else: no other path, no
// other method, no error that tells where the ledger is.
func (e *env) handler(store budget.Store, a *budget.Account) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		var b bytes.Buffer
		s, err := e.statement(r.Context(), store, a)
		if err == nil {
			err = s.page(&b)
		}
		if err != nil {
			http.Error(w, "the statement cannot be written at present", http.StatusServiceUnavailable)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		b.WriteTo(w) //nolint:errcheck // whoever reads it is gone
	})
	return mux
}

// serve serves the statement until ctx is done.
func (e *env) serve(ctx context.Context, store budget.Store, a *budget.Account) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", e.address)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: e.handler(store, a), ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	stop := context.AfterFunc(ctx, func() { server.Close() }) //nolint:errcheck // it ends
	defer stop()
	e.printf("http://%s/\n", l.Addr())
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
