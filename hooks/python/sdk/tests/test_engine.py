"""The engine: from requests to replies."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from outrigger.hooks.v1 import arguments_pb2, common_pb2, packet4_pb2, service_pb2
from outrigger_hooks import Hook, HookDefinitionError, HookError, HookPoint, Load, NextStep, Refusal, points
from outrigger_hooks._engine import Blocking, Engine


def load_request(revision: int = 1, family: int = 4, instance: str = "a", **more: Any) -> service_pb2.LoadRequest:
    return service_pb2.LoadRequest(
        protocol_versions=[1],
        server=service_pb2.ServerIdentity(name="server", family=common_pb2.Family.Name(family), instance_id=instance),
        configuration_revision=revision,
        service_name="hook",
        **more,
    )


def select(revision: int = 1, **more: Any) -> service_pb2.CalloutRequest:
    arguments = arguments_pb2.Arguments(
        subnet4_select=arguments_pb2.Subnet4SelectArguments(query=packet4_pb2.Packet4(), subnet_id=1)
    )
    point = arguments_pb2.HOOK_POINT_SUBNET4_SELECT
    return service_pb2.CalloutRequest(
        id=7, hook_point=point, configuration_revision=revision, arguments=arguments, **more
    )


def reply(outcome: Any) -> service_pb2.CalloutReply:
    if isinstance(outcome, Blocking):
        outcome = outcome.function()
    if isinstance(outcome, Coroutine):
        outcome = asyncio.run(outcome)
    assert isinstance(outcome, service_pb2.CalloutReply)
    return outcome


def loaded(hook: Hook, *requests: service_pb2.LoadRequest) -> Engine:
    engine = Engine(hook)
    for request in requests or (load_request(),):
        answer = asyncio.run(engine.load(request))
        assert answer.HasField("loaded"), answer
    return engine


def test_a_callout_selects_a_subnet() -> None:
    hook = Hook("phones", version="1.0.0")

    @hook.subnet4_select
    def phones(call: points.Subnet4Select) -> None:
        assert call.status is NextStep.SKIP
        call.context["seen"] = call.context.get("seen", 0) + 1
        call.select_subnet(2)

    answer = reply(loaded(hook).run(select(status=service_pb2.CalloutRequest().status + 1), "a", None))
    assert answer.id == 7
    assert answer.result.changes.subnet_id == 2
    assert answer.result.context == b'{"seen":1}'
    assert not answer.result.HasField("next_step")


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3), KeyboardInterrupt()])
def test_whatever_a_callout_raises_is_a_failure_of_its_call(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    hook = Hook("phones", version="1.0.0")

    @hook.subnet4_select
    def phones(call: points.Subnet4Select) -> None:
        raise error

    with caplog.at_level(logging.ERROR, "outrigger_hooks"):
        answer = reply(loaded(hook).run(select(), "a", None))
    assert answer.failure.text.startswith(type(error).__name__)
    assert "in phones" in caplog.text


def test_each_configuration_meets_its_own_state() -> None:
    hook = Hook("counts", version="1.0.0")

    @hook.load
    async def load(load: Load) -> int:
        return int(load.parameters["subnet"])

    @hook.subnet4_select(writes=["subnet"])
    def choose(call: points.Subnet4Select) -> None:
        assert call.load.revision == call.configuration_revision
        call.select_subnet(call.state)

    engine = loaded(
        hook,
        load_request(1, parameters='{"subnet": 11}'),
        load_request(2, parameters='{"subnet": 12}'),
        load_request(1, instance="b", parameters='{"subnet": 21}'),
        load_request(1, family=6, instance="c", parameters='{"subnet": 31}'),
    )

    def chosen(revision: int, instance: str | None) -> int:
        return reply(engine.run(select(revision), instance, None)).result.changes.subnet_id

    assert [chosen(1, "a"), chosen(2, "a"), chosen(1, "b")] == [11, 12, 21]
    # A call outside any session names no server: the latest load of the family and revision.
    assert [chosen(1, None), chosen(2, None)] == [21, 12]
    for revision, instance in ((3, "a"), (1, "z"), (3, None)):
        failure = reply(engine.run(select(revision), instance, None)).failure.text
        assert failure == f"configuration {revision} is not loaded here: call Load first"
    again = asyncio.run(engine.load(load_request(1, parameters='{"subnet": 99}')))
    assert again.HasField("loaded")
    assert chosen(1, "a") == 99


def test_one_server_may_load_the_service_under_two_names() -> None:
    hook = Hook("twice", version="1.0.0")

    @hook.load
    def load(load: Load) -> str:
        return load.service_name

    @hook.subnet4_select
    def name(call: points.Subnet4Select) -> None:
        call.warn(call.state)

    first, second = load_request(), load_request()
    first.service_name, second.service_name = "first", "second"
    engine = loaded(hook, first, second)
    assert reply(engine.run(select(), "a", None, "first")).result.warning == "first"
    assert reply(engine.run(select(), "a", None, "second")).result.warning == "second"
    assert reply(engine.run(select(), "a", None)).result.warning == "second"


def test_configurations_do_not_pile_up() -> None:
    hook = Hook("many", version="1.0.0")
    hook.subnet4_select(lambda call: None)
    engine = loaded(hook, *(load_request(revision) for revision in range(1, 100)))
    assert len(engine._loads) == 64
    assert reply(engine.run(select(99), "a", None)).HasField("result")
    assert reply(engine.run(select(1), "a", None)).failure.text.startswith("configuration 1 is not loaded here")


def refusal(hook: Hook, request: service_pb2.LoadRequest) -> str:
    answer = asyncio.run(Engine(hook).load(request))
    assert answer.HasField("refusal"), answer
    return answer.refusal.text


def test_load_refuses_with_a_text_for_the_operator() -> None:
    hook = Hook("picky", version="1.0.0")

    @hook.load
    def load(load: Load) -> None:
        if "file" not in load.parameters:
            raise Refusal('"file" is missing in the parameters')
        Path(load.parameters["file"]).read_text()

    assert refusal(hook, load_request()) == '"file" is missing in the parameters'
    assert "FileNotFoundError" in refusal(hook, load_request(parameters='{"file": "/nonexistent/x"}'))
    assert refusal(hook, load_request(parameters="[")).startswith("the parameters are not JSON")
    assert refusal(hook, load_request(parameters="[]")) == "the parameters are not a JSON object"
    far = load_request()
    far.protocol_versions[:] = [7]
    assert refusal(hook, far) == "the service speaks version 1 of the hook protocol; the server offers 7"
    assert refusal(hook, service_pb2.LoadRequest(protocol_versions=[1])) == "the server does not say who it is"


def test_the_reply_to_load_says_what_the_hook_wants() -> None:
    hook = Hook("wants", version="2.1")

    @hook.subnet4_select(reads=["query.options.vendor-class-identifier", "subnet"], writes=["subnet"])
    def select(call: points.Subnet4Select) -> None: ...

    @hook.pkt4_send
    def send(call: points.Pkt4Send) -> None: ...

    @hook.pkt4_receive(writes=[])
    def receive(call: points.Pkt4Receive) -> None: ...

    @hook.pkt6_send(reads=["response.options.vendor-opts"], writes=["response.options.bootfile-url"])
    def send6(call: points.Pkt6Send) -> None: ...

    @hook.commands("wants-get", "wants-set")
    def command(call: points.Command) -> None: ...

    @hook.load
    def load(load: Load) -> None:
        if load.family == 4:
            load.narrow("pkt4_send", reads=["response.options.routers"], writes=["response.options"])
            load.leave_out("pkt4_receive")

    engine = Engine(hook)
    four = asyncio.run(engine.load(load_request())).loaded
    assert (four.name, four.version, four.protocol_version, four.sessions) == ("wants", "2.1", 1, True)
    assert list(four.commands) == ["wants-get", "wants-set"]
    told = [(int(own.hook_point), list(own.reads), list(own.writes)) for own in four.subscriptions]
    assert told == [
        (HookPoint.SUBNET4_SELECT, ["query.options.60", "subnet"], ["subnet"]),
        (HookPoint.PKT4_SEND, ["response.options.3"], ["response.options"]),
    ]
    six = asyncio.run(engine.load(load_request(family=6))).loaded
    told = [(int(own.hook_point), list(own.reads), list(own.writes)) for own in six.subscriptions]
    assert told == [(HookPoint.PKT6_SEND, ["response.options.17"], ["response.options.59"])]


def test_what_is_wrong_in_a_hook_is_found_before_it_serves() -> None:
    hook = Hook("wrong", version="1")
    hook.pkt4_send(lambda call: None)
    with pytest.raises(HookDefinitionError, match="two callouts for pkt4_send"):
        hook.pkt4_send(lambda call: None)
    with pytest.raises(HookDefinitionError, match=r'change "subnet" at pkt4_receive; possible are: query.options, '):
        hook.pkt4_receive(writes=["subnet"])(lambda call: None)
    with pytest.raises(HookDefinitionError, match=r'"query\.options\.vendor-clas": there is no option "vendor-clas"'):
        hook.pkt4_receive(reads=["query.options.vendor-clas"])(lambda call: None)
    with pytest.raises(HookDefinitionError, match="is a list of paths"):
        hook.pkt4_receive(reads="query")(lambda call: None)
    with pytest.raises(HookDefinitionError, match="takes one argument, the call"):
        hook.pkt4_receive(lambda: None)  # type: ignore[arg-type, misc]
    with pytest.raises(HookDefinitionError, match="lower-case letters, digits and hyphens"):
        hook.commands("Blocklist_get")(lambda call: None)
    with pytest.raises(HookDefinitionError, match="two callouts for the command"):
        hook.commands("a", "a")(lambda call: None)

    async def waits(call: points.Pkt6Send) -> None: ...

    with pytest.raises(HookDefinitionError, match="can be one of them"):
        hook.pkt6_send(blocking=True)(waits)
    with pytest.raises(HookDefinitionError, match="has no commands to answer"):
        alone = Hook("alone", version="1")
        alone.command(lambda call: None)
        Engine(alone)
    with pytest.raises(HookDefinitionError, match='no callout for the command "a"'):
        Engine(Hook("nobody", version="1", commands=["a"]))


def test_a_request_that_makes_no_sense_is_a_failure() -> None:
    hook = Hook("plain", version="1")
    hook.subnet4_select(lambda call: None)

    @hook.pkt4_receive
    def looks(call: points.Pkt4Receive) -> None:
        assert call.query.hw_address

    engine = loaded(hook)

    def failure(request: service_pb2.CalloutRequest, instance: str | None = "a") -> str:
        return reply(engine.run(request, instance, None)).failure.text

    strange = select()
    setattr(strange, "hook_point", 999)  # noqa: B010
    assert failure(strange) == failure(strange, None) == "malformed request: there is no hook point 999"
    bare = select()
    bare.ClearField("arguments")
    assert failure(bare) == "malformed request: subnet4_select came without arguments"
    other = select()
    other.arguments.pkt4_receive.SetInParent()
    assert failure(other) == "malformed request: subnet4_select came with the arguments of pkt4_receive"
    step = select()
    setattr(step, "status", 9)  # noqa: B010
    assert failure(step) == "malformed request: there is no next step 9"
    nobody = select()
    setattr(nobody, "hook_point", HookPoint.LEASE4_RENEW.value)  # noqa: B010
    assert failure(nobody) == "there is no callout for lease4_renew in configuration 1"
    empty = other
    setattr(empty, "hook_point", HookPoint.PKT4_RECEIVE.value)  # noqa: B010
    assert failure(empty) == "MalformedRequest: pkt4_receive came without a query"


def test_an_error_of_the_hook_keeps_its_own_words_and_number() -> None:
    hook = Hook("fails", version="1")

    @hook.subnet4_select
    async def fails(call: points.Subnet4Select) -> None:
        raise HookError("the billing system is closed", code=42)

    answer = reply(loaded(hook).run(select(), "a", None))
    assert (answer.failure.text, answer.failure.code) == ("the billing system is closed", 42)


def test_a_blocking_callout_is_for_a_thread_and_an_async_one_to_be_awaited() -> None:
    hook = Hook("waits", version="1")
    hook.subnet4_select(blocking=True)(lambda call: call.warn("blocking"))
    outcome = loaded(hook).run(select(), "a", None)
    assert isinstance(outcome, Blocking)
    assert outcome.function().result.warning == "blocking"


def test_a_callout_that_returns_something_is_told_how_to_say_it() -> None:
    hook = Hook("returns", version="1")
    hook.subnet4_select(lambda call: NextStep.SKIP)  # type: ignore[type-var]
    assert "the callout returned NextStep: what it decides" in reply(loaded(hook).run(select(), "a", None)).failure.text


def test_cancelling_an_async_callout_is_no_failure_of_it() -> None:
    hook = Hook("slow", version="1")

    @hook.subnet4_select
    async def slow(call: points.Subnet4Select) -> None:
        await asyncio.Event().wait()

    engine = loaded(hook)

    async def cancelled() -> bool:
        outcome = engine.run(select(), "a", None)
        assert isinstance(outcome, Coroutine)
        task = asyncio.ensure_future(outcome)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert asyncio.run(cancelled())


def test_the_start_and_the_end_of_a_process_are_the_hooks_own() -> None:
    hook = Hook("lives", version="1")
    seen = []
    hook.start(lambda: seen.append("start"))

    @hook.stop
    async def stop() -> None:
        seen.append("stop")

    async def live() -> None:
        engine = Engine(hook)
        await engine.start()
        await engine.stop()

    asyncio.run(live())
    assert seen == ["start", "stop"]


def test_the_time_that_is_left_counts_from_when_the_call_came() -> None:
    hook = Hook("hurry", version="1")
    left: list[float | None] = []
    hook.subnet4_select(lambda call: left.append(call.remaining))
    engine = loaded(hook)
    engine.run(select(), "a", None)
    engine.run(select(budget_us=1_000_000), "a", None, received=0.0)
    engine.run(select(budget_us=4_000_000_000), "a", None)
    assert left[:2] == [None, 0.0]
    assert left[2] is not None and 1000 < left[2] <= 4000
