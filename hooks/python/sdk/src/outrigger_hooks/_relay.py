"""Passes the bytes of a connection on to a worker, and back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, cast

#: Bytes that wait for a slow peer before the other one is no longer read.
_WAITING: Final = 256 * 1024


class Half(asyncio.Protocol):
    """One side of a connection; what it receives it writes to the other side."""

    def __init__(self, ended: Callable[[], None]) -> None:
        """`ended` is called once this side is closed."""
        self._ended = ended
        self._other: Half | None = None
        self._transport: asyncio.Transport | None = None

    def join(self, other: Half) -> None:
        """From now on the bytes of each go to the other."""
        self._other, other._other = other, self
        for half in (self, other):
            transport = half.transport
            if transport is None or transport.is_closing():
                self.close()
                other.close()
                return
            transport.set_write_buffer_limits(_WAITING)
            transport.resume_reading()

    @property
    def transport(self) -> asyncio.Transport | None:
        """None before the connection is made."""
        return self._transport

    def close(self) -> None:
        """Closes this side, after what was written to it is sent."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        # Python 3.10 starts to read after this call even where it paused: the pause comes right behind that start, and
        # before anything that there is to read.
        asyncio.get_running_loop().call_soon(self._hold)

    def _hold(self) -> None:
        """Nothing is read before there is somebody to read for."""
        if self._other is None and self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        other = self._other
        if other is not None and other._transport is not None:
            other._transport.write(data)

    def pause_writing(self) -> None:
        self._pause_other(True)

    def resume_writing(self) -> None:
        self._pause_other(False)

    def _pause_other(self, pause: bool) -> None:
        if self._other is None or self._other._transport is None or self._other._transport.is_closing():
            return
        if pause:
            self._other._transport.pause_reading()
        else:
            self._other._transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        if self._other is not None:
            self._other.close()
        self._ended()
