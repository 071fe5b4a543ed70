"""Leases, hosts and names as a callout sees them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Any

from ._attributes import Attribute, EditableAttribute, flag, integer, same, text
from ._rights import Rights
from .errors import MalformedRequest, NotChangeable
from .values import Address, HwAddress, IdentifierType, LeaseState, LeaseType, read_address

_FOR_EVER = 0xFFFFFFFF
#: Fields whose changes travel.
_OPTIONAL = frozenset(
    ("address", "valid_lifetime", "preferred_lifetime", "hostname", "fqdn_fwd", "fqdn_rev", "user_context")
)

UserContext = Mapping[str, Any] | None


def _read_context(raw: str) -> dict[str, Any] | None:
    if not raw:
        return None
    try:
        context = json.loads(raw)
    except (ValueError, RecursionError):
        context = None
    if not isinstance(context, dict):
        raise MalformedRequest("the user context of the lease is not a JSON object")
    return context


def _write_context(name: str, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} is a mapping or None, not {type(value).__name__}")
    return json.dumps(dict(value), separators=(",", ":"), allow_nan=False)


class Lease:
    """A lease of either family."""

    __slots__ = ("_edited", "_message", "_result", "_rights", "_what")

    def __init__(self, message: Any, what: str, result: Any = None, rights: Rights | None = None) -> None:
        self._message = message
        #: "lease", "old lease", for texts.
        self._what = what
        self._result = result
        self._rights = rights
        self._edited: Any = None

    def _current(self, name: str) -> Any:
        edited = self._edited
        return edited if edited is not None and name in _OPTIONAL and edited.HasField(name) else self._message

    def _changed(self, row: str) -> Any:
        if self._rights is None:
            raise NotChangeable(f"the {self._what} cannot be changed")
        self._rights.check(f"lease.{row}")
        if self._edited is None:
            self._edited = self._result.changes.lease
        return self._edited

    def _refuse(self, name: str) -> None:
        possible = ""
        if self._rights is not None:
            possible = (
                f" at {self._rights.spec.name}; possible are: {', '.join(self._rights.spec.changes) or 'nothing'}"
            )
        raise NotChangeable(f"{name} of the {self._what} cannot be changed{possible}")

    type = Attribute[LeaseType](LeaseType, "What is leased.")
    prefix_length = Attribute[int](same, "32, 128, or the length of the delegated prefix.")
    iaid = Attribute[int](same, "DHCPv6 only.")
    duid = Attribute[bytes](same, "Empty where the client sent none.")
    client_id = Attribute[bytes](same, "DHCPv4 option 61; empty where the client sent none.")
    client_last_transmission = Attribute[int](same, "Seconds since 1970-01-01 UTC.")
    subnet_id = Attribute[int](same, "Id of the subnet that it is of.")
    pool_id = Attribute[int](same, "Id of the pool that it is of.")
    state = Attribute[LeaseState](LeaseState, "Its state.")
    valid_lifetime = Attribute[int](same, "Seconds from client_last_transmission; 0xffffffff is for ever.")
    preferred_lifetime = Attribute[int](
        same, "Seconds from client_last_transmission; 0xffffffff is for ever. DHCPv6 only."
    )
    hostname = Attribute[str](same, "The client's name; empty where it has none.")
    fqdn_fwd = Attribute[bool](same, "Whether the name is in the forward zone, or will be.")
    fqdn_rev = Attribute[bool](same, "Whether the name is in the reverse zone, or will be.")
    user_context = Attribute["dict[str, Any] | None"](_read_context, "A JSON object; None where there is none.")

    @property
    def address(self) -> Address:
        """The address; of a prefix its first one."""
        address = read_address(self._current("address").address)
        if address is None:
            raise MalformedRequest(f"the {self._what} came without an address")
        return address

    @property
    def prefix(self) -> IPv6Network:
        """The delegated prefix; of an address the network of it alone."""
        return IPv6Network((self._current("address").address, self._message.prefix_length), strict=False)

    @property
    def hw_address(self) -> HwAddress:
        """The client's hardware address, where it is known."""
        message = self._message.hw_address
        return HwAddress(message.address, message.htype)

    def __repr__(self) -> str:
        return f"<Lease {self.address}>"


class ExpiredLease(Lease):
    """A lease whose names and user context may be changed."""

    __slots__ = ()

    hostname = EditableAttribute[str, str](same, text, "names", "The client's name; empty where it has none.")
    fqdn_fwd = EditableAttribute[bool, bool](same, flag, "names", "Whether the name is in the forward zone.")
    fqdn_rev = EditableAttribute[bool, bool](same, flag, "names", "Whether the name is in the reverse zone.")
    user_context = EditableAttribute["dict[str, Any] | None", UserContext](
        _read_context, _write_context, "user-context", "A JSON object; None where there is none."
    )


class RenewedLease(ExpiredLease):
    """A lease whose lifetimes, names and user context may be changed."""

    __slots__ = ()

    valid_lifetime = EditableAttribute[int, int](
        same, integer(_FOR_EVER), "lifetimes", "Seconds from client_last_transmission; 0xffffffff is for ever."
    )
    preferred_lifetime = EditableAttribute[int, int](
        same, integer(_FOR_EVER), "lifetimes", "Seconds; 0xffffffff is for ever. DHCPv6 only."
    )


class SelectedLease(RenewedLease):
    """A lease that is not written yet: another address may be chosen too."""

    __slots__ = ()

    @property
    def address(self) -> Address:
        """The address; of a prefix its first one. Another one has to be free and inside the subnet."""
        address = read_address(self._current("address").address)
        if address is None:
            raise MalformedRequest(f"the {self._what} came without an address")
        return address

    @address.setter
    def address(self, value: Address | str) -> None:
        changes = self._changed("address")
        kind = IPv4Address if self._rights is not None and self._rights.spec.family == 4 else IPv6Address
        if isinstance(value, str):
            value = kind(value)
        if not isinstance(value, kind):
            raise TypeError(f"address is an {kind.__name__}, not {type(value).__name__}")
        changes.address = value.packed


class Host:
    """A host reservation."""

    __slots__ = ("_message",)

    def __init__(self, message: Any) -> None:
        self._message = message

    @property
    def identifier_type(self) -> IdentifierType:
        """What it goes by."""
        return IdentifierType(self._message.identifier_type)

    @property
    def identifier(self) -> bytes:
        """Of this client."""
        return bytes(self._message.identifier)

    @property
    def subnet_id(self) -> int | None:
        """None: a global reservation."""
        return self._message.subnet_id or None

    @property
    def resources(self) -> list[str]:
        """What is reserved: "192.0.2.7", "2001:db8::7", "2001:db8:1::/64"."""
        return list(self._message.resources)

    @property
    def hostname(self) -> str:
        """Empty where there is none."""
        return str(self._message.hostname)

    @property
    def client_classes(self) -> list[str]:
        """Classes that the client joins."""
        return list(self._message.client_classes)

    def __repr__(self) -> str:
        return f"<Host {', '.join(self.resources)}>"


class DdnsParameters:
    """How names are decided for the client's subnet and pool."""

    __slots__ = ("_message",)

    def __init__(self, message: Any) -> None:
        self._message = message

    @property
    def send_updates(self) -> bool:
        """Kea's ddns-send-updates."""
        return bool(self._message.send_updates)

    @property
    def override_no_update(self) -> bool:
        """Kea's ddns-override-no-update."""
        return bool(self._message.override_no_update)

    @property
    def override_client_update(self) -> bool:
        """Kea's ddns-override-client-update."""
        return bool(self._message.override_client_update)

    @property
    def replace_client_name(self) -> str:
        """Kea's ddns-replace-client-name: "never", "always", "when-present", "when-not-present"."""
        return str(self._message.replace_client_name)

    @property
    def generated_prefix(self) -> str:
        """Kea's ddns-generated-prefix."""
        return str(self._message.generated_prefix)

    @property
    def qualifying_suffix(self) -> str:
        """Kea's ddns-qualifying-suffix."""
        return str(self._message.qualifying_suffix)
