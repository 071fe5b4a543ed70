package outrigger

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/serverv1"
)

func TestEveryCallOfTheServersAPICarriesTheToken(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "api.sock")
	onSocket, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	onPort, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		known, _ := metadata.FromIncomingContext(stream.Context())
		return status.Error(codes.Unauthenticated, strings.Join(known.Get("authorization"), "|"))
	}))
	defer server.Stop()
	for _, listener := range []net.Listener{onSocket, onPort} {
		go func() {
			// It ends with the test.
			_ = server.Serve(listener)
		}()
	}
	for _, endpoint := range []string{"unix:" + socket, "http://" + onPort.Addr().String()} {
		api := newServerAPI(&hooksv1.ServerApi{Endpoint: endpoint, Token: "secret"})
		connection, err := api.Dial()
		if err != nil {
			t.Fatal(err)
		}
		defer connection.Close()
		for range 2 {
			_, err := serverv1.NewLeasesClient(connection).Get(context.Background(), &serverv1.GetLeaseRequest{})
			if status.Convert(err).Message() != "Bearer secret" {
				t.Error(err)
			}
		}
	}
	if newServerAPI(nil) != nil {
		t.Error("there is an API that is not granted")
	}
}

func TestTheTokenIsNotForLogs(t *testing.T) {
	load := newLoad(&hooksv1.LoadRequest{ServerApi: &hooksv1.ServerApi{
		Endpoint: "unix:/x", Token: "secret", Grants: []string{"leases:read"},
	}})
	text, err := json.Marshal(load.ServerAPI)
	if err != nil {
		t.Fatal(err)
	}
	shown := fmt.Sprintf("%v %+v %#v %s", load.ServerAPI, load.ServerAPI, load.ServerAPI, text)
	if strings.Contains(shown, "secret") || !load.ServerAPI.IsGranted("leases:read") || load.ServerAPI.IsGranted("x") {
		t.Error(shown)
	}
}
