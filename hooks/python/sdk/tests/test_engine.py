"""The engine: from requests to replies."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
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
    return service_pb2.CalloutRequest(
        id=7, hook_point=HookPoint.SUBNET4_SELECT.value, configuration_revision=revision, arguments=arguments, **more
    )


def reply(outcome: Any) -> service_pb2.CalloutReply:
    if isinstance(outcome, Blocking):
        return outcome.function()
    if isinstance(outcome, Coroutine):
        return asyncio.run(outcome)
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
