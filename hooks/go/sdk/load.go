package outrigger

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// Load is one configuration of one server that wants the service. It does not change once Service.Load returned.
type Load struct {
	// Family is 4 or 6.
	Family int
	// Parameters is "parameters" of the service in the server's configuration, JSON; "{}" where there are none.
	Parameters json.RawMessage
	// Revision changes with every change of the server's configuration.
	Revision uint64
	// ServiceName is the name that the server's configuration gives the service.
	ServiceName string
	// ServerName is the host name of the server's machine, ServerVersion its version, InstanceID differs for each start of
	// a server.
	ServerName, ServerVersion, InstanceID string
	// Subnets has the subnets of the configuration by id.
	Subnets map[uint32]*Subnet
	// ServerAPI is the server's own API; nil where the configuration grants the service nothing there.
	ServerAPI *ServerAPI

	narrowed map[string]Subscription
	leftOut  map[string]struct{}
}

func newLoad(request *hooksv1.LoadRequest) *Load {
	server := request.GetServer()
	load := &Load{
		Family:        int(server.GetFamily()),
		Parameters:    json.RawMessage(request.GetParameters()),
		Revision:      request.GetConfigurationRevision(),
		ServiceName:   request.GetServiceName(),
		ServerName:    server.GetName(),
		ServerVersion: server.GetVersion(),
		InstanceID:    server.GetInstanceId(),
		Subnets:       make(map[uint32]*Subnet, len(request.GetSubnets())),
		ServerAPI:     newServerAPI(request.GetServerApi()),
		narrowed:      map[string]Subscription{},
		leftOut:       map[string]struct{}{},
	}
	// A server whose configuration has none says null.
	if len(load.Parameters) == 0 || string(load.Parameters) == "null" {
		load.Parameters = json.RawMessage("{}")
	}
	for _, subnet := range request.GetSubnets() {
		load.Subnets[subnet.GetId()] = subnetOf(subnet)
	}
	return load
}

// ReadParameters decodes the parameters into target, usually a pointer to a struct. A parameter that target does not
// have is an error, so that a typing error of the operator is found.
func (l *Load) ReadParameters(target any) error {
	decoder := json.NewDecoder(strings.NewReader(string(l.Parameters)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(target); err != nil {
		return fmt.Errorf("parameters of %s: %w", l.ServiceName, err)
	}
	return nil
}

// Narrow has the server send less, or allow less, at a hook point for this configuration: it takes the place of what
// Service.Subscriptions has for it. hookPoint is Kea's name.
func (l *Load) Narrow(hookPoint string, subscription Subscription) {
	l.narrowed[hookPoint] = subscription
}

// LeaveOut has the server not call the service at this hook point for this configuration. hookPoint is Kea's name.
func (l *Load) LeaveOut(hookPoint string) {
	l.leftOut[hookPoint] = struct{}{}
}

// configuration is what calls of one configuration need.
type configuration struct {
	load *Load
	// callouts by number of the hook point.
	callouts [maxHookPoint + 1]boundCallout
	commands map[string]CommandFunc
}

// boundCallout is a callout with what it may change; run is nil where the hook has none.
type boundCallout struct {
	run    callout
	rights *rights
}

// maxLoads is how many loads are remembered. More servers and configurations at a time than this have never been useful;
// an older one is forgotten, and its server told to load again.
const maxLoads = 64

// loads has the configuration of each server that loaded the service, the latest last.
type loads struct {
	mutex   sync.RWMutex
	entries []*configuration
}

func (l *loads) insert(c *configuration) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	// A copy, so that a reader's slice never changes under it.
	entries := slices.Clone(l.entries)
	entries = slices.DeleteFunc(entries, func(known *configuration) bool { return known.load.isSameAs(c.load) })
	if len(entries) == maxLoads {
		entries = entries[1:]
	}
	l.entries = append(entries, c)
}

func (l *Load) isSameAs(other *Load) bool {
	return l.InstanceID == other.InstanceID && l.ServiceName == other.ServiceName && l.Revision == other.Revision
}

// find is the latest load of a server and configuration. server is an instance id, alone or from serverKey.
func (l *loads) find(server string, revision uint64) *configuration {
	instance, service, named := strings.Cut(server, "\x00")
	return l.latest(func(load *Load) bool {
		return load.Revision == revision && load.InstanceID == instance && (!named || load.ServiceName == service)
	})
}

// serverKey names a server, and which of its services is meant where it has several at one endpoint: what Hello says.
func serverKey(instanceID, serviceName string) string { return instanceID + "\x00" + serviceName }

// findUnnamed is for a call outside any session, which names no server: the latest load of that family and revision;
// family 0 is any.
func (l *loads) findUnnamed(family int, revision uint64) *configuration {
	return l.latest(func(load *Load) bool {
		return load.Revision == revision && (family == 0 || load.Family == family)
	})
}

func (l *loads) latest(matches func(*Load) bool) *configuration {
	l.mutex.RLock()
	entries := l.entries
	l.mutex.RUnlock()
	for _, entry := range slices.Backward(entries) {
		if matches(entry.load) {
			return entry
		}
	}
	return nil
}

// checkParameters finds parameters that are no JSON map, before a hook reads them.
func checkParameters(load *Load) error {
	var parameters map[string]json.RawMessage
	if err := json.Unmarshal(load.Parameters, &parameters); err != nil {
		return fmt.Errorf("the parameters of %s are not a JSON map: %w", load.ServiceName, err)
	}
	return nil
}
