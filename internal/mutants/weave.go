package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/equipoise-dp/equipoise/internal/woven"
)

// weave writes all mutants but those of declarations, and the file that tells
// the go command of them.
func (h *hunt) weave(chosen []site) error {
	files := make(map[string][]woven.Version)
	packages := make(map[string]string)
	for i, s := range chosen {
		if !s.declared() {
			files[s.file] = append(files[s.file], woven.Version{Number: i + 1, Body: s.body, Edits: []woven.Edit{s.edit()}})
			packages[path.Dir(s.file)] = s.name
		}
	}
	replace := make(map[string]string)
	put := func(original string, text []byte) error {
		replace[original] = filepath.Join(h.dir, fmt.Sprintf("woven%d.go", len(replace)))
		return os.WriteFile(replace[original], text, 0o600)
	}
	for file, versions := range files {
		original := h.module.path(file)
		source, err := os.ReadFile(original)
		if err != nil {
			return err
		}
		if err := put(original, woven.File(source, versions)); err != nil {
			return err
		}
	}
	for dir, name := range packages {
		if err := put(h.module.path(path.Join(dir, "version_of_all.go")), woven.Chooser(name)); err != nil {
			return err
		}
	}
	return woven.WriteOverlay(h.overlay(), replace)
}

func (h *hunt) overlay() string { return filepath.Join(h.dir, "woven.json") }

func (m *module) path(file string) string { return filepath.Join(m.dir, filepath.FromSlash(file)) }
