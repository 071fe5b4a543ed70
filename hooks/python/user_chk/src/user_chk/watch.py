"""Notices changes of the registry file.

The file is looked at regularly, which finds also what network file systems and symbolic links do not tell. A change
counts once the file has been quiet for a moment: whoever writes in several steps is let finish.
"""

import threading
import time
from types import TracebackType
from typing import NamedTuple

from .registry import Registry


class WatchSettings(NamedTuple):
    """How changes are noticed; all in seconds. As they are, a change is in force within a second."""

    #: How often the file is looked at.
    poll: float = 0.25
    #: How long it must be quiet before it is read.
    quiet: float = 0.2
    #: How long it may be unquiet before it is read all the same.
    patience: float = 0.8


class Watch:
    """A thread that refreshes a registry whenever its file is another than at the last refresh. Ends with `stop`."""

    def __init__(self, registry: Registry, settings: WatchSettings | None = None) -> None:
        self._registry = registry
        self._settings = settings or WatchSettings()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="registry-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; a refresh that is under way is finished."""
        self._stopped.set()
        self._thread.join()

    def __enter__(self) -> "Watch":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        while not self._stopped.wait(self._settings.poll):
            if self._registry.is_stale() and self._settle():
                self._registry.refresh()

    def _settle(self) -> bool:
        """Waits until the file is quiet; False when the watch is stopped meanwhile."""
        limit = time.monotonic() + self._settings.patience
        before = self._registry.fingerprint()
        while not self._stopped.wait(self._settings.quiet):
            now = self._registry.fingerprint()
            if now == before or time.monotonic() >= limit:
                return True
            before = now
        return False
