import socketserver
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from outrigger_hooks import NextStep, Refusal
from outrigger_hooks.testing import Trial, lease, run

from slow_backend import hook


class Backend(socketserver.ThreadingTCPServer):
    """A backend on loopback: answers by address, and what it was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, bytes] = {}
        self.asked: list[str] = []
        #: Answers wait until it is set.
        self.go = threading.Event()
        self.go.set()
        self.parameters = {"host": "127.0.0.1", "port": self.server_address[1]}


class Handler(socketserver.StreamRequestHandler):
    server: Backend

    def handle(self) -> None:
        address = self.rfile.readline().decode().strip()
        self.server.asked.append(address)
        self.server.go.wait()
        self.wfile.write(self.server.answers.get(address, b"free\n"))


@pytest.fixture
def backend() -> Iterator[Backend]:
    with Backend() as backend:
        thread = threading.Thread(target=backend.serve_forever, daemon=True)
        thread.start()
        yield backend
        backend.go.set()
        backend.shutdown()
        thread.join()


def test_an_address_that_is_taken_is_not_offered(backend: Backend) -> None:
    backend.answers["192.0.2.10"] = b"taken\n"
    with Trial(hook, parameters=backend.parameters) as trial:
        taken = trial.run("lease4_offer", leases=[lease("192.0.2.10")])
        assert taken.parked and taken.changes.offer_address_in_use
        free = trial.run("lease4_offer", leases=[lease("192.0.2.11")])
        assert free.parked and not free.changed
    assert backend.asked == ["192.0.2.10", "192.0.2.11"]


def test_a_reply_with_an_address_that_is_taken_is_not_sent(backend: Backend) -> None:
    backend.answers["2001:db8::b"] = b"taken\n"
    with Trial(hook, family=6, parameters=backend.parameters) as trial:
        taken = trial.run("leases6_committed", leases=[lease("2001:db8::a"), lease("2001:db8::b")])
        assert taken.parked and taken.next_step is NextStep.DROP
        free = trial.run("leases6_committed", leases=[lease("2001:db8::a")])
        assert free.parked and free.next_step is None


def test_without_a_lease_or_where_nobody_waits_nothing_is_asked(backend: Backend) -> None:
    for leases, park_budget in (([], 5.0), ([lease("192.0.2.10")], None)):
        result = run(hook, "lease4_offer", parameters=backend.parameters, leases=leases, park_budget=park_budget)
        assert not result.parked and result.failure is None
    assert backend.asked == []


@pytest.mark.parametrize("answer", [b"", b"perhaps\n", b"\xff\n", b"x" * 1000])
def test_an_answer_that_makes_no_sense_is_a_failure(backend: Backend, answer: bytes) -> None:
    backend.answers["192.0.2.10"] = answer
    result = run(hook, "lease4_offer", parameters=backend.parameters, leases=[lease("192.0.2.10")])
    assert result.failure is not None and result.failure.startswith("the backend did not answer: ")


def test_a_backend_that_takes_too_long_is_a_failure(backend: Backend) -> None:
    backend.go.clear()
    result = run(hook, "lease4_offer", parameters=backend.parameters, leases=[lease("192.0.2.10")], park_budget=0.1)
    assert result.parked
    assert result.failure == "the backend did not answer in time"


def test_a_backend_that_is_not_there_is_a_failure(backend: Backend) -> None:
    with Backend() as gone:
        nobody = gone.parameters
    result = run(hook, "lease4_offer", parameters=nobody, leases=[lease("192.0.2.10")])
    assert result.failure is not None and "the backend did not answer" in result.failure


@pytest.mark.parametrize("parameters", [{}, {"host": "127.0.0.1"}, {"host": "127.0.0.1", "port": "7000"}])
def test_parameters_that_make_no_sense_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(Refusal, match="parameters"):
        run(hook, "lease4_offer", parameters=parameters)
