"""What is run at one hook point for one configuration."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import Any

from ._paths import covers
from .call import Call
from .errors import NotChangeable
from .hook_points import SPECS, HookPoint
from .load import Load, Paths


class Mode(enum.Enum):
    """How a callout is run."""

    INLINE = 1
    ASYNC = 2
    BLOCKING = 3


class Rights:
    """What a callout may change: what the table of hook points and its subscription both say."""

    __slots__ = ("_rows", "_writes", "spec")

    def __init__(self, point: HookPoint, writes: tuple[str, ...]) -> None:
        self.spec = SPECS[point]
        self._writes = writes
        #: Rows of the table that the subscription has whole.
        self._rows = frozenset(row for row in self.spec.changes if any(covers(path, row) for path in writes))

    def check(self, row: str, code: int | None = None) -> None:
        """Raises NotChangeable where this row of the table, or this option in it, cannot be changed."""
        if row in self._rows:
            return
        if code is not None and any(covers(path, f"{row}.{code}") for path in self._writes if row in self.spec.changes):
            return
        what = row if code is None else f"{row}.{code}"
        name = self.spec.name
        if row not in self.spec.changes:
            possible = ", ".join(self.spec.changes) or "nothing"
            raise NotChangeable(f'"{what}" cannot be changed at {name}; possible are: {possible}')
        declared = ", ".join(self._writes) or "nothing"
        raise NotChangeable(f'"{what}" is not among what the hook said it writes at {name}: {declared}')


class Callout:
    """A function of the author and how it is run."""

    __slots__ = ("function", "mode", "name")

    def __init__(self, function: Callable[[Any], Any], mode: Mode, name: str) -> None:
        self.function = function
        self.mode = mode
        self.name = name


class Plan:
    """What is run at one hook point for one configuration."""

    __slots__ = ("call_class", "callout", "commands", "field", "function", "load", "may_wait", "mode", "name", "rights", "state")

    def __init__(
        self,
        call_class: type[Call],
        callout: Callout | None,
        commands: Mapping[str, Callout],
        paths: Paths,
        load: Load,
        state: Any,
    ) -> None:
        point = call_class.hook_point
        self.call_class = call_class
        self.callout = callout
        #: Of $command, by name.
        self.commands = commands
        self.rights = Rights(point, paths.writes)
        self.load = load
        self.state = state
        #: As in Kea.
        self.name = SPECS[point].name
        #: Of the arguments.
        self.field = self.name.removeprefix("$")
        self.function = None if callout is None else callout.function
        self.mode = Mode.INLINE if callout is None else callout.mode
        self.may_wait = self.mode is not Mode.INLINE

    def of_command(self, callout: Callout) -> Plan:
        """The same for one command."""
        plan = object.__new__(Plan)
        for slot in Plan.__slots__:
            setattr(plan, slot, getattr(self, slot))
        plan.callout = callout
        plan.function = callout.function
        plan.mode = callout.mode
        plan.may_wait = callout.mode is not Mode.INLINE
        return plan
