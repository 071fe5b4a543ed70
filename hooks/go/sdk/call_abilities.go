package outrigger

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/outrigger-dhcp/outrigger/hooks/go/sdk/proto/hooksv1"
)

// withSubnet is the server's choice of a subnet.
type withSubnet struct {
	call *Call
	id   uint32
}

func (s *withSubnet) fill(call *Call, id uint32) { s.call, s.id = call, id }

// SubnetID is the subnet of the packet; 0 is none.
func (s *withSubnet) SubnetID() uint32 { return s.id }

// Subnet is the subnet of the packet; nil where there is none.
func (s *withSubnet) Subnet() *Subnet { return s.call.load.Subnets[s.id] }

// selectsSubnet is the ability to choose another one.
type selectsSubnet struct {
	withSubnet
	ids []uint32
}

func (s *selectsSubnet) fill(call *Call, id uint32, ids []uint32) {
	s.withSubnet.fill(call, id)
	s.ids = ids
}

// SubnetIDs has every subnet of the configuration, in ascending id.
func (s *selectsSubnet) SubnetIDs() []uint32 { return s.ids }

// Subnets has every subnet of the configuration, in ascending id.
func (s *selectsSubnet) Subnets() []*Subnet {
	subnets := make([]*Subnet, 0, len(s.ids))
	for _, id := range s.ids {
		if subnet := s.call.load.Subnets[id]; subnet != nil {
			subnets = append(subnets, subnet)
		}
	}
	return subnets
}

// SelectSubnet has the server use this subnet instead of its own choice. A subnet that the configuration does not have
// fails the call.
func (s *selectsSubnet) SelectSubnet(id uint32) {
	if id != 0 && len(s.ids) > 0 && !slices.Contains(s.ids, id) {
		s.call.fail(fmt.Errorf("there is no subnet %d; possible: %v", id, s.ids))
		return
	}
	if s.call.may(changeSubnet) {
		s.call.Changes().SubnetId = &id
		s.id = id
	}
}

// SelectNoSubnet has the server go on as if it had found no subnet.
func (s *selectsSubnet) SelectNoSubnet() { s.SelectSubnet(0) }

// identifiesHost is the ability to say what the client is known by.
type identifiesHost struct {
	call           *Call
	identifierType hooksv1.IdentifierType
}

func (i *identifiesHost) fill(call *Call, identifierType hooksv1.IdentifierType) {
	i.call, i.identifierType = call, identifierType
}

// IdentifierType is what the identifier counts as.
func (i *identifiesHost) IdentifierType() IdentifierType { return IdentifierType(i.identifierType) }

// IdentifyHost looks for host reservations under this flexible identifier; empty is none.
func (i *identifiesHost) IdentifyHost(identifier []byte) {
	if i.call.may(changeIdentifier) {
		// Empty is not absent.
		i.call.Changes().HostIdentifier = append(make([]byte, 0, len(identifier)), identifier...)
	}
}

// IdentifyHostAs is IdentifyHost for reservations that go by another type.
func (i *identifiesHost) IdentifyHostAs(identifierType IdentifierType, identifier []byte) {
	i.IdentifyHost(identifier)
	if i.call.may(changeIdentifier) {
		i.identifierType = hooksv1.IdentifierType(identifierType)
		i.call.Changes().HostIdentifierType = i.identifierType.Enum()
	}
}

// namesClient is the ability to decide the client's name.
type namesClient struct {
	withSubnet
	hostname             string
	fwdUpdate, revUpdate bool
	parameters           *hooksv1.DdnsParameters
}

// ddnsArguments is what the arguments of both families have.
type ddnsArguments interface {
	GetHostname() string
	GetFwdUpdate() bool
	GetRevUpdate() bool
	GetDdnsParameters() *hooksv1.DdnsParameters
}

func (n *namesClient) fill(call *Call, a ddnsArguments) {
	n.call = call
	n.hostname, n.fwdUpdate, n.revUpdate = a.GetHostname(), a.GetFwdUpdate(), a.GetRevUpdate()
	n.parameters = a.GetDdnsParameters()
}

// Hostname is the client's name as decided so far; empty where it has none yet.
func (n *namesClient) Hostname() string { return n.hostname }

// FwdUpdate says whether the name is to point to the address.
func (n *namesClient) FwdUpdate() bool { return n.fwdUpdate }

// RevUpdate says whether the address is to point to the name.
func (n *namesClient) RevUpdate() bool { return n.revUpdate }

// DdnsParameters is how names are decided for the client's subnet and pool.
func (n *namesClient) DdnsParameters() *hooksv1.DdnsParameters { return n.parameters }

// SetHostname decides the client's name.
func (n *namesClient) SetHostname(hostname string) {
	if changes := n.changes(); changes != nil {
		n.hostname, changes.Hostname = hostname, &hostname
	}
}

// SetFwdUpdate decides whether the name is to point to the address.
func (n *namesClient) SetFwdUpdate(update bool) {
	if changes := n.changes(); changes != nil {
		n.fwdUpdate, changes.FwdUpdate = update, &update
	}
}

// SetRevUpdate decides whether the address is to point to the name.
func (n *namesClient) SetRevUpdate(update bool) {
	if changes := n.changes(); changes != nil {
		n.revUpdate, changes.RevUpdate = update, &update
	}
}

func (n *namesClient) changes() *hooksv1.NameChanges {
	if !n.call.may(changeNames) {
		return nil
	}
	changes := n.call.Changes()
	if changes.Names == nil {
		changes.Names = &hooksv1.NameChanges{}
	}
	return changes.Names
}

type withFakeAllocation struct{ fakeAllocation bool }

// FakeAllocation says that the lease is only offered: nothing is written.
func (w *withFakeAllocation) FakeAllocation() bool { return w.fakeAllocation }

type withOfferLifetime struct{ offerLifetime uint32 }

// OfferLifetime is for how many seconds an offer is written; 0: it is not.
func (w *withOfferLifetime) OfferLifetime() uint32 { return w.offerLifetime }

type withRemoveLease struct{ removeLease bool }

// RemoveLease says that the lease is to be removed, not kept as reclaimed.
func (w *withRemoveLease) RemoveLease() bool { return w.removeLease }

type withHost struct{ host *hooksv1.Host }

// Host is what is reserved for the client; nil where there is nothing.
func (w *withHost) Host() *Host {
	if w.host == nil {
		return nil
	}
	return &Host{w.host}
}

type withAddress struct{ bytes []byte }

// Address is the address that the client registers.
func (w *withAddress) Address() netip.Addr { return addrOf(w.bytes) }

// reportsAddressInUse is the ability to say that an offered address is taken.
type reportsAddressInUse struct {
	call *Call
}

// ReportAddressInUse says, after Park, whether somebody else uses the offered address.
func (r *reportsAddressInUse) ReportAddressInUse(inUse bool) {
	if r.call.may(changeOfferAddressInUse) {
		r.call.Changes().OfferAddressInUse = &inUse
	}
}

// refusesConfiguration is the ability to refuse what the server is about to use.
type refusesConfiguration struct {
	call *Call
	text string
}

func (r *refusesConfiguration) fill(call *Call, text string) { r.call, r.text = call, text }

// Configuration is what is in the top-level key Dhcp4 or Dhcp6, JSON.
func (r *refusesConfiguration) Configuration() json.RawMessage { return json.RawMessage(r.text) }

// ReadConfiguration decodes what is in the top-level key Dhcp4 or Dhcp6 into target.
func (r *refusesConfiguration) ReadConfiguration(target any) error {
	if err := json.Unmarshal([]byte(r.text), target); err != nil {
		return fmt.Errorf("the configuration is not what was expected: %w", err)
	}
	return nil
}

// RefuseConfiguration has the server refuse the configuration. The text goes to its operator: say what is wrong and
// what to do.
func (r *refusesConfiguration) RefuseConfiguration(why string) {
	if r.call.may(changeError) {
		r.call.Changes().Error = &why
		r.call.Drop(why)
	}
}

type withAuditEntries struct{ auditEntries []*hooksv1.AuditEntry }

// AuditEntries is what was changed, in order.
func (w *withAuditEntries) AuditEntries() []*hooksv1.AuditEntry { return w.auditEntries }

// withProcessed is a command that was handled.
type withProcessed struct {
	name, argumentsText string
}

func (p *withProcessed) fill(a *hooksv1.CommandProcessedArguments) {
	p.name, p.argumentsText = a.GetName(), a.GetArguments()
}

// Name is the command's name.
func (p *withProcessed) Name() string { return p.name }

// CommandArguments is the arguments of the command, JSON; nil where it had none.
func (p *withProcessed) CommandArguments() json.RawMessage {
	if p.argumentsText == "" {
		return nil
	}
	return json.RawMessage(p.argumentsText)
}

// withCommand is a command to be answered.
type withCommand struct {
	text, name       string
	commandArguments json.RawMessage
	malformed        error
}

func (c *withCommand) fill(text string) {
	var command struct {
		Command   *string         `json:"command"`
		Arguments json.RawMessage `json:"arguments"`
	}
	c.text = text
	if err := json.Unmarshal([]byte(text), &command); err != nil {
		c.malformed = fmt.Errorf("the command is not JSON: %w", err)
		return
	}
	if command.Command == nil {
		c.malformed = errors.New("the command has no name")
		return
	}
	c.name, c.commandArguments = *command.Command, command.Arguments
}

// Name is the command's name: "blocklist-get".
func (c *withCommand) Name() string { return c.name }

// CommandArguments is the arguments of the command, JSON; nil where it has none.
func (c *withCommand) CommandArguments() json.RawMessage { return c.commandArguments }

// ReadArguments decodes the arguments of the command into target. A command without arguments leaves it as it is.
func (c *withCommand) ReadArguments(target any) error {
	if len(c.commandArguments) == 0 {
		return nil
	}
	if err := json.Unmarshal(c.commandArguments, target); err != nil {
		return fmt.Errorf("the arguments of %s are not what was expected: %w", c.name, err)
	}
	return nil
}

// What the result of an Answer says.
const (
	ResultSuccess     = 0
	ResultError       = 1
	ResultUnsupported = 2
	ResultEmpty       = 3
)

// Answer is the answer to a control command. A command that failed is an answer too, not an error of the callout.
type Answer struct {
	// Result is 0: done, 1: failed, 2: not supported, 3: nothing found.
	Result int `json:"result"`
	// Text is for people.
	Text string `json:"text,omitempty"`
	// Arguments is what was asked for: anything that can be written as JSON.
	Arguments any `json:"arguments,omitempty"`
}

// answersCommand is the ability to answer a control command.
type answersCommand struct {
	call     *Call
	response string
}

func (a *answersCommand) fill(call *Call, response string) { a.call, a.response = call, response }

// Response is the answer so far, JSON; nil where there is none.
func (a *answersCommand) Response() json.RawMessage {
	if a.response == "" {
		return nil
	}
	return json.RawMessage(a.response)
}

// Answer answers the command.
func (a *answersCommand) Answer(answer Answer) error { return a.AnswerJSON(answer) }

// AnswerJSON answers the command with anything that is an object with the integer "result" as JSON.
func (a *answersCommand) AnswerJSON(answer any) error {
	if err := a.call.rights.check(changeCommandResponse); err != nil {
		return err
	}
	text, err := json.Marshal(answer)
	if err != nil {
		return fmt.Errorf("the answer cannot be written as JSON: %w", err)
	}
	var checked struct {
		Result *int64 `json:"result"`
	}
	if err := json.Unmarshal(text, &checked); err != nil || checked.Result == nil {
		return fmt.Errorf("the answer to a command is an object with an integer \"result\", not %s", clipped(string(text)))
	}
	a.response = string(text)
	a.call.Changes().CommandResponse = &a.response
	return nil
}
