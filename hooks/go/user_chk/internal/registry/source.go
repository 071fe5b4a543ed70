package registry

import (
	"errors"
	"fmt"
	"strings"
)

// ParseSource reads where a registry comes from, as it is written on the command line: file:PATH or just the path.
func ParseSource(text string) (path string, err error) {
	path = text
	kind, rest, found := strings.Cut(text, ":")
	switch {
	case found && kind == "file":
		path = rest
	case found && !strings.Contains(kind, "/"):
		return "", fmt.Errorf("registries of the kind \"%s:\" are not supported yet; write file:PATH (a file whose name has a colon too)", kind)
	}
	if path == "" {
		return "", errors.New("the registry has no path; write file:PATH")
	}
	return path, nil
}
