package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// isTerminal reports whether somebody may be looking at w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && f.Name() != os.DevNull
}

// progress returns a function that shows how much was read, and one that
// wipes it out. Both do nothing unless w is a terminal.
func progress(w io.Writer) (read func(rows, bytes int64), done func()) {
	if !isTerminal(w) {
		return nil, func() {}
	}
	last := time.Now()
	read = func(rows, bytes int64) {
		if time.Since(last) > 100*time.Millisecond {
			last = time.Now()
			fmt.Fprintf(w, "\rreading … %s rows, %s MB", grouped(float64(rows), 0), grouped(float64(bytes)/1e6, 0))
		}
	}
	return read, func() { fmt.Fprint(w, "\r\x1b[K") }
}
