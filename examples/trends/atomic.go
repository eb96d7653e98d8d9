package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// A staged file is written beside the place where it shall be, and put there in
// one step. Whoever looks sees the old file or the whole new one.
type staged struct {
	flag, path string
	temp       *os.File
	placed     bool
}

// stage makes the file, with room for so many bytes, so that a missing folder, a
// missing permission and a full disk are found before anything is paid for.
func stage(flag, path string, room int) (*staged, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %s is not a regular file, so it cannot be replaced; name another", flag, path)
	}
	name := filepath.Join(filepath.Dir(path), ".trends-"+rand.Text()+".tmp")
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, fmt.Errorf("%s: %s cannot be written: %w", flag, path, cause(err))
	}
	s := &staged{flag: flag, path: path, temp: f}
	if _, err = f.Write(make([]byte, room)); err == nil {
		err = f.Sync()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: no room for %s: %w", flag, path, cause(err)), s.discard())
	}
	return s, nil
}

// cause returns an error without the name of the temporary file.
func cause(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// fill writes the content.
func (s *staged) fill(content []byte) error {
	_, err := s.temp.WriteAt(content, 0)
	if err == nil {
		err = s.temp.Truncate(int64(len(content)))
	}
	if err == nil {
		err = s.temp.Sync()
	}
	if err != nil {
		return fmt.Errorf("%s: %s cannot be written: %w", s.flag, s.path, cause(err))
	}
	return nil
}

// place puts the file where it shall be.
func (s *staged) place() error {
	if err := s.temp.Close(); err != nil {
		return fmt.Errorf("%s: %s cannot be written: %w", s.flag, s.path, cause(err))
	}
	if err := os.Rename(s.temp.Name(), s.path); err != nil {
		return fmt.Errorf("%s: %s cannot be replaced: %w", s.flag, s.path, errors.Unwrap(err))
	}
	s.placed = true
	return nil
}

// discard removes what was not placed.
func (s *staged) discard() error {
	if s.placed {
		return nil
	}
	s.temp.Close() // may be closed already
	if err := os.Remove(s.temp.Name()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s: %w", s.flag, err)
	}
	return nil
}
