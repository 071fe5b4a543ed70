"""What a user's properties change in a response."""

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from typing import NamedTuple

#: Name of the property with the boot file.
BOOTFILE = "bootfile"
#: Name of the property with the TFTP server.
TFTP_SERVER = "tftp_server"


class OverridesError(ValueError):
    """A property cannot be what its option needs."""


class Overrides(NamedTuple):
    """The properties of one user that change a response; empty ones change nothing."""

    #: Boot file name.
    bootfile: str = ""
    #: TFTP server: a name or address in DHCPv4, addresses in DHCPv6.
    tftp_server: str = ""

    @classmethod
    def of(cls, properties: Mapping[str, str]) -> "Overrides":
        """Those of a user."""
        if not properties:
            return NONE
        return cls(properties.get(BOOTFILE, ""), properties.get(TFTP_SERVER, ""))


#: Changes nothing.
NONE = Overrides()


def tftp_addresses(tftp_server: str) -> list[IPv6Address]:
    """The TFTP servers as DHCPv6 sub-option 32 needs them; Kea writes the text there, which no client can read.

    Raises OverridesError where there is a name among them.
    """
    return [_address(word) for word in map(str.strip, tftp_server.split(",")) if word]


@lru_cache(maxsize=1024)
def packed_tftp_addresses(tftp_server: str) -> bytes:
    """The same as the sub-option has them. Many users share few servers, and reading their text takes a while."""
    return b"".join(address.packed for address in tftp_addresses(tftp_server))


def _address(word: str) -> IPv6Address:
    try:
        # Python's addresses may have a zone, which has no place in an option.
        if "%" not in word:
            return IPv6Address(word)
    except AddressValueError:
        pass
    raise OverridesError(f'{TFTP_SERVER} has "{word}"; DHCPv6 clients need IPv6 addresses, with commas between them')
