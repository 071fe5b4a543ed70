"""The testing module says what production would."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from outrigger_hooks import Hook, HookDefinitionError, Load, NextStep, Refusal, points
from outrigger_hooks.points import AuditEntry
from outrigger_hooks.testing import Trial, arun, packet4, packet6, run, subnet


def parking(**options: Any) -> Hook:
    hook = Hook("parks", "1.0.0")

    @hook.subnet4_select(**options)
    def callout(call: points.Subnet4Select) -> None:
        call.park()
        call.park()
        call.select_subnet(None)

    return hook


def test_a_packet_is_held_until_the_final_result() -> None:
    result = run(parking(blocking=True), "subnet4_select", subnet_id=1)
    assert (result.parked, result.subnet_id, result.next_step) == (True, 0, None)
    assert "only a call of a session" not in str(result.failure)
    refused = run(parking(blocking=True), "subnet4_select", park_budget=None)
    assert refused.failure == "ParkError: the server does not hold the packet of this call: see park_budget"
    assert not refused.parked


def test_a_callout_that_would_hold_up_others_is_told_how_to_wait() -> None:
    failure = run(parking(), "subnet4_select").failure
    assert failure is not None and "declare it with `async def`, or with @hook.subnet4_select(blocking=True)" in failure


def test_a_failed_result_cannot_be_asked_for_anything_else() -> None:
    result = run(parking(), "subnet4_select")
    with pytest.raises(AssertionError, match="the callout failed: ParkError"):
        _ = result.changes
    with pytest.raises(AssertionError, match="the callout failed: ParkError"):
        _ = result.next_step


def test_an_async_test_runs_callouts_in_its_own_loop() -> None:
    hook = Hook("loops", "1.0.0")

    @hook.load
    async def load(load: Load) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    @hook.pkt6_receive
    async def callout(call: points.Pkt6Receive) -> None:
        assert call.state is asyncio.get_running_loop()
        call.drop("because")

    assert asyncio.run(arun(hook, "pkt6_receive")).next_step is NextStep.DROP
    assert run(hook, "pkt6_receive").next_step is NextStep.DROP


def test_what_the_callout_does_not_read_is_not_there() -> None:
    hook = Hook("narrow", "1.0.0")

    @hook.subnet4_select(reads=["query.options.host-name", "subnet"], writes=[])
    def callout(call: points.Subnet4Select) -> None:
        call.warn(f"{list(call.query.options)} {list(call.query.classes)} {call.subnet_id} {call.subnets}")

    query = packet4(options={"host-name": "a", "routers": []}, classes=["ALL"])
    result = run(hook, "subnet4_select", query=query, subnet_id=7, subnets=[subnet(7, "192.0.2.0/24")])
    assert result.warning == "['host-name'] [] 7 []"


def test_a_trial_is_one_configuration_for_many_calls() -> None:
    hook = Hook("state", "1.0.0")
    ended = []
    hook.stop(lambda: ended.append(True))

    @hook.load
    def load(load: Load) -> dict[str, int]:
        if load.parameters.get("wrong"):
            raise Refusal("that is wrong")
        assert load.subnets[1].user_context == {"floor": 2}
        return {"calls": 0}

    @hook.pkt4_receive(reads=["query.options.1"], writes=[])
    def callout(call: points.Pkt4Receive) -> None:
        call.state["calls"] += 1
        call.context["calls"] = call.state["calls"]

    subnets = [subnet(1, "192.0.2.0/24", user_context={"floor": 2})]
    with Trial(hook, subnets=subnets) as trial:
        assert trial.subscriptions == {"pkt4_receive": (["query.options.1"], [])}
        assert [trial.run("pkt4_receive").context["calls"] for _ in range(3)] == [1, 2, 3]
    assert ended == [True]
    with pytest.raises(Refusal, match="that is wrong"):
        Trial(hook, parameters={"wrong": True})


def test_what_no_hook_point_has_is_an_error_of_the_test() -> None:
    hook = Hook("typo", "1.0.0")
    hook.pkt4_receive(lambda call: None)
    with pytest.raises(TypeError, match="pkt4_receive has no argument lease; there are query"):
        run(hook, "pkt4_receive", lease=None)
    with pytest.raises(HookDefinitionError, match='there is no hook point "pkt4_recieve"'):
        run(hook, "pkt4_recieve")
    with pytest.raises(ValueError, match='there is no message type "discovr"; there are bootp, discover'):
        packet4("discovr")
    assert packet6("information-request").message_type == 11


def test_commands_and_configurations_are_json() -> None:
    hook = Hook("json", "1.0.0", commands=["json-all"])

    @hook.command
    def all_others(call: points.Command) -> None:
        call.answer({"result": 0, "text": f"{call.name} {call.arguments} {call.response}"})

    @hook.commands("json-get")
    async def get(call: points.Command) -> None:
        call.answer({"result": 3})
        assert call.response == {"result": 3}

    @hook.command_processed
    def processed(call: points.CommandProcessed) -> None:
        assert (call.name, call.arguments, call.response) == ("config-get", {"a": 1}, {"result": 0})

    @hook.dhcp6_srv_configured
    def configured(call: points.Dhcp6SrvConfigured) -> None:
        if call.configuration["valid-lifetime"] != 60:
            call.refuse_configuration("valid-lifetime has to be 60")

    @hook.cb4_updated
    def updated(call: points.Cb4Updated) -> None:
        call.warn(json.dumps([entry.object_type for entry in call.audit_entries]))

    answer = run(hook, "$command", command="json-all", arguments=[1], response={"result": 0}).answer
    assert answer == {"result": 0, "text": "json-all [1] {'result': 0}"}
    assert run(hook, "command", command="json-get").answer == {"result": 3}
    unknown = run(hook, "command", command="json-put")
    assert unknown.failure == 'the service does not offer the command "json-put"'
    run_processed = run(hook, "command_processed", name="config-get", arguments={"a": 1}, response={"result": 0})
    assert run_processed.failure is None
    refused = run(hook, "dhcp6_srv_configured", configuration={"valid-lifetime": 1})
    assert (refused.next_step, refused.changes.error) == (NextStep.DROP, "valid-lifetime has to be 60")
    assert run(hook, "cb4_updated").warning == "[]"
    assert AuditEntry._fields[0] == "object_type"
