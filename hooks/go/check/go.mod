module github.com/outrigger-dhcp/outrigger/hooks/go/check

go 1.26.0
