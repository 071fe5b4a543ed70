"""Each callout, on described packets: the tables of the library's behaviour, with our decision where they differ."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from outrigger.hooks.v1 import arguments_pb2, common_pb2, packet4_pb2, packet6_pb2, service_pb2
from outrigger_hooks import HookPoint, NextStep
from outrigger_hooks._engine import Engine

from cases import CASES, named
from user_chk.service import UserChkService

RESTRICTED = '{"restricted-subnet-id": 2}'


class Service:
    """The service on a registry and an outcome file, called with messages as they travel."""

    def __init__(self, folder: Path) -> None:
        self.outcome_path = folder / "outcome.txt"
        service = UserChkService(folder / "registry.txt", self.outcome_path)
        self.registry, self.counters = service.registry, service.counters
        self.engine = Engine(service.hook)

    def write_registry(self, lines: list[str]) -> None:
        self.registry.path.write_text("".join(f"{line}\n" for line in lines))
        self.registry.refresh()

    def load(self, family: int, parameters: str, subnets: list[int]) -> service_pb2.LoadReply:
        request = service_pb2.LoadRequest(
            protocol_versions=[1],
            server=service_pb2.ServerIdentity(family=family, instance_id="instance"),  # type: ignore[arg-type]
            configuration_revision=1,
            service_name="user-chk",
            parameters=parameters,
            subnets=[common_pb2.Subnet(id=number, prefix=f"2001:db8:{number}::/64") for number in subnets],
        )
        return asyncio.run(self.engine.load(request))

    def call(self, call: dict[str, Any], context: bytes) -> service_pb2.CalloutReply:
        request = service_pb2.CalloutRequest(
            id=7,
            hook_point=HookPoint[call["point"].upper()].value,  # type: ignore[arg-type]
            status=NextStep[call.get("status", "CONTINUE")].value,  # type: ignore[arg-type]
            context=context,
            configuration_revision=1,
            arguments=arguments(call),
        )
        reply = self.engine.run(request, "instance", None)
        assert isinstance(reply, service_pb2.CalloutReply), "no callout waits"
        assert reply.id == 7
        return reply

    def records(self) -> str:
        """What is in the outcome file after everything queued is written."""
        asyncio.run(self.engine.stop())
        return self.outcome_path.read_text()


def packet(written: dict[str, Any], family: str) -> Any:
    options = [common_pb2.Option(code=code, data=bytes.fromhex(data)) for code, data in written["options"]]
    if family == "6":
        return packet6_pb2.Packet6(message_type=written["type"], options=options)
    made = packet4_pb2.Packet4(message_type=written["type"], options=options)
    if written.get("hw") is not None:
        made.hw_address.htype = written["htype"]
        made.hw_address.address = bytes.fromhex(written["hw"])
    made.yiaddr = bytes.fromhex(written.get("yiaddr", ""))
    return made


def arguments(call: dict[str, Any]) -> arguments_pb2.Arguments:
    made = arguments_pb2.Arguments()
    point = getattr(made, call["point"])
    family = "4" if "4" in call["point"] else "6"
    point.query.CopyFrom(packet(call["query"], family))
    if "response" in call:
        point.response.CopyFrom(packet(call["response"], family))
    if "subnet" in call:
        point.subnet_id = call["subnet"]
    if call["point"].startswith("subnet"):
        point.subnet_ids.extend([1, 2])
    return made


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path)
    # Every test writes its own registry and has it read.
    with patch("user_chk.service.Watch"):
        asyncio.run(service.engine.start())
    yield service
    asyncio.run(service.engine.stop())


def data(written: dict[str, Any]) -> bytes:
    return bytes.fromhex(written["hex"]) if "hex" in written else written["text"].encode()


def compare(reply: service_pb2.CalloutReply, expect: dict[str, Any], family: int) -> None:
    """The whole reply is what is expected, and nothing else."""
    if "failure" in expect:
        assert reply.WhichOneof("outcome") == "failure", reply
        assert expect["failure"] in reply.failure.text
        return
    assert reply.WhichOneof("outcome") == "result", reply
    warning = reply.result.warning
    assert expect["warning"] in warning if "warning" in expect else not warning
    expected = service_pb2.CalloutResult(warning=warning)
    if "context" in expect:
        expected.context = bytes.fromhex(expect["context"])
    if "subnet" in expect:
        expected.changes.subnet_id = expect["subnet"]
    changes = f"response{family}"
    for option in expect.get("options", []):
        getattr(expected.changes, changes).options.add(path=option["path"], data=data(option))
    if "file" in expect:
        expected.changes.response4.file = expect["file"].encode()
    assert reply.result == expected


@pytest.mark.parametrize("case", named("packets"))
def test_a_packet(case: dict[str, Any], service: Service) -> None:
    service.write_registry(case["registry"])
    loaded = service.load(case["family"], json.dumps(case.get("parameters", {"restricted-subnet-id": 2})), [1, 2])
    assert loaded.HasField("loaded"), loaded
    kept = b""
    for call in case["calls"]:
        if "registry" in call:
            service.write_registry(call["registry"])
        context = kept if call.get("context") == "kept" else bytes.fromhex(call.get("context", ""))
        reply = service.call(call, context)
        compare(reply, call["expect"], case["family"])
        if call["point"].endswith("_receive"):
            kept = reply.result.context
    assert service.records() == case["outcome"]


@pytest.mark.parametrize("case", named("subscriptions"))
def test_what_a_server_is_told(case: dict[str, Any], service: Service) -> None:
    service.write_registry([])
    loaded = service.load(case["family"], case["text"], [1, 2]).loaded
    assert (loaded.name, loaded.sessions, list(loaded.commands)) == ("user-chk", True, [])
    subscriptions = [
        {
            "point": HookPoint(subscription.hook_point).name.lower(),
            "reads": list(subscription.reads),
            "writes": list(subscription.writes),
        }
        for subscription in loaded.subscriptions
    ]
    assert subscriptions == case["subscriptions"]


@pytest.mark.parametrize("case", named("parameters"))
def test_what_an_operator_reads(case: dict[str, Any], service: Service) -> None:
    service.write_registry([])
    for family in (4, 6):
        reply = service.load(family, case["text"], case["subnets"])
        assert case["refusal"] in reply.refusal.text if "refusal" in case else reply.HasField("loaded")


def test_without_a_registry_the_service_refuses_until_there_is_one(service: Service) -> None:
    reply = service.load(4, RESTRICTED, [1, 2])
    assert reply.refusal.text == f"registry {service.registry.path}: No such file or directory (os error 2)"
    service.write_registry(["nonsense"])
    assert "registry.txt: line 1: is not a JSON object" in service.load(4, RESTRICTED, [1, 2]).refusal.text
    service.write_registry([])
    assert service.load(4, RESTRICTED, [1, 2]).HasField("loaded")


def test_everything_is_counted(service: Service) -> None:
    cases = {(case["name"], case["family"]): case for case in CASES["packets"]}
    case = cases["a context of somebody else does not open the gate", 4]
    service.write_registry(case["registry"])
    service.load(4, RESTRICTED, [1, 2])
    for call in case["calls"]:
        service.call(call, bytes.fromhex(call["context"]))
    case = cases["responses are recorded by type", 4]
    for call in case["calls"]:
        service.call(call, b"")
    nobody = {"point": "pkt4_receive", "query": {"type": 1, "hw": None, "options": []}}
    service.call(nobody, b"")
    service.records()
    assert str(service.counters) == (
        "registered=3 unregistered=5 without_identifier=1 bad_contexts=5 overrides=2 records=2 lost_records=0 "
        "reloads=1 refused_reloads=1"
    )


def test_each_decision_is_logged_where_asked_for(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    service.write_registry([])
    service.load(4, RESTRICTED, [1, 2])
    query = {"type": 1, "htype": 1, "hw": "010203", "options": []}
    caplog.set_level("DEBUG", logger="user_chk")
    service.call({"point": "pkt4_receive", "query": query}, b"")
    service.call({"point": "pkt4_receive", "query": {**query, "hw": None}}, b"")
    messages = [record.getMessage() for record in caplog.records if record.levelname == "DEBUG"]
    assert messages == [": hwtype=1 01:02:03: not registered", ": no usable identifier: not registered"]
