package outrigger

import "sync"

// Readiness says whether a service can work at present: what it needs is there, such as its registry. The health check
// (grpc.health.v1) says NOT_SERVING while it cannot, so that whoever balances or watches services sees it; calls are
// served all the same. The zero value is ready. It may be used by several goroutines at a time.
type Readiness struct {
	mu       sync.Mutex
	notReady bool
	changed  func(ready bool)
}

// Set says that the service can work, or cannot.
func (r *Readiness) Set(ready bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.notReady == !ready {
		return
	}
	r.notReady = !ready
	if r.changed != nil {
		r.changed(ready)
	}
}

// watch calls changed with what holds, and again at each change.
func (r *Readiness) watch(changed func(ready bool)) {
	if r == nil {
		changed(true)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changed = changed
	changed(!r.notReady)
}
