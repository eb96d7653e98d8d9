//go:build unix

package pgtest

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// PostgreSQL does not run as root. Where the tests do, as in a container, it
// runs as the user that its package made, or as nobody.
func owner() (uid, gid int, err error) {
	if os.Getuid() != 0 {
		return os.Getuid(), os.Getgid(), nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.Atoi(u.Uid)
		if err != nil {
			return 0, 0, err
		}
		gid, err := strconv.Atoi(u.Gid)
		return uid, gid, err
	}
	return 0, 0, fmt.Errorf("run tests with PostgreSQL as another user than root, or add a user postgres")
}

// Own gives a folder to whom PostgreSQL runs as.
func Own(folder string) error {
	uid, gid, err := owner()
	if err != nil {
		return err
	}
	return os.Chown(folder, uid, gid)
}

// AsOwner makes a program run as that user.
func AsOwner(cmd *exec.Cmd) error {
	uid, gid, err := owner()
	if err != nil || os.Getuid() != 0 {
		return err
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	return nil
}
