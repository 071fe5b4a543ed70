"""One call of a hook point, as a callout sees it."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from outrigger.hooks.v1 import common_pb2, service_pb2

from ._packet import Packet
from .context import Context
from .errors import HookError, MalformedRequest, NotChangeable, ParkError
from .hook_points import MAX_CONTEXT, HookPoint, NextStep
from .lease import Lease
from .subnet import Subnet

if TYPE_CHECKING:
    from ._plan import Plan
    from .load import Load

_LOGGER = logging.getLogger("outrigger_hooks")
_STEPS = tuple(NextStep)

P = TypeVar("P", bound=Packet)
L = TypeVar("L", bound=Lease)


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
        "_leased",
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
        # A keyword would cost as much as the message.
        self._reply = reply = service_pb2.CalloutReply()
        reply.id = request.id
        self._result = reply.result
        self._context: Context | None = None
        self._context_bytes: bytes | None = None
        self._parked_at: float | None = None
        self._query: Any = None
        self._response: Any = None
        self._leased: Any = None

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
        """Has the server go on, whatever the services before decided.

        A callout that says nothing leaves that as it is.
        """
        self._result.next_step = common_pb2.NEXT_STEP_CONTINUE

    def skip(self) -> None:
        """Has the server leave out the step that follows. What that is differs by hook point."""
        self._result.next_step = common_pb2.NEXT_STEP_SKIP

    def drop(self, why: str = "") -> None:
        """Has the server abandon the packet, where the hook point allows it. The service's log says why."""
        self._result.next_step = common_pb2.NEXT_STEP_DROP
        _LOGGER.info("%s: dropped at %s%s%s", self.packet_label, self._plan.name, ": " if why else "", why)

    def warn(self, text: str) -> None:
        """Has the server log and count `text` as a warning of this service; the reply counts all the same."""
        self._result.warning = text

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

    def _packet(self, kind: type[P], side: str) -> P | None:
        """The query or the response, where the server sent one."""
        if not self._arguments.HasField(side):
            return None
        return kind(getattr(self._arguments, side), getattr(self._plan.rights, side), self._result)

    def _the_query(self, kind: type[P]) -> P:
        arguments = self._arguments
        if not arguments.HasField("query"):
            raise MalformedRequest(f"{self._plan.name} came without a query")
        self._query = packet = kind(arguments.query, self._plan.rights.query, self._result)
        return packet

    def _the_response(self, kind: type[P]) -> P:
        arguments = self._arguments
        if not arguments.HasField("response"):
            raise MalformedRequest(f"{self._plan.name} came without a response")
        self._response = packet = kind(arguments.response, self._plan.rights.response, self._result)
        return packet

    def _the_lease(self, kind: type[L], field: str) -> L:
        if not self._arguments.HasField(field):
            raise MalformedRequest(f"{self._plan.name} came without a {field.replace('_', ' ')}")
        lease = kind(getattr(self._arguments, field), "lease", self._result, self._plan.rights)
        self._leased = lease
        return lease

    def _other_lease(self, field: str) -> Lease | None:
        """A lease that is only looked at."""
        if not self._arguments.HasField(field):
            return None
        return Lease(getattr(self._arguments, field), field.replace("_", " "))

    def _leases(self, field: str) -> list[Lease]:
        return [Lease(message, "lease") for message in getattr(self._arguments, field)]

    if not TYPE_CHECKING:

        def __getattr__(self, name):
            row = ABILITIES.get(name)
            if row is None:
                raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
            if row == "park":
                raise NotChangeable(f"a packet cannot be held at {self._plan.name}")
            self._plan.rights.check(row)
            raise NotChangeable(f"{name} has no effect at {self._plan.name}")


#: What only some hook points let a callout do, by the name of the method, and where it is in the table.
ABILITIES: dict[str, str] = {
    "answer": "command-response",
    "ia_options": "ia.options",
    "identify_host": "identifier",
    "park": "park",
    "refuse_configuration": "error",
    "replace_parsed": "query.parsed",
    "replace_wire": "response.wire",
    "select_subnet": "subnet",
}
#: The same for what is assigned.
ASSIGNED: dict[str, str] = {
    "address_in_use": "offer-address-in-use",
    "fwd_update": "names",
    "hostname": "names",
    "rev_update": "names",
}


class _Missing:
    """An attribute that other hook points have: assigning to it says what is possible here."""

    def __init__(self, name: str, row: str) -> None:
        self._name = name
        self._row = row

    def __get__(self, call: Call | None, owner: type) -> Any:
        raise AttributeError(f"{owner.__name__} has no attribute {self._name!r}")

    def __set__(self, call: Call, value: Any) -> None:
        call._plan.rights.check(self._row)
        raise NotChangeable(f"{self._name} has no effect at {call._plan.name}")


for _name, _row in ASSIGNED.items():
    setattr(Call, _name, _Missing(_name, _row))
