package budget

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// An export is lines of JSON: a header, then every record exactly as it is
// stored, then every release that was kept.

type exportHeader struct {
	Format  int    `json:"equipoise_ledger"`
	Account string `json:"account"`
}

type exportKept struct {
	Kept    uint64 `json:"kept"` // number of the record that paid
	Release []byte `json:"release"`
}

// Export writes the whole account as lines of JSON, releases that were kept
// included. What is written is public if releases are; it holds what was asked.
func (a *Account) Export(ctx context.Context, w io.Writer) error {
	b := bufio.NewWriter(w)
	if err := writeLine(b, exportHeader{1, a.name}); err != nil {
		return err
	}
	var paying []uint64
	for rec, err := range a.store.Read(ctx, a.name, 0) {
		if err != nil {
			return fmt.Errorf("budget: export account %q: %w", a.name, err)
		}
		if _, err := b.Write(append(bytes.Clone(rec.Data), '\n')); err != nil {
			return fmt.Errorf("budget: export account %q: %w", a.name, err)
		}
		paying = append(paying, rec.Seq)
	}
	for _, seq := range paying[min(1, len(paying)):] {
		kept, err := a.store.Keep(ctx, a.name, seq, nil)
		if err == nil && kept != nil {
			err = writeLine(b, exportKept{seq, kept})
		}
		if err != nil {
			return fmt.Errorf("budget: export account %q: %w", a.name, err)
		}
	}
	return b.Flush()
}

func writeLine(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

// Import reads what Export wrote into a store that does not have the account,
// and opens it. Everything is checked before anything is written. It returns an
// error that wraps [ErrExists] if the account is there, and [ErrTampered] if
// lines were changed.
func Import(ctx context.Context, s Store, r io.Reader) (*Account, error) {
	in, err := readExport(r)
	if err != nil {
		return nil, fmt.Errorf("budget: import: %w", err)
	}
	for rec, err := range s.Read(ctx, in.account, 0) {
		if err != nil {
			return nil, fmt.Errorf("budget: import: %w", err)
		}
		return nil, fmt.Errorf("%w: %q has %d records or more", ErrExists, in.account, rec.Seq+1)
	}
	if err := s.Append(ctx, in.account, in.records...); err != nil {
		if errors.Is(err, ErrConflict) {
			err = fmt.Errorf("%w: %q", ErrExists, in.account)
		}
		return nil, fmt.Errorf("budget: import: %w", err)
	}
	for _, k := range in.kept {
		if _, err := s.Keep(ctx, in.account, k.Kept, k.Release); err != nil {
			return nil, fmt.Errorf("budget: import: the records of account %q are there, its releases not all: %w", in.account, err)
		}
	}
	return Open(ctx, s, in.account)
}

type imported struct {
	account string
	records []Record
	kept    []exportKept
}

// maxLine bounds what one line of an import may take.
const maxLine = 64 << 20

func readExport(r io.Reader) (*imported, error) {
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, maxLine)
	in := &imported{}
	var l *loader
	for n := 1; sc.Scan(); n++ {
		line := bytes.Clone(sc.Bytes())
		var err error
		switch {
		case n == 1:
			in.account, err = readHeader(line)
			l = &loader{name: in.account}
		case bytes.HasPrefix(line, []byte(`{"kept":`)):
			err = in.addKept(l, line)
		case in.kept != nil:
			err = fmt.Errorf("%w: a record after releases", ErrTampered)
		default:
			rec := Record{uint64(len(in.records)), line}
			in.records = append(in.records, rec)
			err = l.next(rec)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	if err := sc.Err(); err != nil {
		return nil, err
	}
	if len(in.records) == 0 {
		return nil, fmt.Errorf("%w: there are no records", ErrTampered)
	}
	return in, nil
}

func readHeader(line []byte) (string, error) {
	var h exportHeader
	if err := json.Unmarshal(line, &h); err != nil {
		return "", fmt.Errorf("%w: the header is not JSON: %w", ErrTampered, err)
	}
	switch {
	case h.Format > 1:
		return "", fmt.Errorf("%w: export format %d; this program reads 1", ErrVersion, h.Format)
	case h.Format != 1 || h.Account == "":
		return "", fmt.Errorf("%w: the first line is not the header of an export", ErrTampered)
	}
	return h.Account, nil
}

func (in *imported) addKept(l *loader, line []byte) error {
	var k exportKept
	if err := json.Unmarshal(line, &k); err != nil {
		return fmt.Errorf("%w: %w", ErrTampered, err)
	}
	if k.Kept == 0 || k.Kept >= uint64(len(in.records)) || l.state == nil {
		return fmt.Errorf("%w: a release of record %d, which does not pay for one", ErrTampered, k.Kept)
	}
	if k.Release == nil {
		k.Release = []byte{}
	}
	in.kept = append(in.kept, k)
	return nil
}
