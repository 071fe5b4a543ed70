package outrigger

import (
	"context"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/internal/trial"
	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

func init() {
	trial.New = newTrial
	trial.Encode = func(family int, name string, value any) (*hooksv1.Option, error) {
		known, err := packetSpace(family).named(name)
		if err != nil {
			return nil, err
		}
		data, err := encodeOption(packetSpace(family), known.code, value)
		if err != nil {
			return nil, err
		}
		return &hooksv1.Option{Code: uint32(known.code), Data: data}, nil
	}
	trial.Text = func(family int, option *hooksv1.Option) string {
		return Option{uint16(option.GetCode()), option.GetData(), packetSpace(family)}.String()
	}
	trial.Code = func(family int, name string) (uint32, error) {
		known, err := packetSpace(family).named(name)
		if err != nil {
			return 0, err
		}
		return uint32(known.code), nil
	}
}

// newTrial makes an engine for a test: a hook needs no service around it there.
func newTrial(hookOrService any) (*trial.Engine, error) {
	service := Service{Name: "trial", Version: "0", Hook: hookOrService}
	switch given := hookOrService.(type) {
	case Service:
		service = given
	case *Service:
		service = *given
	}
	engine, err := newEngine(service)
	if err != nil {
		return nil, err
	}
	return &trial.Engine{
		Load: engine.load,
		Run: func(ctx context.Context, request *hooksv1.CalloutRequest, park func() error) *hooksv1.CalloutReply {
			reply := failureReply(request.GetId(), errGoexit)
			done := make(chan struct{})
			go func() {
				// runtime.Goexit ends this goroutine alone.
				defer close(done)
				reply = engine.run(ctx, "", request, park)
			}()
			<-done
			return reply
		},
	}, nil
}
