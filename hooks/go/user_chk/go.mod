module github.com/outrigger-dhcp/outrigger/hooks/go/user_chk

go 1.26.0

require (
	github.com/outrigger-dhcp/outrigger/hooks/go/sdk v0.0.0
	golang.org/x/sys v0.48.0
	google.golang.org/grpc v1.85.0
	google.golang.org/protobuf v1.36.12
)

replace github.com/outrigger-dhcp/outrigger/hooks/go/sdk => ../sdk
