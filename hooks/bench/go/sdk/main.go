// Command sdk gives boot files to clients that name their vendor class, on the SDK: sdk --listen ENDPOINT.
package main

import (
	"context"

	outrigger "github.com/outrigger-dhcp/outrigger/hooks/go/sdk"
)

const url = "http://boot.example.org/image"

type bootFiles struct{}

func (bootFiles) Pkt4Send(_ context.Context, call *outrigger.Pkt4Send) error {
	if !call.Query().Options().Has("vendor-class-identifier") {
		return nil
	}
	return call.Response().SetOption("boot-file-name", url)
}

func (bootFiles) Pkt6Send(_ context.Context, call *outrigger.Pkt6Send) error {
	if !call.Query().Options().Has("vendor-class") {
		return nil
	}
	return call.Response().SetOption("bootfile-url", url)
}

func main() {
	outrigger.Main(outrigger.Service{Name: "bench-go-sdk", Version: "1.0.0", Hook: bootFiles{}})
}
