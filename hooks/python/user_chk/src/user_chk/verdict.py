"""What was decided about a client, and how it travels with the packet.

The context's wire form is that of a message of Protocol Buffers:

    uint32 form = 1;              // 1
    bool registered = 2;
    uint32 identifier_type = 3;   // 0 none, 1 hardware address, 2 DUID
    uint32 htype = 4;
    bytes identifier = 5;
    string bootfile = 6;
    string tftp_server = 7;

It fits MAX_CONTEXT, because all of it comes from one line of the registry, which is shorter, or is no longer than an
identifier.
"""

from functools import lru_cache
from typing import Any, Final, NamedTuple

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass
from outrigger_hooks.hook_points import MAX_CONTEXT

from .client import Client, client4, client6
from .identifier import LENGTHS, IdentifierType
from .overrides import NONE, Overrides

#: Form of the context. Another version of the service may have made it.
_FORM: Final = 1

_HW_ADDR: Final = 1
_DUID: Final = 2


class Verdict(NamedTuple):
    """What was decided when the packet of a client was received. A reload in between does not change it."""

    #: Whom it is about; None where the packet has no usable identifier.
    client: Client | None
    #: What the client's registration overrides; None: it is not registered.
    registered: Overrides | None


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


# Built by hand, because it is made for every packet: tags with their values, in order.
_UNREGISTERED = b"\x08\x01"
_REGISTERED = b"\x08\x01\x10\x01"
_ETHERNET = b"\x18\x01\x20\x01\x2a"
#: By length of an identifier.
_LENGTHS = tuple(_varint(length) for length in range(LENGTHS[IdentifierType.DUID][1] + 1))


def _client_fields(client: Client | None) -> bytes:
    if client is None:
        return b""
    kind, htype, identifier = client
    if kind is IdentifierType.DUID:
        head = b"\x18\x02\x2a"
    elif htype == 1:
        head = _ETHERNET
    else:
        head = b"\x18\x01\x20" + _varint(htype) + b"\x2a" if htype else b"\x18\x01\x2a"
    return head + _LENGTHS[len(identifier)] + identifier


def _text_field(tag: bytes, text: str) -> bytes:
    if not text:
        return b""
    data = text.encode()
    return tag + _varint(len(data)) + data


def _override_fields(overrides: Overrides) -> bytes:
    return _text_field(b"\x32", overrides.bootfile) + _text_field(b"\x3a", overrides.tftp_server)


def encode(verdict: Verdict) -> bytes:
    """As the server keeps it for later hook points."""
    client, registered = verdict
    if registered is None:
        return _UNREGISTERED + _client_fields(client)
    context = _REGISTERED + _client_fields(client)
    if registered is NONE:
        return context
    return context + _override_fields(registered)


def recall(context: bytes, client: Client | None) -> Verdict | None:
    """The verdict about `client` that the server kept; None where the context is not what `encode` made of one.

    It comes from the network.
    """
    # The usual ones are recognised without being read.
    fields = _client_fields(client)
    if context == _UNREGISTERED + fields:
        return Verdict(client, None)
    registered = _REGISTERED + fields
    if client is not None and context.startswith(registered) and len(context) <= MAX_CONTEXT:
        overrides = _overrides(context[len(registered) :])
        if overrides is not None:
            return Verdict(client, overrides)
    verdict = decode(context)
    return verdict if verdict is not None and verdict.client == client else None


@lru_cache(maxsize=1024)
def _overrides(fields: bytes) -> Overrides | None:
    """The overrides at the end of a context; None where `encode` would not write them so. Many users share few."""
    try:
        kept = _Context.FromString(fields)
    except DecodeError:
        return None
    overrides = Overrides(kept.bootfile, kept.tftp_server)
    return overrides if _override_fields(overrides) == fields else None


def decode(context: bytes) -> Verdict | None:
    """From what the server kept; None where it is not what `encode` made."""
    if not context or len(context) > MAX_CONTEXT:
        return None
    try:
        kept = _Context.FromString(context)
    except DecodeError:
        return None
    if kept.form != _FORM:
        return None
    client = None
    if kept.identifier_type == _HW_ADDR:
        client = client4(kept.htype, kept.identifier)
    elif kept.identifier_type == _DUID:
        client = client6(kept.identifier)
    nobody = kept.identifier_type == 0 and not kept.identifier
    if client is None and (kept.registered or not nobody):
        return None
    return Verdict(client, Overrides(kept.bootfile, kept.tftp_server) if kept.registered else None)


def _message_class() -> Any:
    """Reads a context like every implementation of Protocol Buffers, which made it."""
    optional = FieldDescriptorProto.LABEL_OPTIONAL
    file = FileDescriptorProto(name="user_chk_context.proto", package="user_chk", syntax="proto3")
    message = file.message_type.add(name="Context")
    for number, (name, type_) in enumerate(
        (
            ("form", FieldDescriptorProto.TYPE_UINT32),
            ("registered", FieldDescriptorProto.TYPE_BOOL),
            ("identifier_type", FieldDescriptorProto.TYPE_UINT32),
            ("htype", FieldDescriptorProto.TYPE_UINT32),
            ("identifier", FieldDescriptorProto.TYPE_BYTES),
            ("bootfile", FieldDescriptorProto.TYPE_STRING),
            ("tftp_server", FieldDescriptorProto.TYPE_STRING),
        ),
        start=1,
    ):
        message.field.add(name=name, number=number, type=type_, label=optional)
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName("user_chk.Context"))


_Context = _message_class()
