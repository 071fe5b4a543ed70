// Command bare gives boot files to clients that name their vendor class, on the generated stubs alone: bare unix:/path.
package main

import (
	"context"
	"log"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"google.golang.org/grpc"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

const url = "http://boot.example.org/image"

type bootFiles struct {
	hooksv1.UnimplementedCalloutsServer
}

func has(options []*hooksv1.Option, code uint32) bool {
	for _, option := range options {
		if option.GetCode() == code {
			return true
		}
	}
	return false
}

func edits(code uint32) []*hooksv1.OptionEdit {
	return []*hooksv1.OptionEdit{{
		Action: hooksv1.OptionEdit_ACTION_SET, Path: []uint32{code}, Data: []byte(url),
	}}
}

func (bootFiles) Load(context.Context, *hooksv1.LoadRequest) (*hooksv1.LoadReply, error) {
	subscription := func(point hooksv1.HookPoint) *hooksv1.Subscription {
		return &hooksv1.Subscription{HookPoint: point, Writes: []string{"response.options"}}
	}
	return &hooksv1.LoadReply{Result: &hooksv1.LoadReply_Loaded{Loaded: &hooksv1.Loaded{
		ProtocolVersion: 1,
		Name:            "bench-go-bare",
		Version:         "1.0.0",
		Subscriptions: []*hooksv1.Subscription{
			subscription(hooksv1.HookPoint_HOOK_POINT_PKT4_SEND),
			subscription(hooksv1.HookPoint_HOOK_POINT_PKT6_SEND),
		},
	}}}, nil
}

func (bootFiles) Call(_ context.Context, request *hooksv1.CalloutRequest) (*hooksv1.CalloutReply, error) {
	result := &hooksv1.CalloutResult{}
	if send := request.GetArguments().GetPkt4Send(); send != nil && has(send.GetQuery().GetOptions(), 60) {
		result.Changes = &hooksv1.Changes{Response4: &hooksv1.Packet4Changes{Options: edits(67)}}
	}
	if send := request.GetArguments().GetPkt6Send(); send != nil && has(send.GetQuery().GetOptions(), 16) {
		result.Changes = &hooksv1.Changes{Response6: &hooksv1.Packet6Changes{Options: edits(59)}}
	}
	return &hooksv1.CalloutReply{
		Id: request.GetId(), Outcome: &hooksv1.CalloutReply_Result{Result: result},
	}, nil
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("write: bare unix:/path")
	}
	listener, err := net.Listen("unix", strings.TrimPrefix(os.Args[1], "unix:"))
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer()
	hooksv1.RegisterCalloutsServer(server, bootFiles{})
	stopped, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	context.AfterFunc(stopped, server.GracefulStop)
	if err := server.Serve(listener); err != nil {
		log.Fatal(err)
	}
}
