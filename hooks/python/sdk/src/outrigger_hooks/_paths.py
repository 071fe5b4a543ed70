"""Paths of what a callout reads and writes, as the table of hook points has them."""

from __future__ import annotations

from collections.abc import Iterable

from ._option_codec import space
from .errors import HookDefinitionError, UnknownOption
from .hook_points import SPECS, HookPoint


def covers(granted: str, path: str) -> bool:
    """Whether `path` is `granted` or below it."""
    return path == granted or path.startswith(granted + ".")


def checked_paths(point: HookPoint, verb: str, paths: Iterable[str]) -> tuple[str, ...]:
    """The paths for the wire: names of options are codes. `verb` is "read" or "change".

    Raises HookDefinitionError for what the table of hook points does not have.
    """
    spec = SPECS[point]
    rows = spec.reads if verb == "read" else spec.changes
    if isinstance(paths, str):
        raise HookDefinitionError(f'what {spec.name} may {verb} is a list of paths: ["{paths}"]')
    translated = tuple(_translated(point, path) for path in paths)
    for path in translated:
        if not any(covers(row, path) or covers(path, row) for row in rows):
            possible = ", ".join(rows) or "nothing"
            raise HookDefinitionError(f'the hook wants to {verb} "{path}" at {spec.name}; possible are: {possible}')
    return translated


def _translated(point: HookPoint, path: str) -> str:
    """The path with codes in place of Kea's names: "query.options.host-name" is "query.options.12"."""
    words = path.split(".")
    if words[:2] not in (["query", "options"], ["response", "options"], ["ia", "options"]):
        return path
    family = SPECS[point].family
    key = f"{family}:dhcp{family}"
    codes = []
    for word in words[2:]:
        try:
            codec = space(key).find(int(word) if word.isdigit() else word)
        except UnknownOption as error:
            raise HookDefinitionError(f'in the path "{path}": {error}') from None
        codes.append(str(codec.code))
        # What is below a vendor's option depends on the enterprise: there it goes by code.
        key = codec.encapsulates or f"{family}:vendor-"
    return ".".join([*words[:2], *codes])
