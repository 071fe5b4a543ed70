package outrigger

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// socketMode says who may connect to a socket: owner and group.
const socketMode = 0o660

// Endpoint is where a service listens: unix:/path, http://host:port or https://host:port.
type Endpoint struct {
	// path of the socket; empty for TCP.
	path string
	// address is host and port.
	address string
	tls     bool
}

// ParseEndpoint reads an endpoint. Its error says what to write instead.
func ParseEndpoint(text string) (Endpoint, error) {
	if path, ok := strings.CutPrefix(text, "unix:"); ok {
		// unix:///path is the same in gRPC's own naming.
		path = strings.TrimPrefix(path, "//")
		if path == "" || path == "/" {
			return Endpoint{}, fmt.Errorf("%q has no path: write unix:/run/name.sock", text)
		}
		return Endpoint{path: path}, nil
	}
	scheme, address, _ := strings.Cut(text, "://")
	if scheme != "http" && scheme != "https" {
		return Endpoint{}, fmt.Errorf("%q is not an endpoint: write unix:/path, http://host:port or https://host:port", text)
	}
	address = strings.TrimRight(address, "/")
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return Endpoint{}, fmt.Errorf("%q has no port: write %s://host:port", text, scheme)
	}
	return Endpoint{address: address, tls: scheme == "https"}, nil
}

// String is the endpoint as it is written in configurations.
func (e Endpoint) String() string {
	switch {
	case e.path != "":
		return "unix:" + e.path
	case e.tls:
		return "https://" + e.address
	default:
		return "http://" + e.address
	}
}

// isLocal says whether only this machine can connect.
func (e Endpoint) isLocal() bool {
	if e.path != "" {
		return true
	}
	host, _, err := net.SplitHostPort(e.address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// bound is an endpoint that is listened on.
type bound struct {
	net.Listener
	// endpoint has the real port where 0 was asked for.
	endpoint Endpoint
	// socket is the file that was made; nil for TCP.
	socket os.FileInfo
}

// bind listens, after a stale socket is removed.
func (e Endpoint) bind() (*bound, error) {
	if e.path != "" {
		return bindSocket(e)
	}
	listener, err := net.Listen("tcp", e.address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", e, err)
	}
	e.address = listener.Addr().String()
	return &bound{Listener: listener, endpoint: e}, nil
}

func bindSocket(e Endpoint) (*bound, error) {
	unlock, err := lockFolder(filepath.Dir(e.path))
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", e, err)
	}
	defer unlock()
	if err := removeStale(e.path); err != nil {
		return nil, err
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: e.path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", e, err)
	}
	// The file may be somebody else's by the time it is closed: remove looks first.
	listener.SetUnlinkOnClose(false)
	socket, err := claim(e.path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot listen on %s: %w", e, err), listener.Close())
	}
	return &bound{Listener: listener, endpoint: e, socket: socket}, nil
}

// lockFolder keeps a second service that starts at the same time from taking the new socket for the stale one.
func lockFolder(path string) (unlock func(), err error) {
	folder, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(folder.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot lock %s: %w", path, err), folder.Close())
	}
	// Closing unlocks. Nothing was written, so nothing is lost where it fails.
	return func() { _ = folder.Close() }, nil
}

func claim(path string) (os.FileInfo, error) {
	if err := os.Chmod(path, socketMode); err != nil {
		return nil, err
	}
	return os.Lstat(path)
}

// removeStale removes a socket that nobody listens on, such as a killed service leaves behind.
func removeStale(path string) error {
	found, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot listen on unix:%s: %w", path, err)
	}
	if found.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s exists and is not a socket", path)
	}
	connection, err := net.Dial("unix", path)
	if err == nil {
		return errors.Join(fmt.Errorf("%s is in use by a running service", path), connection.Close())
	}
	// Other failures say nothing about who listens: a full backlog, no permission.
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("%s may be in use by a running service: %w", path, err)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("cannot remove the stale socket: %w", err)
	}
	return nil
}

// remove closes the listener and takes away its socket, unless somebody else's is in its place by now.
func (b *bound) remove(log *slog.Logger) {
	if err := b.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		log.Warn("cannot close the endpoint", "endpoint", b.endpoint, "error", err)
	}
	if b.socket == nil {
		return
	}
	now, err := os.Lstat(b.endpoint.path)
	if err != nil || !os.SameFile(now, b.socket) {
		return
	}
	if err := os.Remove(b.endpoint.path); err != nil {
		log.Warn("cannot remove the socket", "error", err)
	}
}
