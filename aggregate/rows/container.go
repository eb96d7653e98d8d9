package rows

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// A kind of file that is no text is known by its first bytes.
type kind struct {
	at    int
	magic string
	name  string
	help  string
}

const (
	unpack  = "unpack it first"
	saveAs  = "save it as CSV (UTF-8) and give that"
	convert = "write it as CSV first"
)

var kinds = []kind{
	{0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (.xls)", saveAs},
	{0, "PAR1", "a Parquet file", convert},
	{0, "ARROW1", "an Arrow file", convert},
	{0, "FEA1", "a Feather file", convert},
	{0, "ORC", "an ORC file", convert},
	{0, "Obj\x01", "an Avro file", convert},
	{0, "SQLite format 3\x00", "an SQLite database", "export the table as CSV"},
	{8, "DUCK", "a DuckDB database", "export the table as CSV"},
	{0, "\x89HDF\r\n", "an HDF5 file", convert},
	{0, "<stata_dta>", "a Stata file", convert},
	{0, "$FL2", "an SPSS file", convert},
	{0, "RDX", "an R data file", convert},
	{0, "X\n\x00\x00", "an R data file", convert},
	{0, "\x80\x04\x95", "a Python pickle", convert},
	{0, "\x80\x05\x95", "a Python pickle", convert},
	{0, "BZh", "compressed with bzip2", unpack},
	{0, "\xfd7zXZ\x00", "compressed with xz", unpack},
	{0, "\x04\x22\x4d\x18", "compressed with LZ4", unpack},
	{0, "7z\xbc\xaf\x27\x1c", "a 7z archive", unpack},
	{0, "Rar!\x1a\x07", "a RAR archive", unpack},
	{257, "ustar", "a tar archive", unpack},
	{0, "%PDF-", "a PDF file", "ask for the table as CSV"},
}

// peeked is how many bytes of a file are looked at to tell what it is.
const peeked = 512

// longestMagic is how many bytes are waited for: a line of names has as many.
const longestMagic = 8

// A packing is a way to compress a file, known by its first bytes.
type packing struct {
	magic, ending, name string
	open                func(io.Reader) (io.Reader, func(), error)
}

var packings = []packing{
	{"\x1f\x8b", ".gz", "gzip", func(r io.Reader) (io.Reader, func(), error) {
		z, err := gzip.NewReader(r)
		return z, func() {}, err
	}},
	{"\x28\xb5\x2f\xfd", ".zst", "Zstandard", func(r io.Reader) (io.Reader, func(), error) {
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(mostWindow))
		if err != nil {
			return nil, nil, err
		}
		return z, z.Close, nil
	}},
}

// mostWindow is what the decoder of Zstandard may keep in memory: what zstd --long writes.
const mostWindow = 128 << 20

// uncompressed returns the bytes of a source, decompressed if it is compressed, whatever
// its name says, and what frees the decoder. Sources of other kinds are refused by name.
func uncompressed(name string, r io.Reader) (_ *bufio.Reader, free func(), err error) {
	b, free := bufio.NewReaderSize(r, 1<<16), func() {}
	head := peek(b)
	for _, p := range packings {
		packed := bytes.HasPrefix(head, []byte(p.magic))
		switch {
		case !packed && strings.HasSuffix(name, p.ending) && len(head) > 0:
			return nil, nil, fmt.Errorf("%s is not compressed with %s, but its name ends in %s", name, p.name, p.ending)
		case packed:
			z, done, err := p.open(b)
			if err != nil {
				return nil, nil, fmt.Errorf("%s is a damaged file of %s: %w", name, p.name, err)
			}
			b, free = bufio.NewReaderSize(z, 1<<16), done
			head = peek(b)
		}
		if packed {
			break
		}
	}
	if what, help := kindOf(head); what != "" {
		free()
		return nil, nil, fmt.Errorf("%s is %s, must be CSV or lines of JSON, plain or compressed with gzip or Zstandard; %s", name, what, help)
	}
	return b, free, nil
}

// peek returns what is there at the start, without waiting for more than the
// first bytes that come.
func peek(b *bufio.Reader) []byte {
	b.Peek(longestMagic)                         //nolint:errcheck // the next read says why
	head, _ := b.Peek(min(b.Buffered(), peeked)) // what is there
	return head
}

// kindOf names a file that is no CSV by its first bytes.
func kindOf(head []byte) (what, help string) {
	for _, k := range kinds {
		if len(head) >= k.at+len(k.magic) && string(head[k.at:k.at+len(k.magic)]) == k.magic {
			return k.name, k.help
		}
	}
	if bytes.HasPrefix(head, []byte("PK\x03\x04")) {
		return zipped(head)
	}
	text := strings.ToLower(string(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")))
	switch {
	case strings.HasPrefix(text, "<!doctype html"), strings.HasPrefix(text, "<html"):
		return "a web page", "it may be the page that asks you to log in"
	case strings.HasPrefix(text, "<?xml"):
		return "an XML file", convert
	case strings.HasPrefix(text, "[{"), strings.HasPrefix(text, "[\n"), strings.HasPrefix(text, "{\n"), strings.HasPrefix(text, "{\r\n"):
		return "JSON of many lines", "write it with one object on each line"
	}
	return "", ""
}

// zipped tells workbooks, which are zip archives, from other ones.
func zipped(head []byte) (what, help string) {
	switch {
	case bytes.Contains(head, []byte("opendocument.spreadsheet")):
		return "a spreadsheet of OpenDocument (.ods)", saveAs
	case bytes.Contains(head, []byte("[Content_Types].xml")), bytes.Contains(head, []byte("xl/")):
		return "an Excel workbook (.xlsx)", saveAs
	}
	return "a zip archive", unpack
}
