"""Subnets as a service sees them."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from outrigger.hooks.v1 import common_pb2

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Subnet:
    """A subnet of the server's configuration."""

    __slots__ = ("_user_context", "id", "interface", "prefix", "shared_network")

    def __init__(
        self,
        id: int,
        prefix: Network,
        shared_network: str = "",
        user_context: Mapping[str, Any] | None = None,
        interface: str = "",
    ) -> None:
        #: Never 0.
        self.id = id
        #: The addresses in it.
        self.prefix = prefix
        #: Name of its shared network; empty where it has none.
        self.shared_network = shared_network
        #: Interface it is directly reachable on; empty where not configured.
        self.interface = interface
        self._user_context = MappingProxyType(dict(user_context or {}))

    @property
    def user_context(self) -> Mapping[str, Any]:
        """What the configuration says in `user-context`; empty where there is none."""
        return self._user_context

    def __repr__(self) -> str:
        return f"Subnet({self.id}, {self.prefix})"


def read_subnet(message: common_pb2.Subnet) -> Subnet:
    """From what the server sent. Raises ValueError where it makes no sense."""
    if message.id == 0:
        raise ValueError("a subnet has the id 0")
    context = json.loads(message.user_context) if message.user_context else {}
    if not isinstance(context, dict):
        raise ValueError(f"the user context of subnet {message.id} is not a JSON object")
    prefix = ipaddress.ip_network(message.prefix)
    return Subnet(message.id, prefix, message.shared_network, context, message.interface)
