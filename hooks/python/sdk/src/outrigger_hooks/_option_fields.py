"""Values of options, one type at a time: bytes to Python and back."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any, NamedTuple

#: Reads a value at an offset; returns it and the offset behind it. ValueError where the bytes are none.
Reader = Callable[[bytes, int], "tuple[Any, int]"]
#: The bytes of a value. ValueError where it cannot be written, TypeError where it has the wrong type.
Writer = Callable[[Any], bytes]


class Psid(NamedTuple):
    """A port set (RFC 7597 §5.1): `psid` is of `length` bits, 0 to 16."""

    psid: int
    length: int

    def __str__(self) -> str:
        return f"{self.psid}/{self.length}"


class Field(NamedTuple):
    """One type of an option's value, or of a field of a record."""

    #: What Python value it is, for error texts.
    wanted: str
    read: Reader
    write: Writer
    #: Kea's form of the value.
    text: Callable[[Any], str]


def _cut_short() -> ValueError:
    return ValueError("the value is cut short")


def escaped(raw: bytes) -> str:
    """Printable: no control characters of a peer."""
    return "".join(_ESCAPES[byte] for byte in raw)


_SPECIAL = {9: "\\t", 10: "\\n", 13: "\\r", 34: '\\"', 39: "\\'", 92: "\\\\"}
_ESCAPES = [_SPECIAL.get(byte, chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}") for byte in range(256)]


def _integer(form: str, least: int, most: int) -> Field:
    packer = struct.Struct(form)
    size = packer.size

    def read(data: bytes, at: int) -> tuple[Any, int]:
        if len(data) < at + size:
            raise _cut_short()
        return packer.unpack_from(data, at)[0], at + size

    def write(value: Any) -> bytes:
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError
        if not least <= value <= most:
            raise ValueError(f"it is not between {least} and {most}")
        return packer.pack(value)

    return Field(f"an int from {least} to {most}", read, write, lambda value: str(int(value)))


def _read_boolean(data: bytes, at: int) -> tuple[Any, int]:
    if len(data) <= at:
        raise _cut_short()
    return data[at] != 0, at + 1


def _write_boolean(value: Any) -> bytes:
    if not isinstance(value, bool):
        raise TypeError
    return b"\x01" if value else b"\x00"


def _address(kind: type[IPv4Address] | type[IPv6Address], size: int, wanted: str) -> Field:
    def read(data: bytes, at: int) -> tuple[Any, int]:
        end = at + size
        if len(data) < end:
            raise _cut_short()
        return kind(data[at:end]), end

    def write(value: Any) -> bytes:
        if isinstance(value, str):
            value = kind(value)
        if not isinstance(value, kind):
            raise TypeError
        packed: bytes = value.packed
        return packed

    return Field(wanted, read, write, str)


def _read_prefix(data: bytes, at: int) -> tuple[Any, int]:
    if len(data) <= at:
        raise _cut_short()
    length = data[at]
    end = at + 1 + (length + 7) // 8
    if length > 128:
        raise ValueError("the prefix is longer than an address")
    if len(data) < end:
        raise ValueError("the prefix is cut short")
    return IPv6Network((data[at + 1 : end].ljust(16, b"\0"), length), strict=False), end


def _write_prefix(value: Any) -> bytes:
    if isinstance(value, str):
        value = IPv6Network(value)
    if not isinstance(value, IPv6Network):
        raise TypeError
    address: bytes = value.network_address.packed
    return bytes((value.prefixlen,)) + address[: (value.prefixlen + 7) // 8]


def _read_psid(data: bytes, at: int) -> tuple[Any, int]:
    if len(data) < at + 3:
        raise _cut_short()
    length = data[at]
    if length > 16:
        raise ValueError("the port set has more than 16 bits")
    return Psid(int.from_bytes(data[at + 1 : at + 3], "big") >> (16 - length), length), at + 3


def _write_psid(value: Any) -> bytes:
    if not isinstance(value, tuple) or len(value) != 2 or not all(isinstance(part, int) for part in value):
        raise TypeError
    psid: int
    length: int
    psid, length = value
    if not 0 <= length <= 16 or not 0 <= psid < 1 << length:
        raise ValueError("a port set has at most 16 bits and a number that fits them")
    return bytes((length,)) + (psid << (16 - length)).to_bytes(2, "big")


def text_of(raw: bytes) -> str:
    """As Python has it; bytes that are no UTF-8 become lone surrogates, which `bytes_of` takes back."""
    return raw.decode("utf-8", "surrogateescape")


def bytes_of(text: str) -> bytes:
    """The bytes of a text."""
    return text.encode("utf-8", "surrogateescape")


def _write_string(value: Any) -> bytes:
    if not isinstance(value, str):
        raise TypeError
    return bytes_of(value)


def _tuple(width: int) -> Field:
    def read(data: bytes, at: int) -> tuple[Any, int]:
        start = at + width
        end = start + int.from_bytes(data[at:start], "big")
        if len(data) < start:
            raise ValueError("the length is cut short")
        if len(data) < end:
            raise ValueError("the text is cut short")
        return text_of(data[start:end]), end

    def write(value: Any) -> bytes:
        raw = _write_string(value)
        most = (1 << 8 * width) - 1
        if len(raw) > most:
            raise ValueError(f"{len(raw)} bytes are more than the {most} that fit")
        return len(raw).to_bytes(width, "big") + raw

    return Field("a str", read, write, lambda value: f'"{escaped(bytes_of(value))}"')


#: A dot inside a label, which is no separator.
_DOT = "\\x2e"
_ESCAPED = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_NAMED = {b"t": b"\t", b"n": b"\n", b"r": b"\r"}


def read_fqdn(data: bytes, at: int) -> tuple[str, int]:
    """A domain name as labels (RFC 1035 §3.1), without compression: "www.example.", "." for the root."""
    labels: list[str] = []
    while True:
        if len(data) <= at:
            raise ValueError("the name does not end")
        length = data[at]
        if length > 63:
            raise ValueError("the name is compressed")
        at += 1
        if length == 0:
            return "".join(labels) or ".", at
        if len(data) < at + length:
            raise ValueError("a label is cut short")
        labels.append(escaped(data[at : at + length]).replace(".", _DOT) + ".")
        at += length


def _unescaped(match: re.Match[bytes]) -> bytes:
    number, character = match.groups()
    return bytes((int(number, 16),)) if number else _NAMED.get(character, character)


def write_fqdn(value: Any) -> bytes:
    """The labels of a domain name; a final dot changes nothing."""
    if not isinstance(value, str):
        raise TypeError
    name = bytes_of(value)
    out = bytearray()
    for label in name.removesuffix(b".").split(b".") if name != b"." else ():
        raw = _ESCAPED.sub(_unescaped, label) if b"\\" in label else label
        if not 1 <= len(raw) <= 63:
            raise ValueError("a domain name has 1 to 63 bytes per label")
        out.append(len(raw))
        out += raw
    out.append(0)
    if len(out) > 255:
        raise ValueError("a domain name has at most 255 bytes")
    return bytes(out)


def _read_rest(data: bytes, at: int) -> tuple[Any, int]:
    return data[at:], len(data)


def _write_binary(value: Any) -> bytes:
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError
    return bytes(value)


def _write_empty(value: Any) -> bytes:
    if value is not True:
        raise TypeError
    return b""


#: Kea's types that need no more than their bytes.
FIELDS: dict[str, Field] = {
    "empty": Field("True", lambda data, at: (True, at), _write_empty, lambda value: ""),
    "binary": Field("bytes", _read_rest, _write_binary, bytes.hex),
    "boolean": Field("a bool", _read_boolean, _write_boolean, lambda value: "true" if value else "false"),
    "int8": _integer("!b", -0x80, 0x7F),
    "int16": _integer("!h", -0x8000, 0x7FFF),
    "int32": _integer("!i", -0x80000000, 0x7FFFFFFF),
    "uint8": _integer("!B", 0, 0xFF),
    "uint16": _integer("!H", 0, 0xFFFF),
    "uint32": _integer("!I", 0, 0xFFFFFFFF),
    "ipv4-address": _address(IPv4Address, 4, "an IPv4Address"),
    "ipv6-address": _address(IPv6Address, 16, "an IPv6Address"),
    "ipv6-prefix": Field("an IPv6Network", _read_prefix, _write_prefix, str),
    "psid": Field("a Psid, (psid, length)", _read_psid, _write_psid, lambda value: f"{value[0]}/{value[1]}"),
    "string": Field(
        "a str",
        lambda data, at: (text_of(data[at:]), len(data)),
        _write_string,
        lambda value: f'"{escaped(bytes_of(value))}"',
    ),
    "fqdn": Field("a str, a domain name", read_fqdn, write_fqdn, str),
}
#: A tuple, by the bytes of its length.
TUPLES: dict[int, Field] = {1: _tuple(1), 2: _tuple(2)}


class Route(NamedTuple):
    """A route of option 121 (RFC 3442)."""

    destination: IPv4Network
    router: IPv4Address


def _read_routes(data: bytes, at: int) -> tuple[Any, int]:
    routes = []
    while at < len(data):
        length = data[at]
        if length > 32:
            raise ValueError("the prefix is longer than an address")
        end = at + 1 + (length + 7) // 8
        if len(data) < end:
            raise ValueError("the prefix is cut short")
        if len(data) < end + 4:
            raise ValueError("the router is cut short")
        prefix = IPv4Network((data[at + 1 : end].ljust(4, b"\0"), length), strict=False)
        routes.append(Route(prefix, IPv4Address(data[end : end + 4])))
        at = end + 4
    return routes, at


def _write_routes(value: Any) -> bytes:
    if not isinstance(value, (list, tuple)):
        raise TypeError
    out = bytearray()
    for route in value:
        if not isinstance(route, tuple) or len(route) != 2:
            raise TypeError
        destination, router = IPv4Network(route[0]), IPv4Address(route[1])
        length = destination.prefixlen
        out.append(length)
        out += destination.network_address.packed[: (length + 7) // 8] + router.packed
    return bytes(out)


class Resolver(NamedTuple):
    """An encrypted resolver of option 162 in DHCPv4 and 144 in DHCPv6 (RFC 9463)."""

    priority: int
    name: str
    #: IPv4Address or IPv6Address, by family.
    addresses: tuple[Any, ...]
    #: Service parameters as they travel (RFC 9460 §2.2): empty where there are none.
    parameters: bytes


def _read_resolver(data: bytes, width: int, address: Field, size: int) -> Resolver:
    if len(data) < 2:
        raise ValueError("the priority is cut short")
    start = 2 + width
    end = start + int.from_bytes(data[2:start], "big")
    if len(data) < start or len(data) < end:
        raise ValueError("the name is cut short")
    name, behind = read_fqdn(data[start:end], 0)
    if behind != end - start:
        raise ValueError("there is something behind the name")
    priority = int.from_bytes(data[:2], "big")
    if end == len(data):
        return Resolver(priority, name, (), b"")
    start, length = end + width, int.from_bytes(data[end : end + width], "big")
    end = start + length
    if len(data) < end or length % size:
        raise ValueError("the addresses are not whole")
    addresses = tuple(address.read(data, at)[0] for at in range(start, end, size))
    return Resolver(priority, name, addresses, data[end:])


def _write_resolver(value: Any, width: int, address: Field) -> bytes:
    if not isinstance(value, tuple) or len(value) != 4:
        raise TypeError
    priority, name, addresses, parameters = value
    labels = write_fqdn(name)
    out = FIELDS["uint16"].write(priority) + len(labels).to_bytes(width, "big") + labels
    if not addresses and not parameters:
        return out
    packed = b"".join(map(address.write, addresses))
    return out + len(packed).to_bytes(width, "big") + packed + _write_binary(parameters)


def _read_resolvers4(data: bytes, at: int) -> tuple[Any, int]:
    resolvers = []
    while at < len(data):
        if len(data) < at + 2:
            raise ValueError("the length is cut short")
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if len(data) < end:
            raise ValueError("the resolver is cut short")
        resolvers.append(_read_resolver(data[at + 2 : end], 1, FIELDS["ipv4-address"], 4))
        at = end
    return resolvers, at


def _write_resolvers4(value: Any) -> bytes:
    if not isinstance(value, list):
        raise TypeError
    written = [_write_resolver(resolver, 1, FIELDS["ipv4-address"]) for resolver in value]
    return b"".join(len(raw).to_bytes(2, "big") + raw for raw in written)


def _internal(wanted: str, read: Reader, write: Writer) -> Field:
    return Field(wanted, read, write, lambda value: write(value).hex())


#: Options whose form no type describes, by family and code.
INTERNAL: dict[tuple[int, int], Field] = {
    (4, 121): _internal("a list of Route, (IPv4Network, IPv4Address)", _read_routes, _write_routes),
    (4, 162): _internal("a list of Resolver", _read_resolvers4, _write_resolvers4),
    (6, 144): _internal(
        "a Resolver",
        lambda data, at: (_read_resolver(data[at:], 2, FIELDS["ipv6-address"], 16), len(data)),
        lambda value: _write_resolver(value, 2, FIELDS["ipv6-address"]),
    ),
}
