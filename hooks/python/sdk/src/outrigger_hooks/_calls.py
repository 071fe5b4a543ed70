"""Calls from their receipt to their final reply, whichever way they came."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from typing import Any, Final

from outrigger.hooks.v1 import common_pb2, service_pb2

from ._engine import Blocking, Engine
from ._metrics import Counters, PointCounters
from ._threads import Threads
from .call import Parking
from .errors import ParkError
from .hook_points import MAX_MESSAGE, MAX_REPLY, SPECS, HookPoint

logger = logging.getLogger("outrigger_hooks")

#: Calls that may be open on one session, and calls outside sessions in all.
MAX_IN_FLIGHT: Final = 4096
#: Packets that one session holds at most.
MAX_HELD: Final = 4096
#: Largest reply with an answer to a control command: a batch of one still has to fit a message.
MAX_WITH_ANSWER: Final = MAX_MESSAGE - 64

CalloutReply: Final = service_pb2.CalloutReply


class Shared:
    """What all calls of a process have in common."""

    __slots__ = ("counters", "engine", "loop", "threads")

    def __init__(self, engine: Engine, threads: Threads, loop: asyncio.AbstractEventLoop) -> None:
        self.engine = engine
        self.counters = Counters()
        self.threads = threads
        self.loop = loop


def failure(call_id: int, text: str) -> service_pb2.CalloutReply:
    """A reply without a result."""
    return CalloutReply(id=call_id, failure=service_pb2.CalloutFailure(text=text))


def encode(reply: service_pb2.CalloutReply, point: int) -> bytes:
    """The reply's bytes, or those of a failure that says how large it is."""
    data = reply.SerializeToString()
    return data if len(data) <= MAX_REPLY else _large(reply, point, data)


def _large(reply: service_pb2.CalloutReply, point: int, data: bytes) -> bytes:
    answer = len(reply.result.changes.command_response.encode())
    limit = MAX_WITH_ANSWER if answer else MAX_REPLY
    if len(data) - answer <= MAX_REPLY and len(data) <= limit:
        return data
    text = f"the reply has {len(data)} bytes, more than the {limit} that a server reads"
    logger.warning("%s: %s", SPECS[HookPoint(point)].name if point in SPECS else point, text)
    return failure(reply.id, text).SerializeToString()


class OpenCall:
    """A call whose callout did not return at once, or that may be parked."""

    __slots__ = (
        "calls",
        "deadline",
        "done",
        "parked",
        "received",
        "request",
        "task",
        "timer",
    )

    def __init__(self, calls: Calls, request: service_pb2.CalloutRequest, received: float) -> None:
        self.calls = calls
        self.request = request
        self.received = received
        #: When the server stops waiting for the next reply; None: never.
        self.deadline: float | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.task: asyncio.Task[service_pb2.CalloutReply] | None = None
        #: Whether the packet is held: PARK is sent.
        self.parked = False
        #: Whether the final reply is sent; what comes afterwards is late.
        self.done = False

    def describe(self) -> str:
        """For the log."""
        name = HookPoint(self.request.hook_point).name.lower()
        label = self.request.packet_label
        return f"{name} of {label}" if label else name

    def start(self) -> None:
        """Its time runs."""
        budget = self.request.budget_us
        if budget:
            self.deadline = self.received + budget / 1e6
            self.timer = self.calls.shared.loop.call_at(self.deadline, self.expire)

    def park(self) -> None:
        """Sends the first of two replies. Asking again changes nothing. Any thread may call it."""
        shared = self.calls.shared
        if threading.get_ident() == self.calls.thread:
            self._park()
            return
        outcome: concurrent.futures.Future[None] = concurrent.futures.Future()

        def park() -> None:
            try:
                self._park()
            except BaseException as error:  # a thread waits for it, whatever it is
                outcome.set_exception(error)
            else:
                outcome.set_result(None)

        try:
            shared.loop.call_soon_threadsafe(park)
            outcome.result(self.request.park_budget_us / 1e6)
        except (RuntimeError, concurrent.futures.TimeoutError) as error:
            raise ParkError("the service is about to stop") from error

    def _park(self) -> None:
        if self.parked:
            return
        if self.done:
            raise ParkError("the server no longer waits for this call")
        calls = self.calls
        if calls.held >= MAX_HELD:
            raise ParkError("too many packets are held on this session")
        self.parked = True
        calls.held += 1
        if self.timer is not None:
            self.timer.cancel()
        self.deadline = time.monotonic() + self.request.park_budget_us / 1e6
        self.timer = calls.shared.loop.call_at(self.deadline, self.expire)
        calls.counters(self.request.hook_point).parked += 1
        calls.push(_parked(self.request.id))

    def expire(self) -> None:
        """The server stops waiting."""
        if self.parked:
            text = f"the packet was held for {self.request.park_budget_us} µs and there is no final reply"
        else:
            text = expired(self.request.budget_us)
        self.calls.counters(self.request.hook_point).expired += 1
        self.end(failure(self.request.id, text))
        if self.task is not None:
            self.task.cancel()

    def end(self, reply: service_pb2.CalloutReply) -> None:
        """The final reply."""
        self.done = True
        if self.timer is not None:
            self.timer.cancel()
        calls = self.calls
        calls.open.discard(self)
        if self.parked:
            calls.held -= 1
        point = self.request.hook_point
        calls.counters(point).durations.observe(time.monotonic() - self.received)
        calls.push(encode(reply, point))

    def returned(self, reply: service_pb2.CalloutReply) -> None:
        """The callout came to its end."""
        counters = self.calls.counters(self.request.hook_point)
        if self.done:
            counters.late += 1
            return
        if reply.HasField("failure"):
            counters.failures += 1
        else:
            counters.results += 1
        self.end(reply)

    def task_ended(self, task: asyncio.Task[service_pb2.CalloutReply]) -> None:
        """The coroutine came to its end."""
        if task.cancelled():
            if not self.done:
                self.returned(failure(self.request.id, "the callout was cancelled"))
        elif (error := task.exception()) is not None:
            self.returned(failure(self.request.id, f"{type(error).__name__}: {error}"))
        else:
            self.returned(task.result())

    def abandon(self) -> None:
        """Nobody waits for the call any more."""
        self.done = True
        if self.timer is not None:
            self.timer.cancel()
        if self.task is not None:
            self.task.cancel()


class _Job:
    """A blocking callout in its thread."""

    __slots__ = ("call", "function")

    def __init__(self, call: OpenCall, function: Callable[[], service_pb2.CalloutReply]) -> None:
        self.call = call
        self.function = function

    @property
    def deadline(self) -> float | None:
        return self.call.deadline

    def describe(self) -> str:
        return self.call.describe()

    def run(self) -> None:
        call = self.call
        if call.done:
            # Its time ran out while it waited for a thread.
            return
        try:
            reply = self.function()
        except BaseException as error:  # a thread that ends would be one less
            reply = failure(call.request.id, f"{type(error).__name__}: {error}")
        try:
            call.calls.shared.loop.call_soon_threadsafe(call.returned, reply)
        except RuntimeError:
            # The service has stopped meanwhile, and with it whoever waited for the reply.
            logger.debug("the reply of %s comes after the end of the service", call.describe())


def expired(budget_us: int) -> str:
    """Why a call has no result."""
    return f"the call's budget of {budget_us} µs ran out"


def _parked(call_id: int) -> bytes:
    result = service_pb2.CalloutResult(next_step=common_pb2.NEXT_STEP_PARK)
    return CalloutReply(id=call_id, result=result).SerializeToString()


class _NotHeld:
    """Of a call on a session whose packet the server does not hold."""

    def park(self) -> None:
        raise ParkError("the server does not hold the packet of this call")


_NOT_HELD: Final = _NotHeld()


class Calls(ABC):
    """The calls of one session, or one call outside any session."""

    def __init__(self, shared: Shared, can_park: bool) -> None:
        self.shared = shared
        self.thread = threading.get_ident()
        self.open: set[OpenCall] = set()
        #: Those of them that are parked.
        self.held = 0
        #: Of the session's Hello.
        self.instance_id: str | None = None
        self.service_name: str | None = None
        self._parking: Parking | None = _NOT_HELD if can_park else None
        self._run = shared.engine.run
        self._by_point = shared.counters.by_point

    @abstractmethod
    def push(self, data: bytes) -> None:
        """Sends an encoded reply."""

    def counters(self, point: int) -> PointCounters:
        """Of this hook point."""
        return self._by_point.get(point, self.shared.counters.unknown)

    def start(self, request: service_pb2.CalloutRequest, received: float, now: float) -> bytes | None:
        """The encoded reply where the callout is done at once; otherwise it is pushed later."""
        point = request.hook_point
        counters = self._by_point.get(point) or self.shared.counters.unknown
        budget = request.budget_us
        if budget and (now - received) * 1e6 >= budget:
            counters.expired += 1
            counters.durations.observe(now - received)
            return encode(failure(request.id, expired(budget)), point)
        call = None
        parking = self._parking
        if parking is not None and request.park_budget_us:
            parking = call = OpenCall(self, request, received)
        outcome = self._run(request, self.instance_id, parking, self.service_name, received)
        if type(outcome) is CalloutReply:
            if outcome.HasField("failure"):
                counters.failures += 1
            else:
                counters.results += 1
            counters.durations.observe(time.monotonic() - received)
            return encode(outcome, point)
        self._go_on(call or OpenCall(self, request, received), outcome)
        return None

    def _go_on(self, call: OpenCall, outcome: Any) -> None:
        """Lets it run by itself."""
        self.open.add(call)
        call.start()
        shared = self.shared
        if isinstance(outcome, Blocking):
            if not shared.threads.start(_Job(call, outcome.function)):
                call.returned(failure(call.request.id, "too many blocking callouts wait for a thread"))
            return
        coroutine: Coroutine[Any, Any, service_pb2.CalloutReply] = outcome
        call.task = shared.loop.create_task(coroutine)
        call.task.add_done_callback(call.task_ended)

    def refuse(self, request: service_pb2.CalloutRequest, most: int) -> bytes:
        """The reply to a call beyond the number of those that may be open."""
        self.counters(request.hook_point).refused += 1
        return encode(failure(request.id, f"more than {most} calls are open"), request.hook_point)

    def abandon(self) -> None:
        """Nobody waits for the open calls any more."""
        for call in self.open:
            call.abandon()
        self.open.clear()
        self.held = 0
