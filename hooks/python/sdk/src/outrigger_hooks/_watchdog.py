"""Ends a process whose callout never returns, and says which.

The event loop says regularly that it is alive. Where it does not, a thread writes to the log where the loop is stuck
and ends the process: whoever started it starts another. Native code that holds Python's lock stops that thread as well;
then a process of its own, see `_stuck`, aborts this one a little later, and faulthandler writes the traceback.

Time in which the process was stopped does not count: not the clock is asked, but how often the thread had its turn.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import logging
import os
import subprocess
import sys
import threading
import time
import traceback
from typing import Final

from ._threads import Threads

logger = logging.getLogger("outrigger_hooks")

#: Exit code of a process that was stuck.
EXIT_STUCK: Final = 70

_PACKAGE: Final = os.path.dirname(os.path.abspath(__file__)) + os.sep
_HELPER: Final = os.path.join(_PACKAGE, "_stuck.py")


class Watchdog:
    """Watches one event loop and the threads of blocking callouts."""

    def __init__(self, loop: asyncio.AbstractEventLoop, threads: Threads, stuck_after: float) -> None:
        """`stuck_after` is in seconds. Made in the thread of the loop."""
        self._loop = loop
        self._threads = threads
        self._stuck_after = stuck_after
        self._interval = min(stuck_after / 8, 1.0)
        self._watched = threading.get_ident()
        self._beats = 0
        self._over = threading.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """From now on."""
        # On the process's standard error itself: sys.stderr may be something without a descriptor.
        faulthandler.enable(file=2)
        limit = self._stuck_after + 2 * self._interval
        theirs, ours = os.pipe()
        os.set_blocking(ours, False)
        helper = subprocess.Popen([sys.executable, "-I", "-S", _HELPER, str(limit)], stdin=theirs)
        os.close(theirs)
        self._beat()
        self._thread = threading.Thread(target=self._watch, args=(ours, helper), name="watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """The loop is about to end."""
        self._over.set()
        if self._timer is not None:
            self._timer.cancel()
        if self._thread is not None:
            self._thread.join()

    def _beat(self) -> None:
        self._beats += 1
        self._timer = self._loop.call_later(self._interval, self._beat)

    def _watch(self, pipe: int, helper: subprocess.Popen[bytes]) -> None:
        """Until the end; `pipe` leads to the helper."""
        seen = 0
        silent = 0.0
        while not self._over.wait(self._interval):
            # Where the helper was ended, the loop is watched without it.
            with contextlib.suppress(OSError):
                os.write(pipe, b".")
            silent = silent + self._interval if self._beats == seen else 0.0
            seen = self._beats
            if silent >= self._stuck_after:
                self._end(f"the service is stuck for {self._stuck_after:g} s", self._watched)
            self._watch_threads()
        os.close(pipe)
        helper.wait()

    def _watch_threads(self) -> None:
        """A blocking callout that goes on long after its call is lost: its thread will never serve another."""
        running = list(self._threads.running.items())
        for ident, run in running:
            if run.is_reported or time.monotonic() < (run.job.deadline or run.started):
                continue
            run.overdue += self._interval
            if run.overdue > self._stuck_after:
                run.is_reported = True
                where, trace = _where(ident)
                logger.error("the blocking callout %s does not return: %s", run.job.describe(), where)
                _log(logging.ERROR, trace)
        if len(running) == self._threads.most and all(run.is_reported for _, run in running):
            self._end("no thread is left for blocking callouts", running[0][0])

    def _end(self, text: str, ident: int) -> None:
        where, trace = _where(ident)
        logger.critical("%s: %s; the process ends", text, where)
        _log(logging.CRITICAL, trace)
        logging.shutdown()
        os._exit(EXIT_STUCK)


def _log(level: int, trace: list[str]) -> None:
    for line in trace:
        logger.log(level, "%s", line)


def _where(ident: int) -> tuple[str, list[str]]:
    """The callout that a thread is in, in words, and the lines of the thread's stack."""
    frame = sys._current_frames().get(ident)
    if frame is None:
        return "its thread is gone", []
    stack = traceback.extract_stack(frame)
    trace = "".join(traceback.format_list(stack)).splitlines()
    last = max((n for n, entry in enumerate(stack) if entry.filename.startswith(_PACKAGE)), default=-1)
    of_author = stack[last + 1 :] or stack[-1:]
    callout, innermost = of_author[0], of_author[-1]
    where = f"it is in {callout.name}, {callout.filename} line {callout.lineno}"
    if innermost is not callout:
        where += f" (in {innermost.name}, {innermost.filename} line {innermost.lineno})"
    return where, trace
