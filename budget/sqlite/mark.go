package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"sync"
)

const markEnding = "-mark"

// A mark is a file beside a ledger with a lower bound for the number of its
// changes. SQLite drops the end of a damaged WAL without a word; with the mark
// that is found, and so is an older copy. The mark is written after a change is
// durable and not forced to the disk, so it costs next to nothing, and is never
// ahead of the ledger.
type mark struct {
	file *os.File
	id   string

	mu   sync.Mutex
	last int64
}

// A reading is what a mark said when it was read; zero if there was none, or none
// yet: whoever makes the file may die before it writes to it.
type reading struct {
	id      string
	changes int64
}

// readMark reads the mark of a ledger. A process may be writing it, so one that
// makes no sense is read again.
func readMark(path string) (r reading, err error) {
	for range 10 {
		var b []byte
		b, err = os.ReadFile(path + markEnding)
		if errors.Is(err, fs.ErrNotExist) {
			return reading{}, nil
		}
		if err != nil {
			return reading{}, fmt.Errorf("sqlite: %w", err)
		}
		if unwritten(b) {
			return reading{}, nil
		}
		if r, err = parseMark(string(b)); err == nil {
			return r, nil
		}
	}
	return reading{}, fmt.Errorf("sqlite: %s: %w; if the ledger beside it is known to be complete, delete this file", path+markEnding, err)
}

// unwritten says whether nothing was written to a file: after a power cut it may
// have its length already.
func unwritten(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

func (r reading) String() string {
	s := fmt.Sprintf("equipoise ledger %s has at least %019d changes", r.id, r.changes)
	return fmt.Sprintf("%s (%08x)\n", s, crc32.ChecksumIEEE([]byte(s)))
}

func parseMark(s string) (r reading, err error) {
	_, err = fmt.Sscanf(s, "equipoise ledger %s has at least %d changes", &r.id, &r.changes)
	if err != nil || r.String() != s {
		return reading{}, errors.New("the mark is damaged")
	}
	return r, nil
}

// check compares a ledger with its mark.
func (r reading) check(path, id string, changes int64) error {
	switch {
	case r == reading{}:
		return nil
	case r.id != id:
		return fmt.Errorf("sqlite: %s is the mark of another ledger, %s; %s is %s", path+markEnding, r.id, path, id)
	case changes < r.changes:
		return fmt.Errorf("sqlite: %s is an older copy or lost its end: it has %d changes, %s says at least %d; put back the newest copy",
			path, changes, path+markEnding, r.changes)
	}
	return nil
}

// openMark opens the mark, or makes one if there is none.
func openMark(path, id string, changes int64) (*mark, error) {
	before, err := os.ReadFile(path + markEnding)
	missing := errors.Is(err, fs.ErrNotExist) || err == nil && unwritten(before)
	f, err := os.OpenFile(path+markEnding, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	m := &mark{file: f, id: id, last: -1}
	err = m.raise(changes)
	if missing {
		err = errors.Join(err, f.Sync(), syncFolder(path))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return m, nil
}

// raise says that the ledger durably has so many changes. Two processes may
// write in the wrong order; the mark is then a little too low, as after a crash.
func (m *mark) raise(changes int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if changes <= m.last {
		return nil
	}
	if _, err := m.file.WriteAt([]byte(reading{m.id, changes}.String()), 0); err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	m.last = changes
	return nil
}

func (m *mark) close() error { return m.file.Close() }
