"""Ends a process whose callout never returns, and says which.

The event loop says regularly that it is alive. Where it does not, a thread writes to the log where the loop is stuck
and ends the process: whoever started it starts another. Native code that holds Python's lock stops that thread as well;
then the timer of faulthandler, which needs no lock, writes the traceback and ends the process a little later.
"""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import os
import sys
import threading
import time
import traceback
from typing import Final

from ._threads import Threads

logger = logging.getLogger("outrigger_hooks")

#: Exit code of a process that was stuck.
EXIT_STUCK: Final = 70
#: How much longer than the thread the timer waits, in seconds.
_MARGIN: Final = 1.0

_PACKAGE: Final = os.path.dirname(os.path.abspath(__file__)) + os.sep


class Watchdog:
    """Watches one event loop and the threads of blocking callouts."""

    def __init__(self, loop: asyncio.AbstractEventLoop, threads: Threads, stuck_after: float) -> None:
        """`stuck_after` is in seconds. Made in the thread of the loop."""
        self._loop = loop
        self._threads = threads
        self._stuck_after = stuck_after
        self._interval = min(stuck_after / 4, 1.0)
        self._watched = threading.get_ident()
        self._beaten = time.monotonic()
        self._over = threading.Event()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """From now on."""
        self._beat()
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """The loop is about to end."""
        self._over.set()
        if self._timer is not None:
            self._timer.cancel()
        faulthandler.cancel_dump_traceback_later()

    def _beat(self) -> None:
        self._beaten = time.monotonic()
        # Of the process's standard error itself: sys.stderr may be something without a descriptor.
        faulthandler.dump_traceback_later(self._stuck_after + _MARGIN, exit=True, file=2)
        self._timer = self._loop.call_later(self._interval, self._beat)

    def _watch(self) -> None:
        suspect = None
        while not self._over.wait(self._interval):
            beaten = self._beaten
            if time.monotonic() - beaten < self._stuck_after:
                suspect = None
            elif suspect != beaten:
                # A process that was stopped for a while gets the chance to beat.
                suspect = beaten
            else:
                self._end(f"the service is stuck for {self._stuck_after:g} s", self._watched)
            self._watch_threads()

    def _watch_threads(self) -> None:
        """A blocking callout that goes on long after its call is lost: its thread will never serve another."""
        running = list(self._threads.running.items())
        for ident, run in running:
            over = run.job.deadline or run.started
            if not run.is_reported and time.monotonic() - max(over, run.started) > self._stuck_after:
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
