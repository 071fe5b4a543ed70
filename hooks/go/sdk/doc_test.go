package outrigger

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// frames is what stands around the parts of README.md that are no whole files.
var frames = map[string]string{
	"package main": "%",
	"func load":    "package main\nimport (\n\"context\"\n\n" + sdkImport + ")\ntype boot struct{ URL string }\n%\nfunc main() {}",
	"Subscription": "package main\nimport " + sdkImport + "var _ = outrigger.Service{\n%,\n}\nfunc main() {}",
	"func Test": "package main\nimport (\n\"testing\"\n\n\"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/hooktest\"\n)\n" +
		"type hook struct{}\n%\nfunc main() {}",
}

const sdkImport = "outrigger \"github.com/outrigger-dhcp/outrigger/hooks/go/sdk\"\n"

func TestTheCodeOfTheReadmeCompiles(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(readme), "```go\n")[1:]
	if len(blocks) != len(frames) {
		t.Fatalf("there are %d blocks of code", len(blocks))
	}
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	overlay := map[string]string{}
	var packages []string
	for i, block := range blocks {
		code, _, _ := strings.Cut(block, "\n```")
		for start, frame := range frames {
			if strings.HasPrefix(code, start) {
				code = strings.Replace(frame, "%", code, 1)
				break
			}
		}
		name := string(rune('a' + i))
		file := filepath.Join(folder, name+".go")
		if err := os.WriteFile(file, []byte(code), 0o600); err != nil {
			t.Fatal(err)
		}
		overlay[filepath.Join(here, "internal", "readme", name, "main.go")] = file
		packages = append(packages, "./internal/readme/"+name)
	}
	text, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		t.Fatal(err)
	}
	replaced := filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(replaced, text, 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", append([]string{"build", "-buildvcs=false", "-gcflags=-e", "-overlay", replaced}, packages...)...)
	if output, err := build.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, output)
	}
}
