"""Where changes of options go: into the reply, in the order they are made."""

from __future__ import annotations

from typing import Any

from outrigger.hooks.v1 import common_pb2

from ._rights import Rights

SET = common_pb2.OptionEdit.ACTION_SET
ADD = common_pb2.OptionEdit.ACTION_ADD
REMOVE = common_pb2.OptionEdit.ACTION_REMOVE


class Edits:
    """The option edits of one packet, of one of its relays or of an IA."""

    __slots__ = ("_field", "_last", "_relay", "_result", "_rights", "_row")

    def __init__(self, result: Any, rights: Rights, row: str, field: str, relay: int | None = None) -> None:
        self._result = result
        self._rights = rights
        #: Of the table of hook points: "query.options".
        self._row = row
        #: Of the changes: "query4".
        self._field = field
        self._relay = relay
        #: The last edit at each option of the packet, with its path and enterprise.
        self._last: dict[int, tuple[tuple[int, ...], int, Any]] = {}

    def check(self, code: int) -> None:
        """Raises NotChangeable where this option cannot be changed."""
        self._rights.check(self._row, None if self._relay is not None else code)

    def edit(self, action: Any, path: tuple[int, ...], enterprise: int, data: bytes) -> None:
        """Appends an edit. One that makes the last edit of the same place pointless takes its place."""
        last = self._last.get(path[0])
        if last is not None and action != ADD and last[0] == path and last[1] == enterprise and last[2].action == SET:
            last[2].action = action
            last[2].data = data
            return
        changes = self._result.changes
        if self._field:
            changes = getattr(changes, self._field)
        if self._relay is not None:
            edit = changes.relay_options.add(relay=self._relay).edit
        elif self._field:
            edit = changes.options.add()
        else:
            edit = changes.ia_options.add()
        if action != SET:
            edit.action = action
        edit.path.extend(path)
        if enterprise:
            edit.enterprise = enterprise
        edit.data = data
        self._last[path[0]] = (path, enterprise, edit)
