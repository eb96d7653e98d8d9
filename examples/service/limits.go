package main

import (
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// What a caller may do at once.
const (
	mostBody     = 64 << 10 // bytes
	mostASecond  = 50       // requests of one caller, on average
	mostAtOnce   = 100      // requests of one caller, in a moment
	mostInFlight = 256      // requests of everybody
	mostOpen     = 64       // releases of one caller that are accepted and not finished
)

// limits keep one caller from taking the service from the others. They count callers who
// are known, so they need memory for no others.
type limits struct {
	mu      sync.Mutex
	callers map[string]*rate.Limiter
	flight  chan struct{}
}

func newLimits() *limits {
	return &limits{callers: map[string]*rate.Limiter{}, flight: make(chan struct{}, mostInFlight)}
}

// wait returns 0 if a caller may go on, and otherwise after which time they may.
func (l *limits) wait(name string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.callers[name]
	if c == nil {
		c = rate.NewLimiter(mostASecond, mostAtOnce)
		l.callers[name] = c
	}
	if c.Allow() {
		return 0
	}
	return time.Second
}

// bounded takes so many requests at a time, and bodies of bounded size.
func (l *limits) bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case l.flight <- struct{}{}:
			defer func() { <-l.flight }()
		default:
			no("unavailable", "too many requests are being answered").after(time.Second).answer(w, r)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, mostBody)
		next.ServeHTTP(w, r)
	})
}
