package pgtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// A Server is a private, throw-away one, on a socket in its own folder.
type Server struct {
	DSN string

	bin, folder string
}

// ErrNone says that no server can be made.
var ErrNone = errors.New("postgres: no initdb found in the usual places")

var running struct {
	sync.Mutex
	servers []*Server
}

// New makes a new cluster and starts it, with settings if any.
func New(settings ...string) (*Server, error) {
	bin, err := findPrograms()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "eqpg") // short: the path of a socket is
	if err != nil {
		return nil, err
	}
	s := newServer(bin, folder)
	if err := Own(folder); err != nil {
		return nil, err
	}
	if err := s.run("initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--data-checksums", "--no-sync"); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return s, s.first(settings)
}

func newServer(bin, folder string) *Server {
	return &Server{DSN: "postgres:///postgres?user=postgres&host=" + folder, bin: bin, folder: folder}
}

// Standby starts a server that follows this one.
func (s *Server) Standby() (*Server, error) {
	folder, err := os.MkdirTemp("", "eqpg")
	if err != nil {
		return nil, err
	}
	second := newServer(s.bin, folder)
	if err := Own(folder); err != nil {
		return nil, err
	}
	if err := second.run("pg_basebackup", "-d", s.DSN, "-D", second.data(), "-c", "fast", "-R", "--no-sync"); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return second, second.first([]string{"primary_conninfo = '" + s.DSN + "'"})
}

// first writes the settings and starts the server.
func (s *Server) first(settings []string) error {
	conf := strings.Join(append([]string{
		"listen_addresses = ''",
		fmt.Sprintf("unix_socket_directories = '%s'", s.folder),
		"max_connections = 200",
		"shared_buffers = 32MB",
	}, settings...), "\n")
	if err := os.WriteFile(filepath.Join(s.data(), "postgresql.auto.conf"), []byte(conf+"\n"), 0o644); err != nil {
		return err
	}
	running.Lock()
	running.servers = append(running.servers, s)
	running.Unlock()
	return s.Start()
}

func (s *Server) data() string { return filepath.Join(s.folder, "data") }

// Start starts a server that was stopped.
func (s *Server) Start() error {
	return s.run("pg_ctl", "start", "-w", "-s", "-D", s.data(), "-l", filepath.Join(s.folder, "log"))
}

// Stop ends the server; mode "immediate" is a crash.
func (s *Server) Stop(mode string) error {
	return s.run("pg_ctl", "stop", "-w", "-s", "-D", s.data(), "-m", mode)
}

func (s *Server) run(program string, args ...string) error {
	cmd := exec.Command(filepath.Join(s.bin, program), args...)
	cmd.Dir = s.folder
	if err := AsOwner(cmd); err != nil {
		return err
	}
	log, err := os.CreateTemp("", "eqpg") // not a pipe: the server inherits it and outlives the program
	if err != nil {
		return err
	}
	defer os.Remove(log.Name())
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(log.Name())
		return fmt.Errorf("%s: %w\n%s", program, err, said)
	}
	return nil
}

// StopAll ends every server that this program started, and removes what they wrote. It is for the end
// of a TestMain.
func StopAll() (err error) {
	running.Lock()
	defer running.Unlock()
	for _, s := range running.servers {
		err = errors.Join(err, s.end())
	}
	return err
}

// end stops the server, if it runs, and removes what it wrote.
func (s *Server) end() (err error) {
	if _, e := os.Stat(filepath.Join(s.data(), "postmaster.pid")); e == nil {
		err = s.Stop("immediate")
	}
	return errors.Join(err, os.RemoveAll(s.folder))
}

// findPrograms returns the folder of initdb and pg_ctl, of the newest version.
func findPrograms() (string, error) {
	var folders []string
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return "", err
		}
		folders = append(folders, found...)
	}
	slices.Reverse(folders)
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			folders = append(folders, filepath.Dir(path))
		}
	}
	for _, folder := range folders {
		if _, err := os.Stat(filepath.Join(folder, "initdb")); err != nil {
			continue
		}
		if _, err := os.Stat(filepath.Join(folder, "pg_ctl")); err == nil {
			return folder, nil
		}
	}
	return "", ErrNone
}
