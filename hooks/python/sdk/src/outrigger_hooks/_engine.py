"""From a request to its reply: everything between the transport and the callouts."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import types
from collections.abc import Callable, Coroutine
from typing import Any

import grpc
import grpc.aio

from outrigger.hooks.v1 import service_pb2

from . import points
from ._loads import Loads
from ._plan import Callout, Mode, Plan
from .call import Call, Parking
from .errors import HookDefinitionError, HookError, MalformedRequest, Refusal
from .hook import Hook
from .hook_points import PROTOCOL_VERSION, SPECS, HookPoint
from .load import Load, Paths

_LOGGER = logging.getLogger("outrigger_hooks")
#: Characters of the text of a failure or a refusal.
_MAX_TEXT = 2000

#: The class of each hook point's call, and its family.
_CLASSES: dict[int, type[Call]] = {
    value.hook_point: value
    for value in vars(points).values()
    if isinstance(value, type) and issubclass(value, Call) and "hook_point" in vars(value)
}
_FAMILIES: dict[int, int | None] = {point.value: spec.family for point, spec in SPECS.items()}


class Blocking:
    """A callout that is to be run in a thread: `function()` is its reply. It never raises."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[[], service_pb2.CalloutReply]) -> None:
        self.function = function


class Engine:
    """Runs the callouts of a hook, each with the configuration that its call belongs to."""

    __slots__ = ("_found", "_loads", "commands", "hook", "name", "version")

    def __init__(self, hook: Hook) -> None:
        _check(hook)
        self.hook = hook
        self._loads: Loads[dict[int, Plan]] = Loads()
        #: What calls asked for, by instance id, service name, revision and hook point; empty after each load.
        self._found: dict[tuple[str | None, str | None, int, int], Plan] = {}
        self.name = hook.name
        self.version = hook.version
        self.commands = tuple(hook._commands)

    async def start(self) -> None:
        """Runs what the author has for the start of a process."""
        if self.hook._start is not None:
            await _result(self.hook._start())

    async def stop(self) -> None:
        """Runs what the author has for the end of a process."""
        if self.hook._stop is not None:
            await _result(self.hook._stop())

    async def load(self, request: service_pb2.LoadRequest) -> service_pb2.LoadReply:
        """Makes ready for a configuration of a server, or refuses. Never raises."""
        reply = service_pb2.LoadReply()
        try:
            load, subscribed = await self._load(request)
        except asyncio.CancelledError:
            raise
        except Refusal as refusal:
            _LOGGER.warning("load of %s refused: %s", request.service_name or "a server", refusal)
            reply.refusal.text = _text(str(refusal)) or "the hook refuses and does not say why"
        except MalformedRequest as error:
            _LOGGER.warning("load of %s refused: %s", request.service_name or "a server", error)
            reply.refusal.text = _text(str(error))
        except BaseException as error:
            _LOGGER.error("load of %s failed", request.service_name or "a server", exc_info=True)
            reply.refusal.text = _text(f"loading failed: {_words(error)}")
        else:
            loaded = reply.loaded
            loaded.protocol_version = PROTOCOL_VERSION
            loaded.name = self.name
            loaded.version = self.version
            loaded.sessions = True
            loaded.commands.extend(self.commands)
            for point, paths in subscribed.items():
                loaded.subscriptions.add(hook_point=point.value, reads=paths.reads, writes=paths.writes)
            _LOGGER.info("loaded configuration %s of %s", load.revision, load.service_name or load.server_name)
        return reply

    async def _load(self, request: service_pb2.LoadRequest) -> tuple[Load, dict[HookPoint, Paths]]:
        if PROTOCOL_VERSION not in request.protocol_versions:
            offered = ", ".join(map(str, request.protocol_versions)) or "none"
            raise Refusal(
                f"the service speaks version {PROTOCOL_VERSION} of the hook protocol; the server offers {offered}"
            )
        hook = self.hook
        family = request.server.family
        subscribed = {
            point: paths for point, (_, paths) in hook._callouts.items() if SPECS[point].family in (None, family)
        }
        load = Load(request, subscribed)
        state = None if hook._load is None else await _result(hook._load(load))
        self._loads.insert(
            load.instance_id, load.service_name, load.revision, load.family, self._plans(load, subscribed, state)
        )
        self._found = {}
        return load, subscribed

    def _plans(self, load: Load, subscribed: dict[HookPoint, Paths], state: Any) -> dict[int, Plan]:
        hook = self.hook
        plans = {
            point.value: Plan(_CLASSES[point], hook._callouts[point][0], {}, paths, load, state)
            for point, paths in subscribed.items()
            if point is not HookPoint.COMMAND
        }
        if hook._commands:
            general = hook._callouts.get(HookPoint.COMMAND)
            of_all = None if general is None else general[0]
            commands: dict[str, Callout] = {}
            for name, callout in hook._commands.items():
                own = callout or of_all
                if own is not None:
                    commands[name] = own
            paths = subscribed.get(HookPoint.COMMAND, Paths((), SPECS[HookPoint.COMMAND].changes))
            plans[HookPoint.COMMAND.value] = Plan(points.Command, None, commands, paths, load, state)
        return plans

    def run(
        self,
        request: service_pb2.CalloutRequest,
        instance_id: str | None,
        parking: Parking | None,
        service_name: str | None = None,
        received: float | None = None,
    ) -> service_pb2.CalloutReply | Coroutine[Any, Any, service_pb2.CalloutReply] | Blocking:
        """Runs the callout that `request` asks for. Never raises.

        `instance_id` and `service_name` are those of the session's Hello, None for a call outside any; `received` is
        when the call came, by time.monotonic(), now if left out.
        """
        try:
            key = (instance_id, service_name, request.configuration_revision, request.hook_point)
            plan = self._found.get(key) or self._plan(*key)
            arguments = request.arguments
            field = arguments.WhichOneof("point")
            if field != plan.field:
                raise MalformedRequest(
                    f"malformed request: {plan.name} came "
                    + ("without arguments" if field is None else f"with the arguments of {field}")
                )
            if plan.function is None:
                plan = _of_command(plan, arguments.command)
            if not 0 <= request.status <= 3:
                raise MalformedRequest(f"malformed request: there is no next step {request.status}")
        except MalformedRequest as error:
            return _failure(request, 0, str(error))
        call = plan.call_class(request, getattr(arguments, plan.field), plan, parking, received)
        if plan.mode is Mode.BLOCKING:
            return Blocking(lambda: _run(plan, call))
        if plan.mode is Mode.ASYNC:
            return _run_async(plan, call)
        return _run(plan, call)

    def _plan(self, instance_id: str | None, service_name: str | None, revision: int, point: int) -> Plan:
        family = None
        if instance_id is None:
            family = _FAMILIES.get(point)
        plans = self._loads.find(instance_id, service_name, revision, family)
        if plans is not None:
            plan = plans.get(point)
            if plan is not None:
                # What there is no plan for is not remembered: anybody may ask for anything.
                self._found[instance_id, service_name, revision, point] = plan
                return plan
        if point not in _FAMILIES:
            raise MalformedRequest(f"malformed request: there is no hook point {point}")
        if plans is None:
            raise MalformedRequest(f"configuration {revision} is not loaded here: call Load first")
        raise MalformedRequest(f"there is no callout for {SPECS[HookPoint(point)].name} in configuration {revision}")


def _check(hook: Hook) -> None:
    if HookPoint.COMMAND in hook._callouts:
        if None not in hook._commands.values():
            raise HookDefinitionError(
                "@hook.command has no commands to answer: name them with Hook(..., commands=[...]) or @hook.commands"
            )
    else:
        for name, callout in hook._commands.items():
            if callout is None:
                raise HookDefinitionError(f'there is no callout for the command "{name}"')


def _of_command(plan: Plan, arguments: Any) -> Plan:
    try:
        command = json.loads(arguments.command)
    except (ValueError, RecursionError) as error:
        raise MalformedRequest(f"malformed request: the command is not JSON: {error}") from None
    name = command.get("command") if isinstance(command, dict) else None
    if not isinstance(name, str):
        raise MalformedRequest("malformed request: the command has no name")
    callout = plan.commands.get(name)
    if callout is None:
        raise MalformedRequest(f'the service does not offer the command "{name[:64]}"')
    return plan.of_command(callout)


def _run(plan: Plan, call: Call) -> service_pb2.CalloutReply:
    try:
        outcome = plan.function(call)  # type: ignore[misc]
        if outcome is not None:
            raise TypeError(_returned(outcome))
        return call._finish()
    except BaseException as error:
        return _failed(plan, call, error)


async def _run_async(plan: Plan, call: Call) -> service_pb2.CalloutReply:
    try:
        outcome = await plan.function(call)  # type: ignore[misc]
        if outcome is not None:
            raise TypeError(_returned(outcome))
        return call._finish()
    except (asyncio.CancelledError, GeneratorExit):
        # The runtime ends a call whose time is over.
        raise
    except BaseException as error:
        return _failed(plan, call, error)


def _returned(outcome: Any) -> str:
    if inspect.iscoroutine(outcome):
        outcome.close()
        return "the callout returned a coroutine: declare it with `async def`"
    kind = type(outcome).__name__
    return f"the callout returned {kind}: what it decides it says with call.skip(), call.drop() and so on"


def _failed(plan: Plan, call: Call, error: BaseException) -> service_pb2.CalloutReply:
    trace = _without_frames_of_sdk(error.__traceback__)
    name = plan.callout.name if plan.callout is not None else "?"
    _LOGGER.error(
        "%s: the callout %s failed at %s", call.packet_label, name, plan.name, exc_info=(type(error), error, trace)
    )
    code = error.code if isinstance(error, HookError) else 0
    return _failure(call._request, code, _words(error))


def _without_frames_of_sdk(trace: types.TracebackType | None) -> types.TracebackType | None:
    """From the author's first line on, where there is one."""
    return trace.tb_next if trace is not None and trace.tb_next is not None else trace


def _words(error: BaseException) -> str:
    """What an exception says: of a HookError its own words, of others their type as well."""
    try:
        if isinstance(error, (grpc.Call, grpc.aio.AioRpcError)):
            # What it says of itself has several lines.
            return f"{type(error).__name__}: {error.code().name}: {error.details()}"
        text = str(error)
    except Exception:
        text = "an exception whose text cannot be made"
    if type(error) is HookError and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _text(text: str) -> str:
    """As protobuf takes it: strings that came from bytes may have what UTF-8 cannot say."""
    return text[:_MAX_TEXT].encode("utf-8", "backslashreplace").decode("utf-8")


def _failure(request: service_pb2.CalloutRequest, code: int, text: str) -> service_pb2.CalloutReply:
    failure = service_pb2.CalloutFailure(code=code, text=_text(text))
    return service_pb2.CalloutReply(id=request.id, failure=failure)


async def _result(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value
