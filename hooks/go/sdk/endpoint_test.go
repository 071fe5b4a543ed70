package outrigger

import (
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestEndpointsAreReadAndWrittenAlike(t *testing.T) {
	for _, text := range []string{
		"unix:/run/x.sock", "http://127.0.0.1:80", "http://[::1]:5000", "http://name:1", "https://name:1",
	} {
		if endpoint, err := ParseEndpoint(text); err != nil || endpoint.String() != text {
			t.Errorf("%s is read as %s, %v", text, endpoint, err)
		}
	}
	if endpoint, err := ParseEndpoint("unix:///run/x.sock"); err != nil || endpoint.path != "/run/x.sock" {
		t.Errorf("%v, %v", endpoint, err)
	}
}

func TestAWrongEndpointSaysWhatToWrite(t *testing.T) {
	for text, part := range map[string]string{
		"/run/x.sock":       "write unix:/path",
		"unix:":             "has no path",
		"http://name":       "write http://host:port",
		"https://name":      "write https://host:port",
		"http://name:99999": "has no port",
		"ftp://name:1":      "is not an endpoint",
	} {
		if _, err := ParseEndpoint(text); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// stale is a socket that nobody listens on.
func stale(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hook.sock")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	listener.SetUnlinkOnClose(false)
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAStaleSocketIsReplacedAndALiveOneIsNot(t *testing.T) {
	path := stale(t)
	first, err := Endpoint{path: path}.bind()
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != socketMode {
		t.Errorf("%v, %v", info, err)
	}
	if _, err := (Endpoint{path: path}).bind(); err == nil || !strings.Contains(err.Error(), "is in use by a running service") {
		t.Errorf("a live one is replaced: %v", err)
	}
	first.remove(slog.Default())
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket stays: %v", err)
	}
}

func TestOneOfManyTakesAStaleSocket(t *testing.T) {
	path := stale(t)
	var group sync.WaitGroup
	won := make(chan *bound, 16)
	for range cap(won) {
		group.Go(func() {
			if listener, err := (Endpoint{path: path}).bind(); err == nil {
				won <- listener
			}
		})
	}
	group.Wait()
	if len(won) != 1 {
		t.Fatalf("%d listen", len(won))
	}
	(<-won).remove(slog.Default())
}

func TestAFileIsNeverRemovedForASocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(path, []byte("data"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (Endpoint{path: path}).bind(); err == nil || !strings.Contains(err.Error(), "is not a socket") {
		t.Errorf("%v", err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "data" {
		t.Errorf("%s, %v", data, err)
	}
}

func TestASocketThatWasReplacedMeanwhileStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hook.sock")
	first, err := Endpoint{path: path}.bind()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	second, err := Endpoint{path: path}.bind()
	if err != nil {
		t.Fatal(err)
	}
	first.remove(slog.Default())
	if _, err := os.Lstat(path); err != nil {
		t.Error(err)
	}
	second.remove(slog.Default())
}
