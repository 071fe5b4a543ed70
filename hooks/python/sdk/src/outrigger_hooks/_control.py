"""What a worker and its parent say to each other, over a socket pair.

Each message is a JSON object after its length. "kind" is one of:

* `load` with `number`, `key` and `request` (base64): a worker was asked to load; the parent passes it on to the others,
  so that every worker serves every connection of a server;
* `loaded` with `number`: that is done;
* `ready`: the worker takes connections;
* `draining`: the worker takes no further ones;
* `metrics` with `families`: what the worker counted, every second; a worker that is silent is stuck;
* `drain`: the worker is to stop.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from typing import Any, Final

_LENGTH: Final = struct.Struct("!I")

#: Variable of the environment that makes a process a worker: its number and the descriptor of its socket.
VARIABLE: Final = "OUTRIGGER_HOOKS_WORKER"

Message = dict[str, Any]


class Control:
    """One end of the socket pair."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, end: socket.socket) -> Control:
        """Of a connected socket, which it takes over."""
        return cls(*await asyncio.open_unix_connection(sock=end))

    def send(self, message: Message) -> None:
        """Sends as soon as the other end takes it; nothing where it is gone."""
        if not self._writer.is_closing():
            data = json.dumps(message).encode()
            self._writer.write(_LENGTH.pack(len(data)) + data)

    async def sent(self) -> None:
        """Waits until the other end has taken most of what was sent."""
        try:
            await self._writer.drain()
        except ConnectionError:
            # The reader hears of it.
            return

    async def receive(self) -> Message | None:
        """The next message; None where the other end is gone."""
        try:
            (length,) = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
            message: Message = json.loads(await self._reader.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        return message

    def close(self) -> None:
        """The end of it."""
        self._writer.close()
