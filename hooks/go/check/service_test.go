package check

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// service is a service in a process of its own.
type service struct {
	command  *exec.Cmd
	endpoint string
	log      *log
	// ended is closed when the process has; err is how.
	ended chan struct{}
	err   error
}

// start starts a program in a folder of its own, and returns when it listens.
func start(t *testing.T, program string, arguments []string) *service {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	endpoint := "unix:" + filepath.Join(folder, "hook.sock")
	s := &service{
		command:  exec.Command(program, append([]string{"--listen", endpoint}, arguments...)...),
		endpoint: endpoint,
		log:      &log{listens: make(chan struct{})},
		ended:    make(chan struct{}),
	}
	s.command.Dir, s.command.Stderr = folder, s.log
	if err := s.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(s.ended)
		s.err = s.command.Wait()
	}()
	t.Cleanup(func() {
		// Unless the test failed, it has ended, and there is nothing to kill.
		_ = s.command.Process.Kill()
		<-s.ended
	})
	select {
	case <-s.log.listens:
	case <-s.ended:
		t.Fatalf("%s ends before it listens: %v\n%s", program, s.err, s.log)
	case <-time.After(patience):
		t.Fatalf("%s does not listen:\n%s", program, s.log)
	}
	return s
}

// end waits for the end of the process, which was told to drain.
func (s *service) end(t *testing.T) {
	t.Helper()
	select {
	case <-s.ended:
	case <-time.After(patience):
		t.Fatalf("it goes on after it was drained:\n%s", s.log)
	}
	if s.err != nil {
		t.Errorf("it ends with %v:\n%s", s.err, s.log)
	}
}

// log keeps what a service logs.
type log struct {
	// listens is closed when the service says that it listens.
	listens chan struct{}

	mu   sync.Mutex
	text bytes.Buffer
	said bool
}

func (l *log) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(text)
	if !l.said && strings.Contains(l.text.String(), "listening endpoint=") {
		l.said = true
		close(l.listens)
	}
	return len(text), nil
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
