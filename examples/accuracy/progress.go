package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// A progress says on a terminal how far a long run is, on one line. Elsewhere it
// says nothing.
type progress struct {
	to    io.Writer // nil is nobody
	start time.Time
}

func newProgress(w io.Writer) *progress {
	p := &progress{start: time.Now()}
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			p.to = w
		}
	}
	return p
}

// at says that n of all settings are done and which one is next.
func (p *progress) at(n, all int, a *asked) {
	if p.to == nil {
		return
	}
	line := fmt.Sprintf("%d of %d: %s of %s, n = %d, ε = %v", n, all, a.Name, a.set.Name, a.n, a.epsilon)
	if n > 0 {
		left := time.Since(p.start) / time.Duration(n) * time.Duration(all-n)
		line += fmt.Sprintf("; about %v left", left.Round(time.Second))
	}
	fmt.Fprintf(p.to, "\r\x1b[K%s", line)
}

func (p *progress) end() {
	if p.to != nil {
		fmt.Fprint(p.to, "\r\x1b[K")
	}
}
