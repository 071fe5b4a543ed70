"""The log of a service: one line per event on standard error, with the time in UTC."""

from __future__ import annotations

import logging
import sys
import time

#: What `--log-level` takes.
LEVELS = ("debug", "info", "warning", "error")

logger = logging.getLogger("outrigger_hooks")


class _Formatter(logging.Formatter):
    """`2026-01-01T00:00:00.000Z INFO outrigger_hooks: text`."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"


def set_up(level: str) -> None:
    """Sends the log of the whole process to standard error, unless the program has arranged for it already."""
    root = logging.getLogger()
    if not root.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        root.addHandler(handler)
        root.setLevel(level.upper())
    logger.setLevel(level.upper())
