"""Tests of callouts without a network.

`run` runs one callout the way a session would: the same checks, the same handling of errors, and nothing in the
arguments that the callout does not read.

    result = run(hook, "subnet4_select", query=packet4("discover", options={"vendor-class-identifier": "phone-7"}))
    assert result.subnet_id == 2
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any, NamedTuple

from outrigger.hooks.v1 import arguments_pb2, common_pb2, service_pb2

from ._engine import Blocking, Engine
from ._option_codec import space
from ._paths import covers
from .errors import HookDefinitionError, Refusal
from .hook import Hook
from .hook_points import PROTOCOL_VERSION, SPECS, HookPoint, NextStep, Spec
from .load import POINTS
from .packets import lease, link, packet4, packet6, relay6, subnet
from .server_api import ServerApi
from .subnet import Subnet

__all__ = ["Edit", "Result", "Trial", "arun", "lease", "link", "packet4", "packet6", "relay6", "run", "subnet"]

_REVISION = 1
_INSTANCE = "trial"
_ACTIONS = {0: "set", 1: "add", 2: "remove"}
#: Rows of the table whose fields have other names.
_FIELDS = {"subnet": ("subnet_id",), "subnets": ("subnet_ids",), "names": ("hostname", "fwd_update", "rev_update")}
#: Fields that are JSON.
_JSON = frozenset(("configuration", "command", "arguments"))


class Edit(NamedTuple):
    """One change of an option."""

    #: "set", "add" or "remove".
    action: str
    #: Kea's names; codes where there is none: ("dhcp-agent-options", "circuit-id").
    path: tuple[str | int, ...]
    #: The bytes.
    data: bytes
    #: The value; of a removed option None, of one that carries options or cannot be read its bytes.
    value: Any
    #: Vendor whose option is entered; 0: whichever comes first.
    enterprise: int = 0
    #: Index of the relay whose option it is; None: of the packet itself.
    relay: int | None = None


class Result:
    """What a callout came to. Where it failed, only `failure` and `parked` can be asked."""

    def __init__(self, point: HookPoint, reply: service_pb2.CalloutReply, context: bytes, parked: bool) -> None:
        self._spec = SPECS[point]
        self._reply = reply
        self._context = context
        #: Whether the packet was held before this, the final result.
        self.parked = parked

    @property
    def failure(self) -> str | None:
        """The text that the server would get; None: it did not fail."""
        return self._reply.failure.text if self._reply.HasField("failure") else None

    @property
    def failure_code(self) -> int:
        """The service's own number of the failure; 0 where it has none."""
        return self._reply.failure.code

    @property
    def _result(self) -> service_pb2.CalloutResult:
        if self.failure is not None:
            raise AssertionError(f"the callout failed: {self.failure}")
        return self._reply.result

    @property
    def next_step(self) -> NextStep | None:
        """None: what the services before decided stands."""
        return NextStep(int(self._result.next_step)) if self._result.HasField("next_step") else None

    @property
    def changes(self) -> arguments_pb2.Changes:
        """The changes as they travel."""
        return self._result.changes

    @property
    def changed(self) -> bool:
        """Whether there are any."""
        return self._result.HasField("changes")

    @property
    def warning(self) -> str:
        """Empty where there is none."""
        return self._result.warning

    @property
    def context_bytes(self) -> bytes:
        """What the service keeps of the packet now."""
        return self._result.context if self._result.HasField("context") else self._context

    @property
    def context(self) -> dict[str, Any]:
        """The same as JSON values."""
        raw = self.context_bytes
        values: dict[str, Any] = json.loads(raw) if raw else {}
        return values

    @property
    def subnet_id(self) -> int | None:
        """The subnet that the callout chose; 0: none; None: it left the choice to the server."""
        return self.changes.subnet_id if self.changes.HasField("subnet_id") else None

    @property
    def answer(self) -> dict[str, Any] | None:
        """The answer to the command; None where there is none."""
        text = self.changes.command_response
        answer: dict[str, Any] | None = json.loads(text) if text else None
        return answer

    @property
    def classes(self) -> list[str]:
        """Client classes that the packet joined."""
        return list(self._packet("query").add_classes) if self._spec.family else []

    def edits(self, of: str = "response") -> list[Edit]:
        """The changes of options of "query", "response" or "ia", in order."""
        if of == "ia":
            return [self._edit(edit, None) for edit in self.changes.ia_options]
        packet = self._packet(of)
        edits = [self._edit(edit, None) for edit in packet.options]
        if self._spec.family == 6:
            edits += [self._edit(edit.edit, edit.relay) for edit in packet.relay_options]
        return edits

    def options(self, of: str = "response") -> dict[str | int, Any]:
        """The options that were set or added, with their values; removed ones are None.

        Those inside other options are in `edits`.
        """
        return {edit.path[0]: edit.value for edit in self.edits(of) if len(edit.path) == 1 and edit.relay is None}

    def _packet(self, side: str) -> Any:
        if side not in ("query", "response"):
            raise ValueError(f'there are changes of "query", "response" and "ia", not of "{side}"')
        return getattr(self.changes, f"{side}{self._spec.family}")

    def _edit(self, edit: common_pb2.OptionEdit, relay: int | None) -> Edit:
        family = self._spec.family
        key = f"{family}:dhcp{family}"
        path: list[str | int] = []
        codec = space(key).find(edit.path[0])
        for code in edit.path:
            codec = space(key).find(code)
            path.append(codec.name or code)
            key = codec.encapsulates or f"{family}:vendor-{edit.enterprise}"
        value: Any = None
        if edit.action != common_pb2.OptionEdit.ACTION_REMOVE:
            value = edit.data if codec.is_carrier else codec.decode(edit.data)
        return Edit(_ACTIONS[edit.action], tuple(path), edit.data, value, edit.enterprise, relay)

    def __repr__(self) -> str:
        return f"<Result: {self._reply}>"


class _Parking:
    def __init__(self) -> None:
        self.parked = False

    def park(self) -> None:
        self.parked = True


class Trial:
    """A hook that was loaded by a server that is not there: for several callouts in one test. Close it, or use `with`.

    Raises Refusal where `load` refuses.
    """

    def __init__(
        self,
        hook: Hook,
        *,
        family: int = 4,
        parameters: Mapping[str, Any] | None = None,
        subnets: Iterable[Subnet] = (),
        server_api: ServerApi | None = None,
        service_name: str = "trial",
    ) -> None:
        self._family = family
        self._subnets = list(subnets)
        self._engine = Engine(hook)
        self._loop = asyncio.new_event_loop()
        try:
            request = _load_request(family, parameters, self._subnets, server_api, service_name)
            self._subscriptions = self._loop.run_until_complete(_start(self._engine, request))
        except BaseException:
            self._loop.close()
            raise

    def run(self, point: str, /, **call: Any) -> Result:
        """As the function `run`, without what belongs to the configuration."""
        return self._loop.run_until_complete(
            _call(self._engine, self._subscriptions, self._family, self._subnets, point, **call)
        )

    @property
    def subscriptions(self) -> dict[str, tuple[list[str], list[str]]]:
        """What the server is told: by hook point, what is read and what is written."""
        return {
            SPECS[HookPoint(number)].name: (list(own.reads), list(own.writes))
            for number, own in self._subscriptions.items()
        }

    def close(self) -> None:
        """Runs what the hook has for the end of a process."""
        if not self._loop.is_closed():
            try:
                self._loop.run_until_complete(self._engine.stop())
            finally:
                self._loop.close()

    def __enter__(self) -> Trial:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def run(
    hook: Hook,
    point: str,
    /,
    *,
    family: int | None = None,
    parameters: Mapping[str, Any] | None = None,
    subnets: Iterable[Subnet] = (),
    server_api: ServerApi | None = None,
    **call: Any,
) -> Result:
    """Runs the callout for the hook point to its end, sync or async; what is returned is the final result.

    Of the configuration: `family` (where the hook point has none), `parameters`, `subnets`, `server_api`. Of the call:
    `after` (the result of an earlier hook point of the packet, whose context is carried on), `context` (a mapping or
    bytes), `status` (what the services before decided), `budget` (seconds; not enforced), `park_budget` (seconds for
    which the packet would be held; None: it cannot be), `packet_label`. Everything else are the arguments of the hook
    point: `query`, `response`, `subnet_id`, `lease`, `leases`, ... Packets that are not given are made up; None leaves
    them out.
    A control command: `run(hook, "command", command="blocklist-get", arguments={...})`.
    """
    with Trial(
        hook, family=_family(point, family), parameters=parameters, subnets=subnets, server_api=server_api
    ) as trial:
        return trial.run(point, **call)


async def arun(
    hook: Hook,
    point: str,
    /,
    *,
    family: int | None = None,
    parameters: Mapping[str, Any] | None = None,
    subnets: Iterable[Subnet] = (),
    server_api: ServerApi | None = None,
    **call: Any,
) -> Result:
    """As `run`, in the event loop of an async test."""
    engine = Engine(hook)
    own = _family(point, family)
    known = list(subnets)
    subscriptions = await _start(engine, _load_request(own, parameters, known, server_api, "trial"))
    try:
        return await _call(engine, subscriptions, own, known, point, **call)
    finally:
        await engine.stop()


def _point(name: str) -> HookPoint:
    if name not in POINTS:
        raise HookDefinitionError(f'there is no hook point "{name}"')
    return POINTS[name]


def _family(point: str, given: int | None) -> int:
    return given or SPECS[_point(point)].family or 4


def _load_request(
    family: int,
    parameters: Mapping[str, Any] | None,
    subnets: Iterable[Subnet],
    server_api: ServerApi | None,
    service_name: str,
) -> service_pb2.LoadRequest:
    request = service_pb2.LoadRequest(
        protocol_versions=[PROTOCOL_VERSION],
        server=service_pb2.ServerIdentity(
            name="trial",
            family=common_pb2.FAMILY_DHCP6 if family == 6 else common_pb2.FAMILY_DHCP4,
            version="0",
            instance_id=_INSTANCE,
        ),
        configuration_revision=_REVISION,
        service_name=service_name,
        parameters="" if parameters is None else json.dumps(dict(parameters)),
    )
    for own in sorted(subnets, key=lambda subnet: subnet.id):
        request.subnets.add(
            id=own.id,
            prefix=str(own.prefix),
            shared_network=own.shared_network,
            user_context=json.dumps(dict(own.user_context)) if own.user_context else "",
            interface=own.interface,
        )
    if server_api is not None:
        request.server_api.endpoint = server_api.endpoint
        request.server_api.token = server_api.token
        request.server_api.grants.extend(server_api.grants)
    return request


async def _start(engine: Engine, request: service_pb2.LoadRequest) -> dict[int, service_pb2.Subscription]:
    await engine.start()
    reply = await engine.load(request)
    if reply.HasField("refusal"):
        raise Refusal(reply.refusal.text)
    return {int(own.hook_point): own for own in reply.loaded.subscriptions}


async def _call(
    engine: Engine,
    subscriptions: Mapping[int, service_pb2.Subscription],
    family: int,
    subnets: Iterable[Subnet],
    name: str,
    /,
    *,
    after: Result | None = None,
    context: Mapping[str, Any] | bytes | None = None,
    status: NextStep = NextStep.CONTINUE,
    budget: float | None = None,
    park_budget: float | None = 5.0,
    packet_label: str = "trial",
    **given: Any,
) -> Result:
    point = _point(name)
    spec = SPECS[point]
    kept = b"" if after is None else after.context_bytes
    if context is not None:
        kept = context if isinstance(context, bytes) else json.dumps(dict(context)).encode()
    request = service_pb2.CalloutRequest(
        id=1,
        configuration_revision=_REVISION,
        budget_us=0 if budget is None else int(budget * 1e6),
        park_budget_us=int(park_budget * 1e6) if park_budget is not None and spec.can_park else 0,
        packet_label=packet_label,
        context=kept,
        arguments=_arguments(point, given, subnets),
    )
    _set_numbers(request, hook_point=point, status=status)
    subscription = subscriptions.get(point.value)
    if subscription is not None and subscription.reads:
        _trim(spec, request.arguments, list(subscription.reads))
    parking = _Parking()
    outcome = engine.run(request, _INSTANCE, parking)
    if isinstance(outcome, Blocking):
        reply = await asyncio.get_running_loop().run_in_executor(None, outcome.function)
    elif isinstance(outcome, Coroutine):
        reply = await outcome
    else:
        reply = outcome
    return Result(point, reply, kept, parking.parked)


def _set_numbers(message: Any, **values: int) -> None:
    """Protobuf's own enums are ints that the type checker takes for something else."""
    for field, value in values.items():
        setattr(message, field, int(value))


def _arguments(point: HookPoint, given: dict[str, Any], subnets: Iterable[Subnet]) -> arguments_pb2.Arguments:
    spec = SPECS[point]
    arguments = arguments_pb2.Arguments()
    message: Any = getattr(arguments, spec.name.removeprefix("$"))
    message.SetInParent()
    if point is HookPoint.COMMAND:
        given = _command(given)
    fields = message.DESCRIPTOR.fields_by_name
    unknown = sorted(set(given) - set(fields))
    if unknown:
        raise TypeError(f"{spec.name} has no argument {unknown[0]}; there are {', '.join(sorted(fields))}")
    made: dict[str, Any] = {}
    if spec.family is not None:
        made = {"query": packet4(), "response": packet4("ack")} if spec.family == 4 else _packets6()
    if spec.name.startswith("buffer"):
        made.pop("query" if spec.name.endswith("send") else "response")
    made["subnet_ids"] = [subnet.id for subnet in sorted(subnets, key=lambda subnet: subnet.id)]
    made.update(given)
    for name, value in made.items():
        if name in fields and value is not None:
            _set(message, name, value)
    return arguments


def _packets6() -> dict[str, Any]:
    return {"query": packet6(), "response": packet6("reply")}


def _command(given: dict[str, Any]) -> dict[str, Any]:
    command = {"command": given.get("command", "")}
    if given.get("arguments") is not None:
        command["arguments"] = given["arguments"]
    rest = {name: value for name, value in given.items() if name not in ("command", "arguments")}
    return {"command": command, **rest}


def _set(message: Any, name: str, value: Any) -> None:
    field = message.DESCRIPTOR.fields_by_name[name]
    if name in _JSON or (name == "response" and field.message_type is None):
        setattr(message, name, value if isinstance(value, str) else json.dumps(value))
    elif field.is_repeated:
        getattr(message, name).extend(value)
    elif field.message_type is not None:
        getattr(message, name).CopyFrom(value)
    elif hasattr(value, "packed"):
        setattr(message, name, value.packed)
    else:
        setattr(message, name, value)


def _trim(spec: Spec, arguments: arguments_pb2.Arguments, reads: list[str]) -> None:
    """Takes out what a server does not send to who reads only this."""

    def wanted(path: str) -> bool:
        return any(covers(read, path) for read in reads)

    message: Any = getattr(arguments, spec.name.removeprefix("$"))
    for row in spec.reads:
        if row not in ("query", "response") or spec.family is None:
            continue
        if not message.HasField(row) or wanted(row):
            continue
        packet = getattr(message, row)
        if not wanted(f"{row}.options"):
            own = [option for option in packet.options if any(_reads_option(row, option.code, read) for read in reads)]
            kept = [(option.code, option.data) for option in own]
            del packet.options[:]
            for code, data in kept:
                packet.options.add(code=code, data=data)
        for part in ("classes", "link", "relays"):
            if part in packet.DESCRIPTOR.fields_by_name and not wanted(f"{row}.{part}"):
                packet.ClearField(part)
    for row in spec.reads:
        if "." in row or (row in ("query", "response") and spec.family is not None) or wanted(row):
            continue
        for name in _FIELDS.get(row, (row.replace("-", "_"),)):
            message.ClearField(name)


def _reads_option(row: str, code: int, read: str) -> bool:
    return covers(f"{row}.options.{code}", read)
