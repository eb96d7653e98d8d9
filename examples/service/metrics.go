package main

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/equipoise-dp/equipoise/budget"
	"github.com/equipoise-dp/equipoise/dp"
)

// metrics are for operators only. None has a name of a caller or of a person, a request key,
// or how long reading rows took.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	outcomes *prometheus.CounterVec
	log      *slog.Logger
}

func newMetrics(s *service) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(), log: s.log,
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "service_requests_total", Help: "Requests that were answered."}, []string{"route", "status"}),
		outcomes: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "service_charges_total", Help: "How requests to the account have ended."}, []string{"purpose", "outcome"}),
	}
	m.registry.MustRegister(m.requests, m.outcomes, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.gauge("service_releases_open", "Releases that are accepted and not finished.", func() float64 { return float64(len(unfinished(s.board.all()))) })
	m.gauge("service_releases_failed", "Releases that were tried and not finished, since the last that was.", func() float64 { return float64(s.state.now().failed) })
	m.gauge("service_looked_at_seconds", "When the ledger was looked at last.", func() float64 { return float64(s.board.lookedAt().Unix()) })
	m.gauge("service_verified_at_seconds", "When the ledger was verified last.", func() float64 { return float64(s.state.now().verified.Unix()) })
	m.gauge("service_checks_wrong", "What the page of operators says is wrong.", func() float64 { return float64(wrong(s.checks(context.Background()))) })
	m.gauge("service_epsilon_spent", "ε that the account has spent.", func() float64 { spent, _ := s.epsilon(); return spent })
	m.gauge("service_epsilon_left", "ε that the account has left.", func() float64 { _, left := s.epsilon(); return left })
	return m
}

func (m *metrics) gauge(name, help string, f func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, f))
}

// epsilon is what is spent and left, 0 where the ledger cannot be read, which a check says.
func (s *service) epsilon() (spent, left float64) {
	st, err := s.ledger.Status(context.Background())
	if err != nil {
		return 0, 0
	}
	return dp.PartsOf(st.Whole.Spent).Epsilon, dp.PartsOf(st.Whole.Left).Epsilon
}

func (m *metrics) request(route string, status int) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
}

// Observe implements budget.Observer.
func (m *metrics) Observe(ctx context.Context, o budget.Observation) {
	m.outcomes.WithLabelValues(o.Purpose, string(o.Outcome)).Inc()
	m.log.LogAttrs(ctx, slog.LevelInfo, "charge", o.Attrs()...)
}

func (m *metrics) get(w http.ResponseWriter, r *http.Request, _ caller) error {
	promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}).ServeHTTP(w, r)
	return nil
}
