"""Writes what happens to leases into a file, one JSON object per line."""

import argparse
import json
import logging
import threading
from datetime import datetime, timezone
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from outrigger_hooks import Hook, add_arguments, serve, serving
from outrigger_hooks.lease import Lease
from outrigger_hooks.points import (
    Lease4Decline,
    Lease4Expire,
    Lease4Release,
    Lease6Decline,
    Lease6Expire,
    Lease6Release,
    Leases4Committed,
    Leases6Committed,
)
from outrigger_hooks.values import LeaseType

log = logging.getLogger("lease_events")

#: Events that wait for the disk; what comes on top of them is lost, and nobody waits for it.
WAITING = 10_000
#: Events that are written at once.
TOGETHER = 500


class Events:
    """The file with the thread that writes it. A file that was moved away is made anew, so any log rotation will do."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lost = 0
        self.queue: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self.thread = threading.Thread(target=self.write_all, name="lease-events", daemon=True)

    def add(self, event: dict[str, Any]) -> None:
        if self.queue.qsize() < WAITING:
            self.queue.put(event)
        else:
            self.lost += 1

    def close(self) -> None:
        self.queue.put(None)
        self.thread.join()

    def write_all(self) -> None:
        told = 0
        more = True
        while more:
            events, more = self.waiting()
            try:
                self.write("".join(json.dumps(event) + "\n" for event in events).encode())
            except OSError as error:
                self.lost += len(events)
                log.error("%s cannot be written: %s", self.path, error)
            if self.lost > told:
                told = self.lost
                log.error("%d events were lost", told)

    def waiting(self) -> tuple[list[dict[str, Any]], bool]:
        """The events that wait, and whether there may be others."""
        events: list[dict[str, Any]] = []
        event = self.queue.get()
        while event is not None:
            events.append(event)
            if len(events) == TOGETHER:
                return events, True
            try:
                event = self.queue.get_nowait()
            except Empty:
                return events, True
        return events, False

    def write(self, lines: bytes) -> None:
        # Opened each time: that costs little beside the writing, and meets the file that is there now. Several workers
        # append whole lines.
        with open(self.path, "ab", buffering=0) as file:
            file.write(lines)


def make_hook(path: Path) -> Hook:
    hook = Hook("lease-events", version="1.0.0")
    events = Events(path)
    hook.start(events.thread.start)
    hook.stop(events.close)

    def add(what: str, lease: Lease, packet: str = "") -> None:
        events.add(described(what, lease, packet))

    @hook.leases4_committed(reads=["leases", "deleted-leases"], writes=[])
    def committed4(call: Leases4Committed) -> None:
        committed(call)

    @hook.leases6_committed(reads=["leases", "deleted-leases"], writes=[])
    def committed6(call: Leases6Committed) -> None:
        committed(call)

    def committed(call: Leases4Committed | Leases6Committed) -> None:
        for lease in call.leases:
            add("committed", lease, call.packet_label)
        for lease in call.deleted_leases:
            add("deleted", lease, call.packet_label)

    @hook.lease4_release(reads=["lease"], writes=[])
    def released4(call: Lease4Release) -> None:
        add("released", call.lease, call.packet_label)

    @hook.lease6_release(reads=["lease"], writes=[])
    def released6(call: Lease6Release) -> None:
        add("released", call.lease, call.packet_label)

    @hook.lease4_decline(reads=["lease"], writes=[])
    def declined4(call: Lease4Decline) -> None:
        add("declined", call.lease, call.packet_label)

    @hook.lease6_decline(reads=["lease"], writes=[])
    def declined6(call: Lease6Decline) -> None:
        add("declined", call.lease, call.packet_label)

    @hook.lease4_expire(reads=["lease"], writes=[])
    def expired4(call: Lease4Expire) -> None:
        add("expired", call.lease)

    @hook.lease6_expire(reads=["lease"], writes=[])
    def expired6(call: Lease6Expire) -> None:
        add("expired", call.lease)

    return hook


def described(what: str, lease: Lease, packet: str) -> dict[str, Any]:
    is_prefix = lease.type is LeaseType.PD
    return {
        "time": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
        "event": what,
        "address": str(lease.prefix if is_prefix else lease.address),
        "subnet-id": lease.subnet_id,
        "hw-address": str(lease.hw_address),
        "client-id": lease.client_id.hex(":"),
        "duid": lease.duid.hex(":"),
        "hostname": lease.hostname,
        "valid-lifetime": lease.valid_lifetime,
        "packet": packet,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Writes what happens to leases into a file.")
    parser.add_argument("--events", type=Path, required=True, metavar="FILE", help="where to; it is appended to")
    add_arguments(parser)
    arguments = parser.parse_args()
    serve(make_hook(arguments.events), **serving(arguments))
