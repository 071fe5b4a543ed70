"""The outcome file: what was offered to whom, for an external reader.

Records have Kea's text form. A decision never waits for the disk: what the disk is too slow for is counted and left
out.
"""

import logging
import os
import threading
import time
from ipaddress import IPv6Address
from pathlib import Path
from queue import Empty, SimpleQueue
from socket import AF_INET, AF_INET6, inet_ntop
from typing import NamedTuple, Protocol

from .client import Client
from .counters import Counters

#: Records that wait for the disk: some seconds of a busy server.
QUEUE = 16 * 1024

#: Records that are written at once, and how long the first of them waits for others, in seconds: the callouts share the
#: interpreter with the thread, which need not be woken for each.
_TOGETHER = 256
_GATHER = 0.005

_LOG = logging.getLogger(__name__)


class Prefix(NamedTuple):
    """The first prefix of the first IA_PD."""

    #: 16 bytes.
    address: bytes
    #: Bits of it, 0 to 128.
    length: int


class Record(NamedTuple):
    """One record."""

    #: Whom the response goes to.
    client: Client
    #: What it grants: a DHCPv4 address (0.0.0.0 in the reply to INFORM), a DHCPv6 one, or a prefix; 4 or 16 bytes.
    granted: bytes | Prefix
    #: Whether the client was registered when its packet was received.
    registered: bool

    def __str__(self) -> str:
        """As in the file: four lines and an empty one."""
        return (
            f"id_type={self.client.kind.value}\n"
            f"client={self.client}\n"
            f"addr={_granted_text(self.granted)}\n"
            f"registered={'yes' if self.registered else 'no'}\n\n"
        )


def _granted_text(granted: bytes | Prefix) -> str:
    if isinstance(granted, Prefix):
        return f"{_address_text(granted.address)}/{granted.length}"
    return _address_text(granted)


def _address_text(address: bytes) -> str:
    if len(address) == 4:
        return inet_ntop(AF_INET, address)
    text = inet_ntop(AF_INET6, address)
    # RFC 5952 section 5 has IPv4-mapped addresses with dots, some C libraries others too.
    if "." in text and not text.startswith("::ffff:"):
        return str(IPv6Address(address))
    return text


class File(Protocol):
    """What records are written to."""

    def write(self, data: bytes, /) -> int | None:
        """Writes some of it and returns how many bytes that were. Raises OSError."""

    def close(self) -> None:
        """Nothing follows."""


class Outcome:
    """The outcome file with the thread that writes it. `close` writes everything that is queued."""

    def __init__(self, file: File, path: Path, counters: Counters, capacity: int = QUEUE) -> None:
        self._capacity = capacity
        self._counters = counters
        self._queue: SimpleQueue[Record | None] = SimpleQueue()
        self._writer = _Writer(file, path, counters, self._queue)

    @classmethod
    def open(cls, path: Path, counters: Counters) -> "Outcome":
        """Opens the file to append to it; a missing one is made. Raises OSError."""
        return cls(open(path, "ab", buffering=0), path, counters)

    def record(self, record: Record) -> None:
        """Queues a record. Never waits: where the queue is full, the record is lost and counted."""
        if self._queue.qsize() < self._capacity:
            self._queue.put(record)
        else:
            self._counters.records_too_fast += 1

    def close(self) -> None:
        """Ends when all records are written."""
        self._queue.put(None)
        self._writer.join()


class _Writer(threading.Thread):
    def __init__(self, file: File, path: Path, counters: Counters, queue: "SimpleQueue[Record | None]") -> None:
        super().__init__(name="outcome", daemon=True)
        self._file = file
        self._path = path
        self._counters = counters
        self._queue = queue
        #: Lost records that the log knows of.
        self._reported = 0
        self._failing = False
        self.start()

    def run(self) -> None:
        more = True
        while more:
            records, more = self._waiting()
            if records:
                self._write(records)
            lost = self._counters.lost_records
            if lost > self._reported and not self._failing:
                self._reported = lost
                _LOG.error("outcome file %s: records were lost: lost_records=%d", self._path, lost)
        self._file.close()

    def _waiting(self) -> tuple[list[Record], bool]:
        """Waits for records; those that are there, up to a limit, and whether others may follow."""
        records: list[Record] = []
        record = self._queue.get()
        if self._queue.empty():
            time.sleep(_GATHER)
        while record is not None:
            records.append(record)
            if len(records) == _TOGETHER:
                return records, True
            try:
                record = self._queue.get_nowait()
            except Empty:
                return records, True
        return records, False

    def _write(self, records: list[Record]) -> None:
        """Writes records in one piece, so that a reader that follows the file meets whole records."""
        rest = memoryview("".join(map(str, records)).encode())
        try:
            while rest:
                rest = rest[self._file.write(rest.tobytes()) or 0 :]
        except OSError as error:
            self._counters.records_unwritten += len(records)
            if not self._failing:
                self._failing = True
                _LOG.error("outcome file %s cannot be written; records are lost: %s", self._path, error.strerror)
            return
        self._counters.records += len(records)
        if self._failing:
            self._failing = False
            _LOG.info("the outcome file %s can be written again", self._path)


def check(path: Path) -> None:
    """Raises OSError where the outcome file cannot be opened; makes it where it is missing."""
    os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666))
