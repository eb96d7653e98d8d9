package main

import (
	"bytes"
	"crypto/hpke"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// keyIn reads the key of an alert, or makes one, in a file that only its owner can read. It is
// there whole or not at all, and of two runs that make it at the same time both have the first one's.
func keyIn(path string) (hpke.PrivateKey, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeKey(path); err == nil || errors.Is(err, fs.ErrExist) {
			text, err = os.ReadFile(path)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("-alert-key: %s: %w", path, cause(err))
	}
	defer clear(text)
	secret, err := hex.DecodeString(string(bytes.TrimSpace(text)))
	if err == nil {
		defer clear(secret)
		var key hpke.PrivateKey
		if key, err = hpke.MLKEM768X25519().NewPrivateKey(secret); err == nil {
			return key, nil
		}
	}
	return nil, fmt.Errorf("-alert-key: %s is no key of an -alert; name the file that an earlier run made, or one that does not exist, which is created", path)
}

func makeKey(path string) error {
	key, err := hpke.MLKEM768X25519().GenerateKey()
	if err != nil {
		return err
	}
	secret, err := key.Bytes()
	if err != nil {
		return err
	}
	defer clear(secret)
	temp := filepath.Join(filepath.Dir(path), ".trends-"+rand.Text()+".tmp")
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(temp)
	_, err = f.WriteString(hex.EncodeToString(secret) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Link(temp, path)
}
