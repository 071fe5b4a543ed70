"""One session: calls in, replies out.

One task reads and runs each callout in place; only a callout that has to wait becomes a task or goes to a thread.
Whatever is finished while a message is being written goes out with the next one.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Container
from typing import Any, Final

import grpc
from google.protobuf.message import DecodeError

from outrigger.hooks.v1 import service_pb2

from ._calls import MAX_IN_FLIGHT, Calls, Shared

logger = logging.getLogger("outrigger_hooks")

#: Replies of one message at most: the first ones are on their way sooner.
_BATCH: Final = 256
#: Bytes of one message at most, a single larger reply excepted.
_BATCH_BYTES: Final = 256 * 1024
#: Replies wait at most this long, in seconds, for the rest of their batch of calls.
_FLUSH_AFTER: Final = 0.002
#: Replies wait at most this long, in seconds, for those to calls of the next messages.
_GATHER: Final = 0.001

_WELCOME: Final = service_pb2.ServiceMessage(welcome=service_pb2.Welcome()).SerializeToString()
_DRAIN: Final = service_pb2.ServiceMessage(drain=service_pb2.Drain()).SerializeToString()

#: A configuration of a server: instance id, service name, revision.
Key = tuple[str, str, int]

#: Why a session is broken off: a status.
End = tuple[grpc.StatusCode, str]
#: It is not.
_GO_ON: Final[End] = (grpc.StatusCode.OK, "")


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


#: Before each reply of a batch: `replies`, and the length.
_PREFIXES: Final = tuple(b"\x0a" + _varint(length) for length in range(4096))


def _framed(reply: bytes) -> bytes:
    """An encoded reply as an element of a `ReplyBatch`. A copy into a message would cost more than the encoding."""
    length = len(reply)
    return (_PREFIXES[length] if length < 4096 else b"\x0a" + _varint(length)) + reply


def _message(frames: list[bytes]) -> bytes:
    """A `ServiceMessage` with these elements of a `ReplyBatch`."""
    batch = b"".join(frames)
    return b"\x12" + _varint(len(batch)) + batch


class Session(Calls):
    """One stream."""

    def __init__(
        self, shared: Shared, loaded: Container[Key], context: Any, max_in_flight: int = MAX_IN_FLIGHT
    ) -> None:
        """`loaded` are the configurations that a session may be opened for; `context` is gRPC's."""
        super().__init__(shared, can_park=True)
        self._loaded = loaded
        self._context = context
        self._max_in_flight = max_in_flight
        self._notices = [_WELCOME]
        self._frames: list[bytes] = []
        self._bytes = 0
        self._writing = False
        #: A writer beside the reader.
        self._writer: asyncio.Task[None] | None = None
        self._waiter: asyncio.Future[None] | None = None
        #: Replies sent so far.
        self._sent = 0
        #: How many replies to gather before the next message is sent, and since when.
        self._wanted = 0
        self._since = 0.0
        self._is_greeted = False
        self._is_drained = False

    async def serve(self) -> None:
        """From the headers to the last reply."""
        self.shared.counters.sessions += 1
        try:
            await self._context.send_initial_metadata(())
            await self._write()
            end = await self._read()
            while self.open or self._frames or self._notices or self._writing:
                await self._write()
                if self.open or self._writing:
                    await self._change()
        except asyncio.CancelledError:
            # The stream is gone: the server is, or its connection.
            logger.warning("session of server %s is cut off", self.instance_id)
            raise
        finally:
            self.abandon()
            if self._writer is not None:
                self._writer.cancel()
        if end is None:
            logger.info("session of server %s is over", self.instance_id)
            return
        logger.warning("session of server %s is broken off: %s", self.instance_id, end[1])
        await self._context.abort(*end)

    def drain(self) -> None:
        """Asks the server for no further calls. Once."""
        if not self._is_drained:
            self._is_drained = True
            self._notices.append(_DRAIN)
            self._flush()

    def push(self, data: bytes) -> None:
        self._frames.append(_framed(data))
        self._bytes += len(data)
        self._flush()

    async def _read(self) -> End | None:
        reading: asyncio.Task[Any] | None = None
        try:
            while True:
                reading = self.shared.loop.create_task(self._context.read())
                if self._frames and not await self._gathers(reading):
                    await self._write()
                data = await reading
                if data is grpc.aio.EOF:
                    return None
                end = await self._take(data)
                if end is not _GO_ON:
                    return end
        finally:
            if reading is not None:
                reading.cancel()

    async def _gathers(self, reading: asyncio.Task[Any]) -> bool:
        """Whether the next message comes before the replies are to be sent.

        A message costs gRPC for Python as much as a dozen calls, and a server that is answered call by call sends call
        by call too: a service that is behind would stay with messages of one call. How far it is behind, the server's
        messages tell: by as many replies as were sent since the server sent the message. One that keeps up never waits.
        """
        if len(self._frames) >= self._wanted:
            return False
        patience = self._since + _GATHER - time.monotonic()
        if patience > 0:
            await asyncio.wait((reading,), timeout=patience)
        return reading.done()

    async def _take(self, data: bytes) -> End | None:
        """One message; what ends the session, or _GO_ON."""
        try:
            message = service_pb2.ServerMessage.FromString(data)
        except DecodeError:
            return grpc.StatusCode.INVALID_ARGUMENT, f"a message of {len(data)} bytes cannot be read"
        kind = message.WhichOneof("message")
        if kind == "calls":
            if not self._is_greeted:
                return grpc.StatusCode.INVALID_ARGUMENT, "a session starts with Hello"
            await self._call(message.calls)
        elif kind == "hello":
            return self._greet(message.hello)
        elif kind == "bye":
            return None
        # Any other kind of message is younger than this SDK.
        return _GO_ON

    def _greet(self, hello: service_pb2.Hello) -> End:
        if self._is_greeted:
            return grpc.StatusCode.INVALID_ARGUMENT, "a session has one Hello"
        revision = hello.configuration_revision
        if (hello.instance_id, hello.service_name, revision) not in self._loaded:
            return (
                grpc.StatusCode.FAILED_PRECONDITION,
                f"configuration {revision} is not loaded here: call Load first",
            )
        self._is_greeted = True
        self.instance_id = hello.instance_id
        self.service_name = hello.service_name
        logger.info(
            "session of server %s is open for %s, configuration %d", hello.instance_id, hello.service_name, revision
        )
        return _GO_ON

    async def _call(self, batch: service_pb2.CallBatch) -> None:
        received = flushed = now = time.monotonic()
        if not self._frames:
            self._since = received
            # As many as were before this message are likely to be behind it, and with those the server can go on.
            self._wanted = min(_BATCH, 2 * (self._sent - batch.answered)) if batch.HasField("answered") else 0
        count = 0
        open, most = self.open, self._max_in_flight
        for request in batch.calls:
            count += 1
            frames = self._frames
            if len(open) - self.held + len(frames) >= most:
                reply: bytes | None = self.refuse(request, most)
            else:
                reply = self.start(request, received, now)
            if reply is not None:
                frames.append(_framed(reply))
                self._bytes += len(reply)
            now = time.monotonic()
            if now - flushed > _FLUSH_AFTER:
                # Other sessions, timers and signals have their turn too.
                await self._write()
                await asyncio.sleep(0)
                flushed = now = time.monotonic()
        self.shared.counters.batches.observe(count)
        while len(self.open) - self.held + len(self._frames) >= self._max_in_flight:
            # The server's next messages wait in its own queue.
            await self._write()
            if len(self.open) - self.held >= self._max_in_flight:
                await self._change()

    def _next(self) -> bytes | None:
        """The next message."""
        if self._notices:
            return self._notices.pop(0)
        frames = self._frames
        if not frames:
            return None
        if len(frames) <= _BATCH and self._bytes <= _BATCH_BYTES:
            self._frames = []
            self._bytes = 0
            self._sent += len(frames)
            return _message(frames)
        size = taken = 0
        while taken < min(len(frames), _BATCH) and (taken == 0 or size + len(frames[taken]) <= _BATCH_BYTES):
            size += len(frames[taken])
            taken += 1
        batch = frames[:taken]
        del frames[:taken]
        self._sent += taken
        self._bytes = sum(map(len, frames))
        return _message(batch)

    async def _write(self) -> None:
        """Sends what waits, unless somebody does that already."""
        if self._writing:
            return
        self._writing = True
        try:
            while (message := self._next()) is not None:
                await self._context.write(message)
        finally:
            self._writing = False
            self._changed()

    def _flush(self) -> None:
        """Sends what waits, beside the reader."""
        self._changed()
        if not self._writing and (self._writer is None or self._writer.done()):
            self._writer = self.shared.loop.create_task(self._write_aside())

    async def _write_aside(self) -> None:
        try:
            await self._write()
        except Exception as error:  # whatever gRPC raises for a stream that is gone
            # The reader hears of it too, and ends the session.
            logger.debug("a reply cannot be written: %s", error)

    def _changed(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _change(self) -> None:
        """Waits until a call ended or a message was written."""
        self._waiter = self.shared.loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None


class Single(Calls):
    """One call outside any session."""

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared, can_park=False)
        self._reply: asyncio.Future[bytes] = shared.loop.create_future()

    def push(self, data: bytes) -> None:
        if not self._reply.done():
            self._reply.set_result(data)

    async def ask(self, request: service_pb2.CalloutRequest) -> bytes:
        """Its encoded reply."""
        received = time.monotonic()
        try:
            reply = self.start(request, received, received)
            if reply is None:
                return await self._reply
            return reply
        finally:
            self.abandon()
