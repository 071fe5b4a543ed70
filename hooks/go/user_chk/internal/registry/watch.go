package registry

import (
	"context"
	"time"
)

// WatchSettings are how changes of the file are noticed: by looking, which network file systems, symbolic links and
// folders that are replaced have in common.
type WatchSettings struct {
	// Poll is how often the file is looked at.
	Poll time.Duration
	// Quiet is how long it must be as it is before it is read: whoever writes in several steps is let finish.
	Quiet time.Duration
	// Patience is how long it may be unquiet before it is read all the same.
	Patience time.Duration
}

// DefaultWatch has a change in force within a second.
func DefaultWatch() WatchSettings {
	return WatchSettings{Poll: 250 * time.Millisecond, Quiet: 200 * time.Millisecond, Patience: 800 * time.Millisecond}
}

// Watch refreshes the registry whenever its file is another than at the last refresh, until ctx is done.
func (r *Registry) Watch(ctx context.Context, settings WatchSettings) {
	for wait(ctx, settings.Poll) {
		if !r.stale() {
			continue
		}
		if !r.settle(ctx, settings) {
			return
		}
		r.Refresh()
	}
}

// settle waits until the file is quiet; false where ctx is done before.
func (r *Registry) settle(ctx context.Context, settings WatchSettings) bool {
	limit := time.Now().Add(settings.Patience)
	before := fingerprintOf(r.path)
	for wait(ctx, settings.Quiet) {
		now := fingerprintOf(r.path)
		if now == before || !time.Now().Before(limit) {
			return true
		}
		before = now
	}
	return false
}

// wait says whether the duration passed before ctx was done.
func wait(ctx context.Context, duration time.Duration) bool {
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
