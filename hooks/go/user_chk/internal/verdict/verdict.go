// Package verdict has what was decided about a client, and how it travels with the packet.
package verdict

import (
	"unicode/utf8"

	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/identifier"
	"github.com/outrigger-dhcp/outrigger/hooks/go/user_chk/internal/registry"
	"google.golang.org/protobuf/encoding/protowire"
)

// form is that of the context. Another version of the service may have made it.
const form = 1

// maxContext is the most that a service may keep with a packet, in bytes.
const maxContext = 4096

// Fields of the context, a protobuf message. It fits maxContext, because all of it comes from one line of the registry,
// which is shorter, or is no longer than an identifier.
const (
	fieldForm           protowire.Number = 1
	fieldRegistered     protowire.Number = 2
	fieldIdentifierType protowire.Number = 3 // 0: none
	fieldHType          protowire.Number = 4
	fieldIdentifier     protowire.Number = 5
	fieldBootfile       protowire.Number = 6
	fieldTFTPServer     protowire.Number = 7
)

// Verdict is what was decided when the packet of a client was received. A reload in between does not change it.
type Verdict struct {
	// Client is whom it is about.
	Client identifier.Client
	// Registered says whether the client is registered.
	Registered bool
	// Overrides are what the client's registration overrides.
	Overrides registry.Overrides
}

// UsualContext is how many bytes the contexts of most clients have at most.
const UsualContext = 256

// AppendTo appends the verdict as the server keeps it for later hook points.
func (v *Verdict) AppendTo(context []byte) []byte {
	context = appendNumber(context, fieldForm, form)
	if v.Registered {
		context = appendNumber(context, fieldRegistered, 1)
	}
	context = appendNumber(context, fieldIdentifierType, uint64(v.Client.Type))
	context = appendNumber(context, fieldHType, uint64(v.Client.HType))
	context = appendBytes(context, fieldIdentifier, v.Client.Bytes)
	context = appendBytes(context, fieldBootfile, v.Overrides.Bootfile)
	return appendBytes(context, fieldTFTPServer, v.Overrides.TFTPServer)
}

func appendNumber(context []byte, field protowire.Number, value uint64) []byte {
	if value == 0 {
		return context
	}
	return protowire.AppendVarint(protowire.AppendTag(context, field, protowire.VarintType), value)
}

func appendBytes[T string | []byte](context []byte, field protowire.Number, value T) []byte {
	if len(value) == 0 {
		return context
	}
	context = protowire.AppendTag(context, field, protowire.BytesType)
	context = protowire.AppendVarint(context, uint64(len(value)))
	return append(context, value...)
}

// fields are those of a context, as they are.
type fields struct {
	form, identifierType, htype      uint32
	registered                       bool
	identifier, bootfile, tftpServer []byte
}

// Decode reads what the server kept; false where it is not what AppendTo made. It comes from the network. The client's
// bytes are those of context.
func Decode(context []byte) (Verdict, bool) {
	if len(context) == 0 || len(context) > maxContext {
		return Verdict{}, false
	}
	read, ok := readFields(context)
	if !ok || read.form != form {
		return Verdict{}, false
	}
	client, ok := read.client()
	if !ok || read.registered && !client.Known() {
		return Verdict{}, false
	}
	verdict := Verdict{Client: client, Registered: read.registered}
	if read.registered {
		verdict.Overrides = registry.Overrides{Bootfile: string(read.bootfile), TFTPServer: string(read.tftpServer)}
	}
	return verdict, true
}

func (f *fields) client() (identifier.Client, bool) {
	var client identifier.Client
	switch {
	case f.identifierType == 0:
		return client, len(f.identifier) == 0
	case f.identifierType == uint32(identifier.HwAddr):
		client = identifier.Of4(f.htype, f.identifier)
	case f.identifierType == uint32(identifier.DUID):
		client = identifier.Of6(f.identifier)
	}
	return client, client.Known()
}

func readFields(context []byte) (fields, bool) {
	var read fields
	for len(context) > 0 {
		field, kind, length := protowire.ConsumeTag(context)
		if length < 0 {
			return fields{}, false
		}
		context = context[length:]
		length, ok := read.field(field, kind, context)
		if !ok || length < 0 {
			return fields{}, false
		}
		context = context[length:]
	}
	return read, true
}

// field reads one field from the start of context; its length is negative where it is malformed.
func (f *fields) field(field protowire.Number, kind protowire.Type, context []byte) (length int, ok bool) {
	switch field {
	case fieldForm, fieldRegistered, fieldIdentifierType, fieldHType:
		value, length := protowire.ConsumeVarint(context)
		return length, kind == protowire.VarintType && f.setNumber(field, value)
	case fieldIdentifier, fieldBootfile, fieldTFTPServer:
		value, length := protowire.ConsumeBytes(context)
		return length, kind == protowire.BytesType && f.setBytes(field, value)
	}
	return protowire.ConsumeFieldValue(field, kind, context), true
}

func (f *fields) setNumber(field protowire.Number, value uint64) bool {
	switch field {
	case fieldForm:
		f.form = uint32(value)
	case fieldRegistered:
		f.registered = value != 0
	case fieldIdentifierType:
		f.identifierType = uint32(value)
	case fieldHType:
		f.htype = uint32(value)
	}
	return true
}

func (f *fields) setBytes(field protowire.Number, value []byte) bool {
	switch field {
	case fieldIdentifier:
		f.identifier = value
		return true
	case fieldBootfile:
		f.bootfile = value
	case fieldTFTPServer:
		f.tftpServer = value
	}
	return utf8.Valid(value)
}
