"""Load, single calls, health, reflection, the command line and the drain."""

from __future__ import annotations

import signal
import socket
import stat
import sys
import threading

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from support import (
    LEASES4_COMMITTED,
    PATIENCE,
    PKT4_SEND,
    SUBNET4_SELECT,
    Service,
    Session,
    ask_once,
    call,
    health,
    load,
    load_request,
    metric,
    metrics,
    until,
)

from outrigger_hooks import Hook, serve

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def test_load_says_who_the_service_is_and_what_a_session_may_have_open(shared):
    loaded = load(shared.channel()).loaded
    assert (loaded.name, loaded.version, loaded.protocol_version) == ("scripted", "1.2.3", 1)
    assert loaded.sessions
    assert loaded.max_in_flight == 4096


def test_a_refusal_says_why_and_leaves_nothing_loaded(shared):
    channel = shared.channel()
    refused = load(channel, load_request(77, '{"refuse": true}'))
    assert refused.refusal.text == "these parameters are wrong"
    session = Session(channel, greet=False)
    session.hello(77)
    session.next()
    assert session.end().code() == grpc.StatusCode.FAILED_PRECONDITION


def test_requests_that_cannot_be_read_are_a_status(shared):
    channel = shared.channel()
    for method in ("Load", "Call"):
        with pytest.raises(grpc.RpcError) as error:
            channel.unary_unary(f"/outrigger.hooks.v1.Callouts/{method}")(b"\xff" * 9, timeout=PATIENCE)
        assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert "9 bytes cannot be read" in error.value.details()


@pytest.mark.parametrize("point", [PKT4_SEND, SUBNET4_SELECT])
def test_a_single_call_is_answered_by_the_same_callout(start, point):
    channel = start().channel()
    assert "not loaded here" in ask_once(channel, call(1, "x", point)).failure.text
    load(channel)
    assert ask_once(channel, call(5, "x", point)).id == 5
    assert ask_once(channel, call(6, "x", point)).result.warning.startswith("x")
    late = ask_once(channel, call(7, "wait a", point, budget_us=5000))
    assert late.failure.text == "the call's budget of 5000 µs ran out"


def test_health_and_both_reflections_are_offered(shared):
    channel = shared.channel()
    for name in ("", "outrigger.hooks.v1.Callouts"):
        assert health(channel, name) == SERVING
    for version in ("v1", "v1alpha"):
        ask = channel.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
        )
        reply = next(ask(iter([reflection_pb2.ServerReflectionRequest(list_services="")]), timeout=PATIENCE))
        names = {service.name for service in reply.list_services_response.service}
        assert {"outrigger.hooks.v1.Callouts", "grpc.health.v1.Health"} <= names


def test_a_hook_that_is_not_ready_is_not_healthy_and_answers_all_the_same(start):
    service = start()
    channel = service.channel()
    load(channel)
    watches = [
        health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=name), timeout=PATIENCE)
        for name in ("", "outrigger.hooks.v1.Callouts")
    ]
    statuses = [next(watch).status for watch in watches]
    assert statuses == [SERVING] * 2
    for number, (word, status) in enumerate([("no", NOT_SERVING), ("yes", SERVING), ("no", NOT_SERVING)], start=1):
        assert ask_once(channel, call(number, f"ready {word}", SUBNET4_SELECT)).HasField("result")
        assert [next(watch).status for watch in watches] == [status] * 2
    # What is ready again while it drains stays closed.
    session = Session(channel)
    session.calls([call(5, "wait a", PKT4_SEND)])
    service.signal()
    assert session.next().HasField("drain")
    session.calls([call(6, "ready yes", SUBNET4_SELECT)])
    assert session.reply().id == 6
    assert health(channel) == NOT_SERVING
    session.calls([call(7, "open a")])
    assert {reply.id for reply in session.replies(2)} == {5, 7}
    session.bye()
    assert service.ended() == 0


@pytest.mark.parametrize("workers", ["1", "3"])
def test_a_drain_answers_open_calls_and_removes_the_socket(start, tmp_path, workers):
    service = start("--workers", workers)
    channel = service.channel()
    session = Session(channel)
    session.calls([call(1, "wait a", PKT4_SEND), call(2, "x")])
    assert session.reply().id == 2
    watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=PATIENCE)
    assert next(watch).status == SERVING
    service.signal()
    assert session.next().HasField("drain")
    assert next(watch).status == NOT_SERVING
    with pytest.raises(grpc.RpcError) as error:
        load(channel)
    assert error.value.code() == grpc.StatusCode.UNAVAILABLE
    session.calls([call(3, "open a")])
    assert {reply.id for reply in session.replies(2)} == {1, 3}, "a call that crossed the drain is answered too"
    session.bye()
    assert session.end() is None
    assert service.ended() == 0
    assert not list(tmp_path.iterdir())
    assert "the hook is told of the end" in service.log()


@pytest.mark.parametrize("workers", ["1", "3"])
def test_a_drain_under_load_costs_no_call(start, workers):
    service = start("--workers", workers)
    started = threading.Barrier(4, timeout=PATIENCE)
    lost: list[str] = []

    def server() -> None:
        session = Session(service.channel())
        asked = answered = 0
        is_drained = False
        while not is_drained:
            session.calls([call(asked + n, "x", PKT4_SEND) for n in range(64)])
            asked += 64
            if asked == 640:
                started.wait()
            while answered < asked:
                message = session.next()
                is_drained = is_drained or message.HasField("drain")
                answered += len(message.replies.replies)
                lost.extend(reply.failure.text for reply in message.replies.replies if reply.HasField("failure"))
        session.bye()
        if session.end() is not None:
            lost.append("the end")

    servers = [threading.Thread(target=server) for _ in range(3)]
    for thread in servers:
        thread.start()
    started.wait()
    service.signal()
    for thread in servers:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert service.ended() == 0
    assert lost == []


def test_a_server_that_ignores_the_drain_is_cut_off_after_the_grace_period(start):
    service = start()
    session = Session(service.channel())
    session.calls([call(1, "wait a", PKT4_SEND), call(2, "x")])
    session.reply()
    service.signal()
    assert service.ended() == 0
    assert "the grace period is over; 1 sessions are cut off" in service.log()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_second_signal_ends_at_once(start, workers):
    service = start("--workers", workers)
    session = Session(service.channel())
    service.signal()
    assert session.next().HasField("drain")
    service.signal(signal.SIGINT)
    assert service.ended() == 1
    assert "the open calls are cut off" in service.log()


def test_a_start_that_fails_ends_the_service(tmp_path):
    for workers in ("1", "2"):
        service = Service(f"unix:{tmp_path}/hook.sock", "--broken-start", "--workers", workers)
        assert service.ended() == 1
        assert "the start is broken" in service.log()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_stale_socket_is_replaced_and_a_live_one_is_not(start, tmp_path, workers):
    path = tmp_path / "hook.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    first = start("--workers", workers)
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    second = Service(f"unix:{path}", "--workers", workers)
    assert second.ended() == 1
    assert f"{path} is in use by a running service" in second.log()
    assert health(first.channel()) == SERVING


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_file_is_never_removed_for_a_socket(tmp_path, workers):
    path = tmp_path / "precious"
    path.write_text("data")
    service = Service(f"unix:{path}", "--workers", workers)
    assert service.ended() == 1
    assert "exists and is not a socket" in service.log()
    assert path.read_text() == "data"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_socket_that_was_replaced_meanwhile_stays(start, tmp_path, workers):
    path = tmp_path / "hook.sock"
    service = start("--workers", workers)
    path.rename(tmp_path / "moved")
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        service.signal()
        assert service.ended() == 0
        assert path.exists()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_tcp_works_like_a_unix_socket(start, workers):
    service = start("--workers", workers, endpoint="http://127.0.0.1:0", target="unused")
    service.target = service.wait_for(r"listening on http://(\S+)")[0].group(1)
    assert Session(service.channel()).ask(call(1, "x")).HasField("result")
    again = Service(f"http://{service.target}", "--workers", workers)
    assert again.ended() == 1
    assert f"cannot listen on http://{service.target}" in again.log()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_garbage_on_the_socket_disturbs_nobody(start, tmp_path, workers):
    service = start("--workers", workers)
    bystander = Session(service.channel())
    for garbage in (b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 10_000, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nrubbish"):
        with socket.socket(socket.AF_UNIX) as stream:
            stream.settimeout(PATIENCE)
            stream.connect(str(tmp_path / "hook.sock"))
            stream.sendall(garbage)
            stream.shutdown(socket.SHUT_WR)
            while True:
                try:
                    if not stream.recv(4096):
                        break
                except ConnectionError:
                    break
    assert bystander.ask(call(1, "x")).HasField("result")


def test_what_was_counted_is_shown(start):
    service = start("--metrics", "127.0.0.1:0")
    session = Session(service.channel())
    session.calls([call(1, "x"), call(2, "fail a"), call(3, "wait a", PKT4_SEND)])
    session.replies(2)
    session.ask(call(4, "wait a", LEASES4_COMMITTED, park_budget_us=25_000_000))
    session.ask(call(5, "wait b", PKT4_SEND, budget_us=1000))
    shown = metrics(service)
    prefix = "outrigger_hooks_"
    assert shown[prefix + 'calls_total{hook_point="pkt4_receive",outcome="result"}'] == 1
    assert shown[prefix + 'calls_total{hook_point="pkt4_receive",outcome="failure"}'] == 1
    assert shown[prefix + 'calls_total{hook_point="pkt4_send",outcome="expired"}'] == 1
    assert shown[prefix + 'call_duration_seconds_count{hook_point="pkt4_receive"}'] == 2
    assert shown[prefix + 'call_batch_size_bucket{le="4"}'] == 3
    assert shown[prefix + "call_batch_size_sum"] == 5
    assert (shown[prefix + "open_calls"], shown[prefix + "held_packets"]) == (2, 1)
    assert (shown[prefix + "sessions"], shown[prefix + "sessions_opened_total"]) == (1, 1)
    assert shown["scripted_packets_total"] == 2
    session.ask(call(6, "stubborn", PKT4_SEND, budget_us=1000))
    until(lambda: metric(service, prefix + 'late_replies_total{hook_point="pkt4_send"}') == 1)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ([], "say once where to listen"),
        (["unix:/a", "--listen", "unix:/b"], "say once where to listen"),
        (["/run/hook.sock"], "write unix:/path, http://host:port or https://host:port"),
        (["unix:"], "has no path"),
        (["unix:/" + "x" * 200], "is longer than the 107 bytes"),
        (["http://localhost"], "has no port"),
        (["http://localhost:99999"], "has no port"),
        (["unix:/a", "--workers", "0"], "0 is not a number between 1 and 256"),
        (["unix:/a", "--stuck-after", "0"], "0 is not a number of seconds between"),
        (["unix:/a", "--metrics", "9000"], "write host:port"),
        (["unix:/a", "--tls-cert-file", "x"], "its certificates need https://host:port"),
        (["https://127.0.0.1:0"], "needs --tls-cert-file and --tls-key-file"),
        (["http://0.0.0.0:0"], "could be reached from other machines without TLS"),
        (["http://[::]:0"], "could be reached from other machines without TLS"),
    ],
)
def test_a_wrong_command_line_says_what_to_write(monkeypatch, capsys, caplog, arguments, part):
    monkeypatch.setenv("COLUMNS", "500")
    monkeypatch.setattr(sys, "argv", ["phones", *arguments])
    with pytest.raises(SystemExit) as end:
        serve(Hook("phones", version="1.0.0"))
    assert end.value.code in (1, 2)
    assert part in capsys.readouterr().err + caplog.text


def test_a_folder_that_is_missing_is_named(tmp_path):
    service = Service(f"unix:{tmp_path}/missing/hook.sock")
    assert service.ended() == 1
    assert f"cannot listen on unix:{tmp_path}/missing/hook.sock: No such file or directory" in service.log()


def test_a_signal_that_comes_before_the_first_worker_is_ready_drains_too(tmp_path):
    service = Service(f"unix:{tmp_path}/hook.sock", "--workers", "2", "--metrics", "127.0.0.1:0")
    try:
        service.wait_for("metrics are on ")
        service.signal()
        assert service.ended() == 0
    finally:
        service.close()
    assert not list(tmp_path.iterdir())
