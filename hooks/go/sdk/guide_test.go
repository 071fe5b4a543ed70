package outrigger

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const guide = "../../../docs/hook-authors-guide.md"

// TestTheGuide vets the Go of the hook author's guide, each package of it as it would be in a module of its own, and runs
// the guide's tests.
func TestTheGuide(t *testing.T) {
	text, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	writeModule(t, folder)
	var packages, tests int
	for i, block := range strings.Split(string(text), "```go\n")[1:] {
		code, _, _ := strings.Cut(block, "\n```")
		// Those of main belong together: a service and its test.
		name := regexp.MustCompile(`^package (\w+)\n`).FindStringSubmatch(code)
		if name == nil {
			t.Fatalf("block %d of the guide is no whole file:\n%s", i+1, code)
		}
		file := "code.go"
		if strings.Contains(code, "\t\"testing\"\n") {
			file = "code_test.go"
			tests++
		} else {
			packages++
		}
		writeNew(t, filepath.Join(folder, name[1], file), code+"\n")
	}
	if packages != 7 || tests != 1 {
		t.Fatalf("the guide has %d packages and %d tests in Go", packages, tests)
	}
	runGo(t, folder, "vet", "./...")
	if output := runGo(t, folder, "test", "-v", "./main"); !strings.Contains(output, "--- PASS: TestOldDevices") {
		t.Error(output)
	}
	unformatted, err := exec.Command(filepath.Join(runGoroot(t), "bin", "gofmt"), "-l", folder).CombinedOutput()
	if err != nil || len(unformatted) > 0 {
		t.Errorf("gofmt: %v: %s", err, unformatted)
	}
}

// writeModule makes a module that needs what the SDK needs, and the SDK from here.
func writeModule(t *testing.T, folder string) {
	t.Helper()
	own, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	const sdk = "github.com/outrigger-dhcp/outrigger/hooks/go/sdk"
	module := strings.Replace(string(own), "module "+sdk+"\n", "module guide\n", 1)
	module += fmt.Sprintf("\nrequire %s v0.0.0\n\nreplace %s => %s\n", sdk, sdk, here)
	writeNew(t, filepath.Join(folder, "go.mod"), module)
	sums, err := os.ReadFile("go.sum")
	if err != nil {
		t.Fatal(err)
	}
	writeNew(t, filepath.Join(folder, "go.sum"), string(sums))
}

func writeNew(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.WriteString(text)
	if closing := file.Close(); err != nil || closing != nil {
		t.Fatal(err, closing)
	}
}

func runGo(t *testing.T, folder string, arguments ...string) string {
	t.Helper()
	command := exec.Command("go", arguments...)
	command.Dir = folder
	// The machine's flags may be for the SDK's own module.
	command.Env = append(os.Environ(), "GOFLAGS=-mod=mod -buildvcs=false", "GOWORK=off", "GOPROXY=off")
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(arguments, " "), err, output)
	}
	return string(output)
}

func runGoroot(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(runGo(t, ".", "env", "GOROOT"))
}
