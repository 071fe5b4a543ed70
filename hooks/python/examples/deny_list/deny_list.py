"""Drops the packets of clients that are on a list."""

import argparse
import logging
import os
import threading
from pathlib import Path

from outrigger_hooks import Hook, Load, Refusal, add_arguments, serve, serving
from outrigger_hooks.points import Pkt4Receive, Pkt6Receive

log = logging.getLogger("deny_list")

#: Seconds between two looks at the file.
LOOK = 1.0


class Denied:
    """The clients of the file as it was when all of it was good."""

    def __init__(self, path: Path) -> None:
        self.path = path
        #: None: the list was never good.
        self.clients: frozenset[tuple[str, bytes]] | None = None
        #: Why the list as it is now does not count.
        self.problem: str | None = None
        self.seen: object = None
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.watch, name="deny-list", daemon=True)

    def __contains__(self, client: tuple[str, bytes]) -> bool:
        return self.clients is not None and client in self.clients

    def start(self) -> None:
        self.look()
        self.thread.start()

    def stop(self) -> None:
        self.stopped.set()
        self.thread.join()

    def watch(self) -> None:
        while not self.stopped.wait(LOOK):
            self.look()

    def look(self) -> None:
        """Reads the file if it is another one than before."""
        try:
            status = os.stat(self.path)
            seen: object = (status.st_ino, status.st_size, status.st_mtime_ns)
        except OSError as error:
            seen = str(error)
        if seen == self.seen:
            return
        self.seen = seen
        try:
            self.clients = read(self.path.read_text())
            self.problem = None
            log.info("%s: %d clients are denied", self.path, len(self.clients))
        except (OSError, ValueError) as error:
            self.problem = f"{self.path}: {error}"
            log.warning("%s; the list before stays", self.problem)


def read(text: str) -> frozenset[tuple[str, bytes]]:
    """Lines of "hw-address 08:00:27:00:00:01" and "duid 00:03:00:01:08:00:27:00:00:01"; "#" starts a comment."""
    clients = set()
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        try:
            kind, identifier = words
            if kind not in ("hw-address", "duid"):
                raise ValueError
            clients.add((kind, bytes.fromhex(identifier.replace(":", ""))))
        except ValueError:
            raise ValueError(
                f'line {number}: "{line}" is neither "hw-address XX:XX:..." nor "duid XX:XX:..."'
            ) from None
    return frozenset(clients)


def make_hook(path: Path) -> Hook:
    hook = Hook("deny-list", version="1.0.0")
    denied = Denied(path)
    hook.start(denied.start)
    hook.stop(denied.stop)

    @hook.load
    def load(load: Load) -> None:
        # A server that starts without the list would let everybody in.
        if denied.clients is None:
            raise Refusal(f"the list is not good: {denied.problem}")

    @hook.pkt4_receive(reads=["query.header"], writes=[])
    def pkt4(call: Pkt4Receive) -> None:
        hw_address = call.query.hw_address
        if ("hw-address", hw_address.address) in denied:
            call.drop(f"hw-address {hw_address} is on the list")

    @hook.pkt6_receive(reads=["query.options.clientid"], writes=[])
    def pkt6(call: Pkt6Receive) -> None:
        duid = call.query.duid
        if duid is not None and ("duid", duid) in denied:
            call.drop(f"duid {duid.hex(':')} is on the list")

    return hook


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Drops the packets of clients that are on a list.")
    parser.add_argument("--list", type=Path, required=True, metavar="FILE", help="the list; it is read when it changes")
    add_arguments(parser)
    arguments = parser.parse_args()
    serve(make_hook(arguments.list), **serving(arguments))
