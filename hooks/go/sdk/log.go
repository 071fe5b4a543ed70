package outrigger

import (
	"io"
	"log/slog"
)

// newLog writes lines of key=value; whoever collects them adds what else is known of the process.
func newLog(to io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(to, &slog.HandlerOptions{Level: level}))
}
