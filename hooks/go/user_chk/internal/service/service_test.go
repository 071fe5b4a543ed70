package service

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	outrigger "github.com/outrigger-dhcp/outrigger/hooks/go/sdk"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/counters"
	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/outcome"
	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/registry"
)

// patience is what a call may take at most on a busy machine.
const patience = 20 * time.Second

// fixture is the service on a socket, with a registry and an outcome file of its own.
type fixture struct {
	t                         *testing.T
	registryPath, outcomePath string
	registry                  *registry.Registry
	outcome                   *outcome.Outcome
	counters                  counters.Counters
	client                    hooksv1.CalloutsClient
	revision                  uint64
}

func newFixture(t *testing.T, lines string) *fixture {
	t.Helper()
	// Not t.TempDir: the path of a socket has at most 107 bytes.
	folder, err := os.MkdirTemp("", "user-chk")
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{t: t, registryPath: filepath.Join(folder, "registry.txt"), outcomePath: filepath.Join(folder, "outcome.txt")}
	f.registry = registry.New(f.registryPath, &f.counters, func() {})
	if lines != missing {
		f.rewriteRegistry(lines)
	}
	if f.outcome, err = outcome.Open(f.outcomePath, &f.counters); err != nil {
		t.Fatal(err)
	}
	endpoint := "unix:" + filepath.Join(folder, "s")
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	userChk := &UserChk{Registry: f.registry, Outcome: f.outcome, Counters: &f.counters}
	go func() { served <- outrigger.Serve(ctx, userChk.Service(), outrigger.Options{Listen: endpoint}) }()
	connection, err := grpc.NewClient(endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	f.client = hooksv1.NewCalloutsClient(connection)
	t.Cleanup(func() {
		if err := connection.Close(); err != nil {
			t.Error(err)
		}
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
		f.outcome.Close()
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	})
	return f
}

// missing is a registry whose file is not there.
const missing = "missing"

func (f *fixture) rewriteRegistry(lines string) {
	f.t.Helper()
	if err := os.WriteFile(f.registryPath, []byte(lines), 0o600); err != nil {
		f.t.Fatal(err)
	}
	f.registry.Refresh()
}

// load loads the next configuration, of a server with subnets 1 and 2. The calls after it belong to it.
func (f *fixture) load(family int, parameters string) *hooksv1.LoadReply {
	f.t.Helper()
	f.revision++
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	reply, err := f.client.Load(ctx, &hooksv1.LoadRequest{
		ProtocolVersions:      []uint32{1},
		Server:                &hooksv1.ServerIdentity{InstanceId: "instance", Family: hooksv1.Family(family)},
		ConfigurationRevision: f.revision,
		ServiceName:           "user-chk",
		Parameters:            parameters,
		Subnets:               []*hooksv1.Subnet{{Id: 1, Prefix: "2001:db8:1::/64"}, {Id: 2, Prefix: "2001:db8:2::/64"}},
	}, grpc.WaitForReady(true))
	if err != nil {
		f.t.Fatal(err)
	}
	return reply
}

func (f *fixture) call(request *hooksv1.CalloutRequest) *hooksv1.CalloutReply {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	request.Id, request.ConfigurationRevision, request.BudgetUs = 1, f.revision, uint32(patience.Microseconds())
	reply, err := f.client.Call(ctx, request)
	if err != nil {
		f.t.Fatal(err)
	}
	return reply
}

func subnets(ids ...uint32) map[uint32]*outrigger.Subnet {
	made := make(map[uint32]*outrigger.Subnet)
	for _, id := range ids {
		prefix := netip.MustParsePrefix(fmt.Sprintf("2001:db8:%d::/64", id))
		made[id] = &outrigger.Subnet{ID: id, Prefix: prefix}
	}
	return made
}

func expectRefusal(t *testing.T, reply *hooksv1.LoadReply, part string) {
	t.Helper()
	if text := reply.GetRefusal().GetText(); !strings.Contains(text, part) {
		t.Errorf("%v, not %s", reply, part)
	}
}

func TestAServiceWithoutARegistryIsRefusedUntilThereIsOne(t *testing.T) {
	f := newFixture(t, missing)
	const parameters = `{"restricted-subnet-id": 2}`
	expectRefusal(t, f.load(4, parameters), "registry.txt is not read yet")
	f.registry.Refresh()
	expectRefusal(t, f.load(4, parameters), "registry.txt: no such file")
	f.rewriteRegistry("nonsense")
	expectRefusal(t, f.load(6, parameters), "registry.txt: line 1: is not a JSON object of strings")
	f.rewriteRegistry("")
	if reply := f.load(6, parameters); reply.GetLoaded().GetName() != "user-chk" || reply.GetLoaded().GetVersion() != Version {
		t.Error(reply)
	}
}

func TestAServerWithoutAFamilyIsRefused(t *testing.T) {
	expectRefusal(t, newFixture(t, "").load(0, `{"restricted-subnet-id": 2}`), "neither DHCPv4 nor DHCPv6")
}

func TestParametersAreRefusedByName(t *testing.T) {
	for text, expected := range map[string]string{
		`{"restricted-subnet-id": "2"}`:                          `parameters: restricted-subnet-id: invalid value "2", expected the id of a subnet`,
		`{"restricted-subnet-id": 2, "restricted-subnet-id": 2}`: "parameters: duplicate field `restricted-subnet-id`",
		`{"restricted-subnet-id": 2, "Option-Overrides": true}`:  "parameters: unknown field `Option-Overrides`",
		`{"restricted-subnet-id": 2, "outcome-records": "no"}`:   `parameters: outcome-records: invalid value "no", expected a boolean`,
		`{"restricted-subnet-id": 2} {}`:                         "parameters: something follows the object",
		`{"restricted-subnet-id": 2`:                             "parameters: they end too early",
		`[2]`:                                                    "parameters: they are not an object",
	} {
		if _, err := readSettings([]byte(text), subnets(2)); err == nil || !strings.HasPrefix(err.Error(), expected) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestCallsWithoutPacketsAreFailures(t *testing.T) {
	f := newFixture(t, "")
	f.load(4, `{"restricted-subnet-id": 2}`)
	f.load(6, `{"restricted-subnet-id": 2}`)
	for _, c := range []struct {
		point     hooksv1.HookPoint
		arguments *hooksv1.Arguments
		part      string
	}{
		{hooksv1.HookPoint_HOOK_POINT_PKT6_RECEIVE, &hooksv1.Arguments{Point: &hooksv1.Arguments_Pkt6Receive{
			Pkt6Receive: &hooksv1.Query6Arguments{}}}, "without a query"},
		{hooksv1.HookPoint_HOOK_POINT_SUBNET6_SELECT, &hooksv1.Arguments{Point: &hooksv1.Arguments_Subnet6Select{
			Subnet6Select: &hooksv1.Subnet6SelectArguments{}}}, "without a query"},
		{hooksv1.HookPoint_HOOK_POINT_PKT6_SEND, &hooksv1.Arguments{Point: &hooksv1.Arguments_Pkt6Send{
			Pkt6Send: &hooksv1.Response6Arguments{Query: &hooksv1.Packet6{}}}}, "without a response"},
	} {
		reply := f.call(&hooksv1.CalloutRequest{HookPoint: c.point, Arguments: c.arguments})
		if !strings.Contains(reply.GetFailure().GetText(), c.part) {
			t.Errorf("%s: %v", c.point, reply)
		}
	}
}

func TestWhatWasDecidedIsCounted(t *testing.T) {
	f := newFixture(t, `{"type":"HW_ADDR","id":"0102","bootfile":"/b"}`)
	f.load(4, `{"restricted-subnet-id": 2}`)
	receive := func(address []byte) {
		query := &hooksv1.Packet4{HwAddress: &hooksv1.HwAddress{Htype: 1, Address: address}}
		f.call(&hooksv1.CalloutRequest{
			HookPoint: hooksv1.HookPoint_HOOK_POINT_PKT4_RECEIVE,
			Arguments: &hooksv1.Arguments{Point: &hooksv1.Arguments_Pkt4Receive{Pkt4Receive: &hooksv1.Query4Arguments{Query: query}}},
		})
	}
	receive([]byte{1, 2})
	receive([]byte{1, 3})
	receive(nil)
	query := &hooksv1.Packet4{HwAddress: &hooksv1.HwAddress{Htype: 1, Address: []byte{1, 2}}}
	sent := &hooksv1.Response4Arguments{Query: query, Response: &hooksv1.Packet4{MessageType: 5}}
	f.call(&hooksv1.CalloutRequest{
		HookPoint: hooksv1.HookPoint_HOOK_POINT_PKT4_SEND,
		Context:   []byte("somebody else's"),
		Arguments: &hooksv1.Arguments{Point: &hooksv1.Arguments_Pkt4Send{Pkt4Send: sent}},
	})
	f.outcome.Close()
	const expected = "registered=2 unregistered=2 without_identifier=1 bad_contexts=1 overrides=1 records=1 lost_records=0 " +
		"reloads=1 refused_reloads=0"
	if text := f.counters.String(); text != expected {
		t.Error(text)
	}
}
