"""One configuration of a server that loads the service."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal

from outrigger.hooks.v1 import service_pb2

from ._paths import checked_paths
from .errors import HookDefinitionError, MalformedRequest
from .hook_points import SPECS, HookPoint
from .server_api import ServerApi, read_server_api
from .subnet import Subnet, read_subnet

#: Hook points by Kea's name; $command also as "command".
POINTS: Mapping[str, HookPoint] = MappingProxyType(
    {**{spec.name: point for point, spec in SPECS.items()}, "command": HookPoint.COMMAND}
)


class Load:
    """Who asks, and with which parameters."""

    __slots__ = (
        "_subscribed",
        "family",
        "instance_id",
        "parameters",
        "revision",
        "server_api",
        "server_name",
        "server_version",
        "service_name",
        "subnets",
    )

    def __init__(self, request: service_pb2.LoadRequest, subscribed: dict[HookPoint, Paths]) -> None:
        server = request.server
        if server.family not in (4, 6):
            raise MalformedRequest("the server does not say who it is")
        #: Of the server.
        self.family: Literal[4, 6] = 4 if server.family == 4 else 6
        #: "parameters" of the configuration.
        self.parameters: dict[str, Any] = _parameters(request.parameters)
        #: Changes with every change of the configuration.
        self.revision = request.configuration_revision
        #: Name that the server's configuration gives this service.
        self.service_name = request.service_name
        #: Host name of the server's machine.
        self.server_name = server.name
        #: "0.1.0"
        self.server_version = server.version
        #: Differs for each start of a server.
        self.instance_id = server.instance_id
        #: By id.
        self.subnets: Mapping[int, Subnet] = _subnets(request)
        #: Where the server itself is reached; None where the configuration grants the service nothing there.
        self.server_api: ServerApi | None = (
            read_server_api(request.server_api) if request.HasField("server_api") else None
        )
        self._subscribed = subscribed

    def narrow(self, point: str, *, reads: Iterable[str] | None = None, writes: Iterable[str] | None = None) -> None:
        """For this configuration, the callout at this hook point reads and writes less. What is not given stays."""
        known = self._known(point)
        paths = self._subscribed.get(known)
        if paths is None:
            raise HookDefinitionError(f"there is no callout for {point} to narrow")
        self._subscribed[known] = Paths(
            paths.reads if reads is None else checked_paths(known, "read", reads),
            paths.writes if writes is None else checked_paths(known, "change", writes),
        )

    def leave_out(self, point: str) -> None:
        """For this configuration, the server does not call the service at this hook point."""
        self._subscribed.pop(self._known(point), None)

    def _known(self, point: str) -> HookPoint:
        if point not in POINTS:
            raise HookDefinitionError(f'there is no hook point "{point}"')
        return POINTS[point]

    def __repr__(self) -> str:
        return f"Load(family={self.family}, service_name={self.service_name!r}, revision={self.revision})"


class Paths:
    """What a callout reads and writes, as it travels."""

    __slots__ = ("reads", "writes")

    def __init__(self, reads: tuple[str, ...], writes: tuple[str, ...]) -> None:
        #: Empty: every argument.
        self.reads = reads
        #: Empty: nothing.
        self.writes = writes


def _parameters(text: str) -> dict[str, Any]:
    if not text:
        return {}
    try:
        parameters = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedRequest(f"the parameters are not JSON: {error}") from None
    # A server whose configuration has none says null.
    if parameters is None:
        return {}
    if not isinstance(parameters, dict):
        raise MalformedRequest("the parameters are not a JSON object")
    return parameters


def _subnets(request: service_pb2.LoadRequest) -> Mapping[int, Subnet]:
    try:
        return MappingProxyType({subnet.id: read_subnet(subnet) for subnet in request.subnets})
    except (ValueError, RecursionError) as error:
        raise MalformedRequest(f"the server sent a subnet that makes no sense: {error}") from None
