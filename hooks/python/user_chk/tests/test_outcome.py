"""Records are written as Kea writes them, and nobody waits for the disk."""

import errno
import threading
from ipaddress import IPv6Address
from pathlib import Path

import pytest

from user_chk.client import Client, client4, client6
from user_chk.counters import Counters
from user_chk.outcome import Outcome, Prefix, Record, check

DUID = bytes.fromhex("000100011ef01234080027aabb01")
PATIENCE = 20.0


def client(found: Client | None) -> Client:
    assert found is not None
    return found


def v6(address: str, registered: bool = True) -> Record:
    return Record(client(client6(DUID)), IPv6Address(address).packed, registered)


def test_records_are_written_as_kea_writes_them(tmp_path: Path) -> None:
    path = tmp_path / "outcome.txt"
    counters = Counters()
    outcome = Outcome.open(path, counters)
    assert path.read_bytes() == b"", "made empty"
    outcome.record(v6("3000:0::a", registered=False))
    hw_address = client(client4(1, bytes.fromhex("5254000a0b01")))
    outcome.record(Record(hw_address, bytes((192, 0, 2, 10)), registered=True))
    outcome.record(Record(client(client6(DUID)), Prefix(IPv6Address("2001:db8:8::").packed, 56), registered=True))
    outcome.close()
    assert path.read_text() == (
        "id_type=DUID\n"
        "client=00:01:00:01:1e:f0:12:34:08:00:27:aa:bb:01\n"
        "addr=3000::a\n"
        "registered=no\n"
        "\n"
        "id_type=HW_ADDR\n"
        "client=hwtype=1 52:54:00:0a:0b:01\n"
        "addr=192.0.2.10\n"
        "registered=yes\n"
        "\n"
        "id_type=DUID\n"
        "client=00:01:00:01:1e:f0:12:34:08:00:27:aa:bb:01\n"
        "addr=2001:db8:8::/56\n"
        "registered=yes\n"
        "\n"
    )
    assert counters.records == 3


def test_an_existing_file_is_appended_to_by_every_worker(tmp_path: Path) -> None:
    path = tmp_path / "outcome.txt"
    path.write_text("before\n")
    workers = [Outcome.open(path, Counters()) for _ in range(3)]
    for number in range(300):
        workers[number % 3].record(v6(f"::{number + 1:x}"))
    for worker in workers:
        worker.close()
    before, *lines = path.read_text().splitlines()
    assert before == "before"
    records = {tuple(lines[start : start + 5]) for start in range(0, len(lines), 5)}
    assert len(lines) == 1500 and len(records) == 300, "whole records"
    assert {(record[0], record[3], record[4]) for record in records} == {("id_type=DUID", "registered=yes", "")}


def test_a_path_that_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    missing = tmp_path / "no" / "outcome.txt"
    for open_it in (check, lambda path: Outcome.open(path, Counters())):
        with pytest.raises(FileNotFoundError):
            open_it(missing)
    check(tmp_path / "outcome.txt")
    assert (tmp_path / "outcome.txt").read_bytes() == b""


class SlowDisk:
    """Tells of each write and waits for permission."""

    def __init__(self) -> None:
        self.started = threading.Semaphore(0)
        self.permits = threading.Semaphore(0)

    def write(self, data: bytes, /) -> int:
        self.started.release()
        assert self.permits.acquire(timeout=PATIENCE)
        return len(data)

    def close(self) -> None:
        pass


def test_records_that_the_disk_is_too_slow_for_are_counted_and_hold_nobody_up() -> None:
    counters, disk = Counters(), SlowDisk()
    outcome = Outcome(disk, Path("slow"), counters, capacity=2)
    outcome.record(v6("::1"))
    assert disk.started.acquire(timeout=PATIENCE)
    for _ in range(5):
        outcome.record(v6("::1"))
    assert counters.lost_records == 3
    disk.permits.release(3)
    outcome.close()
    assert counters.records == 3


class FullDisk:
    """Full for the first writes, then with room for a few bytes at a time. Each write is told."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.written = b""
        self.tried = threading.Semaphore(0)

    def write(self, data: bytes, /) -> int:
        self.tried.release()
        if self.failures:
            self.failures -= 1
            raise OSError(errno.ENOSPC, "No space left on device")
        self.written += data[:50]
        return min(len(data), 50)

    def close(self) -> None:
        pass


def test_a_full_disk_costs_its_records_and_nothing_later(caplog: pytest.LogCaptureFixture) -> None:
    counters, disk = Counters(), FullDisk(failures=2)
    outcome = Outcome(disk, Path("full"), counters)
    for _ in range(2):
        outcome.record(v6("::1"))
        assert disk.tried.acquire(timeout=PATIENCE)
    outcome.record(v6("::2"))
    outcome.close()
    assert (counters.lost_records, counters.records) == (2, 1)
    assert disk.written == str(v6("::2")).encode()
    messages = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert messages[0] == "outcome file full cannot be written; records are lost: No space left on device"
