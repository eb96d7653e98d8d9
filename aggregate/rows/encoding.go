package rows

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// A mark is what a file may begin with to say how it is encoded.
type mark struct{ bytes, encoding string }

// marks are tried in this order: the mark of UTF-32 begins with that of UTF-16.
var marks = []mark{
	{"\xff\xfe\x00\x00", "utf-32"}, {"\x00\x00\xfe\xff", "utf-32"},
	{"\xef\xbb\xbf", "utf-8"}, {"\xff\xfe", "utf-16le"}, {"\xfe\xff", "utf-16be"},
}

// checkEncoding returns an error if there is no encoding of this name.
func (f *Format) checkEncoding(called func(string) string) error {
	if f.Encoding == "" {
		return nil
	}
	if _, err := encodingOf(f.Encoding); err != nil {
		return fmt.Errorf("%s is %q, must be a name such as utf-8, utf-16le, windows-1252, iso-8859-15 or shift_jis", called("Format.Encoding"), f.Encoding)
	}
	return nil
}

func encodingOf(name string) (encoding.Encoding, error) {
	e, err := htmlindex.Get(name)
	if err != nil {
		return nil, err
	}
	if canonical, err := htmlindex.Name(e); err != nil || canonical == "replacement" || canonical == "x-user-defined" {
		return nil, fmt.Errorf("no such encoding")
	}
	return e, nil
}

// decode returns the characters of a file without its mark. Decoded says that
// they came from another encoding than UTF-8: then the replacement character
// stands for bytes that mean nothing, and a reader must refuse it.
func (o *Options) decode(b *bufio.Reader) (r io.Reader, decoded bool, err error) {
	name, given, flag := o.Name, o.Format.Encoding, o.called("Format.Encoding")
	head := peek(b)
	for _, m := range marks {
		if !bytes.HasPrefix(head, []byte(m.bytes)) {
			continue
		}
		if m.encoding == "utf-32" {
			return nil, false, fmt.Errorf("%s is in UTF-32, must be in UTF-8, UTF-16, or what %s says", name, flag)
		}
		if given != "" && !sameEncoding(given, m.encoding) {
			return nil, false, fmt.Errorf("%s is %s, but %s begins with the mark of %s; leave it out", flag, given, name, m.encoding)
		}
		b.Discard(len(m.bytes)) //nolint:errcheck // they were seen
		return decoder(m.encoding, b)
	}
	if given == "" && bytes.IndexByte(head, 0) >= 0 {
		return nil, false, fmt.Errorf("%s holds bytes of value 0, so it is no text in UTF-8; if it is in UTF-16 without a mark, give %s utf-16le or utf-16be", name, flag)
	}
	return decoder(given, b)
}

// sameEncoding reports whether two names mean the same, where utf-16 may be
// either.
func sameEncoding(given, found string) bool {
	a, errA := encodingOf(given)
	b, errB := encodingOf(found)
	return errA == nil && errB == nil && a == b || strings.EqualFold(given, "utf-16") && strings.HasPrefix(found, "utf-16")
}

func decoder(name string, b io.Reader) (io.Reader, bool, error) {
	if name == "" {
		return b, false, nil
	}
	e, err := encodingOf(name)
	if err != nil {
		return nil, false, err
	}
	if e == unicode.UTF8 {
		return b, false, nil
	}
	return transform.NewReader(b, e.NewDecoder()), true, nil
}
