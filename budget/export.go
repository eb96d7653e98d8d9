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
	"iter"
)

// An export is lines of JSON: a header, then every record exactly as it is
// stored, then every release exactly as it is stored, then how many there are and
// the hash of all lines before. So a line that is changed, and an end that is cut
// off, are found; whoever writes the hash anew is found by an anchor.
//
// Format 1 has the records and releases of format 1; it is read like format 2.

const exportFormat = 2

type exportHeader struct {
	Format  int    `json:"equipoise_ledger"`
	Account string `json:"account"`
}

type exportKept struct {
	Kept    uint64 `json:"kept"` // number of the record that it stands beside
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
	if err := writeLine(b, exportHeader{exportFormat, a.name}); err != nil {
		return err
	}
	for rec, err := range a.store.Read(ctx, a.name, 0) {
		if err != nil {
			return fmt.Errorf("budget: export account %q: %w", a.name, err)
		}
		if _, err := b.Write(append(bytes.Clone(rec.Data), '\n')); err != nil {
			return fmt.Errorf("budget: export account %q: %w", a.name, err)
		}
		end.End.Records++
	}
	for r, err := range a.store.Releases(ctx, a.name) {
		if err == nil && r.Seq < uint64(end.End.Records) { // not what was kept meanwhile
			end.End.Kept++
			err = writeLine(b, exportKept{r.Seq, r.Release})
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
// and opens it. Everything is checked before anything is written, and everything is
// written in one step. It returns an error that wraps [ErrExists] if the account is
// there, and [ErrTampered] if lines were changed or are missing, a release is not
// what was kept, or the records are not those of the anchors.
func Import(ctx context.Context, s Store, r io.Reader, anchors ...Anchor) (*Account, error) {
	in, err := readExport(r)
	if err == nil {
		err = in.checkAnchors(anchors)
	}
	if err != nil {
		return nil, fmt.Errorf("budget: import: %w", err)
	}
	if err := s.Append(ctx, in.account, in.records...); err != nil {
		if errors.Is(err, ErrConflict) {
			err = fmt.Errorf("%w: %q", ErrExists, in.account)
		}
		return nil, fmt.Errorf("budget: import: %w", err)
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

type imported struct {
	account string
	records []Record
	kept    int
	last    uint64 // the least number that the next release can have
}

// maxLine bounds what one line of an import may take.
const maxLine = 1<<31 - 1

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
			err = in.addKept(line)
		case in.kept > 0:
			err = fmt.Errorf("%w: a record after releases", ErrTampered)
		default:
			rec := Record{Seq: uint64(len(in.records)), Data: line}
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
	v := &verifier{loader: *l}
	return in, v.releases(in.releases())
}

// releases yields what the store will have beside records.
func (in *imported) releases() iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for _, r := range in.records {
			if r.Release != nil && !yield(r, nil) {
				return
			}
		}
	}
}

// checkEnd compares the last line with those before it.
func (in *imported) checkEnd(line, sum []byte) error {
	var e exportEnd
	if err := json.Unmarshal(line, &e); err != nil {
		return fmt.Errorf("%w: %w", ErrTampered, err)
	}
	if e.End.Records != len(in.records) || e.End.Kept != in.kept || e.End.Sum != hex.EncodeToString(sum) {
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
	case h.Format > exportFormat:
		return "", fmt.Errorf("%w: export format %d; this program reads up to %d", ErrVersion, h.Format, exportFormat)
	case h.Format < 1 || h.Account == "":
		return "", fmt.Errorf("%w: the first line is not the header of an export", ErrTampered)
	}
	return h.Account, nil
}

func (in *imported) addKept(line []byte) error {
	var k exportKept
	if err := json.Unmarshal(line, &k); err != nil {
		return fmt.Errorf("%w: %w", ErrTampered, err)
	}
	if k.Kept >= uint64(len(in.records)) || k.Kept < in.last {
		return fmt.Errorf("%w: a release beside record %d, which is not there or had its turn", ErrTampered, k.Kept)
	}
	in.last = k.Kept + 1
	in.records[k.Kept].Release = append([]byte{}, k.Release...)
	in.kept++
	return nil
}
