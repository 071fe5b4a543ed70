"""Sessions, as a server sees them."""

from __future__ import annotations

import grpc
import pytest
from support import (
    COMMAND,
    LEASES4_COMMITTED,
    LEASES6_COMMITTED,
    PKT4_SEND,
    SUBNET4_SELECT,
    Service,
    Session,
    ask_once,
    call,
    load,
    load_request,
    metric,
    until,
)

from outrigger.hooks.v1 import common_pb2, service_pb2


@pytest.fixture
def service(shared) -> Service:
    return shared


@pytest.fixture
def session(service) -> Session:
    return Session(service.channel())


def said(reply: service_pb2.CalloutReply) -> str:
    assert reply.HasField("result"), reply
    return " ".join(reply.result.warning.split()[:-1])


def test_headers_and_welcome_come_before_hello(service):
    session = Session(service.channel(), greet=False)
    session.initial_metadata()
    assert session.next().HasField("welcome")


def test_a_batch_of_calls_is_answered_in_few_messages(session):
    session.calls(call(number, f"x {number}") for number in range(600))
    replies = session.replies(600)
    assert [said(reply) for reply in replies] == [f"hello x {number}" for number in range(600)]
    assert session.batches < 100


def test_a_service_that_is_behind_answers_several_messages_at_once(session):
    for number in range(300):
        session.calls([call(number, f"x {number}")], answered=0)
    replies = session.replies(300)
    assert [said(reply) for reply in replies] == [f"hello x {number}" for number in range(300)]
    assert session.batches < 150


def test_a_service_that_keeps_up_answers_each_message(session):
    for number in range(20):
        session.calls([call(number, f"x {number}")], answered=number)
        assert said(session.reply()) == f"hello x {number}"
    assert session.batches == 20


def test_calls_may_be_answered_in_another_order(session):
    session.calls([call(1, "wait a", PKT4_SEND), call(2, "wait b", SUBNET4_SELECT), call(3, "x")])
    assert session.reply().id == 3
    session.calls([call(4, "open b")])
    assert {reply.id for reply in session.replies(2)} == {2, 4}
    session.calls([call(5, "open a")])
    assert {reply.id for reply in session.replies(2)} == {1, 5}


def test_a_blocking_callout_runs_in_a_thread(session):
    reply = session.ask(call(1, "x", SUBNET4_SELECT))
    assert reply.result.warning.startswith("x in callouts-")


@pytest.mark.parametrize("point", [PKT4_SEND, SUBNET4_SELECT])
def test_a_call_ends_with_its_budget_and_the_session_goes_on(session, point):
    reply = session.ask(call(1, "wait for ever", point, budget_us=20_000))
    assert reply.failure.text == "the call's budget of 20000 µs ran out"
    assert said(session.ask(call(2, "open for ever"))) == "hello open for ever"


def test_a_call_whose_budget_is_gone_is_not_started(session):
    session.calls([call(1, "busy 0.03"), call(2, "x", budget_us=1000), call(3, "x")])
    first, second, third = session.replies(3)
    assert second.failure.text == "the call's budget of 1000 µs ran out"
    assert (said(first), said(third)) == ("hello busy 0.03", "hello x")


def test_replies_do_not_wait_for_a_slow_callout_of_their_batch(session):
    session.calls([*(call(number, "busy 0.02") for number in range(3)), call(3, "x")])
    session.replies(4)
    assert session.batches >= 3


def test_a_callout_that_ignores_its_end_has_one_reply(session):
    reply = session.ask(call(1, "stubborn", PKT4_SEND, budget_us=5000))
    assert "budget of 5000" in reply.failure.text
    # The late reply would be first.
    assert session.ask(call(2, "x")).id == 2
    assert session.ask(call(3, "x", PKT4_SEND)).id == 3


def test_an_exception_costs_its_own_call_only(session):
    session.calls([call(1, "fail a"), call(2, "fail b", PKT4_SEND), call(3, "exit now"), call(4, "x")])
    replies = {reply.id: reply for reply in session.replies(4)}
    assert replies[1].failure.text == "KeyError: 'a'"
    assert replies[2].failure.text == "KeyError: 'b'"
    assert replies[3].failure.text == "SystemExit: now"
    assert said(replies[4]) == "hello x"


def test_a_reply_that_no_server_reads_becomes_a_failure(session):
    assert session.ask(call(1, "big 500000")).HasField("result")
    text = session.ask(call(2, "big 600000")).failure.text
    assert text.startswith("the reply has 6000") and text.endswith("more than the 524288 that a server reads")
    assert session.ask(call(3, "3000000", COMMAND)).HasField("result")
    text = session.ask(call(4, "5000000", COMMAND)).failure.text
    assert text.startswith("the reply has 5000") and text.endswith("more than the 4194240 that a server reads")


def test_large_replies_are_split_over_messages(session):
    session.calls(call(number, "big 100000") for number in range(20))
    sizes = []
    while sum(count for count, _ in sizes) < 20:
        message = session.next()
        sizes.append((len(message.replies.replies), message.ByteSize()))
    assert all(size <= 300_000 for _, size in sizes), sizes


def test_each_configuration_has_its_own_state(service):
    channel = service.channel()
    session = Session(channel)
    load(channel, load_request(2, '{"greeting": "salut"}'))
    newer = call(2, "x")
    newer.configuration_revision = 2
    session.calls([call(1, "x"), newer, call(3, "x")])
    assert [said(reply) for reply in session.replies(3)] == ["hello x", "salut x", "hello x"]


def test_more_calls_than_agreed_fail_at_once(service):
    session = Session(service.channel())
    session.calls(call(number, "wait a", PKT4_SEND) for number in range(4097))
    refused = session.reply()
    assert (refused.id, refused.failure.text) == (4096, "more than 4096 calls are open")
    Session(service.channel()).ask(call(1, "open a"))
    assert {reply.id for reply in session.replies(4096)} == set(range(4096))
    assert said(session.ask(call(1, "x"))) == "hello x"


@pytest.mark.parametrize("point", [LEASES4_COMMITTED, LEASES6_COMMITTED])
def test_a_parked_call_outlives_its_budget_and_gets_a_second_reply(session, point):
    first = session.ask(call(1, "wait a", point, budget_us=400_000, park_budget_us=25_000_000))
    assert first.result.next_step == common_pb2.NEXT_STEP_PARK
    # Its budget runs out after that of the first call, which came before.
    later = session.ask(call(2, "wait z", PKT4_SEND, budget_us=400_000))
    assert "budget of 400000" in later.failure.text
    session.calls([call(3, "open a")])
    replies = {reply.id: reply for reply in session.replies(2)}
    assert replies[1].result.warning == "wait a"
    assert not replies[1].result.HasField("next_step")


@pytest.mark.parametrize("point", [LEASES4_COMMITTED, LEASES6_COMMITTED])
def test_a_packet_that_is_held_too_long_is_a_failure_once(session, point):
    first = session.ask(call(1, "wait a", point, park_budget_us=20_000))
    assert first.result.next_step == common_pb2.NEXT_STEP_PARK
    assert session.reply().failure.text == "the packet was held for 20000 µs and there is no final reply"
    again = session.ask(call(2, "x", point, park_budget_us=5_000_000))
    assert (again.id, again.result.next_step) == (2, common_pb2.NEXT_STEP_PARK)
    assert session.reply().result.warning == "x"


def test_a_packet_that_the_server_would_not_hold_is_not_parked(service):
    channel = service.channel()
    session = Session(channel)
    reply = session.ask(call(1, "x", LEASES4_COMMITTED))
    assert "the server does not hold the packet of this call" in reply.failure.text
    reply = ask_once(channel, call(2, "x", LEASES4_COMMITTED, park_budget_us=1000))
    assert "only a call of a session can park" in reply.failure.text


def test_held_packets_are_bounded_and_leave_room_for_other_calls(service):
    session = Session(service.channel())
    session.calls(call(number, "wait a", LEASES4_COMMITTED, park_budget_us=25_000_000) for number in range(4096))
    assert {reply.result.next_step for reply in session.replies(4096)} == {common_pb2.NEXT_STEP_PARK}
    reply = session.ask(call(5000, "x", LEASES4_COMMITTED, park_budget_us=25_000_000))
    assert "too many packets are held on this session" in reply.failure.text
    session.calls([call(5001, "open a")])
    assert {reply.id for reply in session.replies(4097)} == {*range(4096), 5001}


def test_calls_before_hello_and_a_second_hello_end_the_session(service):
    session = Session(service.channel(), greet=False)
    session.calls([call(1, "x")])
    session.next()
    assert session.end().code() == grpc.StatusCode.INVALID_ARGUMENT
    session = Session(service.channel())
    session.hello()
    assert session.end().code() == grpc.StatusCode.INVALID_ARGUMENT


def test_a_server_that_did_not_load_is_told_to(service):
    session = Session(service.channel(), greet=False)
    session.hello(revision=77)
    session.next()
    end = session.end()
    assert end.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert end.details() == "configuration 77 is not loaded here: call Load first"


@pytest.mark.parametrize("farewell", [Session.bye, Session.half_close])
def test_the_session_ends_after_the_last_reply(service, farewell):
    session = Session(service.channel())
    session.calls([call(1, "wait a", PKT4_SEND), call(2, "x")])
    assert session.reply().id == 2
    farewell(session)
    Session(service.channel()).ask(call(1, "open a"))
    assert session.reply().id == 1
    assert session.end() is None


def test_garbage_ends_its_session_and_nothing_else(service, session):
    broken = Session(service.channel())
    broken.send_raw(b"\xff" * 9)
    end = broken.end()
    assert (end.code(), end.details()) == (grpc.StatusCode.INVALID_ARGUMENT, "a message of 9 bytes cannot be read")
    huge = Session(service.channel())
    huge.send_raw(b"\xff" * 5_000_000)
    assert huge.end().code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert said(session.ask(call(1, "x"))) == "hello x"


def test_a_message_of_a_younger_protocol_is_passed_over(session):
    session.send_raw(b"\x7a\x02hi")
    session.send_raw(b"")
    assert said(session.ask(call(1, "x"))) == "hello x"


def test_calls_of_a_server_that_vanished_are_cancelled(start):
    service = start("--metrics", "127.0.0.1:0")
    session = Session(service.channel())
    session.calls([call(1, "stubborn", PKT4_SEND), call(2, "x")])
    session.reply()
    session.cancel()
    service.wait_for("session of server 1 is cut off")
    # That callout counts when it is cancelled.
    until(lambda: metric(service, "scripted_packets_total") == 1001)
