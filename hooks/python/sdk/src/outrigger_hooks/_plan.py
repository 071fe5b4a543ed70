"""What is run at one hook point for one configuration."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import Any

from ._rights import Rights
from .call import Call
from .hook_points import SPECS
from .load import Load, Paths


class Mode(enum.Enum):
    """How a callout is run."""

    INLINE = 1
    ASYNC = 2
    BLOCKING = 3


class Callout:
    """A function of the author and how it is run."""

    __slots__ = ("function", "mode", "name")

    def __init__(self, function: Callable[[Any], Any], mode: Mode, name: str) -> None:
        self.function = function
        self.mode = mode
        self.name = name


class Plan:
    """What is run at one hook point for one configuration."""

    __slots__ = (
        "call_class",
        "callout",
        "commands",
        "field",
        "function",
        "load",
        "may_wait",
        "mode",
        "name",
        "rights",
        "state",
    )

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
        self.rights = Rights(point, paths.reads, paths.writes)
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
