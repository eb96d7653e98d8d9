//go:build linux

package main

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/equipoise-dp/equipoise/internal/sales"
)

var benchRows = flag.Int("rows", 100_000, "how many rows the file of BenchmarkReport has")

// One operation is a whole report of a CSV file of sales on a thousand days: by the time of all processors, and by the most memory
// that the process had.
func BenchmarkReport(b *testing.B) {
	dir := b.TempDir()
	file := filepath.Join(dir, "sales.csv")
	writeSales(b, file)
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		b.Log("the memory is that of writing the file too: ", err)
	}
	began := processTime(b)
	for i := 0; b.Loop(); i++ {
		var out, errs bytes.Buffer
		if code := run(b.Context(), []string{
			"-input", file, "-unit", "customer", "-unit-name", "customer", "-time", "day", "-value", "euros", "-upper", "500", "-from", "2022-01", "-to", "2024-09",
			"-ledger", filepath.Join(dir, fmt.Sprint(i)+".db"), "-out", filepath.Join(dir, "report.html"),
		}, nil, &out, &errs); code != exitDone {
			b.Fatalf("exit %d: %s", code, errs.String())
		}
	}
	b.ReportMetric((processTime(b)-began).Seconds()/float64(b.N), "cpu-s/op")
	b.ReportMetric(float64(most(b))/1e6, "peak-MB")
}

func writeSales(b *testing.B, path string) {
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriter(f)
	w.WriteString("customer,day,country,euros\n")
	first := time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC)
	var line []byte
	for _, s := range sales.Make(*benchRows) {
		line = append(strconv.AppendInt(line[:0], s.Customer, 10), ',')
		line = first.AddDate(0, 0, int(s.Day)).AppendFormat(line, time.DateOnly)
		line = strconv.AppendFloat(append(strconv.AppendInt(append(line, ','), int64(s.Country), 10), ','), s.Euros, 'f', 2, 64)
		w.Write(append(line, '\n'))
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
}

// processTime returns the time that all processors spent on this process.
func processTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// most returns the most memory that this process had.
func most(b *testing.B) int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	_, after, _ := bytes.Cut(status, []byte("VmHWM:"))
	kilobytes, err := strconv.ParseInt(string(bytes.Fields(after)[0]), 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return kilobytes << 10
}
