"""The code of README.md runs and does what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from outrigger_hooks.hook import Hook
from outrigger_hooks.testing import Result, lease, packet4, run

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def names(block: str) -> dict[str, Any]:
    found: dict[str, Any] = {"__name__": "readme"}
    exec(compile(block, str(README), "exec"), found)
    return found


HOOKS: dict[str, Hook] = {found["hook"].name: found["hook"] for found in map(names, BLOCKS)}


def test_every_block_is_known() -> None:
    assert sorted(HOOKS) == ["blocklist", "guests", "markers", "modems", "phones", "ping-check"]
    assert len(BLOCKS) == 7


def test_every_block_has_the_types_that_it_says(tmp_path: Path) -> None:
    files = []
    for number, block in enumerate(BLOCKS):
        files.append(tmp_path / f"readme{number}.py")
        files[-1].write_text(block)
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), *map(str, files)]
    done = subprocess.run(command, cwd=README.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_tests_of_the_readme_pass() -> None:
    tests = [value for value in names(BLOCKS[-1]).items() if value[0].startswith("test_")]
    assert len(tests) == 2
    for _, test in tests:
        test()


def answer(name: str, point: str, **call: Any) -> Result:
    result = run(HOOKS[name], point, **call)
    assert result.failure is None, result.failure
    return result


def test_a_modem_gets_its_boot_file() -> None:
    assert answer("modems", "pkt6_send").options()["bootfile-url"] == "http://[2001:db8::1]/boot"


def test_a_phone_is_remembered() -> None:
    earlier = answer("markers", "pkt4_receive", query=packet4(options={"vendor-class-identifier": "a phone"}))
    later = answer("markers", "pkt4_send", after=earlier)
    assert later.options() == {"tftp-server-name": "phones.example.org"}


@pytest.mark.parametrize(("point", "address"), [("lease4_select", "192.0.2.1"), ("lease6_select", "2001:db8::1")])
def test_a_guest_has_a_short_lease(point: str, address: str) -> None:
    result = answer("guests", point, lease=lease(address), parameters={"lifetime": 60})
    assert result.changes.lease.valid_lifetime == 60


def test_an_offer_waits_for_the_ping() -> None:
    result = answer("ping-check", "lease4_offer", leases=[lease("192.0.2.1")])
    assert result.parked
    assert result.changes.HasField("offer_address_in_use")


def test_a_command_is_answered() -> None:
    result = answer("blocklist", "command", command="blocklist-get")
    assert result.answer == {"result": 0, "arguments": {"blocked": ["08:00:27:00:00:01"]}}
