// Package registry has who is registered: the last good version of the registry file.
//
// The file has Kea's form, one JSON object of strings per line; blank lines and comments are allowed. A file with any
// bad line is refused as a whole: after the start the last good version stays in force and an alarm is logged, at the
// start the service is not ready until the file is repaired.
package registry

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"

	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/counters"
	"golang.org/x/sys/unix"
)

// maxFile is the largest registry file. A million users have about 100 MB.
const maxFile = 1 << 30

// seed is of the hashes that files are compared by.
var seed = maphash.MakeSeed()

// Version is one good version of the registry. It never changes.
type Version struct {
	// Number counts from 1, for logs.
	Number uint64
	// Users are who is registered in it.
	Users *Users
}

// Registry is one file, and the last good version of it.
type Registry struct {
	path     string
	counters *counters.Counters
	current  atomic.Pointer[Version]
	// onReady is called with each version that comes into force.
	onReady func()
	mutex   sync.Mutex
	// last is what the last refresh found; nil before the first one.
	last *try
}

// try is what a refresh found.
type try struct {
	fingerprint fingerprint
	saw         sight
	problem     error
}

// sight is what was there to read: the content's length and hash, or why there was none.
type sight struct {
	length int
	hash   uint64
	reason string
}

// Refresh is what a refresh did.
type Refresh int

const (
	// Unchanged: the file is what it was at the last try.
	Unchanged Refresh = iota
	// Loaded: a new version is in force.
	Loaded
	// Refused: the file is bad or missing; what was in force stays.
	Refused
)

// New is a registry that has not read its file yet. onReady is called with each version that comes into force.
func New(path string, counters *counters.Counters, onReady func()) *Registry {
	return &Registry{path: path, counters: counters, onReady: onReady}
}

// Current is the version in force; nil until the first good one. It never waits.
func (r *Registry) Current() *Version {
	return r.current.Load()
}

// Problem is what was wrong at the last refresh, naming the file; nil where nothing was.
func (r *Registry) Problem() error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.last == nil {
		return fmt.Errorf("registry %s is not read yet", r.path)
	}
	return r.last.problem
}

// stale says whether the file is another than at the last refresh, as far as that can be seen without reading it.
func (r *Registry) stale() bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.last == nil || r.last.fingerprint != fingerprintOf(r.path)
}

// Refresh reads the file again. A change is logged once, good or bad.
func (r *Registry) Refresh() Refresh {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	// Before reading: what is written meanwhile then counts as another change.
	found := fingerprintOf(r.path)
	content, err := readFile(r.path)
	saw := sight{length: len(content), hash: maphash.Bytes(seed, content)}
	if err != nil {
		saw = sight{reason: err.Error()}
	}
	if r.last != nil && r.last.saw == saw {
		r.last.fingerprint = found
		return Unchanged
	}
	var users *Users
	if err == nil {
		users, err = Read(content)
	}
	r.last = &try{fingerprint: found, saw: saw}
	if err != nil {
		r.last.problem = fmt.Errorf("registry %s: %w", r.path, err)
		r.raiseAlarm(r.last.problem)
		return Refused
	}
	r.putInForce(users)
	return Loaded
}

func (r *Registry) putInForce(users *Users) {
	version := &Version{Number: 1, Users: users}
	if before := r.Current(); before != nil {
		version.Number = before.Number + 1
	}
	slog.Info("registry loaded", "registry", r.path, "version", version.Number, "users", users.Len(),
		"reloads", r.counters.Reloads.Add(1), "refused", r.counters.RefusedReloads.Load())
	r.current.Store(version)
	r.onReady()
}

func (r *Registry) raiseAlarm(problem error) {
	refused := r.counters.RefusedReloads.Add(1)
	version := r.Current()
	if version == nil {
		slog.Error(problem.Error()+"; the service is not ready until this is repaired",
			"alarm", "registry", "refused", refused)
		return
	}
	slog.Error(problem.Error()+"; the last good version stays in force",
		"alarm", "registry", "refused", refused, "in_force", version.Number, "users", version.Users.Len())
}

// fingerprint is what of a file changes when it does: device, inode, size, and both times in nanoseconds. All zero
// where there is no file.
type fingerprint struct {
	device, inode    uint64
	size             int64
	modified, change unix.Timespec
}

func fingerprintOf(path string) fingerprint {
	var file unix.Stat_t
	if err := unix.Stat(path, &file); err != nil {
		return fingerprint{}
	}
	return fingerprint{
		device: uint64(file.Dev), inode: file.Ino, size: file.Size, modified: file.Mtim, change: file.Ctim,
	}
}

// readFile reads the whole file. Anything but an ordinary file would block or never end. The error does not have the
// path.
func readFile(path string) ([]byte, error) {
	file, err := os.Stat(path)
	if err != nil {
		return nil, reason(err)
	}
	if !file.Mode().IsRegular() {
		return nil, errors.New("is not an ordinary file")
	}
	if file.Size() > maxFile {
		return nil, fmt.Errorf("has %d bytes; %d are possible", file.Size(), maxFile)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, reason(err)
	}
	return content, nil
}

// reason is the error without operation and path, which the reader of the text knows.
func reason(err error) error {
	var failed *fs.PathError
	if errors.As(err, &failed) {
		err = failed.Err
	}
	return err
}
