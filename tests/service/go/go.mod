module github.com/outrigger-dhcp/outrigger/tests/service/go

go 1.26.0

require github.com/outrigger-dhcp/outrigger/hooks/go/sdk v0.0.0

replace github.com/outrigger-dhcp/outrigger/hooks/go/sdk => ../../../hooks/go/sdk
