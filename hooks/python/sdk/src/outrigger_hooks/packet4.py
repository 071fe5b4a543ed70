"""DHCPv4 packets (RFC 2131) as a callout sees them."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

from outrigger.hooks.v1 import common_pb2

from ._attributes import Attribute, EditableAttribute, address4, integer, packed4, raw, same
from ._packet import Classes, EditableLink, JoinableClasses, Link, Packet
from .options import EditableOptions, Options
from .values import HwAddress, MessageType4

_MAX_HW_ADDRESS = 20
#: Sizes of the header's fields (RFC 2131 §2).
_SNAME = 64
_FILE = 128

Text = bytes | str
SomeAddress = IPv4Address | str


class Packet4(Packet):
    """A DHCPv4 packet that is looked at. Its header is always there, its options as far as the callout reads them."""

    __slots__ = ()
    _family = 4
    _address = IPv4Address

    message_type = Attribute[MessageType4](MessageType4, "Option 53; BOOTP where there is none.")
    hops = Attribute[int](same, "Relays that it passed.")
    secs = Attribute[int](same, "Seconds since the client began.")
    flags = Attribute[int](same, "0x8000 is the broadcast flag.")
    ciaddr = Attribute[IPv4Address](address4, "Address that the client uses; 0.0.0.0 is none.")
    yiaddr = Attribute[IPv4Address](address4, "Address that the client gets; 0.0.0.0 is none.")
    siaddr = Attribute[IPv4Address](address4, "Next server; 0.0.0.0 is none.")
    sname = Attribute[bytes](same, "Server name, without trailing zero bytes.")
    file = Attribute[bytes](same, "Boot file, without trailing zero bytes.")

    @property
    def op(self) -> int:
        """1 from a client, 2 from a server."""
        return int(self._message.op)

    @property
    def giaddr(self) -> IPv4Address:
        """Address of the relay; 0.0.0.0 is none."""
        return address4(self._message.giaddr)

    @property
    def hw_address(self) -> HwAddress:
        """The client's hardware address."""
        message = self._current("hw_address").hw_address
        return HwAddress(message.address, message.htype)

    @property
    def client_id(self) -> bytes | None:
        """Option 61, where the callout reads it; None where there is none."""
        return self._all_options().raw(61)

    @property
    def options(self) -> Options:
        """The options."""
        return self._all_options()

    def vendor_options(self, enterprise: int) -> Options:
        """The vendor's options in option 125 (RFC 3925); empty where there are none."""
        return self._all_options()._vendor(enterprise)

    @property
    def classes(self) -> Classes:
        """The client classes that it is a member of."""
        return self._all_classes()

    @property
    def link(self) -> Link:
        """Where it came from or goes to."""
        return EditableLink(self)

    def __repr__(self) -> str:
        return f"<{self._side.name} {self.message_type.name} of {self.hw_address}>"


class Query4(Packet4):
    """The client's packet, which may join client classes."""

    __slots__ = ()

    @property
    def classes(self) -> JoinableClasses:
        """The client classes that it is a member of, and may join."""
        return self._all_classes()


class _EditableHeader4(Packet4):
    """A DHCPv4 packet whose header and options may be changed."""

    __slots__ = ()

    message_type = EditableAttribute[MessageType4, int](MessageType4, integer(0xFF), "header", "Option 53.")
    hops = EditableAttribute[int, int](same, integer(0xFF), "header", "Relays that it passed.")
    secs = EditableAttribute[int, int](same, integer(0xFFFF), "header", "Seconds since the client began.")
    flags = EditableAttribute[int, int](same, integer(0xFFFF), "header", "0x8000 is the broadcast flag.")
    ciaddr = EditableAttribute[IPv4Address, SomeAddress](address4, packed4, "header", "Address that the client uses.")
    yiaddr = EditableAttribute[IPv4Address, SomeAddress](address4, packed4, "header", "Address that the client gets.")
    siaddr = EditableAttribute[IPv4Address, SomeAddress](address4, packed4, "header", "Next server.")
    sname = EditableAttribute[bytes, Text](
        same, raw(_SNAME), "header", "Server name. At most 63 bytes are safe with old clients; 64 are accepted."
    )
    file = EditableAttribute[bytes, Text](
        same, raw(_FILE), "header", "Boot file. At most 127 bytes are safe with old clients; 128 are accepted."
    )

    @property
    def options(self) -> EditableOptions:
        """The options, which may be changed."""
        return self._all_options()

    def vendor_options(self, enterprise: int) -> EditableOptions:
        """The vendor's options in option 125 (RFC 3925), which may be changed; empty where there are none."""
        return self._all_options()._vendor(enterprise)


class EditableQuery4(_EditableHeader4, Query4):
    """The client's packet, which may be changed before the server looks at it."""

    __slots__ = ()

    @property
    def hw_address(self) -> HwAddress:
        """The client's hardware address. Assigning makes the server take another one for it."""
        message = self._current("hw_address").hw_address
        return HwAddress(message.address, message.htype)

    @hw_address.setter
    def hw_address(self, value: HwAddress | str) -> None:
        changes = self._changed("hw-address")
        changes.hw_address.CopyFrom(write_hw_address(value))


class Response4(_EditableHeader4):
    """The server's packet, which may be changed."""

    __slots__ = ()


class AddressedResponse4(Response4):
    """The server's packet, of which the way that it goes may be changed too."""

    __slots__ = ()

    @property
    def link(self) -> EditableLink:
        """Where it goes to."""
        return EditableLink(self)


class PackedResponse4(Packet4):
    """The server's packet as it is sent: `wire` and `link` are all there is of it."""

    __slots__ = ()

    @property
    def link(self) -> EditableLink:
        """Where it goes to."""
        return EditableLink(self)


def write_hw_address(value: HwAddress | str) -> Any:
    """As it travels. Raises ValueError and TypeError for what is none."""
    if isinstance(value, str):
        value = HwAddress.parse(value)
    if not isinstance(value, HwAddress):
        raise TypeError(f"a hardware address is a HwAddress or a str, not {type(value).__name__}")
    if len(value.address) > _MAX_HW_ADDRESS:
        raise ValueError(f"a hardware address has at most {_MAX_HW_ADDRESS} bytes, not {len(value.address)}")
    return common_pb2.HwAddress(htype=value.htype, address=value.address)
