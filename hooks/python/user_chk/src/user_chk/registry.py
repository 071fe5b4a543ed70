"""Who is registered: the last good version of the registry file.

The file has Kea's form, one JSON object of strings per line; blank lines and comments are allowed. A file with any bad
line is refused as a whole: after the start the last good version stays in force and an alarm is logged, at the start
the service is not ready until the file is repaired.
"""

import enum
import errno
import hashlib
import logging
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from .counters import Counters
from .users import Problems, Users, read

#: Largest registry file, in bytes. A million users have about 100 MB.
MAX_FILE = 1024 * 1024 * 1024

_LOG = logging.getLogger(__name__)


class Version(NamedTuple):
    """One good version of the registry. Never changes."""

    #: Counts from 1, for logs.
    number: int
    #: Who is registered in it.
    users: Users


class Refresh(enum.Enum):
    """What a refresh did."""

    #: The file is what it was at the last try.
    UNCHANGED = enum.auto()
    #: A new version is in force.
    LOADED = enum.auto()
    #: The file is bad or missing; what was in force stays.
    REFUSED = enum.auto()


#: What of a file changes when it does: device, inode, size, and both times in nanoseconds; None where there is none.
Fingerprint = tuple[int, int, int, int, int] | None


class _Try(NamedTuple):
    """What a refresh found."""

    fingerprint: Fingerprint
    #: Hash of the content, or the error without one.
    saw: bytes | int
    problem: str | None


class Registry:
    """One file, and the last good version of it."""

    def __init__(self, path: Path, counters: Counters, on_ready: Callable[[], None]) -> None:
        """A registry that has not read its file yet. `on_ready` is called with each version that comes into force."""
        #: The file.
        self.path = path
        #: The version in force; None until the first good one. Lookups in it never wait.
        self.current: Version | None = None
        self._counters = counters
        self._on_ready = on_ready
        self._last: _Try | None = None
        self._refreshing = threading.Lock()

    @property
    def problem(self) -> str | None:
        """What was wrong at the last refresh, naming the file."""
        last = self._last
        return last.problem if last else None

    def fingerprint(self) -> Fingerprint:
        """The file as far as it can be seen without reading it."""
        try:
            file = os.stat(self.path)
        except OSError:
            return None
        return file.st_dev, file.st_ino, file.st_size, file.st_mtime_ns, file.st_ctime_ns

    def is_stale(self) -> bool:
        """Whether the file is another than at the last refresh, as far as that can be seen without reading it."""
        last = self._last
        return last is None or last.fingerprint != self.fingerprint()

    def refresh(self) -> Refresh:
        """Reads the file again. A change is logged once, good or bad."""
        with self._refreshing:
            fingerprint = self.fingerprint()
            content, error = b"", None
            try:
                content = _read_file(self.path)
                saw: bytes | int = hashlib.sha256(content).digest()
            except OSError as caught:
                error = caught
                saw = caught.errno or 0
            if self._last and self._last.saw == saw:
                self._last = self._last._replace(fingerprint=fingerprint)
                return Refresh.UNCHANGED
            try:
                if error:
                    raise error
                self._put_in_force(read(content))
                problem = None
            except OSError as missing:
                problem = self._raise_alarm(f"{missing.strerror} (os error {missing.errno})")
            except Problems as bad:
                problem = self._raise_alarm(str(bad))
            self._last = _Try(fingerprint, saw, problem)
            return Refresh.REFUSED if problem else Refresh.LOADED

    def _put_in_force(self, users: Users) -> None:
        number = self.current.number + 1 if self.current else 1
        self.current = Version(number, users)
        self._on_ready()
        self._counters.reloads += 1
        _LOG.info(
            "registry %s loaded: version=%d users=%d reloads=%d refused=%d",
            self.path,
            number,
            len(users),
            self._counters.reloads,
            self._counters.refused_reloads,
        )

    def _raise_alarm(self, reason: str) -> str:
        self._counters.refused_reloads += 1
        refused = self._counters.refused_reloads
        problem = f"registry {self.path}: {reason}"
        if self.current:
            number, users = self.current
            _LOG.error(
                "%s; the last good version stays in force (alarm=registry version=%d users=%d refused=%d)",
                problem,
                number,
                len(users),
                refused,
            )
        else:
            _LOG.error(
                "%s; the service is not ready until this is repaired (alarm=registry refused=%d)", problem, refused
            )
        return problem


def _read_file(path: Path) -> bytes:
    """The whole file. Anything but an ordinary file would block or never end."""
    file = os.stat(path)
    if not stat.S_ISREG(file.st_mode):
        raise OSError(errno.EINVAL, "is not an ordinary file")
    if file.st_size > MAX_FILE:
        raise OSError(errno.EFBIG, f"has {file.st_size} bytes; {MAX_FILE} are possible")
    return path.read_bytes()
