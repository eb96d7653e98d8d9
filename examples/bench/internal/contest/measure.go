//go:build unix

package contest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	"github.com/equipoise-dp/equipoise/internal/sales"
)

// Measure makes rows and lets the work be prepared, in a folder for its files, then measures it, and
// writes what was measured.
func Measure(ctx context.Context, to io.Writer, w Work, in Input, prepare func(w Work, in Input, rows []sales.Sale, dir string) (Answer, error)) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	answer, err := prepare(w, in, sales.Shaped(in.Rows, in.Shape), dir)
	if err != nil {
		return err
	}
	r, err := measured(ctx, w, in, answer)
	if err != nil {
		return err
	}
	return json.NewEncoder(to).Encode(r)
}

func measured(ctx context.Context, w Work, in Input, answer Answer) (r Result, err error) {
	debug.FreeOSMemory()
	_, _ = peak() // that of making the rows
	before, err := peak()
	if err != nil {
		return r, err
	}
	start, cpu := time.Now(), processTime()
	shown, err := answer(ctx)
	if err != nil {
		return r, err
	}
	wall, spent := time.Since(start), processTime()-cpu
	after, err := peak()
	if err == nil && shown == 0 && in.Rows > 100_000 && in.Shape != sales.Few {
		err = errors.New("no group is shown")
	}
	return Result{
		Engine: w.Engine, Columns: w.Columns, Rows: in.Rows, Workers: w.Workers, Wall: wall.Seconds(),
		CPU: float64(spent.Nanoseconds()) / float64(in.Rows), Speed: float64(in.Rows) / wall.Seconds(), Peak: after - before,
	}, err
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
