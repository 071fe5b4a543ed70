"""A hook: its callouts, and what they read and write."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Generic, TypeVar, overload

from . import points
from ._paths import checked_paths
from ._plan import Callout, Mode
from .call import Call
from .errors import HookDefinitionError
from .hook_points import SPECS, HookPoint
from .load import Load, Paths

#: Control commands of one service at most, and bytes of a command's name.
_MAX_COMMANDS = 128
_MAX_COMMAND = 64
_COMMAND_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")

C = TypeVar("C", bound=Call)
R = TypeVar("R", bound="Awaitable[None] | None")
S = TypeVar("S")


class Decorator(Generic[C]):
    """Registers a callout: `@hook.pkt4_receive`, or `@hook.pkt4_receive(reads=[...], writes=[...], blocking=True)`.

    `reads` are the arguments that the callout looks at; left out: everything. `writes` is what it may change; left out:
    everything that the hook point lets a callout change. Both are paths of the table of hook points; options stand by
    Kea's name or by code: "query.options.bootfile-url". A callout with `blocking=True` runs in a thread and may wait
    there; one that is `async def` may await; any other has to return at once, because the session waits for it.
    """

    __slots__ = ("_hook", "_point")

    def __init__(self, hook: Hook, point: HookPoint) -> None:
        self._hook = hook
        self._point = point

    @overload
    def __call__(self, callout: Callable[[C], R], /) -> Callable[[C], R]: ...

    @overload
    def __call__(
        self,
        *,
        reads: Iterable[str] | None = None,
        writes: Iterable[str] | None = None,
        blocking: bool = False,
    ) -> Callable[[Callable[[C], R]], Callable[[C], R]]: ...

    def __call__(
        self,
        callout: Callable[[C], Any] | None = None,
        *,
        reads: Iterable[str] | None = None,
        writes: Iterable[str] | None = None,
        blocking: bool = False,
    ) -> Any:
        def register(callout: Callable[[C], Any]) -> Callable[[C], Any]:
            self._hook._register(self._point, callout, _paths(self._point, reads, writes), blocking)
            return callout

        return register if callout is None else register(callout)


class _At(Generic[C]):
    """The decorator of one hook point, as an attribute of each hook."""

    __slots__ = ("_point",)

    def __init__(self, call_class: type[C]) -> None:
        self._point = call_class.hook_point

    @overload
    def __get__(self, hook: None, owner: type[Hook]) -> _At[C]: ...

    @overload
    def __get__(self, hook: Hook, owner: type[Hook]) -> Decorator[C]: ...

    def __get__(self, hook: Hook | None, owner: type[Hook]) -> _At[C] | Decorator[C]:
        return self if hook is None else Decorator(hook, self._point)


class Hook:
    """A hook service: which callouts there are, and what is done for each configuration of a server.

    `name` is as the service calls itself, "user-chk"; `version` is its own, "1.0.0". `commands` are the control
    commands that the callout of `@hook.command` answers; those of `@hook.commands` need not be there.
    """

    def __init__(self, name: str, version: str, commands: Iterable[str] = ()) -> None:
        if not name.strip() or not version.strip():
            raise HookDefinitionError("a hook has a name and a version")
        self.name = name
        self.version = version
        self._callouts: dict[HookPoint, tuple[Callout, Paths]] = {}
        self._commands: dict[str, Callout | None] = {}
        self._load: Callable[[Load], Any] | None = None
        self._start: Callable[[], Any] | None = None
        self._stop: Callable[[], Any] | None = None
        self._is_ready = True
        #: Told when that changes.
        self._readiness_watcher: Callable[[], None] | None = None
        self._readiness_lock = threading.Lock()
        for command in commands:
            self._offer(command, None)

    buffer4_receive = _At(points.Buffer4Receive)
    pkt4_receive = _At(points.Pkt4Receive)
    subnet4_select = _At(points.Subnet4Select)
    host4_identifier = _At(points.Host4Identifier)
    ddns4_update = _At(points.Ddns4Update)
    lease4_select = _At(points.Lease4Select)
    lease4_renew = _At(points.Lease4Renew)
    lease4_release = _At(points.Lease4Release)
    lease4_decline = _At(points.Lease4Decline)
    lease4_offer = _At(points.Lease4Offer)
    lease4_server_decline = _At(points.Lease4ServerDecline)
    leases4_committed = _At(points.Leases4Committed)
    pkt4_send = _At(points.Pkt4Send)
    buffer4_send = _At(points.Buffer4Send)
    lease4_expire = _At(points.Lease4Expire)
    lease4_recover = _At(points.Lease4Recover)
    dhcp4_srv_configured = _At(points.Dhcp4SrvConfigured)
    cb4_updated = _At(points.Cb4Updated)
    buffer6_receive = _At(points.Buffer6Receive)
    pkt6_receive = _At(points.Pkt6Receive)
    subnet6_select = _At(points.Subnet6Select)
    host6_identifier = _At(points.Host6Identifier)
    ddns6_update = _At(points.Ddns6Update)
    lease6_select = _At(points.Lease6Select)
    lease6_renew = _At(points.Lease6Renew)
    lease6_rebind = _At(points.Lease6Rebind)
    lease6_release = _At(points.Lease6Release)
    lease6_decline = _At(points.Lease6Decline)
    addr6_register = _At(points.Addr6Register)
    leases6_committed = _At(points.Leases6Committed)
    pkt6_send = _At(points.Pkt6Send)
    buffer6_send = _At(points.Buffer6Send)
    lease6_expire = _At(points.Lease6Expire)
    lease6_recover = _At(points.Lease6Recover)
    dhcp6_srv_configured = _At(points.Dhcp6SrvConfigured)
    cb6_updated = _At(points.Cb6Updated)
    command = _At(points.Command)
    command_processed = _At(points.CommandProcessed)

    def commands(
        self, *names: str, blocking: bool = False
    ) -> Callable[[Callable[[points.Command], R]], Callable[[points.Command], R]]:
        """Registers the callout that answers these control commands: `@hook.commands("blocklist-get")`.

        The server lists them in `list-commands`; one of its own of the same name is no longer called.
        """
        if not names:
            raise HookDefinitionError('@hook.commands names the commands: @hook.commands("blocklist-get")')

        def register(callout: Callable[[points.Command], R]) -> Callable[[points.Command], R]:
            for name in names:
                self._offer(name, _callout(callout, blocking, f'the command "{name}"'))
            return callout

        return register

    def load(self, function: Callable[[Load], S]) -> Callable[[Load], S]:
        """Registers what is run for each configuration of each server, sync or async.

        What it returns is `call.state` of the calls that belong to the configuration. It raises Refusal where the
        service does not want to work with the server or the parameters.
        """
        if self._load is not None:
            raise HookDefinitionError("there are two functions for @hook.load")
        self._load = function
        return function

    def start(self, function: Callable[[], S]) -> Callable[[], S]:
        """Registers what is run once in each worker process before anything else, sync or async."""
        if self._start is not None:
            raise HookDefinitionError("there are two functions for @hook.start")
        self._start = function
        return function

    def stop(self, function: Callable[[], S]) -> Callable[[], S]:
        """Registers what is run once in each worker process when everything is answered, sync or async."""
        if self._stop is not None:
            raise HookDefinitionError("there are two functions for @hook.stop")
        self._stop = function
        return function

    def set_ready(self, ready: bool) -> None:
        """Says whether the service can work at present: what it needs is there, a registry for instance.

        The health check says NOT_SERVING while it cannot, so that whoever watches or balances services sees it; calls
        are served all the same. A hook is ready unless it says otherwise. Any thread may call it, before `serve` and
        while it runs. With several workers it goes for the process that calls it.
        """
        with self._readiness_lock:
            if self._is_ready == ready:
                return
            self._is_ready = ready
            if self._readiness_watcher is not None:
                self._readiness_watcher()

    def _watch_readiness(self, changed: Callable[[], None] | None) -> None:
        """Has `changed` called at each change, in whichever thread; None: nobody."""
        with self._readiness_lock:
            self._readiness_watcher = changed

    def _offer(self, name: str, callout: Callout | None) -> None:
        if not isinstance(name, str) or not 1 <= len(name) <= _MAX_COMMAND or not _COMMAND_LETTERS.issuperset(name):
            raise HookDefinitionError(
                f'the hook offers the command "{name}"; '
                f"a name has up to {_MAX_COMMAND} lower-case letters, digits and hyphens"
            )
        if name in self._commands:
            raise HookDefinitionError(f'there are two callouts for the command "{name}"')
        if len(self._commands) == _MAX_COMMANDS:
            raise HookDefinitionError(f"the hook offers more than {_MAX_COMMANDS} commands")
        self._commands[name] = callout

    def _register(self, point: HookPoint, function: Callable[[Any], Any], paths: Paths, blocking: bool) -> None:
        name = SPECS[point].name
        if point in self._callouts:
            raise HookDefinitionError(f"there are two callouts for {name}")
        self._callouts[point] = (_callout(function, blocking, name), paths)

    def __repr__(self) -> str:
        return f"Hook({self.name!r}, version={self.version!r})"


def _paths(point: HookPoint, reads: Iterable[str] | None, writes: Iterable[str] | None) -> Paths:
    return Paths(
        () if reads is None else checked_paths(point, "read", reads),
        SPECS[point].changes if writes is None else checked_paths(point, "change", writes),
    )


def _callout(function: Callable[[Any], Any], blocking: bool, what: str) -> Callout:
    if not callable(function):
        raise HookDefinitionError(f"what is registered for {what} is no function but {function!r}")
    is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004
    )
    if is_async and blocking:
        raise HookDefinitionError(f"the callout for {what} is `async def` and blocking=True: it can be one of them")
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        raise HookDefinitionError(f"the callout for {what} takes one argument, the call: def callout(call)") from None
    except ValueError:
        pass
    mode = Mode.ASYNC if is_async else Mode.BLOCKING if blocking else Mode.INLINE
    return Callout(function, mode, getattr(function, "__qualname__", repr(function)))
