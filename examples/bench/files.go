package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/equipoise-dp/equipoise/aggregate/rows"
	"github.com/equipoise-dp/equipoise/examples/bench/internal/contest"
	"github.com/equipoise-dp/equipoise/internal/sales"
)

// writeFiles writes rows as CSV, each part in a file of its own, with a column that nobody
// asks for.
func writeFiles(dir string, parts [][]sales.Sale) (paths []string, err error) {
	for i, part := range parts {
		path := filepath.Join(dir, fmt.Sprintf("%d.csv", i))
		if err := writeFile(path, part); err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

func writeFile(path string, part []sales.Sale) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	w.WriteString("Number,Customer,Day,Country,Euros\n")
	var line []byte
	for i, s := range part {
		line = strconv.AppendInt(line[:0], int64(i), 10)
		for _, n := range []int64{s.Customer, int64(s.Day), int64(s.Country)} {
			line = strconv.AppendInt(append(line, ','), n, 10)
		}
		line = strconv.AppendFloat(append(line, ','), s.Euros, 'f', 2, 64)
		w.Write(append(line, '\n'))
	}
	if err := w.Flush(); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// fromFiles is Equipoise, from files to a release that is paid for.
func fromFiles(ctx context.Context, w contest.Work, in contest.Input, paths []string) (int, error) {
	sources, err := rows.Files[sales.Sale](ctx, rows.Options{}, paths...)
	if err != nil {
		return 0, err
	}
	return w.Ours(ctx, in, sources)
}
