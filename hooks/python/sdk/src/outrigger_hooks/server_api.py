"""The server's own API, as one service may use it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import grpc.aio

from outrigger.hooks.v1 import service_pb2


class ServerApi:
    """Where the server that loads the service is reached, and what the configuration grants the service there.

    It belongs to one start of the server: keep it, or what is made of it, in the state that `load` returns.
    """

    __slots__ = ("endpoint", "grants", "token")

    def __init__(self, endpoint: str, token: str, grants: tuple[str, ...]) -> None:
        #: "unix:/run/outrigger/dhcp4-api.sock"
        self.endpoint = endpoint
        #: Sent with every call as "authorization: Bearer TOKEN". Not for logs.
        self.token = token
        #: "leases:read", "hosts:write"
        self.grants = grants

    def is_granted(self, grant: str) -> bool:
        """Whether the configuration grants this: "leases:read"."""
        return grant in self.grants

    def channel(self) -> grpc.aio.Channel:
        """A channel for clients in async callouts, made in a running event loop. It sends the token with every call.

        Make one in `load`, not in each callout; it is cheap to keep.
        """
        interceptors: list[grpc.aio.ClientInterceptor] = [_AsyncUnary(self.token), _AsyncStream(self.token)]
        return grpc.aio.insecure_channel(_target(self.endpoint), interceptors=interceptors)

    def blocking_channel(self) -> grpc.Channel:
        """A channel for clients in callouts with `blocking=True`. It sends the token with every call."""
        return grpc.intercept_channel(grpc.insecure_channel(_target(self.endpoint)), _Blocking(self.token))

    def __repr__(self) -> str:
        return f"ServerApi({self.endpoint!r}, grants={self.grants!r})"


def read_server_api(message: service_pb2.ServerApi) -> ServerApi:
    """From what the server sent."""
    return ServerApi(message.endpoint, message.token, tuple(message.grants))


def _target(endpoint: str) -> str:
    """As gRPC writes it: "http://HOST:PORT" is "HOST:PORT"."""
    return endpoint.removeprefix("http://")


class _Details(grpc.ClientCallDetails):
    """Details of a call with other metadata."""

    def __init__(self, details: Any, metadata: tuple[tuple[str, str | bytes], ...]) -> None:
        self.method = details.method
        self.timeout = details.timeout
        self.metadata = metadata
        self.credentials = details.credentials
        self.wait_for_ready = details.wait_for_ready
        self.compression = details.compression


class _Blocking(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):  # type: ignore[type-arg, unused-ignore]
    """Adds the token to the calls of a blocking channel."""

    def __init__(self, token: str) -> None:
        self._authorization = ("authorization", f"Bearer {token}")

    def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return self._send(continuation, client_call_details, request)

    def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return self._send(continuation, client_call_details, request)

    def _send(self, continuation: Callable[[Any, Any], Any], details: Any, request: Any) -> Any:
        return continuation(_Details(details, (*(details.metadata or ()), self._authorization)), request)


class _Async:
    """Adds the token to the calls of an asyncio channel."""

    def __init__(self, token: str) -> None:
        self._authorization = ("authorization", f"Bearer {token}")

    def _details(self, details: grpc.aio.ClientCallDetails) -> grpc.aio.ClientCallDetails:
        metadata = grpc.aio.Metadata(*(details.metadata or ()), self._authorization)
        return grpc.aio.ClientCallDetails(
            details.method, details.timeout, metadata, details.credentials, details.wait_for_ready
        )


class _AsyncUnary(_Async, grpc.aio.UnaryUnaryClientInterceptor):  # type: ignore[type-arg, unused-ignore]
    async def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await continuation(self._details(client_call_details), request)


class _AsyncStream(_Async, grpc.aio.UnaryStreamClientInterceptor):  # type: ignore[type-arg, unused-ignore]
    async def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await continuation(self._details(client_call_details), request)
