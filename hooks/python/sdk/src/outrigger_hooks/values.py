"""Small values that packets, leases and hosts share."""

from __future__ import annotations

import enum
from ipaddress import IPv4Address, IPv6Address

Address = IPv4Address | IPv6Address


class HwAddress:
    """A hardware address: IANA's hardware type, 1 for Ethernet, and at most 20 bytes."""

    __slots__ = ("address", "htype")

    def __init__(self, address: bytes, htype: int = 1) -> None:
        self.htype = htype
        self.address = address

    @classmethod
    def parse(cls, text: str, htype: int = 1) -> HwAddress:
        """From "08:00:27:00:00:01"; hyphens and nothing at all may stand between the bytes too."""
        try:
            return cls(bytes.fromhex(text.replace(":", "").replace("-", "")), htype)
        except ValueError:
            raise ValueError(f'"{text}" is not a hardware address such as 08:00:27:00:00:01') from None

    def __str__(self) -> str:
        return self.address.hex(":")

    def __repr__(self) -> str:
        return f"HwAddress.parse('{self}', htype={self.htype})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, HwAddress):
            return NotImplemented
        return self.address == other.address and self.htype == other.htype

    def __hash__(self) -> int:
        return hash((self.address, self.htype))

    def __bool__(self) -> bool:
        return bool(self.address)


class _OpenEnum(enum.IntEnum):
    """Numbers that have names, and those that have none."""

    @classmethod
    def _missing_(cls, value: object) -> _OpenEnum | None:
        if not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        member._name_ = f"UNKNOWN_{value}"
        member._value_ = value
        return member


class MessageType4(_OpenEnum):
    """DHCPv4 message types (option 53)."""

    BOOTP = 0
    DISCOVER = 1
    OFFER = 2
    REQUEST = 3
    DECLINE = 4
    ACK = 5
    NAK = 6
    RELEASE = 7
    INFORM = 8
    LEASEQUERY = 10


class MessageType6(_OpenEnum):
    """DHCPv6 message types (RFC 9915 §7.3)."""

    UNSPECIFIED = 0
    SOLICIT = 1
    ADVERTISE = 2
    REQUEST = 3
    CONFIRM = 4
    RENEW = 5
    REBIND = 6
    REPLY = 7
    RELEASE = 8
    DECLINE = 9
    RECONFIGURE = 10
    INFORMATION_REQUEST = 11
    RELAY_FORW = 12
    RELAY_REPL = 13
    ADDR_REG_INFORM = 36
    ADDR_REG_REPLY = 37


class IdentifierType(_OpenEnum):
    """What a host reservation goes by."""

    UNSPECIFIED = 0
    HW_ADDRESS = 1
    #: DHCPv4: inside an RFC 4361 client identifier.
    DUID = 2
    #: DHCPv4 option 82.1.
    CIRCUIT_ID = 3
    #: DHCPv4 option 61.
    CLIENT_ID = 4
    #: What a callout makes of the packet.
    FLEX_ID = 5


class LeaseType(_OpenEnum):
    """What is leased."""

    UNSPECIFIED = 0
    V4 = 1
    #: An address in an IA_NA.
    NA = 2
    #: A prefix in an IA_PD.
    PD = 3


class LeaseState(_OpenEnum):
    """State of a lease."""

    DEFAULT = 0
    DECLINED = 1
    EXPIRED_RECLAIMED = 2
    RELEASED = 3
    REGISTERED = 4


class Modification(_OpenEnum):
    """What became of a part of the configuration."""

    UNSPECIFIED = 0
    CREATE = 1
    UPDATE = 2
    DELETE = 3


def read_address(raw: bytes) -> Address | None:
    """4 or 16 bytes; None where there are none."""
    if not raw:
        return None
    return IPv4Address(raw) if len(raw) == 4 else IPv6Address(raw)
