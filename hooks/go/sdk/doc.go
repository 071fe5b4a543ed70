// Package outrigger is for writing hook services in Go: a value with a method for each hook point it wants.
//
//	DHCP server ──Load──► Service ──► a hook, one for each server and configuration
//	            ──calls on a session──► hook.Subnet4Select(ctx, call) ──changes──► DHCP server
//
// A method is called like its hook point, in CamelCase, and has the signature of the interface of that name:
// Subnet4SelectHook for Subnet4Select. Its call has what the hook point gives, and methods for what may be changed there.
// A callout that returns an error, panics or wants what is not allowed is a failure of that one call; what becomes of the
// packet then is decided by the server's configuration.
//
// A hook keeps nothing per packet: what it wants to know later goes into the context (Call.SetContext), which the server
// carries. So a service may be restarted, or run several times, at any moment.
//
// The SDK does the rest: sessions with batches, deadlines, panics, health checks, reflection, the drain at SIGTERM. Read
// Service, Call and PacketOptions; the package hooktest runs a callout without a network.
package outrigger
