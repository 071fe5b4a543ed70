"""The program itself: arguments, readiness, whole exchanges over its socket, and the end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from outrigger.hooks.v1 import common_pb2, service_pb2, service_pb2_grpc
from outrigger_hooks import HookPoint

from test_packets import arguments

PATIENCE = 30.0
ROOT = Path(__file__).parents[4]
LINE = '{"type":"DUID","id":"000100011ef01234080027aabb01","bootfile":"/tmp/v6bootfile"}'
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
RESTRICTED = '{"restricted-subnet-id": 2}'

QUERY = {"type": 1, "options": [[1, "000100011ef01234080027aabb01"]]}
#: An IA_NA with 3000::a, and option 17 with nothing in it.
RESPONSE = {
    "type": 2,
    "options": [
        [3, "000000010000000000000000" + "00050018" + "3000" + "00" * 13 + "0a" + "0000003c" * 2],
        [17, "0000118b"],
    ],
}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "user_chk", *arguments]


def environment() -> dict[str, str]:
    path = os.pathsep.join([str(Path(__file__).parents[1] / "src"), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path.rstrip(os.pathsep)}


def run(*arguments: str) -> tuple[int, str]:
    done = subprocess.run(command(*arguments), env=environment(), capture_output=True, text=True, timeout=PATIENCE)
    return done.returncode, done.stderr


class Running:
    """A running program in a folder of its own."""

    def __init__(self, folder: Path, registry: str | None, *more: str) -> None:
        self.registry = folder / "registry.txt"
        self.outcome = folder / "outcome.txt"
        self.endpoint = f"unix:{folder}/hook.sock"
        self.log = folder / "log"
        if registry is not None:
            self.registry.write_text(registry)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command(
                    *("--listen", self.endpoint),
                    *("--registry", f"file:{self.registry}"),
                    *("--outcome", str(self.outcome)),
                    *more,
                ),
                env=environment(),
                stderr=log,
            )
        self.channel = grpc.insecure_channel(self.endpoint)
        grpc.channel_ready_future(self.channel).result(PATIENCE)
        self.stub = service_pb2_grpc.CalloutsStub(self.channel)  # type: ignore[no-untyped-call]

    def load(self, parameters: str = RESTRICTED, family: int = 6) -> service_pb2.LoadReply:
        prefixes = {4: ("192.0.2.0/24", "198.51.100.0/24"), 6: ("2001:db8:1::/64", "3000::/64")}
        request = service_pb2.LoadRequest(
            protocol_versions=[1],
            server=service_pb2.ServerIdentity(family=family, instance_id="instance"),  # type: ignore[arg-type]
            configuration_revision=1,
            service_name="user-chk",
            parameters=parameters,
            subnets=[
                common_pb2.Subnet(id=number, prefix=prefix)
                for number, prefix in enumerate(prefixes.get(family, ()), start=1)
            ],
        )
        reply: service_pb2.LoadReply = self.stub.Load(request, timeout=PATIENCE)
        return reply

    def call(self, call: dict[str, Any], context: bytes) -> service_pb2.CalloutResult:
        request = service_pb2.CalloutRequest(
            id=1,
            hook_point=HookPoint[call["point"].upper()].value,  # type: ignore[arg-type]
            configuration_revision=1,
            context=context,
            arguments=arguments(call),
        )
        reply = self.stub.Call(request, timeout=PATIENCE)
        assert reply.HasField("result"), reply
        result: service_pb2.CalloutResult = reply.result
        return result

    def exchange(self) -> tuple[int | None, int]:
        """The three hook points of one SOLICIT: the subnet that was chosen, and how many options were changed."""
        context = self.call({"point": "pkt6_receive", "query": QUERY}, b"").context
        selected = self.call({"point": "subnet6_select", "query": QUERY, "subnet": 1}, context).changes
        sent = {"point": "pkt6_send", "query": QUERY, "response": RESPONSE, "subnet": 1}
        changes = self.call(sent, context).changes
        return selected.subnet_id if selected.HasField("subnet_id") else None, len(changes.response6.options)

    def subnet(self) -> int | None:
        """What a client that this packet's context is lost of gets: nothing is recorded."""
        selected = self.call({"point": "subnet6_select", "query": QUERY, "subnet": 1}, b"").changes
        return selected.subnet_id if selected.HasField("subnet_id") else None

    def health(self) -> int:
        """What grpc.health.v1 says."""
        stub: Any = health_pb2_grpc.HealthStub(self.channel)
        status: int = stub.Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE).status
        return status

    def until(self, reached: Callable[[], bool], what: str) -> None:
        limit = time.monotonic() + PATIENCE
        while not reached():
            assert time.monotonic() < limit, f"not in time: {what}\n{self.log.read_text()}"
            time.sleep(0.02)

    def stop(self) -> str:
        """SIGTERM; the log."""
        self.channel.close()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE)
        log = self.log.read_text()
        assert code == 0, log
        return log


Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Running] = []

    def start(registry: str | None, *more: str) -> Running:
        folder = tmp_path / str(len(started))
        folder.mkdir()
        running = Running(folder, registry, *more)
        started.append(running)
        return running

    yield start
    for running in started:
        running.channel.close()
        running.process.kill()
        running.process.wait()


@pytest.mark.parametrize("workers", ["1", "3"])
def test_a_client_is_served_by_registration_and_recorded(start: Start, workers: str) -> None:
    running = start("", "--workers", workers)
    loaded = running.load().loaded
    assert loaded.name == "user-chk"
    assert [subscription.hook_point for subscription in loaded.subscriptions] == [34, 35, 45], "those of DHCPv6 only"
    assert running.exchange() == (2, 0)

    running.registry.write_text(LINE)
    running.until(lambda: running.subnet() is None, "without a restart")
    assert running.exchange() == (None, 1)

    running.registry.write_text(LINE[:30])
    running.until(lambda: "registry.txt: line 1: is not a JSON object" in running.log.read_text(), "the alarm")
    assert running.exchange() == (None, 1), "the last good version"

    log = running.stop()
    records = running.outcome.read_text()
    assert [line for line in records.splitlines() if line.startswith("registered")] == [
        "registered=no",
        "registered=yes",
        "registered=yes",
    ]
    assert records.count("addr=3000::a\n") == 3
    assert "records=3" in log


@pytest.mark.parametrize("workers", ["1", "2"])
def test_without_a_registry_it_listens_refuses_and_is_not_ready(start: Start, workers: str) -> None:
    running = start(None, "--workers", workers)
    assert running.health() == NOT_SERVING
    assert "registry.txt: No such file" in running.load().refusal.text
    running.registry.write_text("nonsense")
    running.until(
        lambda: "registry.txt: line 1: is not a JSON object" in running.load().refusal.text,
        "it names the line",
    )
    running.registry.write_text(LINE)
    running.until(lambda: running.load().HasField("loaded"), "the registry is there")
    running.until(lambda: running.health() == SERVING, "it is ready")
    running.registry.unlink()
    running.until(lambda: "stays in force" in running.log.read_text(), "the alarm")
    assert running.health() == SERVING, "it works with the last good version"


def test_parameters_that_cannot_work_are_refused_with_the_reason(start: Start) -> None:
    running = start(LINE)
    for parameters, part in (
        ("{}", "restricted-subnet-id is missing"),
        ('{"restricted-subnet-id": 3}', "there is no subnet 3; the server has 1 (2001:db8:1::/64), 2 (3000::/64)"),
        ('{"restricted": 2}', "unknown field"),
    ):
        assert part in running.load(parameters).refusal.text
    assert running.load(family=0).refusal.text


def test_an_outcome_file_that_cannot_be_opened_ends_it_with_74() -> None:
    for workers in ("1", "2"):
        code, log = run(
            *("--listen", "unix:/nowhere/hook.sock", "--registry", "/nowhere/r", "--workers", workers),
            *("--outcome", "/nowhere/outcome.txt"),
        )
        assert code == 74, log
        assert "outcome file /nowhere/outcome.txt: No such file" in log


def test_an_endpoint_that_cannot_be_listened_on_ends_it_with_74(tmp_path: Path) -> None:
    outcome = str(tmp_path / "outcome.txt")
    code, log = run("--listen", "unix:/nowhere/hook.sock", "--registry", "/nowhere/r", "--outcome", outcome)
    assert code == 74, log
    assert "cannot listen on unix:/nowhere/hook.sock: No such file" in log


def test_wrong_usage_ends_it_with_64_and_says_what_to_write() -> None:
    for listen, registry, part in (
        ("/run/hook.sock", "r", "write unix:/path, http://host:port"),
        ("unix:/run/h", "mysql://localhost/kea", '"mysql:" are not supported yet'),
    ):
        code, text = run("--listen", listen, "--registry", registry, "--outcome", "o")
        assert code == 64, text
        assert part in text
    assert run("--listen", "unix:/run/h")[0] == 64
    assert run("--registry", "r", "--outcome", "o")[0] == 64, "nowhere to listen"
    assert run("--version")[0] == 0


def hook_runner() -> Path:
    binary = Path(os.environ.get("OUTRIGGER_BIN_DIR", ROOT / "target" / "debug")) / "hook-runner"
    assert binary.is_file(), f"there is no {binary}: cargo build -p outrigger-hook-runner, or set OUTRIGGER_BIN_DIR"
    return binary


@pytest.mark.parametrize("workers", ["1", "3"])
@pytest.mark.parametrize("family", ["4", "6"])
def test_it_keeps_every_rule_of_the_protocol(start: Start, family: str, workers: str) -> None:
    running = start(LINE, "--workers", workers)
    checked = subprocess.run(
        [
            *(str(hook_runner()), "check", running.endpoint),
            *("--family", family, "--parameters", RESTRICTED, "--drain-pid", str(running.process.pid)),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr + running.log.read_text()
    assert running.process.wait(PATIENCE) == 0
