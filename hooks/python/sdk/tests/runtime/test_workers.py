"""Worker processes: what one of them does wrong costs its own connections only."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator

import grpc
import pytest
from grpc_health.v1 import health_pb2
from support import (
    PKT4_SEND,
    SUBNET4_SELECT,
    Service,
    Session,
    call,
    health,
    is_alive,
    load,
    load_request,
    metric,
    pid_of,
    until,
)

SERVING = health_pb2.HealthCheckResponse.SERVING


def pids(service: Service, count: int) -> list[int]:
    """The workers, once so many were started."""
    return [int(match.group(1)) for match in service.wait_for(r"worker \d+ is process (\d+)", count)]


def living(service: Service) -> list[int]:
    """Those that have not ended."""
    return [pid for pid in pids(service, 3) if is_alive(pid)]


@pytest.fixture(scope="module")
def _three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    socket = tmp_path_factory.mktemp("three") / "hook.sock"
    service = Service(f"unix:{socket}", "--workers", "3", "--stuck-after", "0.5")
    pids(service, 3)
    yield service
    service.close()


@pytest.fixture
def three(_three: Service) -> Iterator[Service]:
    """A service with three workers that many tests use one after the other."""
    until(lambda: len(living(_three)) == 3)
    yield _three
    _three.disconnect()


def test_connections_are_spread_over_the_workers(three):
    sessions = [Session(three.channel()) for _ in range(6)]
    served = [pid_of(session.ask(call(1, "x"))) for session in sessions]
    assert sorted(served) == sorted(living(three) * 2)


def test_a_configuration_is_loaded_by_every_worker(three):
    sessions = [Session(three.channel()) for _ in range(3)]
    load(three.channel(), load_request(2, '{"greeting": "salut"}'))
    for session in sessions:
        newer = call(1, "x")
        newer.configuration_revision = 2
        assert session.ask(newer).result.warning.startswith("salut x")


@pytest.mark.parametrize(
    ("number", "label", "ending", "words"),
    [
        (0, "kill", "was ended by SIGKILL", ""),
        (1, "die", "ended with exit code 3", ""),
        (
            2,
            "loop",
            "was stuck",
            r"the service is stuck for 0.5 s: it is in inline, \S+scripted.py line \d+; the process ends",
        ),
        (
            0,
            "native-loop",
            "was ended by SIGABRT",
            "native code keeps Python's lock for 0.625 s; the process is aborted",
        ),
        (1, "regex", "was (stuck|ended by SIGABRT)", r"line \d+,? in inline"),
    ],
)
def test_a_worker_that_ends_costs_its_own_connections_only(three, number, label, ending, words):
    before = len(pids(three, 3))
    sessions = [Session(three.channel()) for _ in range(6)]
    served = [pid_of(session.ask(call(1, "x"))) for session in sessions]
    victim, pid = sessions[number], served[number]
    others = [session for session, other in zip(sessions, served, strict=True) if other != pid]
    assert others
    victim.calls([call(2, label)])
    assert victim.end().code() == grpc.StatusCode.UNAVAILABLE
    for session in others:
        assert session.ask(call(1, "x")).HasField("result")
    with three.channel() as channel:
        assert health(channel) == SERVING
    three.wait_for(rf"worker \d \(process {pid}\) {ending}; another one is started")
    three.wait_for(words)
    assert not is_alive(pid)
    # The new one knows what the servers have loaded.
    fresh = pids(three, before + 1)[-1]
    session = Session(three.channel(), greet=False)
    session.hello(1)
    assert session.next().HasField("welcome")
    assert pid_of(session.ask(call(1, "x"))) == fresh


def test_the_log_has_the_stack_of_native_code(start):
    service = start("--stuck-after", "0.5")
    Session(service.channel()).calls([call(1, "native-loop")])
    assert service.ended() == -signal.SIGABRT
    assert "native code keeps Python's lock" in service.log()
    assert re.search(r'File "\S+scripted.py", line \d+ in inline', service.log())


def test_sys_exit_is_a_failure_of_the_call(three):
    session = Session(three.channel())
    pid = pid_of(session.ask(call(1, "x")))
    assert session.ask(call(2, "exit now")).failure.text == "SystemExit: now"
    assert pid_of(session.ask(call(3, "x"))) == pid


def test_a_worker_that_is_told_to_stop_drains_and_is_replaced(three):
    before = len(pids(three, 3))
    session = Session(three.channel())
    pid = pid_of(session.ask(call(1, "x")))
    os.kill(pid, signal.SIGTERM)
    assert session.next().HasField("drain")
    assert session.ask(call(2, "x")).HasField("result")
    three.wait_for(r"worker \d takes no further connections")
    others = [Session(three.channel()) for _ in range(4)]
    assert pid not in {pid_of(other.ask(call(1, "x"))) for other in others}
    session.bye()
    assert session.end() is None
    three.wait_for(rf"\(process {pid}\) ended with exit code 0; another one is started")
    pids(three, before + 1)


def test_connections_go_around_a_worker_that_is_silent(three):
    stopped = living(three)[0]
    os.kill(stopped, signal.SIGSTOP)

    def all_are_answered() -> bool:
        # More than there are workers, at a time.
        channels = [three.channel() for _ in range(4)]
        try:
            return all(health(channel, timeout=0.5) == SERVING for channel in channels)
        except grpc.RpcError:
            return False
        finally:
            for channel in channels:
                channel.close()

    try:
        until(all_are_answered)
    finally:
        os.kill(stopped, signal.SIGCONT)


def test_workers_end_with_their_parent(start):
    service = start("--workers", "2")
    workers = pids(service, 2)
    service.signal(signal.SIGKILL)
    assert service.ended() == -signal.SIGKILL
    until(lambda: not any(is_alive(pid) for pid in workers))


def test_the_metrics_are_sums_and_outlive_a_worker(start):
    service = start("--workers", "3", "--metrics", "127.0.0.1:0")
    pids(service, 3)
    sessions = [Session(service.channel()) for _ in range(3)]
    for session in sessions:
        session.calls([call(1, "x"), call(2, "fail a"), call(3, "wait a", PKT4_SEND)])
        session.replies(2)
    counted = 'outrigger_hooks_calls_total{hook_point="pkt4_receive",outcome="result"}'
    until(lambda: metric(service, counted) == 3)
    until(lambda: metric(service, "outrigger_hooks_open_calls") == 3)
    assert metric(service, "scripted_packets_total") == 6
    sessions[0].calls([call(4, "kill")])
    until(lambda: metric(service, "outrigger_hooks_open_calls") == 2)
    assert metric(service, counted) == 3
    assert metric(service, "scripted_packets_total") == 6


def test_a_service_without_workers_ends_when_it_is_stuck(start):
    service = start("--stuck-after", "0.5")
    Session(service.channel()).calls([call(1, "loop")])
    assert service.ended() == 70
    assert "the service is stuck for 0.5 s: it is in inline" in service.log()


def test_blocking_callouts_that_do_not_return_are_named(start):
    service = start("--stuck-after", "0.2")
    session = Session(service.channel())
    session.calls(call(number, "wait for ever", SUBNET4_SELECT) for number in range(31))
    service.wait_for(r"the blocking callout subnet4_select of wait for ever does not return: it is in blocking", 31)
    assert session.ask(call(40, "x", SUBNET4_SELECT)).HasField("result"), "one thread is left"
    session.calls([call(41, "wait for ever", SUBNET4_SELECT)])
    assert service.ended() == 70
    assert "no thread is left for blocking callouts" in service.log()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_time_in_which_a_process_was_stopped_does_not_count(start, workers):
    service = start("--workers", workers, "--stuck-after", "0.5")
    session = Session(service.channel())
    pid = pid_of(session.ask(call(1, "x")))
    # A blocking callout without end has a clock of its own.
    session.calls([call(2, "wait a", SUBNET4_SELECT)])
    os.kill(pid, signal.SIGSTOP)
    # Nothing else happens to a stopped process: only time passes.
    time.sleep(1.5)
    os.kill(pid, signal.SIGCONT)
    assert pid_of(session.ask(call(3, "x"))) == pid
    session.calls([call(4, "open a")])
    assert {reply.id for reply in session.replies(2)} == {2, 4}
    assert "stuck" not in service.log()
    assert "does not return" not in service.log()
