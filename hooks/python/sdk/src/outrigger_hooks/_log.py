"""The log of a service: one line per event on standard error, with the time in UTC."""

from __future__ import annotations

import logging
import sys
import time
from typing import Final

#: What `--log-level` takes.
LEVELS: Final = ("debug", "info", "warning", "error")

#: Tracebacks in one second. A callout that always fails does so for every packet.
_TRACEBACKS: Final = 20

#: Names and labels come over the network: nobody there writes lines of his own.
_ESCAPES: Final = {code: f"\\x{code:02x}" for code in (*range(0x20), 0x7F)}

logger = logging.getLogger("outrigger_hooks")


class _Formatter(logging.Formatter):
    """`2026-01-01T00:00:00.000Z INFO outrigger_hooks: text`, and a traceback below."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def formatMessage(self, record: logging.LogRecord) -> str:
        return super().formatMessage(record).translate(_ESCAPES)


class _Limit(logging.Filter):
    """Leaves out tracebacks beyond those of a second, and counts them."""

    def __init__(self) -> None:
        super().__init__()
        self._since = time.monotonic()
        self._logged = 0
        self._left_out = 0

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.exc_info:
            return True
        now = time.monotonic()
        if now - self._since >= 1.0:
            self._since, self._logged = now, 0
        if self._logged >= _TRACEBACKS:
            self._left_out += 1
            return False
        self._logged += 1
        if self._left_out:
            record.msg = f"{record.getMessage()} ({self._left_out} failures before it are not in the log)"
            record.args = None
            self._left_out = 0
        return True


def handler() -> logging.Handler:
    """To standard error, in the form of services."""
    made = logging.StreamHandler(sys.stderr)
    made.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    made.addFilter(_Limit())
    return made


def set_up(level: str) -> None:
    """Sends the log of the whole process to standard error, unless the program has arranged for it already."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(handler())
        root.setLevel(level.upper())
    logger.setLevel(level.upper())
