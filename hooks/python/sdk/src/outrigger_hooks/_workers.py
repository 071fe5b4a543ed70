"""The parent of worker processes: starts them, hands connections to them, and starts again those that end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any, Final

from prometheus_client import CollectorRegistry

from . import _endpoint, _metrics
from ._cli import Settings
from ._control import VARIABLE, Control, Message
from ._endpoint import Endpoint, ListenError
from ._loads import CAPACITY
from ._relay import Half
from ._watchdog import EXIT_STUCK

logger = logging.getLogger("outrigger_hooks")

#: Seconds before a worker is started again: the first time, and at most.
_FIRST_DELAY: Final = 0.1
_LAST_DELAY: Final = 10.0
#: A worker that lived so long, in seconds, has not ended because of how it starts.
_LIVED: Final = 30.0
#: Seconds that workers have to drain, beyond their own grace period.
_END: Final = 8.0
#: Seconds without a report, after which connections go to other workers.
_SILENT: Final = 3.0
#: Seconds that a connection waits for a worker.
_WAIT: Final = 10.0
#: Connections that wait for a worker.
_WAITING: Final = 1024


class Worker:
    """One of the processes."""

    def __init__(self, number: int, folder: Path) -> None:
        self.number = number
        self.path = folder / f"{number}.sock"
        self.process: asyncio.subprocess.Process | None = None
        self.control: Control | None = None
        #: Whether it takes connections.
        self.is_ready = False
        self.connections = 0
        self._heard = 0.0

    def hear(self) -> None:
        """It has said something."""
        self._heard = time.monotonic()

    def is_silent(self) -> bool:
        """Whether a callout may be keeping it from everything else."""
        return time.monotonic() - self._heard > _SILENT


class Parent:
    """All of them."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._workers = [Worker(number, folder) for number in range(1, settings["workers"] + 1)]
        self._stop = asyncio.Event()
        self._ready_or_over = asyncio.Event()
        self._changed = asyncio.Condition()
        self._waiting = 0
        #: What servers loaded, for workers that start later: request by key.
        self._loads: OrderedDict[str, str] = OrderedDict()
        #: Loads that are under way: who asked, its number, and those that have not loaded yet.
        self._spreading: dict[int, tuple[Worker, int, set[Worker]]] = {}
        self._numbers = 0
        self._relays: set[asyncio.Task[None]] = set()
        #: Why the service cannot start.
        self.broken: str | None = None
        self._was_ready = False
        self.sums = _metrics.Sums()

    def heed_signals(self) -> None:
        """From now on they drain the service instead of ending it at once."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stop_by_signal, number)

    async def run(self, endpoint: Endpoint) -> None:
        """Until SIGTERM or SIGINT, or until no worker can be started. Raises `ListenError`."""
        loop = asyncio.get_running_loop()
        keepers = [asyncio.create_task(self._keep(worker)) for worker in self._workers]
        server = own_socket = None
        try:
            # Whoever sees the socket takes the service for ready.
            await self._ready_or_over.wait()
            if not self._stop.is_set():
                listener, bound, own_socket = _endpoint.bind(endpoint)
                server = await loop.create_server(self._accept, sock=listener)
                logger.info("listening on %s", bound)
            await self._stop.wait()
        finally:
            await self._drain(keepers)
            if server is not None:
                server.close()
            if own_socket is not None:
                own_socket.remove()
            for relay in self._relays:
                relay.cancel()

    async def _drain(self, keepers: list[asyncio.Task[None]]) -> None:
        self._end()
        logger.info("draining %d workers", len(self._workers))
        for worker in self._workers:
            if worker.control is not None:
                worker.control.send({"kind": "drain"})
        _, late = await asyncio.wait(keepers, timeout=_END)
        if late:
            logger.warning("%d workers do not end; they are killed", len(late))
            self._kill()
            await asyncio.wait(late)

    def _end(self) -> None:
        self._stop.set()
        self._ready_or_over.set()

    def _stop_by_signal(self, number: int) -> None:
        if self._stop.is_set():
            logger.warning("%s once more: the open calls are cut off", signal.Signals(number).name)
            self._kill()
            logging.shutdown()
            os._exit(1)
        self._end()

    def _kill(self) -> None:
        for worker in self._workers:
            if worker.process is not None and worker.process.returncode is None:
                worker.process.kill()

    # Processes

    async def _keep(self, worker: Worker) -> None:
        delay = _FIRST_DELAY
        while not self._stop.is_set():
            started = time.monotonic()
            process, control = await self._start(worker)
            reading = asyncio.create_task(self._listen_to(worker, process.pid, control))
            code = await process.wait()
            await reading
            await self._ended(worker)
            if self._stop.is_set():
                return
            ending = f"worker {worker.number} (process {process.pid}) {_how(code)}"
            if not self._was_ready:
                self.broken = f"{ending} before it was ready"
                self._end()
                return
            if time.monotonic() - started > _LIVED:
                delay = _FIRST_DELAY
            logger.error("%s; another one is started in %g s", ending, delay)
            try:
                await asyncio.wait_for(self._stop.wait(), delay)
            except (asyncio.TimeoutError, TimeoutError):
                delay = min(delay * 2, _LAST_DELAY)

    async def _start(self, worker: Worker) -> tuple[asyncio.subprocess.Process, Control]:
        ours, theirs = socket.socketpair()
        with theirs:
            environment = {**os.environ, VARIABLE: f"{theirs.fileno()} {worker.path}"}
            # The same interpreter with the same options and arguments.
            process = await asyncio.create_subprocess_exec(
                sys.executable, *sys.orig_argv[1:], env=environment, pass_fds=[theirs.fileno()]
            )
        worker.process = process
        worker.control = control = await Control.open(ours)
        for request in self._loads.values():
            control.send({"kind": "load", "number": 0, "request": request})
        if self._stop.is_set():
            control.send({"kind": "drain"})
        return process, control

    async def _listen_to(self, worker: Worker, pid: int, control: Control) -> None:
        while (message := await control.receive()) is not None:
            worker.hear()
            kind = message["kind"]
            if kind == "ready":
                self._was_ready = worker.is_ready = True
                logger.info("worker %d is process %d", worker.number, pid)
                self._ready_or_over.set()
                async with self._changed:
                    self._changed.notify_all()
            elif kind == "draining" and not self._stop.is_set():
                # It alone was told to stop.
                worker.is_ready = False
                logger.info("worker %d takes no further connections", worker.number)
            elif kind == "load":
                self._spread(worker, message)
            elif kind == "loaded":
                self._loaded(worker, message["number"])
            elif kind == "metrics":
                self.sums.update(worker, message["families"])
        control.close()

    async def _ended(self, worker: Worker) -> None:
        worker.is_ready = False
        worker.control = None
        self.sums.end(worker)
        for number in list(self._spreading):
            self._loaded(worker, number)

    # Loads

    def _spread(self, origin: Worker, message: Message) -> None:
        """Passes a load on to the other workers."""
        key = repr(message["key"])
        self._loads.pop(key, None)
        if len(self._loads) == CAPACITY:
            self._loads.popitem(last=False)
        self._loads[key] = message["request"]
        self._numbers += 1
        others = {worker for worker in self._workers if worker is not origin and worker.control is not None}
        missing = {worker for worker in others if not worker.is_silent()}
        self._spreading[self._numbers] = (origin, message["number"], missing)
        for worker in others:
            if worker.control is not None:
                worker.control.send({"kind": "load", "number": self._numbers, "request": message["request"]})
        self._loaded(origin, self._numbers)

    def _loaded(self, worker: Worker, number: int) -> None:
        """Tells the worker that was asked first when the last one has loaded."""
        if number not in self._spreading:
            return
        origin, asked, missing = self._spreading[number]
        missing.discard(worker)
        if not missing or origin.control is None:
            del self._spreading[number]
            if origin.control is not None:
                origin.control.send({"kind": "loaded", "number": asked})

    # Connections

    def _accept(self) -> Half:
        client = _Client(self)
        return client

    def join(self, client: Half) -> None:
        """Finds a worker for a new connection."""
        relay = asyncio.get_running_loop().create_task(self._join(client))
        self._relays.add(relay)
        relay.add_done_callback(self._relays.discard)

    async def _join(self, client: Half) -> None:
        if self._waiting >= _WAITING:
            client.close()
            return
        self._waiting += 1
        try:
            worker_side = await asyncio.wait_for(self._connect(), _WAIT)
        except (asyncio.TimeoutError, TimeoutError):
            logger.warning("no worker for a connection within %g s", _WAIT)
            client.close()
            return
        finally:
            self._waiting -= 1
        client.join(worker_side)

    async def _connect(self) -> Half:
        """A connection to the worker with the fewest."""
        loop = asyncio.get_running_loop()
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: any(worker.is_ready for worker in self._workers))
            ready = [worker for worker in self._workers if worker.is_ready]
            worker = min(ready, key=lambda worker: (worker.is_silent(), worker.connections))
            worker.connections += 1

            def ended(worker: Worker = worker) -> None:
                worker.connections -= 1

            try:
                _, half = await loop.create_unix_connection(lambda: Half(ended), str(worker.path))
            except OSError:
                # It has just ended.
                ended()
                worker.is_ready = False
                continue
            return half


class _Client(Half):
    """The side of whoever connected."""

    def __init__(self, parent: Parent) -> None:
        super().__init__(lambda: None)
        self._parent = parent

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._parent.join(self)


def _how(code: int) -> str:
    """How a process ended."""
    if code == EXIT_STUCK:
        return "was stuck"
    if code < 0:
        try:
            return f"was ended by {signal.Signals(-code).name}"
        except ValueError:
            return f"was ended by signal {-code}"
    return f"ended with exit code {code}"


async def supervise(settings: Settings, endpoint: Endpoint, folder: Path) -> None:
    """Serves until SIGTERM or SIGINT. Raises `ListenError`. `folder` is for the workers' sockets."""
    parent = Parent(settings, folder)
    # Before the log says anything that somebody waits for.
    parent.heed_signals()
    shown = None
    try:
        if settings["metrics"] is not None:
            registry: Any = CollectorRegistry()
            registry.register(parent.sums)
            shown = _metrics.Endpoint(settings["metrics"], registry)
            logger.info("metrics are on http://%s/metrics", shown.address)
        await parent.run(endpoint)
    finally:
        if shown is not None:
            shown.close()
    if parent.broken is not None:
        raise ListenError(parent.broken)
    logger.info("stopped")
