"""Threads for callouts that block."""

from __future__ import annotations

import queue
import threading
import time
from typing import Protocol


class Job(Protocol):
    """A callout to run."""

    @property
    def deadline(self) -> float | None:
        """When its caller stops waiting, as `time.monotonic` counts; None: never."""

    def describe(self) -> str:
        """For the log: which callout of which packet."""

    def run(self) -> None:
        """Runs it and hands over what came of it. Never raises."""


class Running:
    """A job in its thread."""

    __slots__ = ("is_reported", "job", "overdue", "started")

    def __init__(self, job: Job) -> None:
        self.job = job
        self.started = time.monotonic()
        #: Seconds for which it has gone on after its deadline, or at all where it has none.
        self.overdue = 0.0
        #: Whether the log has it that the job does not end.
        self.is_reported = False


class Threads:
    """Started one by one as they are needed. They do not keep the process alive."""

    def __init__(self, most: int, waiting: int) -> None:
        """At most so many threads, and so many jobs that wait for one."""
        self.most = most
        #: What runs, by the thread's ident.
        self.running: dict[int, Running] = {}
        self._jobs: queue.Queue[Job] = queue.Queue(waiting)
        self._idle = threading.Semaphore(0)
        self._started = 0

    def start(self, job: Job) -> bool:
        """`False`: too many wait already. Called by one thread only."""
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            return False
        if not self._idle.acquire(blocking=False) and self._started < self.most:
            self._started += 1
            name = f"callouts-{self._started}"
            threading.Thread(target=self._work, name=name, daemon=True).start()
        return True

    def _work(self) -> None:
        ident = threading.get_ident()
        while True:
            job = self._jobs.get()
            self.running[ident] = Running(job)
            job.run()
            del self.running[ident]
            # A job kept here would hold its packet until the next one comes.
            del job
            self._idle.release()
