package csvfile

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
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
	{0, "\x28\xb5\x2f\xfd", "compressed with Zstandard", unpack},
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

// uncompressed returns the bytes of the file, decompressed if it is a gzip file,
// whatever its name says. Files of other kinds are refused by name.
func uncompressed(name string, r io.Reader) (*bufio.Reader, error) {
	b := bufio.NewReaderSize(r, 1<<16)
	head := peek(b)
	if bytes.HasPrefix(head, []byte("\x1f\x8b")) {
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, fmt.Errorf("-input: %s is a damaged gzip file: %w", name, err)
		}
		b = bufio.NewReaderSize(z, 1<<16)
		head = peek(b)
	} else if strings.HasSuffix(name, ".gz") && len(head) > 0 {
		return nil, fmt.Errorf("-input: %s is not a gzip file, but its name ends in .gz", name)
	}
	if what, help := kindOf(head); what != "" {
		return nil, fmt.Errorf("-input: %s is %s, must be a CSV file, or one compressed with gzip; %s", name, what, help)
	}
	return b, nil
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
	case strings.HasPrefix(text, `{"`), strings.HasPrefix(text, "{\n"), strings.HasPrefix(text, "[{"), strings.HasPrefix(text, "[\n"):
		return "a JSON file", convert
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

// ended reports whether reading ended as it should.
func ended(err error) bool { return errors.Is(err, io.EOF) }
