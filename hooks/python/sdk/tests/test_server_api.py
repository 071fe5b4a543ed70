"""The way to the server's own API."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from outrigger.server.v1 import leases_pb2, leases_pb2_grpc
from outrigger_hooks import Hook, Load, Refusal, ServerApi, points
from outrigger_hooks.testing import run


class Leases(leases_pb2_grpc.LeasesServicer):
    """A server that knows one token."""

    def List(self, request: Any, context: Any) -> Any:
        if dict(context.invocation_metadata()).get("authorization") != "Bearer secret":
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "who is it?")
        return leases_pb2.ListLeasesReply(next_cursor=b"more")


@pytest.fixture
def endpoint(tmp_path: Path) -> Any:
    server = grpc.server(ThreadPoolExecutor(2))
    leases_pb2_grpc.add_LeasesServicer_to_server(Leases(), server)  # type: ignore[no-untyped-call]
    endpoint = f"unix:{tmp_path}/api.sock"
    server.add_insecure_port(endpoint)
    server.start()
    yield endpoint
    server.stop(None).wait()


def test_every_call_carries_the_token(endpoint: str) -> None:
    api = ServerApi(endpoint, "secret", ("leases:read",))
    assert api.is_granted("leases:read") and not api.is_granted("leases:write")
    assert "secret" not in repr(api)
    with api.blocking_channel() as channel:
        client: Any = leases_pb2_grpc.LeasesStub(channel)  # type: ignore[no-untyped-call]
        assert [client.List(leases_pb2.ListLeasesRequest()).next_cursor for _ in range(2)] == [b"more"] * 2
    with ServerApi(endpoint, "guess", ()).blocking_channel() as channel:
        client = leases_pb2_grpc.LeasesStub(channel)  # type: ignore[no-untyped-call]
        with pytest.raises(grpc.RpcError, match="who is it"):
            client.List(leases_pb2.ListLeasesRequest())


def test_a_callout_may_ask_the_server(endpoint: str) -> None:
    hook = Hook("asks", "1.0.0")

    @hook.load
    async def load(load: Load) -> Any:
        if load.server_api is None:
            raise Refusal("grant this service leases:read")
        return leases_pb2_grpc.LeasesStub(load.server_api.channel())  # type: ignore[no-untyped-call]

    @hook.pkt4_receive
    async def asks(call: points.Pkt4Receive) -> None:
        for _ in range(2):
            reply = await call.state.List(leases_pb2.ListLeasesRequest())
            call.warn(reply.next_cursor.decode())

    assert run(hook, "pkt4_receive", server_api=ServerApi(endpoint, "secret", ())).warning == "more"
    with pytest.raises(Refusal, match="grant this service leases:read"):
        run(hook, "pkt4_receive")
    failure = run(hook, "pkt4_receive", server_api=ServerApi(endpoint, "guess", ())).failure
    assert failure == "AioRpcError: UNAUTHENTICATED: who is it?"


def test_an_endpoint_may_be_a_host_and_a_port() -> None:
    async def made() -> None:
        async with ServerApi("http://[::1]:1", "x", ()).channel() as channel:
            assert channel.get_state() is not grpc.ChannelConnectivity.SHUTDOWN

    asyncio.run(made())
