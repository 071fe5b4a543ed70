"""DHCPv6 packets (RFC 9915) as a callout sees them, relay layers taken off."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv6Address, IPv6Network
from typing import Any

from ._attributes import Attribute, EditableAttribute, integer
from ._option_codec import space
from ._packet import Classes, EditableLink, JoinableClasses, Link, Packet
from .errors import MalformedOption
from .options import EditableOptions, Options
from .values import MessageType6

_CLIENT_ID = 1
_IA_NA = 3
_IAADDR = 5
_IA_PD = 25
_IAPREFIX = 26


class IaAddress:
    """An address in an IA_NA (RFC 9915 §21.6)."""

    __slots__ = ("address", "options", "preferred_lifetime", "valid_lifetime")

    def __init__(self, options: EditableOptions) -> None:
        #: Its options, to be changed where those of the packet can be.
        self.options = options
        self.address: IPv6Address
        #: Seconds; 0xffffffff is for ever.
        self.preferred_lifetime: int
        #: Seconds; 0xffffffff is for ever.
        self.valid_lifetime: int
        self.address, self.preferred_lifetime, self.valid_lifetime = options.fields

    def __repr__(self) -> str:
        return f"<IaAddress {self.address}, {self.preferred_lifetime}, {self.valid_lifetime}>"


class IaPrefix:
    """A prefix in an IA_PD (RFC 9915 §21.22)."""

    __slots__ = ("options", "preferred_lifetime", "prefix", "valid_lifetime")

    def __init__(self, options: EditableOptions) -> None:
        #: Its options, to be changed where those of the packet can be.
        self.options = options
        #: Seconds; 0xffffffff is for ever.
        self.preferred_lifetime: int
        #: Seconds; 0xffffffff is for ever.
        self.valid_lifetime: int
        self.preferred_lifetime, self.valid_lifetime, length, address = options.fields
        if length > 128:
            raise MalformedOption(f"option iaprefix (26) is malformed: a prefix of {length} bits")
        #: The prefix; what is behind its length counts as zero.
        self.prefix = IPv6Network((address, length), strict=False)

    def __repr__(self) -> str:
        return f"<IaPrefix {self.prefix}, {self.preferred_lifetime}, {self.valid_lifetime}>"


class Ia:
    """An IA_NA or IA_PD (RFC 9915 §21.4, §21.21)."""

    __slots__ = ("iaid", "options", "t1", "t2")

    def __init__(self, options: EditableOptions) -> None:
        #: Its options: addresses, prefixes, a status. To be changed where those of the packet can be.
        self.options = options
        self.iaid: int
        #: Seconds; 0 leaves it to the client.
        self.t1: int
        #: Seconds; 0 leaves it to the client.
        self.t2: int
        self.iaid, self.t1, self.t2 = options.fields

    @property
    def addresses(self) -> list[IaAddress]:
        """Those of an IA_NA."""
        return [IaAddress(options) for options in self.options.all(_IAADDR)]

    @property
    def prefixes(self) -> list[IaPrefix]:
        """Those of an IA_PD."""
        return [IaPrefix(options) for options in self.options.all(_IAPREFIX)]

    def __repr__(self) -> str:
        return f"<Ia {self.iaid}>"


class Relay:
    """One layer of Relay-forward or Relay-reply."""

    __slots__ = ("_edits", "_message", "_options")

    def __init__(self, message: Any, edits: tuple[Any, ...]) -> None:
        self._message = message
        self._edits = edits
        self._options: EditableOptions | None = None

    def _all_options(self) -> EditableOptions:
        if self._options is None:
            self._options = EditableOptions(space("6:dhcp6"), self._message.options, self._edits, None)
        return self._options

    @property
    def message_type(self) -> MessageType6:
        """RELAY_FORW or RELAY_REPL."""
        return MessageType6(self._message.message_type)

    @property
    def hop_count(self) -> int:
        """Relays between this one and the client."""
        return int(self._message.hop_count)

    @property
    def link_address(self) -> IPv6Address:
        """Of the link that the client is on."""
        return IPv6Address(self._message.link_address or bytes(16))

    @property
    def peer_address(self) -> IPv6Address:
        """Of the client, or of the relay before this one."""
        return IPv6Address(self._message.peer_address or bytes(16))

    @property
    def options(self) -> Options:
        """The options, without the relay message."""
        return self._all_options()

    def __repr__(self) -> str:
        return f"<Relay {self.link_address} {self.peer_address}>"


class EditableRelay(Relay):
    """A relay layer whose options may be changed."""

    __slots__ = ()

    @property
    def options(self) -> EditableOptions:
        """The options, without the relay message."""
        return self._all_options()


class Packet6(Packet):
    """A DHCPv6 packet that is looked at. Its header is always there, its options as far as the callout reads them."""

    __slots__ = ("_relays",)
    _family = 6
    _address = IPv6Address

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._relays: list[EditableRelay] | None = None

    message_type = Attribute[MessageType6](MessageType6, "Of the client's or the server's own message.")

    @property
    def duid(self) -> bytes | None:
        """The client's DUID, option 1, where the callout reads it; None where there is none."""
        return self._all_options().raw(_CLIENT_ID)

    @property
    def options(self) -> Options:
        """The options."""
        return self._all_options()

    def vendor_options(self, enterprise: int) -> Options:
        """The vendor's options in option 17 (RFC 9915 §21.17); empty where there are none."""
        return self._all_options()._vendor(enterprise)

    @property
    def ia_na(self) -> list[Ia]:
        """The IA_NAs, in order."""
        return [Ia(options) for options in self._all_options().all(_IA_NA)]

    @property
    def ia_pd(self) -> list[Ia]:
        """The IA_PDs, in order."""
        return [Ia(options) for options in self._all_options().all(_IA_PD)]

    def _all_relays(self) -> list[EditableRelay]:
        if self._relays is None:
            side = self._side
            row = f"{side.name}.relays"
            self._relays = [
                EditableRelay(message, (self._result, side.rights, row, side.field, index))
                for index, message in enumerate(self._message.relays)
            ]
        return self._relays

    @property
    def relays(self) -> Sequence[Relay]:
        """First is the relay nearest the server, last the one nearest the client."""
        return self._all_relays()

    @property
    def classes(self) -> Classes:
        """The client classes that it is a member of."""
        return self._all_classes()

    @property
    def link(self) -> Link:
        """Where it came from or goes to."""
        return EditableLink(self)

    def __repr__(self) -> str:
        return f"<{self._side.name} {self.message_type.name}>"


class Query6(Packet6):
    """The client's packet, which may join client classes."""

    __slots__ = ()

    @property
    def classes(self) -> JoinableClasses:
        """The client classes that it is a member of, and may join."""
        return self._all_classes()


class _EditableOptions6(Packet6):
    """A DHCPv6 packet whose options may be changed, also those of its relays."""

    __slots__ = ()

    @property
    def options(self) -> EditableOptions:
        """The options, which may be changed."""
        return self._all_options()

    def vendor_options(self, enterprise: int) -> EditableOptions:
        """The vendor's options in option 17 (RFC 9915 §21.17), which may be changed; empty where there are none."""
        return self._all_options()._vendor(enterprise)

    @property
    def relays(self) -> Sequence[EditableRelay]:
        """First is the relay nearest the server, last the one nearest the client."""
        return self._all_relays()


class EditableQuery6(_EditableOptions6, Query6):
    """The client's packet, which may be changed before the server looks at it."""

    __slots__ = ()

    message_type = EditableAttribute[MessageType6, int](
        MessageType6, integer(0xFF), "header", "Of the client's own message."
    )


class Response6(_EditableOptions6):
    """The server's packet, which may be changed."""

    __slots__ = ()


class AddressedResponse6(Response6):
    """The server's packet, of which the way that it goes may be changed too."""

    __slots__ = ()

    @property
    def link(self) -> EditableLink:
        """Where it goes to."""
        return EditableLink(self)


class PackedResponse6(Packet6):
    """The server's packet as it is sent: `wire` and `link` are all there is of it."""

    __slots__ = ()

    @property
    def link(self) -> EditableLink:
        """Where it goes to."""
        return EditableLink(self)
