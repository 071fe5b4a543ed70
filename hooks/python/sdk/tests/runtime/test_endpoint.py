"""How endpoints are written, and how their sockets come and go."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from outrigger_hooks._endpoint import (
    EndpointError,
    ListenError,
    OwnSocket,
    TcpEndpoint,
    UnixEndpoint,
    bind,
    parse,
    unix_place,
)


@pytest.mark.parametrize(
    "text", ["unix:/run/x.sock", "http://127.0.0.1:80", "http://[::1]:5000", "https://name:1", "http://localhost:0"]
)
def test_endpoints_are_read_and_written_alike(text):
    assert str(parse(text)) == text


def test_unix_sockets_may_be_written_with_slashes():
    assert parse("unix:///run/x.sock") == UnixEndpoint(Path("/run/x.sock"))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("/run/x.sock", "write unix:/path"),
        ("unix:", "has no path"),
        ("unix:///", "has no path"),
        ("http://name", "has no port"),
        ("http://:80", "has no port"),
        ("http://name:99999", "has no port"),
        ("http://name:-1", "has no port"),
        ("ftp://name:1", "is not an endpoint"),
    ],
)
def test_a_wrong_endpoint_says_what_to_write(text, part):
    with pytest.raises(EndpointError, match=part):
        parse(text)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.1.2.3", True), ("::1", True), ("0.0.0.0", False), ("::", False), ("192.0.2.1", False)],
)
def test_what_other_machines_reach_is_known(host, loopback):
    assert TcpEndpoint(host, 0).is_loopback() is loopback


def test_a_place_that_is_not_used_leaves_nothing_behind(tmp_path):
    with pytest.raises(ValueError), unix_place(tmp_path / "hook.sock") as place, socket.socket(socket.AF_UNIX) as own:
        own.bind(str(place))
        raise ValueError
    assert not list(tmp_path.iterdir())


def test_of_two_that_start_at_a_time_one_listens(tmp_path):
    """Each would find the other's socket before it listens, and take it for a stale one."""
    endpoint = UnixEndpoint(tmp_path / "hook.sock")
    outcomes: list[object] = []
    start = threading.Barrier(8)

    def listen() -> None:
        start.wait()
        try:
            outcomes.append(bind(endpoint)[0])
        except ListenError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=listen) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    listeners = [outcome for outcome in outcomes if isinstance(outcome, socket.socket)]
    assert len(listeners) == 1, outcomes
    assert outcomes.count(f"{endpoint.path} is in use by a running service") == 7
    OwnSocket(endpoint.path).remove()
    listeners[0].close()
    assert not list(tmp_path.iterdir())
