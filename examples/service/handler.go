package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/equipoise-dp/equipoise/aggregate/consent"
)

// An endpoint answers a known caller, or returns a problem.
type endpoint func(w http.ResponseWriter, r *http.Request, who caller) error

// A role is who may use an endpoint.
type role func(caller) bool

var (
	staff    role = func(c caller) bool { return c.Person == "" }
	operator role = func(c caller) bool { return c.Operator }
	person   role = func(c caller) bool { return c.Person != "" }
)

// handler has every address of the service.
func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, public := range map[string]http.HandlerFunc{
		"GET /{$}": s.home, "GET /style.css": style, "GET /statement": s.statement, "GET /openapi.json": description, "GET /problems/{kind}": explain,
		"GET /healthz": s.alive, "GET /readyz": s.ready,
	} {
		mux.HandleFunc(pattern, public)
	}
	for pattern, e := range map[string]struct {
		role
		endpoint
	}{
		"GET /questions":      {staff, s.questions},
		"POST /releases":      {staff, s.postRelease},
		"GET /releases":       {staff, s.listReleases},
		"GET /releases/{key}": {staff, s.getRelease},
		"GET /trend":          {staff, s.getTrend},
		"GET /budget":         {staff, s.getBudget},
		"GET /operator":       {operator, s.getOperator},
		"GET /metrics":        {operator, s.metrics.get},
		"GET /consent":        {person, s.getConsent},
		"PUT /consent":        {person, s.putConsent},
		"POST /consent":       {person, s.postConsent},
	} {
		mux.HandleFunc(pattern, s.known(e.role, e.endpoint))
	}
	return s.counted(mux, s.limits.bounded(sameOrigin(problems(mux))))
}

// known finds out who asks, and lets in who may.
func (s *service) known(may role, e endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		who, err := s.identity.Who(r)
		if err == nil && !usable(who.Name) {
			err = errNobody
		}
		if err == nil {
			err = s.admit(r, who, may)
		} else if errors.Is(err, errNobody) {
			err = no("nobody", "")
		} else {
			err = no("unavailable", "it cannot be found out who asks").after(s.board.every)
		}
		if err == nil {
			ctx, cancel := context.WithTimeout(as(r.Context(), who.Name), mostRequest)
			defer cancel()
			err = e(w, r.WithContext(ctx), who)
		}
		s.fail(w, r, err)
	}
}

// usable says whether a name can be that of a caller, whatever identity gives it: a slash ends names
// in request keys, and one name is that of this program.
func usable(name string) bool {
	return name != "" && name != nightly && !strings.Contains(name, "/")
}

func (s *service) admit(r *http.Request, who caller, may role) error {
	if d := s.limits.wait(who.Name); d > 0 {
		return no("too-many", "a caller may send 50 requests a second").after(d)
	}
	if !may(who) {
		return no("forbidden", "")
	}
	if who.Person != "" && consent.OptedOut(r.Header) {
		return s.choices.say(r.Context(), who.Person, consent.Every, "no") // Global Privacy Control
	}
	return nil
}

// fail answers what an endpoint returned. What is no problem is shown to nobody, since it
// may hold anything; its kind is logged.
func (s *service) fail(w http.ResponseWriter, r *http.Request, err error) {
	if err == nil {
		return
	}
	p, ok := errors.AsType[problem](err)
	if !ok {
		s.log.Warn("a request failed", slog.String("error.type", kindOf(err)))
		p = no("unavailable", "").after(s.board.every)
	}
	p.answer(w, r)
}

// counted counts and logs requests by their route: addresses have keys and headers have tokens, and
// neither is anybody's business. It answers for what panics.
func (s *service) counted(mux *http.ServeMux, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, route := mux.Handler(r)
		if route == "" {
			route = "none"
		}
		harden(w.Header())
		c := &counter{ResponseWriter: w}
		defer func() {
			if p := recover(); p != nil { // its text may be private
				s.log.LogAttrs(r.Context(), slog.LevelError, "a request panicked", append(named(r, route), slog.String("exception.type", fmt.Sprintf("%T", p)))...)
				no("broken", "").answer(c, r)
			}
			s.metrics.request(route, c.status)
			s.log.LogAttrs(r.Context(), slog.LevelInfo, "request", append(named(r, route), slog.Int("http.response.status_code", c.status))...)
		}()
		next.ServeHTTP(c, r)
	})
}

// named are the attributes of a request, as OpenTelemetry's semantic conventions name them: a method that is none of
// HTTP's could be anything, so it is "_OTHER", and the route is that of the address and not what was sent.
func named(r *http.Request, route string) []slog.Attr {
	method := "_OTHER"
	if slices.Contains(methods, r.Method) {
		method = r.Method
	}
	attrs := []slog.Attr{slog.String("http.request.method", method)}
	if _, path, ok := strings.Cut(route, " "); ok {
		attrs = append(attrs, slog.String("http.route", path))
	}
	return attrs
}

var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace,
}

// harden sets what every answer has.
func harden(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Strict-Transport-Security", "max-age=31536000")
}

type counter struct {
	http.ResponseWriter
	status int
}

func (c *counter) WriteHeader(status int) {
	if c.status == 0 {
		c.status = status
	}
	c.ResponseWriter.WriteHeader(status)
}

func (c *counter) Write(b []byte) (int, error) {
	if c.status == 0 {
		c.status = http.StatusOK
	}
	return c.ResponseWriter.Write(b)
}

func (c *counter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// sameOrigin refuses what a page of another site makes a browser send, with the password that
// it knows.
func sameOrigin(next http.Handler) http.Handler {
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { no("cross-origin", "").answer(w, r) }))
	return guard.Handler(next)
}

// problems answers for what has no address, as the rest is answered.
func problems(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, route := mux.Handler(r)
		if route != "" {
			mux.ServeHTTP(w, r)
			return
		}
		plain := httptest.NewRecorder()
		h.ServeHTTP(plain, r)
		if allow := plain.Header().Get("Allow"); allow != "" {
			w.Header().Set("Allow", allow)
			no("method", "").answer(w, r)
			return
		}
		no("missing", "").answer(w, r)
	})
}

// send writes JSON.
func send(w http.ResponseWriter, status int, v any) error {
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(v); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(b.Bytes()) //nolint:errcheck // whoever reads it is gone
	return nil
}

func (s *service) alive(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintln(w, "alive")
}

// ready says whether something can be paid, and nothing of why not.
func (s *service) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if err := errors.Join(s.ledger.store.Writable(ctx), s.choices.PingContext(ctx)); err != nil {
		no("unavailable", "").after(s.board.every).answer(w, r)
		return
	}
	fmt.Fprintln(w, "ready")
}
