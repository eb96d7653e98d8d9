// Package scratch keeps private bytes that memory has no room for in a temporary file.
//
// They are encrypted (AES-256-GCM) with a key that is drawn for the file and is in memory only, so
// what is left on a disk can be read by nobody once the process has ended. The file has no
// name from the moment it is there, or on Windows none once it is closed, so it is gone
// however the process ends. Its length tells how much there was.
package scratch

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"os"
)

// A File has pieces of bytes. One goroutine at a time may write; several may read what was
// written before.
type File struct {
	f      *os.File
	aead   cipher.AEAD
	end    int64
	pieces uint64
	sealed []byte
}

// A Piece is where some bytes are.
type Piece struct {
	at     int64
	length int // of what is in the file
	number uint64
}

// New makes a file in a folder, or in that of the system for temporary files if it is "".
func New(folder string) (*File, error) {
	f, err := create(folder)
	if err != nil {
		return nil, fmt.Errorf("making a temporary file: %w", err)
	}
	return encrypted(f), nil
}

func encrypted(f *os.File) *File {
	var key [32]byte
	rand.Read(key[:]) // never fails
	defer clear(key[:])
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("scratch: internal error: " + err.Error())
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("scratch: internal error: " + err.Error())
	}
	return &File{f: f, aead: aead}
}

// nonce is the number of a piece, which no other of the file has; no other file has its key.
func nonce(number uint64) []byte {
	return binary.BigEndian.AppendUint64(make([]byte, 4, 12), number)
}

// Append writes a piece.
func (f *File) Append(plain []byte) (Piece, error) {
	p := Piece{at: f.end, number: f.pieces}
	f.pieces++ // also if it is not written
	f.sealed = f.aead.Seal(f.sealed[:0], nonce(p.number), plain, nil)
	p.length = len(f.sealed)
	if _, err := f.f.WriteAt(f.sealed, p.at); err != nil {
		return Piece{}, fmt.Errorf("writing to a temporary file: %w", err)
	}
	f.end += int64(p.length)
	return p, nil
}

// Read returns a piece, in room if it is large enough.
func (f *File) Read(p Piece, room []byte) ([]byte, error) {
	if cap(room) < p.length {
		room = make([]byte, p.length)
	}
	room = room[:p.length]
	if _, err := f.f.ReadAt(room, p.at); err != nil {
		return nil, fmt.Errorf("reading a temporary file: %w", err)
	}
	plain, err := f.aead.Open(room[:0], nonce(p.number), room, nil)
	if err != nil {
		return nil, fmt.Errorf("reading a temporary file: it was changed by something else")
	}
	return plain, nil
}

// Size returns how long the file is.
func (f *File) Size() int64 { return f.end }

// Close ends the file, which is gone then.
func (f *File) Close() error {
	f.aead = nil
	return f.f.Close()
}
