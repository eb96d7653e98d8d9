package scratch

import (
	"crypto/rand"
	"os"
	"path/filepath"
)

// deleteOnClose is FILE_FLAG_DELETE_ON_CLOSE: the system removes the file with its last
// handle, also that of a process that was ended.
const deleteOnClose = 0x04000000

// create makes a file that nobody else can open, and that is removed when it is closed.
func create(folder string) (*os.File, error) {
	if folder == "" {
		folder = os.TempDir()
	}
	return os.OpenFile(filepath.Join(folder, "equipoise-"+rand.Text()), os.O_RDWR|os.O_CREATE|os.O_EXCL|deleteOnClose, 0o600)
}
