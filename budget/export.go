package budget

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// An export is lines of JSON: a header, then every record exactly as it is
// stored, then every release that was kept, then how many there are and the hash
// of all lines before. So a line that is changed, and an end that is cut off, are
// found; whoever writes the hash anew is found by an anchor, except in releases.

type exportHeader struct {
	Format  int    `json:"equipoise_ledger"`
	Account string `json:"account"`
}

type exportKept struct {
	Kept    uint64 `json:"kept"` // number of the record that paid
	Release []byte `json:"release"`
}

type exportEnd struct {
	End struct {
		Records int    `json:"records"`
		Kept    int    `json:"kept"`
		Sum     string `json:"sum"`
	} `json:"end"`
}

// Export writes the whole account as lines of JSON, releases that were kept
// included. What is written is public if releases are; it holds what was asked.
func (a *Account) Export(ctx context.Context, w io.Writer) error {
	buffered := bufio.NewWriter(w)
	sum := sha256.New()
	b := io.MultiWriter(buffered, sum)
	var end exportEnd
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
		end.End.Records++
	}
	for _, seq := range paying[min(1, len(paying)):] {
		kept, err := a.store.Kept(ctx, a.name, seq)
		if err == nil && kept != nil {
			end.End.Kept++
			err = writeLine(b, exportKept{seq, kept})
		}
		if err != nil {
			return fmt.Errorf("budget: export account %q: %w", a.name, err)
		}
	}
	end.End.Sum = hex.EncodeToString(sum.Sum(nil))
	if err := writeLine(buffered, end); err != nil {
		return fmt.Errorf("budget: export account %q: %w", a.name, err)
	}
	return buffered.Flush()
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
// lines were changed or are missing, or the records are not those of the anchors.
//
// An import that was interrupted after the records and before the last release
// can be done again; until then a key whose release is missing could be released
// anew.
func Import(ctx context.Context, s Store, r io.Reader, anchors ...Anchor) (*Account, error) {
	in, err := readExport(r)
	if err == nil {
		err = in.checkAnchors(anchors)
	}
	if err != nil {
		return nil, fmt.Errorf("budget: import: %w", err)
	}
	begun, err := in.begun(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("budget: import: %w", err)
	}
	if !begun {
		err = s.Append(ctx, in.account, in.records...)
	}
	if err != nil {
		if errors.Is(err, ErrConflict) {
			err = fmt.Errorf("%w: %q", ErrExists, in.account)
		}
		return nil, fmt.Errorf("budget: import: %w", err)
	}
	for _, k := range in.kept {
		if _, err := s.Keep(ctx, in.account, k.Kept, k.Release); err != nil {
			return nil, fmt.Errorf("budget: import: the records of account %q are there, its releases not all; import again: %w", in.account, err)
		}
	}
	return Open(ctx, s, in.account, anchors...)
}

func (in *imported) checkAnchors(anchors []Anchor) error {
	for _, x := range anchors {
		err := x.check(in.account, func(seq uint64) (digest, bool) {
			if seq >= uint64(len(in.records)) {
				return digest{}, false
			}
			return hashOf(in.records[seq].Data), true
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// begun reports whether the store has exactly these records and lacks a release:
// an import that was interrupted.
func (in *imported) begun(ctx context.Context, s Store) (bool, error) {
	n := 0
	for rec, err := range s.Read(ctx, in.account, 0) {
		switch {
		case err != nil:
			return false, err
		case n >= len(in.records) || !bytes.Equal(rec.Data, in.records[n].Data):
			return false, fmt.Errorf("%w: %q, with other records", ErrExists, in.account)
		}
		n++
	}
	if n == 0 {
		return false, nil
	}
	for _, k := range in.kept {
		if kept, err := s.Kept(ctx, in.account, k.Kept); err != nil || kept == nil {
			return n == len(in.records), err
		}
	}
	return false, fmt.Errorf("%w: %q has %d records", ErrExists, in.account, n)
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
	sum, ended := sha256.New(), false
	for n := 1; sc.Scan(); n++ {
		line := bytes.Clone(sc.Bytes())
		var err error
		switch {
		case ended:
			err = fmt.Errorf("%w: a line after the end", ErrTampered)
		case bytes.HasPrefix(line, []byte(`{"end":`)):
			ended, err = true, in.checkEnd(line, sum.Sum(nil))
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
		sum.Write(append(line, '\n'))
	}
	if err := sc.Err(); err != nil {
		return nil, err
	}
	switch {
	case len(in.records) == 0:
		return nil, fmt.Errorf("%w: there are no records", ErrTampered)
	case !ended:
		return nil, fmt.Errorf("%w: the end is missing", ErrTampered)
	}
	return in, nil
}

// checkEnd compares the last line with those before it.
func (in *imported) checkEnd(line, sum []byte) error {
	var e exportEnd
	if err := json.Unmarshal(line, &e); err != nil {
		return fmt.Errorf("%w: %w", ErrTampered, err)
	}
	if e.End.Records != len(in.records) || e.End.Kept != len(in.kept) || e.End.Sum != hex.EncodeToString(sum) {
		return fmt.Errorf("%w: the lines before are not those that were exported", ErrTampered)
	}
	return nil
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
