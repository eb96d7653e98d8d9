//go:build !windows

package scratch

import "os"

// create makes a file and takes its name away.
func create(folder string) (*os.File, error) {
	f, err := os.CreateTemp(folder, "equipoise-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
