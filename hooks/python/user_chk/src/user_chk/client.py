"""Whom a packet is from."""

from typing import NamedTuple

from .identifier import LENGTHS, IdentifierType

_HW_ADDR_MAX = LENGTHS[IdentifierType.HW_ADDR][1]
_DUID_MIN, _DUID_MAX = LENGTHS[IdentifierType.DUID]


class Client(NamedTuple):
    """A client with an identifier that can be looked up. Two are equal when all of it is."""

    kind: IdentifierType
    #: Hardware type of a DHCPv4 client (IANA's ARP registry); 0 of a DHCPv6 one.
    htype: int
    #: The bytes to look up.
    identifier: bytes

    def __str__(self) -> str:
        """As in the outcome file: `hwtype=1 52:54:00:0a:0b:01`, or the colon-separated DUID."""
        text = self.identifier.hex(":")
        return f"hwtype={self.htype} {text}" if self.kind is IdentifierType.HW_ADDR else text


def client4(htype: int, address: bytes) -> Client | None:
    """The client of a DHCPv4 query; None where it sent no hardware address, or one that is none."""
    if 0 < len(address) <= _HW_ADDR_MAX and htype <= 0xFFFF:
        return Client(IdentifierType.HW_ADDR, htype, address)
    return None


def client6(duid: bytes | None) -> Client | None:
    """The client of a DHCPv6 query; None without option 1, or with one that is no DUID."""
    if duid is not None and _DUID_MIN <= len(duid) <= _DUID_MAX:
        return Client(IdentifierType.DUID, 0, duid)
    return None
