// Package cases reads the cases that the service meets in every language that it is written in:
// hooks/user_chk_cases.json, which says what they mean. It is for tests.
package cases

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Cases are all of them.
type Cases struct {
	About         []string
	Lines         []Line
	Registries    []Registry
	Sources       []Source
	Parameters    []Parameters
	Subscriptions []Subscriptions
	Verdicts      []Verdict
	OtherContexts []Verdict `json:"other_contexts"`
	NoContexts    []Verdict `json:"no_contexts"`
	Packets       []Packets
}

// Line is a line of a registry.
type Line struct {
	Line   string
	Hex    Hex
	User   *User
	Nobody bool
	Error  string
}

// Bytes is the line, which need not be text.
func (l Line) Bytes() []byte {
	if l.Hex != nil {
		return l.Hex
	}
	return []byte(l.Line)
}

// User is whom a line registers.
type User struct {
	Type       string
	Hex        Hex
	Properties map[string]string
}

// Registry is a whole file.
type Registry struct {
	Name, Content string
	Users         int
	Error, Last   string
}

// Source is what --registry has.
type Source struct {
	Text, Path, Error string
}

// Parameters are those of a server with these subnets.
type Parameters struct {
	Text     string
	Subnets  []uint32
	Settings *Settings
	Refusal  string
}

// Settings are what parameters mean.
type Settings struct {
	RestrictedSubnetID *uint32 `json:"restricted-subnet-id"`
	OptionOverrides    bool    `json:"option-overrides"`
	OutcomeRecords     bool    `json:"outcome-records"`
}

// Subscriptions are what the service asks for.
type Subscriptions struct {
	Family        int
	Text          string
	Subscriptions []Subscription
}

// Subscription is one hook point of them.
type Subscription struct {
	Point         string
	Reads, Writes []string
}

// Verdict is what was decided, with its context.
type Verdict struct {
	Name       string
	Client     *Client
	Registered *Overrides
	Context    Hex
}

// Client is whom a verdict is about.
type Client struct {
	HType uint32
	HW    Hex
	DUID  Hex
}

// Overrides are what a registration overrides.
type Overrides struct {
	Bootfile   string
	TFTPServer string `json:"tftp_server"`
}

// Packets are calls in order on one service.
type Packets struct {
	Name       string
	Family     int
	Registry   []string
	Parameters json.RawMessage
	Calls      []Call
	Outcome    string
}

// Call is one hook point.
type Call struct {
	Point    string
	Registry []string
	Query    *Packet
	Response *Packet
	Status   string
	Subnet   uint32
	Context  string
	Expect   Expect
}

// Packet is of either family.
type Packet struct {
	Type    uint32
	HType   uint32
	HW      *Hex
	Yiaddr  Hex
	Options []Option
}

// Option is one option: code and data.
type Option struct {
	Code uint32
	Data Hex
}

// UnmarshalJSON reads [code, "hex"].
func (o *Option) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(text, &[]any{&o.Code, &o.Data})
}

// Expect is all of a reply.
type Expect struct {
	Context *Hex
	Subnet  *uint32
	Options []Edit
	File    *string
	Warning string
	Failure string
}

// Edit sets one option.
type Edit struct {
	Path []uint32
	Text string
	Hex  Hex
}

// Bytes are what the option is set to.
func (e Edit) Bytes() []byte {
	if e.Hex != nil {
		return e.Hex
	}
	return []byte(e.Text)
}

// Hex is bytes that are written as hexadecimal digits.
type Hex []byte

// UnmarshalText reads the digits.
func (h *Hex) UnmarshalText(text []byte) error {
	*h = make(Hex, hex.DecodedLen(len(text)))
	_, err := hex.Decode(*h, text)
	return err
}

// Read reads the cases.
func Read(t *testing.T) Cases {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	text, err := os.ReadFile(filepath.Join(filepath.Dir(here), "../../../../user_chk_cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	// A kind of case that is not known here would be a test that does not run.
	decoder.DisallowUnknownFields()
	var read Cases
	if err := decoder.Decode(&read); err != nil {
		t.Fatal(err)
	}
	return read
}
