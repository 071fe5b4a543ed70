"""Each example keeps every rule of the hook protocol, for servers of both families."""

import os
import signal
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import grpc
import pytest

FOLDER = Path(__file__).parents[1]
PATIENCE = 30.0


class FreeAddresses(socketserver.StreamRequestHandler):
    """A backend to which every address is free."""

    def handle(self) -> None:
        self.rfile.readline()
        self.wfile.write(b"free\n")


class SubnetTwo(BaseHTTPRequestHandler):
    """An API that puts everybody into subnet 2."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"subnet": 2}')

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def ports() -> Iterator[dict[str, int]]:
    """Where the servers listen that examples ask."""
    servers: list[socketserver.TCPServer] = [
        ThreadingHTTPServer(("127.0.0.1", 0), SubnetTwo),
        socketserver.ThreadingTCPServer(("127.0.0.1", 0), FreeAddresses),
    ]
    threads = [threading.Thread(target=server.serve_forever, daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    yield {"api": servers[0].server_address[1], "backend": servers[1].server_address[1]}
    for server, thread in zip(servers, threads, strict=True):
        server.shutdown()
        server.server_close()
        thread.join()


PARAMETERS = {
    "option_by_class": '{"classes": {"ALL": {"%(option)s": "boot"}}}',
    "subnet_from_api": '{"url": "http://127.0.0.1:%(api)d/subnets"}',
    "lease_events": "",
    "deny_list": "",
    "slow_backend": '{"host": "127.0.0.1", "port": %(backend)d}',
}


@pytest.mark.parametrize("family", ["4", "6"])
@pytest.mark.parametrize("example", PARAMETERS)
def test_the_rules_are_kept(example: str, family: str, ports: dict[str, int], tmp_path: Path) -> None:
    binary = Path(os.environ.get("OUTRIGGER_BIN_DIR", FOLDER.parents[2] / "target" / "debug")) / "hook-runner"
    assert binary.is_file(), f"there is no {binary}: cargo build -p outrigger-hook-runner, or set OUTRIGGER_BIN_DIR"
    (tmp_path / "denied.txt").write_text("hw-address 08:00:27:00:00:01\n")
    own = {"lease_events": ["--events", "leases.jsonl"], "deny_list": ["--list", "denied.txt"]}.get(example, [])
    endpoint = f"unix:{tmp_path}/hook.sock"
    option = "boot-file-name" if family == "4" else "bootfile-url"
    with (tmp_path / "log").open("wb") as log:
        service = subprocess.Popen(
            [sys.executable, str(FOLDER / example / f"{example}.py"), "--listen", endpoint, *own],
            cwd=tmp_path,
            stderr=log,
        )
    try:
        with grpc.insecure_channel(endpoint) as channel:
            grpc.channel_ready_future(channel).result(PATIENCE)
        checked = subprocess.run(
            [
                *(str(binary), "check", endpoint, "--family", family, "--drain-pid", str(service.pid)),
                *("--parameters", PARAMETERS[example] % {**ports, "option": option}),
            ],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert checked.returncode == 0, checked.stdout + checked.stderr + (tmp_path / "log").read_text()
        assert service.wait(PATIENCE) == 0
    finally:
        service.send_signal(signal.SIGKILL)
        service.wait()
