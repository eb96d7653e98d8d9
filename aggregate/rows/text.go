package rows

import (
	"bytes"
	"hash/maphash"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Tidy returns a text as fields have it: without spaces around it, and in one of the ways
// to write it. É may be one character or two, and macOS writes it as two.
func Tidy(s string) string { return norm.NFC.String(strings.TrimSpace(s)) }

// tidy is Tidy of bytes without spaces around them.
func tidy(b []byte) []byte {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return norm.NFC.Bytes(b)
		}
	}
	return b
}

// damaged reports whether bytes mean nothing in their encoding. In what was decoded from
// another one the replacement character stands for these.
func damaged(b []byte, decoded bool) bool {
	return !utf8.Valid(b) || decoded && bytes.ContainsRune(b, utf8.RuneError)
}

// texts makes strings of bytes, and keeps some that came before: few that come often take no
// memory for each row.
type texts struct {
	seed maphash.Seed
	kept []string
}

const textsKept = 1 << 12

func (t *texts) of(b []byte) string {
	if t.kept == nil {
		t.seed, t.kept = maphash.MakeSeed(), make([]string, textsKept)
	}
	at := &t.kept[maphash.Bytes(t.seed, b)%textsKept]
	if *at != string(b) {
		*at = string(b)
	}
	return *at
}
