"""Packets, leases and subnets written down: for tests, and for `replace_parsed`.

Names are Kea's, values natural: packet4("discover", hw_address="08:00:27:00:00:01", options={"host-name": "a"}).
"""

from __future__ import annotations

import enum
import ipaddress
import json
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Any, TypeVar

from outrigger.hooks.v1 import common_pb2, lease_pb2, packet4_pb2, packet6_pb2

from ._option_codec import Instances, space
from .packet4 import write_hw_address
from .subnet import Subnet
from .values import HwAddress, LeaseState, LeaseType, MessageType4, MessageType6

#: By Kea's name or by code; Instances where there are several of one code.
SomeOptions = Mapping[Any, Any] | None
SomeAddress4 = IPv4Address | str | None
SomeAddress = IPv4Address | IPv6Address | str

E = TypeVar("E", bound=enum.IntEnum)


def packet4(
    message_type: MessageType4 | int | str = "discover",
    *,
    hw_address: HwAddress | str | None = "08:00:27:00:00:01",
    options: SomeOptions = None,
    transaction_id: int = 0x11223344,
    op: int | None = None,
    hops: int = 0,
    secs: int = 0,
    flags: int = 0,
    ciaddr: SomeAddress4 = None,
    yiaddr: SomeAddress4 = None,
    siaddr: SomeAddress4 = None,
    giaddr: SomeAddress4 = None,
    sname: bytes | str = b"",
    file: bytes | str = b"",
    classes: Iterable[str] = (),
    link: common_pb2.Link | None = None,
    wire: bytes = b"",
) -> packet4_pb2.Packet4:
    """A DHCPv4 packet as a service gets it. `message_type` is a name, "discover", or a number; it is no option here."""
    kind = _named(MessageType4, message_type)
    from_server = kind in (MessageType4.OFFER, MessageType4.ACK, MessageType4.NAK)
    return packet4_pb2.Packet4(
        message_type=kind,
        op=(2 if from_server else 1) if op is None else op,
        hops=hops,
        transaction_id=transaction_id,
        secs=secs,
        flags=flags,
        ciaddr=_packed4(ciaddr),
        yiaddr=_packed4(yiaddr),
        siaddr=_packed4(siaddr),
        giaddr=_packed4(giaddr),
        hw_address=None if hw_address is None else write_hw_address(hw_address),
        sname=_raw(sname),
        file=_raw(file),
        options=_options("4:dhcp4", options),
        classes=classes,
        link=link,
        wire=wire,
    )


def packet6(
    message_type: MessageType6 | int | str = "solicit",
    *,
    duid: bytes | str | None = b"\0\3\0\1\x08\0\x27\0\0\1",
    options: SomeOptions = None,
    relays: Iterable[packet6_pb2.Relay6] = (),
    transaction_id: int = 0x112233,
    classes: Iterable[str] = (),
    link: common_pb2.Link | None = None,
    wire: bytes = b"",
) -> packet6_pb2.Packet6:
    """A DHCPv6 packet as a service gets it. `duid`: bytes or "00:03:..."; `relays`: nearest the server first."""
    own: dict[str | int, Any] = {}
    if duid is not None:
        own["clientid"] = bytes.fromhex(duid.replace(":", "")) if isinstance(duid, str) else duid
    own.update(options or {})
    return packet6_pb2.Packet6(
        message_type=_named(MessageType6, message_type),
        transaction_id=transaction_id,
        relays=relays,
        options=_options("6:dhcp6", own),
        classes=classes,
        link=link,
        wire=wire,
    )


def relay6(
    *,
    link_address: IPv6Address | str = "::",
    peer_address: IPv6Address | str = "::",
    hop_count: int = 0,
    options: SomeOptions = None,
    message_type: MessageType6 | int | str = "relay-forw",
) -> packet6_pb2.Relay6:
    """One relay layer of a DHCPv6 packet."""
    return packet6_pb2.Relay6(
        message_type=_named(MessageType6, message_type),
        hop_count=hop_count,
        link_address=IPv6Address(link_address).packed,
        peer_address=IPv6Address(peer_address).packed,
        options=_options("6:dhcp6", options),
    )


def link(
    *,
    interface: str = "eth0",
    interface_index: int = 2,
    local_address: SomeAddress | None = None,
    local_port: int = 0,
    remote_address: SomeAddress | None = None,
    remote_port: int = 0,
) -> common_pb2.Link:
    """Where a packet came from or goes to."""
    return common_pb2.Link(
        interface=interface,
        interface_index=interface_index,
        local_address=b"" if local_address is None else ipaddress.ip_address(local_address).packed,
        local_port=local_port,
        remote_address=b"" if remote_address is None else ipaddress.ip_address(remote_address).packed,
        remote_port=remote_port,
    )


def lease(
    address: SomeAddress | IPv6Network,
    *,
    type: LeaseType | None = None,
    hw_address: HwAddress | str | None = None,
    client_id: bytes = b"",
    duid: bytes = b"",
    iaid: int = 0,
    valid_lifetime: int = 3600,
    preferred_lifetime: int = 0,
    client_last_transmission: int = 0,
    subnet_id: int = 1,
    pool_id: int = 0,
    hostname: str = "",
    fqdn_fwd: bool = False,
    fqdn_rev: bool = False,
    state: LeaseState = LeaseState.DEFAULT,
    user_context: Mapping[str, Any] | None = None,
) -> lease_pb2.Lease:
    """A lease of an address, or of a prefix: "2001:db8:1::/64"."""
    network = ipaddress.ip_network(address)
    first = network.network_address
    whole = network.prefixlen == network.max_prefixlen
    if type is None:
        type = LeaseType.V4 if first.version == 4 else LeaseType.NA if whole else LeaseType.PD
    made = lease_pb2.Lease(
        address=first.packed,
        prefix_length=network.prefixlen,
        iaid=iaid,
        duid=duid,
        client_id=client_id,
        hw_address=None if hw_address is None else write_hw_address(hw_address),
        valid_lifetime=valid_lifetime,
        preferred_lifetime=preferred_lifetime,
        client_last_transmission=client_last_transmission,
        subnet_id=subnet_id,
        pool_id=pool_id,
        hostname=hostname,
        fqdn_fwd=fqdn_fwd,
        fqdn_rev=fqdn_rev,
        user_context="" if user_context is None else json.dumps(dict(user_context)),
    )
    _set_number(made, "type", type)
    _set_number(made, "state", state)
    return made


def subnet(
    id: int,
    prefix: str,
    *,
    shared_network: str = "",
    user_context: Mapping[str, Any] | None = None,
    interface: str = "",
) -> Subnet:
    """A subnet of the server's configuration."""
    return Subnet(id, ipaddress.ip_network(prefix), shared_network, user_context, interface)


def _set_number(message: Any, field: str, value: int) -> None:
    """Protobuf's own enums are ints that the type checker takes for something else."""
    setattr(message, field, int(value))


def _named(kind: type[E], value: E | int | str) -> int:
    if isinstance(value, str):
        name = value.upper().replace("-", "_")
        if name not in kind.__members__:
            known = ", ".join(member.lower().replace("_", "-") for member in kind.__members__)
            raise ValueError(f'there is no message type "{value}"; there are {known}')
        return int(kind[name])
    return int(value)


def _packed4(address: SomeAddress4) -> bytes:
    return b"" if address is None else IPv4Address(address).packed


def _raw(text: bytes | str) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _options(key: str, options: SomeOptions) -> list[common_pb2.Option]:
    made = []
    for name, value in (options or {}).items():
        codec = space(key).find(name)
        for one in value if isinstance(value, Instances) else (value,):
            made.append(common_pb2.Option(code=codec.code, data=codec.encode(one)))
    return made
