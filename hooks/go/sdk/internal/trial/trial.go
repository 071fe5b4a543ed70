// Package trial is how the package hooktest reaches the engine of the SDK without its being part of the interface.
package trial

import (
	"context"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// Engine is an engine of the SDK, with the service of one test.
type Engine struct {
	Load func(ctx context.Context, request *hooksv1.LoadRequest) *hooksv1.LoadReply
	// Run runs one callout; park as on a session, nil without one.
	Run func(ctx context.Context, request *hooksv1.CalloutRequest, park func() error) *hooksv1.CalloutReply
}

// The package outrigger sets them.
var (
	// New makes an engine of a service, a pointer to one, or a hook.
	New func(hookOrService any) (*Engine, error)
	// Encode makes an option of the packet of a family.
	Encode func(family int, name string, value any) (*hooksv1.Option, error)
	// Text is an option as it would be configured.
	Text func(family int, option *hooksv1.Option) string
	// Code is the code of a name.
	Code func(family int, name string) (uint32, error)
)
