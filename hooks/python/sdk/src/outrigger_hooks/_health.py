"""What the health check says (grpc.health.v1)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence

from grpc_health.v1 import health, health_pb2

from .hook import Hook

logger = logging.getLogger("outrigger_hooks")


class Health:
    """Says SERVING while the service is open and its hook is ready, NOT_SERVING otherwise."""

    def __init__(self, hook: Hook, names: Sequence[str]) -> None:
        """Not open yet. `names` are the services that it speaks for."""
        self.servicer = health.aio.HealthServicer()
        self._hook = hook
        self._names = names
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._is_open = False
        self._follower: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """The service takes calls."""
        self._is_open = True
        self._hook._watch_readiness(self._note)
        await self.say()
        self._follower = self._loop.create_task(self._follow())

    async def close(self) -> None:
        """The service drains. Once it is closed, what the hook says changes nothing."""
        self._is_open = False
        self.stop()
        await self.say()

    def stop(self) -> None:
        """Listens to the hook no longer."""
        self._hook._watch_readiness(None)
        if self._follower is not None:
            self._follower.cancel()

    def _note(self) -> None:
        """Any thread may call it."""
        # The loop may be closed: the service is over, and nobody asks any more.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._changed.set)

    async def _follow(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            logger.info("the hook says that it is %s", "ready" if self._hook._is_ready else "not ready")
            await self.say()

    async def say(self) -> None:
        """Says what holds now."""
        serving = self._is_open and self._hook._is_ready
        statuses = health_pb2.HealthCheckResponse
        for name in self._names:
            await self.servicer.set(name, statuses.SERVING if serving else statuses.NOT_SERVING)
