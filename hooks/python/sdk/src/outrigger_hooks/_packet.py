"""What packets of both families have."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from ._attributes import Attribute, EditableAttribute, integer, packed4, packed6, same, text
from ._rights import Side
from .errors import NotChangeable
from .options import EditableOptions
from .values import Address, read_address

#: Bytes in the name of a client class.
_MAX_CLASS = 128


class Classes(Collection[str]):
    """The client classes that a packet is a member of."""

    __slots__ = ("_names", "_packet")

    def __init__(self, packet: Packet) -> None:
        self._packet = packet
        if packet._classes is None:
            packet._classes = list(packet._message.classes)
        self._names = packet._classes

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return f"<Classes: {', '.join(self._names)}>"


class JoinableClasses(Classes):
    """The client classes that a packet is a member of, and may join. It never leaves one."""

    __slots__ = ()

    def add(self, name: str) -> None:
        """Makes the packet a member. Classes that were decided before are not decided again."""
        changes = self._packet._changed("classes")
        _check_class(name)
        if name not in self._names:
            self._names.append(name)
            changes.add_classes.append(name)

    def add_additional(self, name: str) -> None:
        """Has the server decide, once the lease is known, whether the packet is a member of this class."""
        changes = self._packet._changed("classes")
        _check_class(name)
        if name not in changes.add_additional_classes:
            changes.add_additional_classes.append(name)


def _check_class(name: str) -> None:
    if not isinstance(name, str):
        raise TypeError(f"a client class is a str, not {type(name).__name__}")
    if not name or len(name.encode()) > _MAX_CLASS or any(ord(c) < 32 or 127 <= ord(c) < 160 for c in name):
        raise ValueError(
            f"{name!r} is not the name of a client class: 1 to {_MAX_CLASS} bytes without control characters"
        )


class Link:
    """Where a packet came from or goes to. "local" is always the server's side."""

    __slots__ = ("_packet",)

    def __init__(self, packet: Packet) -> None:
        self._packet = packet

    def _current(self, name: str) -> Any:
        changes = self._packet._changes()
        if changes is not None and name != "interface_index" and name != "local_port" and changes.link.HasField(name):
            return changes.link
        return self._packet._message.link

    def _changed(self, row: str) -> Any:
        return self._packet._changed(row).link

    def _refuse(self, name: str) -> None:
        raise NotChangeable(
            f"{name} of a link cannot be changed; possible are interface, local_address, remote_address, remote_port"
        )

    interface = Attribute[str](same, "Name of the server's interface.")
    interface_index = Attribute[int](same, "Index of the server's interface.")
    local_address = Attribute["Address | None"](read_address, "Address of the server's side.")
    local_port = Attribute[int](same, "Port of the server's side.")
    remote_address = Attribute["Address | None"](read_address, "Address of the other side.")
    remote_port = Attribute[int](same, "Port of the other side.")


class _LinkAddress(EditableAttribute["Address | None", "Address | str"]):
    """An address of the packet's own family."""

    def __init__(self, doc: str) -> None:
        super().__init__(read_address, packed4, "link", doc)

    def __set__(self, of: Any, value: Address | str) -> None:
        changes = of._changed(self.row)
        write = packed4 if of._packet._family == 4 else packed6
        setattr(changes, self.name, write(self.name, value))


class EditableLink(Link):
    """Where a packet goes to, which may be changed."""

    __slots__ = ()

    interface = EditableAttribute[str, str](same, text, "link", "Name of one of the server's interfaces.")
    local_address = _LinkAddress("Address of the server's side.")
    remote_address = _LinkAddress("Address of the other side.")
    remote_port = EditableAttribute[int, int](same, integer(0xFFFF), "link", "Port of the other side.")


class Packet:
    """A packet of either family."""

    __slots__ = ("_classes", "_edited", "_message", "_options", "_result", "_side")

    #: 4 or 6.
    _family: int
    #: Class of its addresses.
    _address: Any

    def __init__(self, message: Any, side: Side, result: Any) -> None:
        self._message = message
        self._side = side
        self._result = result
        #: The changes, once there are some.
        self._edited: Any = None
        self._options: EditableOptions | None = None
        self._classes: list[str] | None = None

    def _changes(self) -> Any:
        return self._edited

    def _changed(self, row: str) -> Any:
        side = self._side
        side.rights.check(f"{side.name}.{row}")
        if self._edited is None:
            self._edited = getattr(self._result.changes, side.field)
        return self._edited

    def _current(self, name: str) -> Any:
        edited = self._edited
        return edited if edited is not None and name in _OPTIONAL and edited.HasField(name) else self._message

    def _refuse(self, name: str) -> None:
        spec = self._side.rights.spec
        possible = ", ".join(spec.changes) or "nothing"
        raise NotChangeable(
            f"{name} of the {self._side.name} cannot be changed at {spec.name}; possible are: {possible}"
        )

    def _all_options(self) -> EditableOptions:
        options = self._options
        if options is None:
            side = self._side
            edits = (self._result, *side.edits)
            options = self._options = EditableOptions(side.space, self._message.options, edits, side.reads)
        return options

    def _all_classes(self) -> JoinableClasses:
        # It is not kept: the packet would hold what holds the packet.
        return JoinableClasses(self)

    @property
    def transaction_id(self) -> int:
        """32 bits in DHCPv4, 24 in DHCPv6."""
        return int(self._message.transaction_id)

    @property
    def wire(self) -> bytes:
        """The datagram as received or packed: at bufferN_receive and bufferN_send; elsewhere empty."""
        return bytes(self._message.wire)


#: Fields of changes whose presence says something.
_OPTIONAL = frozenset(
    ("secs", "flags", "ciaddr", "yiaddr", "siaddr", "sname", "file", "message_type", "hops", "hw_address")
)
