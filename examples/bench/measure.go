//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/equipoise-dp/equipoise/internal/sales"
)

// runCase makes the rows, then measures one case, and prints what was measured.
func (o *options) runCase(ctx context.Context, stdout io.Writer) error {
	i := slices.IndexFunc(cases, func(c work) bool { return c.String() == o.child })
	if i < 0 {
		return fmt.Errorf("there is no case %q", o.child)
	}
	c := cases[i]
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	answer, err := c.prepare(sales.Make(o.rows), dir)
	if err != nil {
		return err
	}
	debug.FreeOSMemory()
	_, _ = peak() // that of making the rows
	before, err := peak()
	if err != nil {
		return err
	}
	start, cpu := time.Now(), processTime()
	shown, err := answer(ctx)
	if err != nil {
		return err
	}
	wall, spent := time.Since(start), processTime()-cpu
	after, err := peak()
	if err != nil {
		return err
	}
	if shown == 0 && o.rows > 100_000 {
		return errors.New("no group is shown")
	}
	return json.NewEncoder(stdout).Encode(result{
		Engine: c.engine, Columns: c.columns, Rows: o.rows, Workers: c.workers, Wall: wall.Seconds(),
		CPU: float64(spent.Nanoseconds()) / float64(o.rows), Speed: float64(o.rows) / wall.Seconds(), Peak: after - before,
	})
}

// processTime returns the time that all processors spent on this process.
func processTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peak returns the most memory that this process had, and forgets it where the system can
// (Linux).
func peak() (int64, error) {
	if status, err := os.ReadFile("/proc/self/status"); err == nil {
		_, after, _ := bytes.Cut(status, []byte("VmHWM:"))
		kilobytes, err := strconv.ParseInt(string(bytes.Fields(after)[0]), 10, 64)
		_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // where it is refused the peak is that of all
		return kilobytes << 10, err
	}
	var u syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return int64(u.Maxrss) << 10, err
}
