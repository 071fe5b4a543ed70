"""One process that runs callouts: the gRPC server, from the first connection to the drain."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
import signal
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import grpc
import prometheus_client
from google.protobuf.message import DecodeError
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2

from outrigger.hooks.v1 import service_pb2

from . import _endpoint, _metrics
from ._calls import MAX_IN_FLIGHT, Shared, failure
from ._cli import Settings
from ._control import Control, Message
from ._endpoint import Endpoint, ListenError, OwnSocket, TcpEndpoint, UnixEndpoint
from ._engine import Engine
from ._health import Health
from ._loads import CAPACITY
from ._session import Key, Session, Single
from ._threads import Threads
from ._watchdog import Watchdog
from .hook_points import MAX_MESSAGE

logger = logging.getLogger("outrigger_hooks")

#: Full name of the protocol's service, as health checks ask for it; the empty name is the whole process.
SERVICE: Final = "outrigger.hooks.v1.Callouts"
_REFLECTION_V1: Final = "grpc.reflection.v1.ServerReflection"

#: Seconds that the open calls have when the service is to stop.
GRACE: Final = 5.0
#: Seconds that what is no call, a watched health check for instance, has after that.
_LAST: Final = 0.1
#: Seconds that the other workers have to load a configuration.
_SPREAD: Final = 2.0
#: Seconds between two reports of a worker to its parent.
_REPORT: Final = 1.0

#: Blocking callouts that run at a time, and that wait.
_THREADS: Final = 32
_WAITING: Final = 4096

_OPTIONS: Final = (
    ("grpc.max_receive_message_length", MAX_MESSAGE),
    ("grpc.max_send_message_length", MAX_MESSAGE),
    # Sessions and single calls that one connection may have open; further ones wait at the client.
    ("grpc.max_concurrent_streams", 1024),
    # A peer that vanished without a word is noticed after both.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Servers may ask as often as they like whether the service is there.
    ("grpc.http2.min_ping_interval_without_data_ms", 1_000),
    ("grpc.http2.max_ping_strikes", 0),
    # Two services on one port are a mistake, not a way to share the load.
    ("grpc.so_reuseport", 0),
)


class Server:
    """A process's sessions and calls."""

    def __init__(self, engine: Engine, shared: Shared, control: Control | None) -> None:
        """`control` leads to the parent, where the process is a worker."""
        self._engine = engine
        self._shared = shared
        self._control = control
        self._sessions: set[Session] = set()
        self._singles = 0
        self._loaded: OrderedDict[Key, None] = OrderedDict()
        self._is_draining = False
        self._all_gone = asyncio.Event()
        self._all_gone.set()
        #: Loads that the other workers are asked for, by number.
        self._spreading: dict[int, asyncio.Future[None]] = {}
        self._spread = 0

    def sessions(self) -> int:
        """Sessions that are open."""
        return len(self._sessions)

    def open_calls(self) -> int:
        """Calls without a final reply."""
        return self._singles + sum(len(session.open) for session in list(self._sessions))

    def held(self) -> int:
        """Those of them whose packet is held."""
        return sum(session.held for session in list(self._sessions))

    def drain(self) -> None:
        """No further sessions and loads; asks for no further calls."""
        self._is_draining = True
        for session in self._sessions:
            session.drain()

    async def all_gone(self) -> None:
        """Waits until no session and no call is open."""
        await self._all_gone.wait()

    def methods(self) -> grpc.GenericRpcHandler:
        """The protocol's calls, on bytes: a session decodes and encodes them at less cost than gRPC would."""
        return grpc.method_handlers_generic_handler(
            SERVICE,
            {
                "Load": grpc.unary_unary_rpc_method_handler(self._load),
                "Call": grpc.unary_unary_rpc_method_handler(self._call),
                "Session": grpc.stream_stream_rpc_method_handler(self._session),
            },
        )

    async def _session(self, _: Any, context: Any) -> None:
        if self._is_draining:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the service is about to stop")
        session = Session(self._shared, self._loaded, context)
        self._sessions.add(session)
        self._all_gone.clear()
        try:
            await session.serve()
        finally:
            self._sessions.discard(session)
            self._ended()

    async def _call(self, data: bytes, context: Any) -> bytes:
        try:
            request = service_pb2.CalloutRequest.FromString(data)
        except DecodeError:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"a call of {len(data)} bytes cannot be read")
        if self._singles >= MAX_IN_FLIGHT:
            return failure(request.id, f"more than {MAX_IN_FLIGHT} calls are open").SerializeToString()
        self._singles += 1
        self._all_gone.clear()
        try:
            return await Single(self._shared).ask(request)
        finally:
            self._singles -= 1
            self._ended()

    def _ended(self) -> None:
        if not self._sessions and not self._singles:
            self._all_gone.set()

    async def _load(self, data: bytes, context: Any) -> bytes:
        if self._is_draining:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the service is about to stop")
        try:
            request = service_pb2.LoadRequest.FromString(data)
        except DecodeError:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"a load of {len(data)} bytes cannot be read")
        reply = await self.load(request)
        if self._control is not None and reply.HasField("loaded"):
            await self._load_others(self._control, request, data)
        return reply.SerializeToString()

    async def load(self, request: service_pb2.LoadRequest) -> service_pb2.LoadReply:
        """Makes ready for a configuration, or refuses."""
        reply = await self._engine.load(request)
        if reply.HasField("loaded"):
            reply.loaded.sessions = True
            reply.loaded.max_in_flight = MAX_IN_FLIGHT
            key = _key(request)
            self._loaded.pop(key, None)
            if len(self._loaded) == CAPACITY:
                self._loaded.popitem(last=False)
            self._loaded[key] = None
        return reply

    async def _load_others(self, control: Control, request: service_pb2.LoadRequest, data: bytes) -> None:
        """Every worker serves every connection of the server."""
        self._spread += 1
        number = self._spread
        done = self._spreading[number] = self._shared.loop.create_future()
        encoded = base64.b64encode(data).decode()
        control.send({"kind": "load", "number": number, "key": list(_key(request)), "request": encoded})
        try:
            await asyncio.wait_for(done, _SPREAD)
        except (asyncio.TimeoutError, TimeoutError):
            logger.warning("not every worker has loaded configuration %d in time", request.configuration_revision)
        finally:
            del self._spreading[number]

    async def follow(self, control: Control, stop: Callable[[], None]) -> None:
        """Does what the parent says, until it is gone."""
        while (message := await control.receive()) is not None:
            if message["kind"] == "load":
                await self._load_too(control, message)
            elif message["kind"] == "loaded":
                done = self._spreading.get(message["number"])
                if done is not None and not done.done():
                    done.set_result(None)
            elif message["kind"] == "drain":
                stop()
        # Without its parent nobody reaches the worker.
        logger.error("the parent process is gone")
        os._exit(1)

    async def _load_too(self, control: Control, message: Message) -> None:
        reply = await self.load(service_pb2.LoadRequest.FromString(base64.b64decode(message["request"])))
        if reply.HasField("refusal"):
            logger.error("refused here what another worker has loaded: %s", reply.refusal.text)
        control.send({"kind": "loaded", "number": message["number"]})


def _key(request: service_pb2.LoadRequest) -> Key:
    return request.server.instance_id, request.service_name, request.configuration_revision


async def run(engine: Engine, settings: Settings, control: Control | None, listen: Endpoint) -> None:
    """Serves until SIGTERM, SIGINT or the parent's word. Raises `ListenError`."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Ctrl-C reaches the whole group; the parent sees to its workers.
        if number == signal.SIGINT and control is not None:
            signal.signal(number, signal.SIG_IGN)
        else:
            loop.add_signal_handler(number, _stop_by_signal, stop, number)
    threads = Threads(_THREADS, _WAITING)
    watchdog = Watchdog(loop, threads, settings["stuck_after"])
    shared = Shared(engine, threads, loop)
    server = Server(engine, shared, control)
    prometheus_client.REGISTRY.register(_metrics.HookCollector(shared.counters, server))
    watchdog.start()
    try:
        await engine.start()
        try:
            await _serve(server, Health(engine.hook, ("", SERVICE)), settings, control, listen, stop)
        finally:
            await engine.stop()
    finally:
        watchdog.stop()


def _stop_by_signal(stop: asyncio.Event, number: int) -> None:
    if stop.is_set():
        logger.warning("%s once more: the open calls are cut off", signal.Signals(number).name)
        logging.shutdown()
        os._exit(1)
    stop.set()


async def _serve(
    server: Server,
    health_check: Health,
    settings: Settings,
    control: Control | None,
    listen: Endpoint,
    stop: asyncio.Event,
) -> None:
    grpc_server = grpc.aio.server(options=_OPTIONS)
    await health_check.say()
    health_pb2_grpc.add_HealthServicer_to_server(health_check.servicer, grpc_server)
    _add_reflection(grpc_server)
    grpc_server.add_generic_rpc_handlers((server.methods(),))
    bound, own_socket = _add_port(grpc_server, listen, settings)
    tasks: list[asyncio.Task[None]] = []
    shown = None
    try:
        if settings["metrics"] is not None and control is None:
            shown = _metrics.Endpoint(settings["metrics"], prometheus_client.REGISTRY)
            logger.info("metrics are on http://%s/metrics", shown.address)
        await grpc_server.start()
        await health_check.open()
        if control is not None:
            tasks.append(asyncio.create_task(server.follow(control, stop.set)))
            tasks.append(asyncio.create_task(_report(control)))
            control.send({"kind": "ready"})
        else:
            logger.info("listening on %s", bound)
        await stop.wait()
        logger.info("draining %d sessions", server.sessions())
        if control is not None:
            control.send({"kind": "draining"})
        await health_check.close()
        server.drain()
        try:
            await asyncio.wait_for(server.all_gone(), GRACE)
        except (asyncio.TimeoutError, TimeoutError):
            logger.warning("the grace period is over; %d sessions are cut off", server.sessions())
        await grpc_server.stop(_LAST)
        if control is not None:
            _send_metrics(control)
            await control.sent()
    finally:
        health_check.stop()
        for task in tasks:
            task.cancel()
        if shown is not None:
            shown.close()
        if own_socket is not None:
            own_socket.remove()
    logger.info("stopped")


async def _report(control: Control) -> None:
    while True:
        _send_metrics(control)
        await control.sent()
        await asyncio.sleep(_REPORT)


def _send_metrics(control: Control) -> None:
    control.send({"kind": "metrics", "families": _metrics.families(prometheus_client.REGISTRY)})


def _add_reflection(grpc_server: grpc.aio.Server) -> None:
    """Both versions of server reflection: their messages are the same, and older tools know only the first."""
    names = (SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME, _REFLECTION_V1)
    reflection.enable_server_reflection(names, grpc_server)
    servicer = reflection.aio.ReflectionServicer(names)
    method = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    handler = grpc.method_handlers_generic_handler(_REFLECTION_V1, {"ServerReflectionInfo": method})
    grpc_server.add_generic_rpc_handlers((handler,))


def _add_port(grpc_server: grpc.aio.Server, listen: Endpoint, settings: Settings) -> tuple[Endpoint, OwnSocket | None]:
    """Listens. Returns where, and the file of a unix socket."""
    credentials = tls_credentials(settings)

    def add(address: str) -> int:
        try:
            if credentials is None:
                return grpc_server.add_insecure_port(address)
            return grpc_server.add_secure_port(address, credentials)
        except RuntimeError as error:
            # gRPC logs why; its exception only repeats the address.
            raise ListenError(f"cannot listen on {listen}: it is in use, or no address of this machine") from error

    if isinstance(listen, UnixEndpoint):
        # gRPC would remove whatever is there, and serve before the socket has its mode.
        with _endpoint.unix_place(listen.path) as place:
            add(f"unix:{place}")
        return listen, OwnSocket(listen.path)
    return TcpEndpoint(listen.host, add(listen.address), listen.tls), None


def tls_credentials(settings: Settings) -> grpc.ServerCredentials | None:
    """None without TLS. Raises `ListenError` where a file cannot be read."""
    certificate, key, anchor = (settings[name] for name in ("tls_cert_file", "tls_key_file", "tls_trust_anchor"))
    if certificate is None or key is None:
        return None
    chain = _read(certificate)
    trusted = None if anchor is None else _read(anchor)
    return grpc.ssl_server_credentials(
        [(_read(key), chain)], root_certificates=trusted, require_client_auth=trusted is not None
    )


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ListenError(f"cannot read {path}: {error.strerror or error}") from error
