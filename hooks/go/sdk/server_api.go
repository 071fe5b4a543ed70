package outrigger

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// ServerAPI is the server's own API as the service may use it: leases, hosts, statistics and more, as far as the
// configuration grants them. It belongs to one start of the server.
type ServerAPI struct {
	// Endpoint is where it is: "unix:/run/outrigger/dhcp4-api.sock".
	Endpoint string
	// Grants is what the configuration grants: "leases:read".
	Grants []string

	token string
}

func newServerAPI(message *hooksv1.ServerApi) *ServerAPI {
	if message == nil {
		return nil
	}
	return &ServerAPI{Endpoint: message.GetEndpoint(), Grants: message.GetGrants(), token: message.GetToken()}
}

// IsGranted says whether the configuration grants this: "leases:read".
func (a *ServerAPI) IsGranted(grant string) bool { return slices.Contains(a.Grants, grant) }

// Token is what authorizes a call: metadata "authorization: Bearer TOKEN". Connections of Dial send it. It is not for
// logs.
func (a *ServerAPI) Token() string { return a.token }

// String leaves out the token.
func (a *ServerAPI) String() string {
	return fmt.Sprintf("server API at %s, granted %s", a.Endpoint, strings.Join(a.Grants, ", "))
}

// GoString leaves out the token.
func (a *ServerAPI) GoString() string { return a.String() }

// Dial makes a connection for clients of the package serverv1; it is made when it is first used, and sends the service's
// token with every call. Make it once for each configuration, and close it when the service stops.
func (a *ServerAPI) Dial(options ...grpc.DialOption) (*grpc.ClientConn, error) {
	options = append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithPerRPCCredentials(bearer{a.token}),
	}, options...)
	// gRPC writes "host:port" where an endpoint is "http://host:port".
	connection, err := grpc.NewClient(strings.TrimPrefix(a.Endpoint, "http://"), options...)
	if err != nil {
		return nil, fmt.Errorf("the server's API at %s: %w", a.Endpoint, err)
	}
	return connection, nil
}

// bearer adds the token to each call.
type bearer struct{ token string }

func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + b.token}, nil
}

// RequireTransportSecurity is false: the API listens where only this machine reaches it.
func (b bearer) RequireTransportSecurity() bool { return false }
