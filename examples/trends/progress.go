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

// progress returns a function that shows how many lines were read, and one that
// wipes it out. Both do nothing unless w is a terminal.
func progress(w io.Writer) (read func(line int), done func()) {
	if !isTerminal(w) {
		return nil, func() {}
	}
	last := time.Now()
	read = func(line int) {
		if line%1024 == 0 && time.Since(last) > 100*time.Millisecond {
			last = time.Now()
			fmt.Fprintf(w, "\rreading … %s lines", grouped(float64(line), 0))
		}
	}
	return read, func() { fmt.Fprint(w, "\r\x1b[K") }
}
