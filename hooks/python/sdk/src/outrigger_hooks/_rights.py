"""What a callout may read and change at one hook point."""

from __future__ import annotations

from ._option_codec import Space, space
from ._paths import covers
from .errors import NotChangeable
from .hook_points import SPECS, HookPoint


class Side:
    """The query or the response at one hook point: what does not differ from call to call."""

    __slots__ = ("edits", "field", "name", "reads", "rights", "space")

    def __init__(self, rights: Rights, name: str, family: int, reads: frozenset[int] | None) -> None:
        #: "query" or "response".
        self.name = name
        self.rights = rights
        #: Of the changes.
        self.field = f"{name}{family}"
        #: Of its options.
        self.space: Space = space(f"{family}:dhcp{family}")
        #: Codes of the options that the server sends at most; None: all of them.
        self.reads = reads
        #: Of what Edits of its options are made, behind the result.
        self.edits = (rights, f"{name}.options", self.field)


class Rights:
    """What the table of hook points and the subscription both allow."""

    __slots__ = ("_granted", "_reads", "_rows", "_writes", "query", "response", "spec")

    def __init__(self, point: HookPoint, reads: tuple[str, ...], writes: tuple[str, ...]) -> None:
        self.spec = SPECS[point]
        self._reads = reads
        self._writes = writes
        #: Rows of the table that the subscription has whole.
        self._rows = frozenset(row for row in self.spec.changes if any(covers(path, row) for path in writes))
        #: Single options that were found to be allowed.
        self._granted: set[tuple[str, int | None]] = set()
        # A hook point without family has no packets.
        family = self.spec.family or 4
        self.query = Side(self, "query", family, _codes("query.options", reads))
        self.response = Side(self, "response", family, _codes("response.options", reads))

    def check(self, row: str, code: int | None = None) -> None:
        """Raises NotChangeable where this row of the table, or this option in it, cannot be changed."""
        if row in self._rows or (row, code) in self._granted:
            return
        what = row if code is None else f"{row}.{code}"
        name = self.spec.name
        if row not in self.spec.changes:
            possible = ", ".join(self.spec.changes) or "nothing"
            raise NotChangeable(f'"{what}" cannot be changed at {name}; possible are: {possible}')
        if code is not None and any(covers(path, what) for path in self._writes):
            self._granted.add((row, code))
            return
        declared = ", ".join(self._writes) or "nothing"
        raise NotChangeable(f'"{what}" is not among what the hook said it writes at {name}: {declared}')


def _codes(row: str, reads: tuple[str, ...]) -> frozenset[int] | None:
    if not reads or any(covers(path, row) for path in reads):
        return None
    own = (path[len(row) + 1 :].split(".")[0] for path in reads if path.startswith(row + "."))
    return frozenset(int(code) for code in own if code.isdigit())
