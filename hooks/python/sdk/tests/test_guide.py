"""The Python of docs/hook-authors-guide.md has the types that it says, and does what the guide says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from test_readme import names

from outrigger.server.v1 import leases_pb2, leases_pb2_grpc
from outrigger_hooks import Hook, Refusal, ServerApi
from outrigger_hooks.testing import Result, Trial, lease, packet4, packet6, relay6, run

SDK = Path(__file__).parents[1]
GUIDE = (SDK.parents[2] / "docs" / "hook-authors-guide.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)


def files() -> dict[str, str]:
    """Each block as the module that it would be: of its hook, or the tests of the one that it imports."""
    found = {}
    for block in BLOCKS:
        own = re.search(r'^hook = Hook\("([^"]+)"', block, re.MULTILINE)
        tested = re.search(r"^from (\w+) import hook$", block, re.MULTILINE)
        assert own or tested, block
        name = own[1].replace("-", "_") if own else f"test_{tested[1]}" if tested else ""
        assert name not in found, name
        found[name] = block
    return found


FILES = files()
HOOKS: dict[str, Hook] = {name: names(block)["hook"] for name, block in FILES.items() if not name.startswith("test_")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, block in FILES.items():
        (tmp_path / f"{name}.py").write_text(block, encoding="utf-8")
    return tmp_path


def test_every_section_has_its_hook() -> None:
    assert list(FILES) == [
        "old_devices",
        "marker",
        "lab_boot",
        "ping_check",
        "blocklist",
        "one_lease",
        "guests",
        "test_old_devices",
    ]


def test_each_language_has_every_hook() -> None:
    languages = re.findall(r"^```(python|go|rust)\b", GUIDE, re.MULTILINE)
    assert languages == ["python", "go", "rust"] * len(BLOCKS)


def test_every_block_has_the_types_that_it_says(folder: Path) -> None:
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", str(SDK / "pyproject.toml")]
    modules = sorted(map(str, folder.glob("*.py")))
    done = subprocess.run(
        [*command, "--cache-dir", str(folder / "cache"), *modules],
        cwd=SDK,
        env={**os.environ, "MYPYPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_block_looks_as_our_code_does(folder: Path) -> None:
    settings = ["--no-cache", "--config", str(SDK / "pyproject.toml")]
    # Which imports are a project's own depends on its folder.
    for command in (["check", "--extend-ignore", "I001"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *settings, str(folder)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_tests_of_the_guide_pass(folder: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), str(folder)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "2 passed" in done.stdout, done.stdout + done.stderr


def answer(name: str, point: str, **call: Any) -> Result:
    result = run(HOOKS[name], point, **call)
    assert result.failure is None, result.failure
    return result


@pytest.mark.parametrize(("vendor", "options"), [("phone", {"tftp-server-name": "phones.example.org"}), ("pc", {})])
def test_the_context_tells_a_later_callout(vendor: str, options: dict[str, str]) -> None:
    earlier = answer("marker", "pkt4_receive", query=packet4(options={"vendor-class-identifier": vendor}))
    assert answer("marker", "pkt4_send", after=earlier).options() == options


def test_clients_behind_the_relay_of_the_lab_boot_from_there() -> None:
    relays = [relay6(options={"interface-id": b"core"}), relay6(options={"interface-id": b"lab"})]
    result = answer("lab_boot", "pkt6_send", query=packet6(relays=relays))
    assert result.options()["bootfile-url"] == "http://[2001:db8::1]/lab"
    assert [edit.data for edit in result.edits()][1] == b"\x00\x00\x11\x8b\x00\x21\x00\x07lab.bin"
    assert not answer("lab_boot", "pkt6_send", query=packet6(relays=relays[::-1])).changed
    assert not answer("lab_boot", "pkt6_send").changed


def test_an_offer_is_held_where_it_can_be() -> None:
    result = answer("ping_check", "lease4_offer", leases=[lease("192.0.2.1")])
    assert result.parked and result.changes.HasField("offer_address_in_use")
    result = answer("ping_check", "lease4_offer", leases=[lease("192.0.2.1")], park_budget=None)
    assert not result.parked and not result.changed


def test_commands_are_answered() -> None:
    assert answer("blocklist", "command", command="blocklist-get").answer == {"result": 0, "arguments": []}
    assert answer("blocklist", "command", command="blocklist-add").answer == {
        "result": 1,
        "text": "it is read-only",
    }


class Leases(leases_pb2_grpc.LeasesServicer):
    """One lease, on the second page."""

    def List(self, request: Any, context: Any) -> Any:
        assert dict(context.invocation_metadata())["authorization"] == "Bearer secret"
        if not request.cursor:
            return leases_pb2.ListLeasesReply(next_cursor=b"second")
        known = request.hw_address.address == b"\x08\x00\x27\x00\x00\x01"
        return leases_pb2.ListLeasesReply(leases=[leases_pb2.VersionedLease()] if known else [])


def test_the_api_is_asked_page_by_page(tmp_path: Path) -> None:
    server = grpc.server(ThreadPoolExecutor(2))
    leases_pb2_grpc.add_LeasesServicer_to_server(Leases(), server)  # type: ignore[no-untyped-call]
    endpoint = f"unix:{tmp_path}/api.sock"
    server.add_insecure_port(endpoint)
    server.start()
    try:
        api = ServerApi(endpoint, "secret", ("leases:read",))
        for address, step in (("08:00:27:00:00:01", "SKIP"), ("08:00:27:00:00:02", None)):
            result = answer("one_lease", "lease4_select", query=packet4(hw_address=address), server_api=api)
            assert (result.next_step.name if result.next_step else None) == step
    finally:
        server.stop(None).wait()
    with pytest.raises(Refusal, match="needs leases:read"):
        run(HOOKS["one_lease"], "lease4_select")


@pytest.mark.parametrize(("point", "address"), [("lease4_select", "192.0.2.1"), ("lease6_select", "2001:db8::1")])
def test_parameters_decide(point: str, address: str) -> None:
    result = answer("guests", point, lease=lease(address), parameters={"lifetime": 60})
    assert result.changes.lease.valid_lifetime == 60
    family = int(point[5])
    with Trial(HOOKS["guests"], family=family) as trial:
        assert trial.subscriptions == {point: (["lease"], ["lease.lifetimes"])}
    with Trial(HOOKS["guests"], family=family, parameters={"lifetime": 0}) as trial:
        assert trial.subscriptions == {}
    with pytest.raises(Refusal, match="number of seconds"):
        run(HOOKS["guests"], point, parameters={"lifetime": "long"})
