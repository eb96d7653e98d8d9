package scratch

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func open(t *testing.T) (*File, string) {
	t.Helper()
	folder := t.TempDir()
	f, err := New(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f, folder
}

// Pieces are read back in any order, from several goroutines, whatever their length.
func TestPiecesAreReadBack(t *testing.T) {
	f, _ := open(t)
	var pieces []Piece
	for i := range 100 {
		p, err := f.Append(bytes.Repeat([]byte{byte(i)}, i*i))
		if err != nil {
			t.Fatal(err)
		}
		pieces = append(pieces, p)
	}
	done := make(chan error)
	for range 3 {
		go func() {
			var room []byte
			for i := 99; i >= 0; i-- {
				plain, err := f.Read(pieces[i], room)
				if err != nil || !bytes.Equal(plain, bytes.Repeat([]byte{byte(i)}, i*i)) {
					t.Errorf("piece %d: %d bytes, %v", i, len(plain), err)
				}
				room = plain
			}
			done <- nil
		}()
	}
	for range 3 {
		<-done
	}
}

// What is in the file is not what was written, and equal pieces are not equal there.
func TestWhatIsOnTheDiskIsEncrypted(t *testing.T) {
	f, _ := open(t)
	secret := bytes.Repeat([]byte("patient 4711 has "), 100)
	a, err1 := f.Append(secret)
	_, err2 := f.Append(secret)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	raw := make([]byte, f.Size())
	if _, err := f.f.ReadAt(raw, 0); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, []byte("4711")) || bytes.Equal(raw[:a.length], raw[a.length:]) {
		t.Error("the file shows what was written")
	}
	raw[7] ^= 1
	if _, err := f.f.WriteAt(raw[7:8], 7); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read(a, nil); err == nil || !strings.Contains(err.Error(), "changed") {
		t.Errorf("a piece that was changed is read: %v", err)
	}
}

// Nothing can be left behind, since there is no name.
func TestTheFileHasNoName(t *testing.T) {
	f, folder := open(t)
	if _, err := f.Append([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) > 0 {
		t.Errorf("%d files in the folder: %v", len(entries), err)
	}
}

func TestAFolderThatIsNotThereIsAnError(t *testing.T) {
	if _, err := New("/nowhere/at/all"); err == nil || !strings.HasPrefix(err.Error(), "making a temporary file: ") {
		t.Errorf("%v", err)
	}
}
