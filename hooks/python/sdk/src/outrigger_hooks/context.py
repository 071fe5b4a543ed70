"""What a service keeps of a packet from one hook point to the next."""

from __future__ import annotations

import json
from collections.abc import Iterator, MutableMapping
from typing import Any

from .errors import MalformedContext

_decode = json.JSONDecoder().decode
_dump = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
_SCALARS = (str, int, float, bool, type(None))


class Context(MutableMapping[str, Any]):
    """The context as an object of JSON values. At most 4096 bytes as JSON; more fails the call.

    It comes over the network, perhaps from another version of the service: check what is in it.
    """

    __slots__ = ("_changed", "_lent", "_raw", "_values")

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._changed = False
        #: A list or an object was handed out, which may be changed without this one knowing.
        self._lent = False
        if not raw:
            self._values: dict[str, Any] = {}
            return
        try:
            values = _decode(raw.decode("utf-8", "surrogatepass"))
        except (ValueError, RecursionError):
            values = None
        if not isinstance(values, dict):
            raise MalformedContext("the context is not a JSON object; context_bytes has it as it is")
        self._values = values

    def __getitem__(self, key: str) -> Any:
        value = self._values[key]
        if not isinstance(value, _SCALARS):
            self._lent = True
        return value

    def get(self, key: str, default: Any = None) -> Any:
        """The value of `key`; `default` where there is none."""
        value = self._values.get(key, default)
        if not isinstance(value, _SCALARS):
            self._lent = True
        return value

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str):
            raise TypeError(f"a key of the context is a str, not {type(key).__name__}")
        if not isinstance(value, _SCALARS):
            self._lent = True
            # A value that JSON cannot have is an error here, at the author's line.
            _dump(value)
        self._values[key] = value
        self._changed = True

    def __delitem__(self, key: str) -> None:
        del self._values[key]
        self._changed = True

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Context({self._values!r})"

    def changed(self) -> bytes | None:
        """As it travels; None where nothing was changed."""
        if not (self._changed or self._lent):
            return None
        # Text that a client sent may hold what UTF-8 cannot say; JSON says it as it was.
        raw = _dump(self._values).encode("utf-8", "surrogatepass") if self._values else b""
        return None if raw == self._raw else raw
