"""One call of a hook point, as a callout sees it."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from outrigger.hooks.v1 import service_pb2

from .context import Context
from .errors import HookError, NotChangeable, ParkError
from .hook_points import MAX_CONTEXT, HookPoint, NextStep
from .subnet import Subnet

if TYPE_CHECKING:
    from ._plan import Plan
    from .load import Load

_LOGGER = logging.getLogger("outrigger_hooks")
_STEPS = tuple(NextStep)


class Parking(Protocol):
    """What holds a packet: a session."""

    def park(self) -> None:
        """Sends PARK for the call, from whichever thread. Raises ParkError where the packet cannot be held."""


class Call:
    """One call of a hook point: what the server handed over, and the reply as far as it is made.

    What a callout does not touch stays as it is in the server. The reply counts when the callout returns; an exception
    discards it.
    """

    __slots__ = (
        "_arguments",
        "_context",
        "_context_bytes",
        "_parked_at",
        "_parking",
        "_plan",
        "_query",
        "_received",
        "_reply",
        "_request",
        "_response",
        "_result",
    )

    #: Which one.
    hook_point: ClassVar[HookPoint]

    def __init__(
        self,
        request: service_pb2.CalloutRequest,
        arguments: Any,
        plan: Plan,
        parking: Parking | None,
        received: float | None,
    ) -> None:
        self._request = request
        self._arguments = arguments
        self._plan = plan
        self._parking = parking
        self._received = time.monotonic() if received is None else received
        self._reply = reply = service_pb2.CalloutReply(id=request.id)
        self._result = reply.result
        self._context: Context | None = None
        self._context_bytes: bytes | None = None
        self._parked_at: float | None = None
        self._query: Any = None
        self._response: Any = None

    @property
    def load(self) -> Load:
        """The configuration that the call belongs to."""
        return self._plan.load

    @property
    def state(self) -> Any:
        """What `load` returned for the configuration that the call belongs to."""
        return self._plan.state

    @property
    def packet_label(self) -> str:
        """Client and transaction, for logs."""
        return self._request.packet_label

    @property
    def trace_parent(self) -> str:
        """W3C trace context; empty where the packet is not traced."""
        return self._request.trace_parent

    @property
    def configuration_revision(self) -> int:
        """Which configuration of the server the packet is served by."""
        return self._request.configuration_revision

    @property
    def status(self) -> NextStep:
        """What the services before this one decided."""
        return _STEPS[self._request.status]

    @property
    def remaining(self) -> float | None:
        """Seconds left for the reply, after `park()` for the final one; None where the server set no limit."""
        since, budget = self._received, self._request.budget_us
        if self._parked_at is not None:
            since, budget = self._parked_at, self._request.park_budget_us
        if budget == 0:
            return None
        return max(0.0, since + budget / 1e6 - time.monotonic())

    @property
    def context(self) -> Context:
        """What this service keeps of the packet, as an object of JSON values; at most 4096 bytes."""
        context = self._context
        if context is None:
            context = self._context = Context(self.context_bytes)
        return context

    @property
    def context_bytes(self) -> bytes:
        """What this service keeps of the packet; empty where it keeps nothing. Assigning replaces it."""
        if self._context is not None:
            changed = self._context.changed()
            if changed is not None:
                return changed
        return self._request.context if self._context_bytes is None else self._context_bytes

    @context_bytes.setter
    def context_bytes(self, context: bytes) -> None:
        context = bytes(context)
        if len(context) > MAX_CONTEXT:
            raise HookError(f"the context has {len(context)} bytes; {MAX_CONTEXT} are possible")
        self._context_bytes = context
        self._context = None

    @property
    def next_step(self) -> NextStep | None:
        """What this callout decided; None: nothing so far, and what the services before decided stands."""
        return _STEPS[self._result.next_step] if self._result.HasField("next_step") else None

    def proceed(self) -> None:
        """Has the server go on, whatever the services before decided. A callout that says nothing leaves that as it is."""
        self._result.next_step = 0

    def skip(self) -> None:
        """Has the server leave out the step that follows. What that is differs by hook point."""
        self._result.next_step = 1

    def drop(self, why: str = "") -> None:
        """Has the server abandon the packet, where the hook point allows it. The service's log says why."""
        self._result.next_step = 2
        _LOGGER.info("%s: dropped at %s%s%s", self.packet_label, self._plan.name, ": " if why else "", why)

    def warn(self, text: str) -> None:
        """Has the server log and count `text` as a warning of this service; the reply counts all the same."""
        self._result.warning = text

    @property
    def query(self) -> Any:
        """The client's packet."""
        return self._arguments.query

    @property
    def response(self) -> Any:
        """The server's packet."""
        return self._arguments.response

    @property
    def changes(self) -> Any:
        """The changes as they will travel, an outrigger.hooks.v1.Changes, for what has no attribute of its own.

        The server refuses the whole reply when something is in it that the hook point or the operator does not allow.
        """
        return self._result.changes

    def _hold(self) -> None:
        if self._parked_at is not None:
            return
        if not self._plan.may_wait:
            raise ParkError(
                f"park() at {self._plan.name}: a callout that parks has to wait without holding up others; "
                f"declare it with `async def`, or with @hook.{self._plan.name}(blocking=True)"
            )
        if self._parking is None:
            raise ParkError("only a call of a session can park")
        if self._request.park_budget_us == 0:
            raise ParkError("the server does not hold the packet of this call: see park_budget")
        self._parking.park()
        self._parked_at = time.monotonic()

    def _finish(self) -> service_pb2.CalloutReply:
        """The reply, once the callout returned."""
        context = self._context_bytes if self._context is None else self._context.changed()
        if context is None and self._context is not None:
            context = self._context_bytes
        result = self._result
        if context is not None:
            if len(context) > MAX_CONTEXT:
                raise HookError(f"the callout's context has {len(context)} bytes; {MAX_CONTEXT} are possible")
            result.context = context
        result.SetInParent()
        return self._reply

    def _subnet(self, id: int) -> Subnet | None:
        return self._plan.load.subnets.get(id) if id else None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.packet_label!r}>"


class Parks(Call):
    """Hook points where the packet can be held."""

    __slots__ = ()

    @property
    def park_budget(self) -> float | None:
        """Seconds for which the server would hold the packet; None where it cannot be held."""
        if self._parking is None or self._request.park_budget_us == 0:
            return None
        return self._request.park_budget_us / 1e6

    def park(self) -> None:
        """Holds the packet while the callout goes on: what it returns in the end is the final reply.

        For callouts that are `async def` or `blocking=True`. Raises ParkError where the packet cannot be held.
        """
        self._hold()


class SelectsSubnet(Call):
    """Hook points that ask for a subnet."""

    __slots__ = ()

    @property
    def subnet_id(self) -> int | None:
        """The subnet that is selected so far; None: none."""
        if self._result.changes.HasField("subnet_id"):
            return self._result.changes.subnet_id or None
        return self._arguments.subnet_id or None

    @property
    def subnet(self) -> Subnet | None:
        """The subnet that is selected so far; None: none."""
        return self._subnet(self.subnet_id or 0)

    @property
    def subnets(self) -> list[Subnet]:
        """Every subnet of the configuration, in ascending id."""
        known = self._plan.load.subnets
        return [known[id] for id in self._arguments.subnet_ids if id in known]

    def select_subnet(self, subnet: int | Subnet | None) -> None:
        """Has the server use this subnet instead of its own choice; None: go on as if there was no subnet."""
        self._plan.rights.check("subnet")
        id = 0 if subnet is None else subnet.id if isinstance(subnet, Subnet) else subnet
        subnets = self._plan.load.subnets
        if id and subnets and id not in subnets:
            raise NotChangeable(f"there is no subnet {id} in the configuration; there are {_listed(subnets)}")
        self._result.changes.subnet_id = id


def _listed(ids: Any) -> str:
    known = sorted(ids)
    return ", ".join(map(str, known[:10])) + (f" and {len(known) - 10} more" if len(known) > 10 else "")
