package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"time"
)

// A memory is what the tests of one program reached when they were last
// measured: by name. A program that is another by a byte is measured anew.
type memory map[string]reach

// A reach is what a test reaches, and the processor's time that it takes.
type reach struct {
	Took  time.Duration
	Lines map[string][]int // by file, from its import path on
}

// place returns where the memory of a program is kept.
func place(program string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	f, err := os.Open(program)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return filepath.Join(cache, "equipoise-mutants", hex.EncodeToString(h.Sum(nil))+".json"), nil
}

// remember reads what is known of a program: nothing, if nothing can be read.
func remember(program string) memory {
	m := make(memory)
	if at, err := place(program); err == nil {
		if text, err := os.ReadFile(at); err == nil {
			if json.Unmarshal(text, &m) != nil {
				return make(memory)
			}
		}
	}
	return m
}

// keep writes it. What cannot be kept is measured again.
func (m memory) keep(program string) {
	at, err := place(program)
	if err != nil {
		return
	}
	text, err := json.Marshal(m)
	if err == nil && os.MkdirAll(filepath.Dir(at), 0o700) == nil {
		_ = os.WriteFile(at, text, 0o600)
	}
}
